//! A token request: `Authorization` on the first line, the form behind it. Who nothing was handed out to gets nothing,
//! and a refusal is one of RFC 6749 §5.2.

use super::world::{Counter, WORLDS};
use protocol::client_auth::{Presented, Verdict, check, identify};
use protocol::grant::{Evidence, TokenRequest, select};
use protocol::params::Params;
use protocol::record::{Found, Lookup};

pub(super) fn run(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (header, body) = rest.split_at(end);
    let authorization = std::str::from_utf8(header).ok().filter(|header| !header.is_empty());
    let Ok(params) = Params::parse(body.strip_prefix(b"\n").unwrap_or(body)) else { return };
    let world = &WORLDS[usize::from(*choice) % WORLDS.len()];
    let mut entropy = Counter::default();
    let mut cx = world.cx(&mut entropy);
    let claimed = identify(&Presented { authorization, dpop: None }, &params);
    if let Ok(credential) = &claimed {
        assert!(!credential.client_id.as_str().is_empty());
        let client = world.client(credential.client_id.as_str());
        match check(credential, client, &[], &mut cx) {
            Ok(verdict) => {
                let client = client.expect("an unknown client is not authenticated");
                let is_public = client.token_endpoint_auth_method.name() == "none";
                // Nobody here has a secret or a key.
                assert!(is_public && matches!(verdict, Verdict::Holds(_)), "{}", client.client_id);
            }
            Err(refusal) => assert!([400, 401].contains(&refusal.status()), "{refusal}"),
        }
    }
    for client in &world.clients {
        let Ok(grant) = select(&params, client, &world.server) else { continue };
        let evidence = Evidence::default();
        let request = TokenRequest { params: &params, client, confirmation: None, evidence: &evidence };
        let Ok(wants) = grant.wants(&request, &mut cx) else { continue };
        let found: Vec<Found> = wants.iter().map(Lookup::nothing).collect();
        let decision = grant.decide(&request, &found, &mut cx);
        match decision.reply {
            Ok(_) => assert_eq!(grant.grant_type(), "client_credentials", "something for nothing"),
            Err(refusal) => assert!([400, 401].contains(&refusal.status()), "{refusal}"),
        }
    }
}
