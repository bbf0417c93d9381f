//! Sessions of people in a workspace: listed by subject, ended one by one or all at once.

use super::{Resource, Servers};
use crate::failure::{Failure, Why};
use crate::kind::load;
use crate::operation::{Call, Method, Operation, Parameter, Reply, Running, Shape};
use crate::query::{AFTER, BEFORE, LIMIT, ORDER};
use engine::{UserSession, Workspace};
use std::sync::Arc;
use utoipa::ToSchema;

const KIND: &str = "session";
const SUBJECT: Parameter = Parameter { name: "subject", description: "Whose sessions: `sub`. Required." };

pub(super) const SESSIONS: Resource = Resource {
    tag: "sessions",
    description: "Single sign-on sessions. Applications are told when one ends; its grants end with it.",
    operations: &[
        Operation {
            kind: KIND,
            query: &[SUBJECT, LIMIT, ORDER, AFTER, BEFORE],
            success: (200, Some(Shape::of::<Sessions>())),
            errors: &[400, 404],
            ..Operation::new(
                Method::Get,
                "listSessions",
                "/servers/{wid}/sessions",
                "List the sessions of a subject",
                |call| -> Running { Box::pin(async move { list(&call).await }) },
            )
        },
        Operation {
            query: &[SUBJECT],
            success: (204, None),
            errors: &[400, 404],
            ..Operation::new(
                Method::Delete,
                "deleteSessions",
                "/servers/{wid}/sessions",
                "End all sessions of a subject",
                |call| -> Running { Box::pin(async move { end_all(&call).await }) },
            )
        },
        Operation {
            success: (204, None),
            ..Operation::new(
                Method::Delete,
                "deleteSession",
                "/servers/{wid}/sessions/{sessionID}",
                "End a session",
                |call| -> Running { Box::pin(async move { end(&call).await }) },
            )
        },
    ],
};

/// Sessions of one subject.
#[derive(ToSchema)]
#[schema(as = ListUserSessions)]
#[expect(dead_code, reason = "describes an answer")]
struct Sessions {
    sessions: Vec<Session>,
}

/// One session.
#[derive(ToSchema)]
#[schema(as = UserSession)]
#[expect(dead_code, reason = "describes an answer")]
struct Session {
    id: String,
    /// As applications (claim `sid`) and audit events (`session_id`) name it.
    sid: String,
    /// `sso`.
    #[schema(rename = "type")]
    session_type: String,
    auth_time: String,
    issue_time: String,
    active_time: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
}

async fn list(call: &Call) -> Result<Reply, Failure> {
    let (workspace, page) = (workspace(call).await?, call.query.page(KIND)?);
    let sessions = call.office.engine.sessions(&workspace, subject(call)?, &page).await?;
    let sessions: Vec<_> = sessions.into_iter().map(UserSession::from).collect();
    Ok(Reply::ok(&serde_json::json!({ "sessions": sessions })))
}

async fn end_all(call: &Call) -> Result<Reply, Failure> {
    let workspace = workspace(call).await?;
    let engine = &call.office.engine;
    engine.end_sessions_of(&workspace, subject(call)?, |_, _| false, &call.around).await?;
    Ok(Reply::no_content())
}

async fn end(call: &Call) -> Result<Reply, Failure> {
    let (workspace, id) = (workspace(call).await?, call.segment("sessionID"));
    match call.office.engine.end_session_by_id(&workspace, id, None, &call.around).await? {
        true => Ok(Reply::no_content()),
        false => Err(Failure::not_found(KIND, id)),
    }
}

/// The workspace of the path.
pub(super) async fn workspace(call: &Call) -> Result<Arc<Workspace>, Failure> {
    load::<Servers>(call, call.segment("wid")).await?;
    let found = call.office.engine.workspace(call.tenant().as_str(), call.segment("wid")).await?;
    found.ok_or_else(|| Failure::new(Why::NoSuchPath))
}

fn subject(call: &Call) -> Result<&str, Failure> {
    let subject = call.query.get("subject").filter(|subject| !subject.is_empty());
    subject.ok_or_else(|| Failure::query("subject", "absent", "the `sub` of a person"))
}
