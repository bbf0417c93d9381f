//! `session_state`, and the state of the browser that it is made of (OIDC Session Management §3, §4.2).

use crate::Workspace;
use crate::authorize::Standing;
use crate::entropy::SystemEntropy;
use crate::session::LiveSession;
use protocol::authorize::AuthorizationResponse;
use protocol::decision::{Derive, Entropy};

/// The answer with `session_state`, and the value of the cookie that it speaks of; both only where the workspace offers
/// a check_session_iframe.
pub(crate) fn with_session_state(
    response: AuthorizationResponse,
    standing: &Standing<'_>,
    live: &LiveSession,
) -> (AuthorizationResponse, Option<String>) {
    if !standing.workspace.server.sso.session_management {
        return (response, None);
    }
    let state = browser_state(standing.workspace, live);
    let mut salt = [0; 16];
    SystemEntropy::default().fill(&mut salt);
    let salt = jose::base64url::encode(&salt);
    (response.with_session_state(&standing.client.client_id, &state, &salt), Some(state))
}

/// Changes with the session, and tells nothing about it: scripts may read the cookie.
fn browser_state(workspace: &Workspace, live: &LiveSession) -> String {
    let session = jose::base64url::encode(&live.hash.0);
    jose::base64url::encode(&workspace.deriver.derive("browser state", &session))
}
