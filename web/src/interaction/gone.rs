//! `/{tid}/{aid}/error`: nothing is shown here that a link could choose; whoever arrives is told how to go on.
//! Refusals themselves are shown where they happen, with their status; where script runs, their page takes this address.

use crate::visit::Visit;
use axum::response::Response;
use protocol::error::Reason;

pub(crate) async fn show(visit: Visit) -> Response {
    visit.refused(&Reason::InteractionUnknown.into(), None)
}
