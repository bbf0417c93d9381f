//! Name and password at the Sandbox identity provider: the one door for every way in, so that failures count together
//! (attack W-17).

use crate::throttle::Admission;
use crate::{Call, Engine, Workspace};
use protocol::decision::Event;
use protocol::error::{Reason, Refusal};
use protocol::id::{ClientId, IdpId, SessionId, Uid};
use protocol::idp::{Idp, StaticUser};
use protocol::rate_limit::retry_after;
use protocol::record::Write;
use protocol::subject::{CredentialMark, Subject};
use protocol::time::Timestamp;
use protocol::unknown_members::UnknownMembers;

/// What became of a name and a password.
pub(crate) enum PasswordCheck {
    /// They fit. The writes belong into the commit of whatever follows.
    Fits { subject: Subject, idp_uid: Uid, writes: Vec<Write> },
    /// They do not, or nobody looked at them: too many failures before, or no provider that is switched on.
    Refused(Refusal),
}

impl Engine {
    /// Compares, and counts a failure.
    ///
    /// # Errors
    /// Only failures of the server.
    pub(crate) async fn check_password(
        &self,
        workspace: &Workspace,
        (username, password): (&str, &str),
        client: Option<&ClientId>,
        call: &Call,
    ) -> Result<PasswordCheck, Refusal> {
        if !workspace.takes_logins() {
            let refusal = Refusal::new(Reason::LoginClosed);
            let event = of_client(Event::new("login", "failed"), client).reason(&refusal);
            self.commit_decision(workspace, Vec::new(), vec![event], call).await?;
            return Ok(PasswordCheck::Refused(refusal));
        }
        let attempt = match self.login_attempt(workspace, username, &call.source).await? {
            Admission::Admitted(attempt) => attempt,
            Admission::Refused { wait } => {
                let refusal = Refusal::new(Reason::LoginThrottled).retry_after(retry_after(wait));
                let event = of_client(Event::new("login", "throttled"), client).reason(&refusal);
                self.commit_decision(workspace, Vec::new(), vec![event], call).await?;
                return Ok(PasswordCheck::Refused(refusal));
            }
        };
        let user = workspace.static_user(username);
        let hash = user.map(|(_, _, user)| user.password_hash.as_str());
        let fits = self.hashing.verify_password(password, hash).await?;
        let (Some((idp_uid, idp, user)), true) = (user, fits) else {
            // The name that was typed may be a password in the wrong field; one that is known is told as its subject.
            let event = of_client(Event::new("login", "failed"), client);
            let event = match user {
                Some((uid, idp, user)) => event.person(&subject_of(workspace, uid, idp, user, self.now())),
                None => event,
            };
            self.commit_counted(workspace, attempt, (&[], Vec::new()), vec![event], call).await?;
            return Ok(PasswordCheck::Refused(Reason::CredentialsWrong.into()));
        };
        let mut subject = subject_of(workspace, idp_uid, idp, user, self.now());
        subject.amr = if idp.static_amr.is_empty() { vec!["pwd".to_owned()] } else { idp.static_amr.clone() };
        subject.acr = workspace.server.acr_values_supported.first().cloned();
        Ok(PasswordCheck::Fits { subject, idp_uid: idp_uid.clone(), writes: attempt.succeeded() })
    }
}

/// The identifier here of whom an identity provider calls `idp_sub`.
pub(crate) fn local_subject(workspace: &Workspace, idp_uid: &Uid, idp_sub: &str) -> String {
    let identity = [workspace.server.uid.as_str(), idp_uid.as_str(), idp_sub].join("\0");
    jose::sha256(identity.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

fn of_client(event: Event, client: Option<&ClientId>) -> Event {
    match client {
        Some(client) => event.client(client),
        None => event,
    }
}

/// The person, as the Sandbox provider knows them; nothing is said of how they proved who they are. The subject
/// identifier is a one-way hash that two workspaces, or two incarnations of one, do not share (attack W-09).
pub(crate) fn subject_of(
    workspace: &Workspace,
    idp_uid: &Uid,
    idp: &Idp,
    user: &StaticUser,
    now: Timestamp,
) -> Subject {
    Subject {
        sub: local_subject(workspace, idp_uid, &user.identity()),
        idp: IdpId::new(idp.id.as_str()),
        idp_method: idp.method.clone(),
        idp_sub: user.username.clone(),
        auth_time: now,
        amr: Vec::new(),
        acr: None,
        claims: user.profile.claims().into(),
        sid: SessionId::default(),
        credential: Some(CredentialMark::of(&user.password_hash)),
        unknown: UnknownMembers::default(),
    }
}
