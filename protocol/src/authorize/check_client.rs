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

#[cfg(test)]
mod tests {
    use crate::authorize::trial::Trial;
    use crate::error::Reason;

    #[test]
    fn rfc6749_4_1_2_1_without_a_known_active_client_the_user_sees_a_page() {
        let mut trial = Trial::default();
        assert_eq!(trial.page(&[("client_id", "")]), Reason::AuthorizeClientMissing);
        trial.client.client_status = "inactive".to_owned();
        assert_eq!(trial.page(&[]), Reason::AuthorizeClientInactive);
        trial.registered = false;
        assert_eq!(trial.page(&[]), Reason::AuthorizeClientUnknown);
    }

    #[test]
    fn cod_17_a_client_of_another_workspace_or_id_is_unknown() {
        let mut trial = Trial::default();
        trial.client.authorization_server_id = "other".into();
        assert_eq!(trial.page(&[]), Reason::AuthorizeClientUnknown);
        assert_eq!(Trial::default().page(&[("client_id", "Web")]), Reason::AuthorizeClientUnknown);
    }
}
