//! What a page of a login says about the form before it: why it is shown again.
//!
//! Such a form is answered with a redirect (303, RFC 9110 §15.4.4), so that the browser's history holds nothing that going
//! back would send again. What the next page has to say travels sealed in its address, bound to the login: nobody reads
//! there what was typed, and nobody else makes one up.

use crate::{Engine, EngineError, Workspace, seal};
use protocol::error::{Reason, Refusal};
use protocol::params::Params;
use protocol::rate_limit::retry_after;
use protocol::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a page says it. The longest pause after failed logins is no longer.
const SAID_FOR: Duration = Duration::from_secs(900);
/// Longest user name that is kept, in bytes; what is longer was no slip of the hand, and addresses have their limits.
const LONGEST_NAME: usize = 512;

/// What the page says, and what was typed before.
#[derive(Default)]
pub struct Notice {
    /// Why the form did not lead on; nothing when the time to wait is over.
    pub refusal: Option<Refusal>,
    pub username: String,
    pub remember_me: bool,
}

/// The same, sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    reason: String,
    username: String,
    remember_me: bool,
    made_at: Timestamp,
    /// When another try will be looked at.
    wait_until: Option<Timestamp>,
}

impl Engine {
    /// Seals why the form of a login is shown again.
    ///
    /// # Errors
    /// Only failures of the server.
    pub(crate) fn seal_notice(
        &self,
        workspace: &Workspace,
        login_id: &str,
        refusal: &Refusal,
        form: &Params,
    ) -> Result<String, EngineError> {
        let now = self.now();
        let wait = refusal.retry_after.map(|seconds| Duration::from_secs(seconds.into()));
        let username = form.get("username").filter(|name| name.len() <= LONGEST_NAME);
        let sealed = Sealed {
            reason: refusal.entry().name.to_owned(),
            username: username.unwrap_or_default().to_owned(),
            remember_me: form.get("remember_me").is_some(),
            made_at: now,
            wait_until: wait.map(|wait| now.plus(wait)),
        };
        let plain = serde_json::to_vec(&sealed).map_err(|error| EngineError::Internal(error.to_string()))?;
        Ok(seal::seal(&workspace.deriver, &purpose(login_id), &plain)?)
    }

    /// What a page of this login has to say; nothing when it was sealed for another login, elsewhere, or too long ago.
    pub fn notice(&self, workspace: &Workspace, login_id: &str, sealed: &str) -> Option<Notice> {
        let plain = seal::open(&workspace.deriver, &purpose(login_id), sealed).ok()?;
        let told: Sealed = serde_json::from_slice(&plain).ok()?;
        let now = self.now();
        let reason = Reason::ALL.iter().find(|reason| reason.entry().name == told.reason)?;
        if now.since(told.made_at) >= SAID_FOR {
            return None;
        }
        let refusal = match told.wait_until.map(|until| until.since(now)) {
            Some(Duration::ZERO) => None,
            Some(wait) => Some(Refusal::new(*reason).retry_after(retry_after(wait))),
            None => Some(Refusal::new(*reason)),
        };
        Some(Notice { refusal, username: told.username, remember_me: told.remember_me })
    }
}

fn purpose(login_id: &str) -> String {
    format!("notice\0{login_id}")
}
