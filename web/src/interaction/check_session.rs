//! `/{tid}/{aid}/oidc/check-session` (OIDC Session Management §3.2): the page for frames of applications, where the
//! workspace offers one.

use super::OK;
use crate::content_security_policy::ContentSecurityPolicy;
use crate::cookies;
use crate::pages::check_session::{CheckSessionView, SCRIPT_SHA256, check_session};
use crate::visit::{Visit, page};
use axum::response::Response;
use protocol::error::Reason;

pub(crate) async fn show(visit: Visit) -> Response {
    if !visit.workspace.server.sso.session_management {
        return visit.refused(&Reason::SessionManagementOff.into(), None);
    }
    let view =
        CheckSessionView { frame: visit.frame(), cookie: cookies::browser_state_name(&visit.workspace) };
    let policy = ContentSecurityPolicy {
        script: Some(SCRIPT_SHA256),
        framed: true,
        ..ContentSecurityPolicy::default()
    };
    let lang = visit.lang(&[]);
    page(OK, lang, &policy, check_session(&view, lang))
}
