//! The query of an authorization request goes through the table of checks. Nothing is answered anywhere but at a
//! redirect URI of the client, tokens never go into a query, a public client never gets by without PKCE.

use super::world::{Counter, WORLDS};
use protocol::authorize::{AuthorizeRefusal, Envelope, ResponseTarget, push, refuse, resume, validate};
use protocol::client::Client;
use protocol::params::Params;
use protocol::response_mode::{Outgoing, ResponseMode};

pub(super) fn run(data: &[u8]) {
    let Some((choice, query)) = data.split_first() else { return };
    let Ok(params) = Params::parse(query) else { return };
    let again = Params::parse(params.to_query().as_bytes());
    assert!(again.ok().as_ref() == Some(&params), "what was parsed is the same again");
    let world = &WORLDS[usize::from(*choice) % WORLDS.len()];
    let client = params.get("client_id").and_then(|id| world.client(id));
    let mut entropy = Counter::default();
    let mut cx = world.cx(&mut entropy);
    let envelope = Envelope { pushed: choice & 0x80 != 0, signed: choice & 0x40 != 0, fault: None };
    let pushed = push(&params, &envelope, client, &mut cx);
    match validate(&params, &envelope, client, &mut cx) {
        Ok(request) => {
            let client = client.expect("only a registered client's request is accepted");
            goes_home(client, &request.target);
            let tokens = request.response_type.has_token() || request.response_type.has_id_token();
            assert!(!(tokens && request.target.mode == ResponseMode::Query), "AUT-20");
            assert!(
                !is_public(client) || !request.response_type.has_code() || request.code_challenge.is_some()
            );
            let stored = serde_json::to_string(&request).expect("JSON");
            assert_eq!(
                serde_json::from_str::<protocol::authorize::AuthorizeRequest>(&stored).ok(),
                Some(request)
            );
            assert!(resume(&params, &envelope, Some(client), &mut cx).is_ok(), "nothing has changed since");
            assert!(pushed.is_ok(), "the column of pushed requests has no row of its own");
        }
        Err(AuthorizeRefusal::Page(refusal)) => drop(refusal.to_string()),
        Err(AuthorizeRefusal::Respond(refusal, target)) => {
            goes_home(client.expect("only a registered client is answered"), &target);
            is_one_line(refuse(&target, &refusal, &cx).render());
        }
    }
}

fn is_public(client: &Client) -> bool {
    client.token_endpoint_auth_method == protocol::client::TokenEndpointAuthMethod::None
}

/// RFC 9700 §2.1; RFC 8252 §7.3 for the port of a native application.
fn goes_home(client: &Client, target: &ResponseTarget) {
    let uri = target.redirect.as_str();
    let is_loopback = client.is_native()
        && uri
            .strip_prefix("http://127.0.0.1")
            .is_some_and(|rest| rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()) == "/cb");
    assert!(is_loopback || client.redirect_uris.iter().any(|known| known == uri), "{uri}");
}

/// AUT-29: whatever was sent, the answer is one line.
fn is_one_line(outgoing: Outgoing) {
    match outgoing {
        Outgoing::Redirect(location) => assert!(location.bytes().all(|byte| byte.is_ascii_graphic())),
        Outgoing::FormPost { fields, .. } => assert!(fields.iter().any(|(name, _)| name == "error")),
    }
}
