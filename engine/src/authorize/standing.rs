//! What is known when the next step of an authorization is taken.

use super::Browser;
use crate::session::LiveSession;
use crate::{Call, Workspace};
use protocol::authorize::{AuthorizeRequest, Interaction, Unpacked};
use protocol::client::Client;
use protocol::record::{Artifact, Expect, HandleHash, Write};
use protocol::time::Timestamp;
use std::sync::Arc;

/// A login in progress as loaded, so that using it can be made a precondition.
pub(crate) struct OpenInteraction {
    pub(crate) login_id: String,
    pub(crate) artifact: Artifact,
    pub(crate) interaction: Interaction,
}

impl OpenInteraction {
    /// The write that uses it up: once, whoever comes first.
    pub(super) fn used(&self, now: Timestamp) -> Write {
        let mut interaction = self.interaction.clone();
        interaction.used_at = Some(now);
        let row = &self.artifact;
        let artifact = Artifact::after(row, row.hash, row.expires_at, &interaction);
        Write::PutArtifact { artifact, expect: Expect::Revision(self.artifact.revision) }
    }
}

/// Everything known when the next step is taken.
pub(crate) struct Standing<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) client: &'a Arc<Client>,
    pub(crate) request: &'a AuthorizeRequest,
    pub(crate) session: Option<&'a LiveSession>,
    pub(crate) open: Option<&'a OpenInteraction>,
    pub(crate) browser: &'a Browser,
    pub(crate) query: &'a str,
    pub(crate) unpacked: Option<&'a Unpacked>,
    pub(crate) call: &'a Call,
}

impl Standing<'_> {
    /// The pushed request that is used up with the answer.
    pub(super) fn pushed(&self) -> Option<HandleHash> {
        self.unpacked.and_then(|unpacked| unpacked.pushed)
    }
}
