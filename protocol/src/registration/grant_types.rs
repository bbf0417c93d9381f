//! Grant and response types of a registration: both are kept as they were asked for, and answered (RFC 7591 §3.2.1).
//!
//! What the contract knows may be registered whether or not the workspace allows it today; it works once the workspace
//! does (decisions 2).

use super::metadata;
use crate::client::Client;
use crate::error::Refusal;
use crate::grant::may_be_registered;
use crate::response_type::ResponseType;
use serde_json::{Map, Value};

/// Grant types with which a client acts for itself, for somebody whose password or token it has, or in somebody's name.
/// Nobody gives himself one of them (attack DCR-11).
const PRIVILEGED: &[&str] = &[
    "client_credentials",
    "password",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange",
];

/// Who registers.
#[derive(Clone, Copy)]
pub enum Registrant<'a> {
    /// Whoever found the endpoint.
    Anybody,
    /// Somebody with an initial access token (RFC 7591 §1.2): an administrator let him.
    Vouched,
    /// The client of this registration, which changes it (RFC 7592 §2.2).
    Itself(&'a Client),
}

impl Registrant<'_> {
    fn may_take(self, grant_type: &str) -> bool {
        match self {
            Self::Vouched => true,
            Self::Anybody => !PRIVILEGED.contains(&grant_type),
            Self::Itself(client) => {
                !PRIVILEGED.contains(&grant_type) || client.registered_grant_type(grant_type)
            }
        }
    }
}

/// Fills in what was not `said`, and refuses what contradicts itself (RFC 7591 §2.1).
///
/// Grant types that the registrant must not take are left out, as RFC 7591 §2 lets a server do; the answer shows it.
pub(super) fn settle(
    client: &mut Client,
    said: &Map<String, Value>,
    registrant: Registrant<'_>,
) -> Result<(), Refusal> {
    check_known(client)?;
    if !said.contains_key("response_types") {
        client.response_types = default_response_types(client)?;
    }
    if !said.contains_key("grant_types") || client.grant_types.is_empty() {
        client.grant_types = vec!["authorization_code".to_owned()];
        for needed in needed(client) {
            add(&mut client.grant_types, needed);
        }
    }
    if let Some(missing) = needed(client).into_iter().find(|needed| !client.registered_grant_type(needed)) {
        let expected = format!("{missing} among them, which the response_types need");
        return Err(metadata("grant_types", &client.grant_types.join(" "), &expected));
    }
    let asked = std::mem::take(&mut client.grant_types);
    for grant_type in asked.iter().filter(|name| registrant.may_take(name)) {
        add(&mut client.grant_types, grant_type);
    }
    if client.grant_types.is_empty() {
        let expected = "one that does not need an administrator's word, such as authorization_code";
        return Err(metadata("grant_types", &asked.join(" "), expected));
    }
    Ok(())
}

/// Values outside the lists are refused (decisions 2).
fn check_known(client: &Client) -> Result<(), Refusal> {
    if let Some(odd) = client.grant_types.iter().find(|name| !may_be_registered(name)) {
        return Err(metadata("grant_types", odd, "a grant type of grant_types_supported"));
    }
    let is_known = |name: &String| name == "none" || ResponseType::parse(name).is_some();
    match client.response_types.iter().find(|name| !is_known(name)) {
        Some(odd) => Err(metadata("response_types", odd, "code, id_token and token, combined, or none")),
        None => Ok(()),
    }
}

/// `code` is the default (RFC 7591 §2); a client that never sends anybody to the authorization endpoint has none.
fn default_response_types(client: &Client) -> Result<Vec<String>, Refusal> {
    if client.grant_types.is_empty() || client.registered_grant_type("authorization_code") {
        return Ok(vec!["code".to_owned()]);
    }
    if client.registered_grant_type("implicit") {
        return Err(metadata(
            "response_types",
            "none",
            "those of the implicit flow: code, the default, is not",
        ));
    }
    Ok(Vec::new())
}

