//! `client_id` is present and names an active client of this workspace (RFC 6749 §4.1.1, §4.1.2.1).

use super::pipeline::Arrival;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};

pub(super) fn check(arrival: &mut Arrival<'_>, cx: &Cx<'_>) -> Result<(), Refusal> {
    let refusal = |reason: Reason| Refusal::new(reason).parameter("client_id");
    let sent = arrival.params.get("client_id").ok_or_else(|| refusal(Reason::AuthorizeClientMissing))?;
    // The client was loaded by this id from this workspace; that it is the one is checked all the same.
    let client = arrival
        .registered
        .filter(|client| client.client_id.as_str() == sent && client.authorization_server_id == cx.server.id)
        .ok_or_else(|| refusal(Reason::AuthorizeClientUnknown).received(sent))?;
    if !client.is_active() {
        return Err(refusal(Reason::AuthorizeClientInactive).received(sent));
    }
    arrival.client = Some(client);
    Ok(())
}
