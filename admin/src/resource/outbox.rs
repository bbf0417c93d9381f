//! What leaves by itself and has not arrived yet: logout tokens on their way to applications (OIDC Back-Channel Logout
//! §2.5). Delivered ones are gone; those that were given up stay for a day.

use super::Resource;
use crate::failure::Failure;
use crate::operation::{Call, Method, Operation, Reply, Running, Shape};
use crate::query::{AFTER, BEFORE, LIMIT, ORDER};
use engine::WaitingNotice;
use serde::Serialize;
use utoipa::ToSchema;

const KIND: &str = "outbox";

pub(super) const OUTBOX: Resource = Resource {
    tag: "outbox",
    description: "Deliveries that wait for their next attempt, or were given up.",
    operations: &[Operation {
        kind: KIND,
        query: &[LIMIT, ORDER, AFTER, BEFORE],
        success: (200, Some(Shape::of::<Outbox>())),
        errors: &[400],
        ..Operation::new(Method::Get, "listOutbox", "/outbox", "List deliveries", |call| -> Running {
            Box::pin(async move { list(&call).await })
        })
    }],
};

/// The deliveries of a tenant.
#[derive(Serialize, ToSchema)]
struct Outbox {
    outbox: Vec<Delivery>,
}

/// One delivery.
#[derive(Serialize, ToSchema)]
struct Delivery {
    id: String,
    /// `backchannel_logout`.
    #[serde(rename = "type")]
    delivery_type: &'static str,
    authorization_server_id: String,
    client_id: String,
    /// The person, as the client knows them.
    subject: String,
    /// The session that ended (`sid`).
    session_id: String,
    /// `waiting`, or `given_up`.
    state: &'static str,
    attempts: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_error: String,
    /// Absent for one that was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
    created_at: String,
    /// When it goes from this list in any case.
    expires_at: String,
}

impl From<WaitingNotice> for Delivery {
    fn from(WaitingNotice { id, notice, expires_at }: WaitingNotice) -> Self {
        Self {
            id,
            delivery_type: "backchannel_logout",
            authorization_server_id: notice.server.as_str().to_owned(),
            client_id: notice.client.as_str().to_owned(),
            subject: notice.sub,
            session_id: notice.sid,
            state: if notice.given_up { "given_up" } else { "waiting" },
            attempts: notice.attempts,
            last_error: notice.last_error,
            next_attempt_at: (!notice.given_up).then(|| notice.due_at.rfc3339()),
            created_at: notice.created_at.rfc3339(),
            expires_at: expires_at.rfc3339(),
        }
    }
}

async fn list(call: &Call) -> Result<Reply, Failure> {
    let page = call.query.page(KIND)?;
    let rows = call.office.engine.outbox(call.tenant(), &page).await?;
    Ok(Reply::ok(&Outbox { outbox: rows.into_iter().map(Delivery::from).collect() }))
}