/// The grant types that the response types need (RFC 7591 §2.1).
fn needed(client: &Client) -> Vec<&'static str> {
    let known = client.response_types.iter().filter_map(|name| ResponseType::parse(name));
    known.flat_map(|known| known.grant_types().iter().copied()).collect()
}

fn add(grant_types: &mut Vec<String>, grant_type: &str) {
    if !grant_types.iter().any(|known| known == grant_type) {
        grant_types.push(grant_type.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CIBA: &str = "urn:openid:params:grant-type:ciba";
    const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

    fn settled(said: &Value, registrant: Registrant<'_>) -> Result<Value, String> {
        let mut client: Client = serde_json::from_value(said.clone()).unwrap();
        match settle(&mut client, said.as_object().unwrap(), registrant) {
            Ok(()) => Ok(json!([client.grant_types, client.response_types])),
            Err(refusal) => Err(refusal.parameter.unwrap()),
        }
    }

    #[test]
    fn rfc7591_2_what_is_asked_is_registered_and_what_is_left_out_has_its_default() {
        for (said, registered) in [
            (json!({}), json!([["authorization_code"], ["code"]])),
            (json!({"grant_types": []}), json!([["authorization_code"], ["code"]])),
            (
                json!({"grant_types": ["authorization_code", "implicit", "refresh_token", DEVICE, CIBA]}),
                json!([["authorization_code", "implicit", "refresh_token", DEVICE, CIBA], ["code"]]),
            ),
            (json!({"grant_types": [DEVICE]}), json!([[DEVICE], []])),
            (
                json!({"grant_types": ["implicit"], "response_types": ["token id_token"]}),
                json!([["implicit"], ["token id_token"]]),
            ),
            (
                json!({"response_types": ["id_token"]}),
                json!([["authorization_code", "implicit"], ["id_token"]]),
            ),
            (
                json!({"grant_types": ["refresh_token", "authorization_code", "refresh_token"]}),
                json!([["refresh_token", "authorization_code"], ["code"]]),
            ),
            (json!({"response_types": ["none"]}), json!([["authorization_code"], ["none"]])),
        ] {
            assert_eq!(settled(&said, Registrant::Anybody), Ok(registered), "{said}");
        }
    }

    #[test]
    fn rfc7591_2_1_contradictions_and_unknown_values_are_refused() {
        for (said, member) in [
            (json!({"grant_types": ["authorization_code"], "response_types": ["id_token"]}), "grant_types"),
            (json!({"grant_types": ["implicit"], "response_types": ["code token"]}), "grant_types"),
            (json!({"grant_types": [DEVICE], "response_types": ["code"]}), "grant_types"),
            (json!({"grant_types": ["implicit"]}), "response_types"),
            (json!({"grant_types": ["magic", "authorization_code"]}), "grant_types"),
            (json!({"response_types": ["code code"]}), "response_types"),
        ] {
            assert_eq!(settled(&said, Registrant::Vouched), Err(member.to_owned()), "{said}");
        }
    }

    #[test]
    fn dcr_11_privileged_grants_are_for_those_whom_somebody_vouches_for() {
        let said = json!({"grant_types": ["authorization_code", "client_credentials", "password"]});
        let grant_types = |registrant| settled(&said, registrant).unwrap()[0].clone();
        assert_eq!(grant_types(Registrant::Anybody), json!(["authorization_code"]));
        assert_eq!(grant_types(Registrant::Vouched), said["grant_types"]);
        let machine = Client { grant_types: vec!["client_credentials".to_owned()], ..Client::default() };
        let itself = Registrant::Itself(&machine);
        assert_eq!(grant_types(itself), json!(["authorization_code", "client_credentials"]));
        let alone = json!({"grant_types": ["client_credentials"]});
        assert_eq!(settled(&alone, Registrant::Anybody), Err("grant_types".to_owned()));
        assert_eq!(settled(&alone, itself), Ok(json!([["client_credentials"], []])));
    }
}
