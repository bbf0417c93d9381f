//! Mistakes that were made elsewhere, or that lie near.

use crate::decision::{Decision, Handle};
use crate::record::{ArtifactKind, Expect, Write};
use crate::token::Issue;

/// One mistake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mutant {
    /// A code is marked as used whatever happened meanwhile: two requests can both win.
    CodeWithoutPrecondition,
    /// A code is not marked as used.
    CodeNeverMarked,
    /// A refresh token is rotated whatever happened meanwhile (the class of CVE-2026-1035).
    RotationWithoutPrecondition,
    /// The successor is random, so that nobody can give it again.
    RandomSuccessor,
    /// A replay is refused, and the family lives on.
    ReplayKeepsTheFamily,
    /// A rotation does not look at the grant once more, so that it takes back a revocation at the same moment.
    RotationForgetsTheGrant,
    /// A retry is good for an hour.
    EndlessRetries,
    /// The store failed, and a revocation is answered as done (the class of CVE-2020-15223).
    RevocationNotStored,
    /// The answer leaves, then the process dies before the commit.
    AnswerBeforeCommit,
    /// What was committed last is gone when the process dies.
    CommitNotDurable,
    /// What was revoked or used is seen one commit too late.
    StaleCache,
    /// Rotated tokens are forgotten by a restart (the class of CVE-2026-9802).
    RotationForgottenByRestart,
}

impl Mutant {
    pub(super) const ALL: &'static [Self] = &[
        Self::CodeWithoutPrecondition,
        Self::CodeNeverMarked,
        Self::RotationWithoutPrecondition,
        Self::RandomSuccessor,
        Self::ReplayKeepsTheFamily,
        Self::RotationForgetsTheGrant,
        Self::EndlessRetries,
        Self::RevocationNotStored,
        Self::AnswerBeforeCommit,
        Self::CommitNotDurable,
        Self::StaleCache,
        Self::RotationForgottenByRestart,
    ];

    /// Breaks a decision of the token endpoint.
    pub(super) fn alter(self, decision: &mut Decision<Issue>, seed: usize) {
        let is = |write: &Write, wanted| matches!(write, Write::PutArtifact { artifact, .. } if artifact.kind == wanted);
        match self {
            Self::CodeWithoutPrecondition => relax(&mut decision.writes, ArtifactKind::AuthorizationCode),
            Self::RotationWithoutPrecondition => relax(&mut decision.writes, ArtifactKind::RefreshToken),
            Self::CodeNeverMarked => {
                decision.writes.retain(|write| !is(write, ArtifactKind::AuthorizationCode));
            }
            Self::ReplayKeepsTheFamily => {
                decision.writes.retain(|write| !matches!(write, Write::RevokeGrant { .. }));
            }
            Self::RotationForgetsTheGrant => {
                decision.writes.retain(|write| !matches!(write, Write::RequireGrant { .. }));
                for write in &mut decision.writes {
                    if let Write::PutGrant { expect, .. } = write {
                        *expect = Expect::Any;
                    }
                }
            }
            Self::RandomSuccessor => random_successor(decision, seed),
            _ => {}
        }
    }
}

fn relax(writes: &mut [Write], kind: ArtifactKind) {
    for write in writes {
        if let Write::PutArtifact { artifact, expect } = write
            && artifact.kind == kind
        {
            *expect = Expect::Any;
        }
    }
}

fn random_successor(decision: &mut Decision<Issue>, seed: usize) {
    let Ok(issue) = &mut decision.reply else { return };
    let handle = Handle::new(format!("rt_random-{seed}"));
    for write in &mut decision.writes {
        if let Write::PutArtifact { artifact, expect: Expect::Absent } = write
            && artifact.kind == ArtifactKind::RefreshToken
        {
            artifact.hash = handle.hash();
        }
    }
    issue.refresh_token = Some(handle);
}
