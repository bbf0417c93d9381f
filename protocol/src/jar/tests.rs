use super::*;
use crate::fixtures::{ISSUER, World, params};
use jose::SigningKey;
use serde_json::json;

const SENT: &str = "client_id=web&response_type=code&scope=openid&state=outside&request=x";

struct Desk {
    world: World,
    client: Client,
    key: SigningKey,
}

impl Default for Desk {
    fn default() -> Self {
        let world = World::default();
        let client = world.confidential();
        Self { world, client, key: SigningKey::generate(Algorithm::ES256).unwrap() }
    }
}

impl Desk {
    fn claims(&self) -> Value {
        let now = self.world.now.seconds();
        json!({
            "iss": "web", "aud": ISSUER, "iat": now, "nbf": now, "exp": now + 60, "jti": "1",
            "client_id": "web", "response_type": "code", "redirect_uri": "https://app.example/cb",
            "max_age": 300, "claims": {"userinfo": {"name": null}},
        })
    }

    fn with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    fn without(&self, names: &[&str]) -> Value {
        let mut claims = self.claims();
        for name in names {
            claims.as_object_mut().unwrap().remove(*name);
        }
        claims
    }

    fn open_typ(&mut self, typ: &str, claims: &Value) -> Result<Params, Reason> {
        let object = self.key.sign_jwt(typ, claims).unwrap();
        self.open_object(&object, SENT, false)
    }

    fn open_object(&mut self, object: &str, sent: &str, pushed: bool) -> Result<Params, Reason> {
        let keys = [self.key.verifying_key().unwrap()];
        let opened = open(object, &params(sent), pushed, &self.client, &keys, &self.world.cx());
        opened.map_err(|refusal| refusal.reason)
    }

    fn refused(&mut self, claims: &Value) -> Option<Reason> {
        self.open_typ("JWT", claims).err()
    }
}

fn query(params: &Params) -> Value {
    params
        .iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn oidc_core_6_1_inside_wins_and_outside_supplements() {
    let mut desk = Desk::default();
    let claims = desk.with("scope", json!("openid email"));
    let opened = query(&desk.open_typ("JWT", &claims).ok().unwrap());
    let expected = json!({
        "client_id": "web", "response_type": "code", "redirect_uri": "https://app.example/cb",
        "max_age": "300", "claims": r#"{"userinfo":{"name":null}}"#, "scope": "openid email", "state": "outside",
    });
    assert_eq!(opened, expected);
}

#[test]
fn jar_02_rfc9101_6_3_nothing_unsigned_is_mixed_in() {
    let mut desk = Desk::default();
    let claims = desk.claims();
    let opened = query(&desk.open_typ(TYP, &claims).ok().unwrap());
    assert!(opened.get("state").is_none() && opened.get("scope").is_none(), "{opened}");
    let object = desk.key.sign_jwt("JWT", &claims).unwrap();
    let pushed = query(&desk.open_object(&object, SENT, true).ok().unwrap());
    assert!(pushed.get("state").is_none(), "RFC 9126 §3: {pushed}");
    let without = desk.without(&["client_id"]);
    assert_eq!(desk.open_typ(TYP, &without).err(), Some(Reason::RequestObjectContradicts));
    assert!(desk.open_typ("JWT", &without).is_ok(), "OIDC Core §6.1 does not ask for it");
}

#[test]
fn jar_03_oidcc_unsigned_request_object_is_rejected_as_unsupported() {
    let mut desk = Desk::default();
    let claims = jose::base64url::encode(desk.claims().to_string().as_bytes());
    let none = format!("{}.{claims}.", jose::base64url::encode(br#"{"alg":"none"}"#));
    assert_eq!(desk.open_object(&none, SENT, false).err(), Some(Reason::RequestObjectUnsupported));
    assert_eq!(Reason::RequestObjectUnsupported.entry().code.name(), "request_not_supported");
    let hmac = format!("{}.{claims}.AAAA", jose::base64url::encode(br#"{"alg":"HS256"}"#));
    assert_eq!(desk.open_object(&hmac, SENT, false).err(), Some(Reason::RequestObjectAlgorithm));
}

#[test]
fn jar_03_only_the_clients_keys_and_its_registered_algorithm() {
    let mut desk = Desk::default();
    let foreign = SigningKey::generate(Algorithm::ES256).unwrap();
    let object = foreign.sign_jwt("JWT", &desk.claims()).unwrap();
    assert_eq!(desk.open_object(&object, SENT, false).err(), Some(Reason::RequestObjectSignature));
    let claims = desk.claims();
    desk.client.request_object_signing_alg = "PS256".to_owned();
    assert_eq!(desk.refused(&claims), Some(Reason::RequestObjectAlgorithm));
    for registered in ["ES256", "any", ""] {
        desk.client.request_object_signing_alg = registered.to_owned();
        assert_eq!(desk.refused(&claims), None, "{registered}");
    }
    let object = desk.key.sign_jwt("JWT", &claims).unwrap();
    let opened = open(&object, &params(SENT), false, &desk.client, &[], &desk.world.cx());
    assert_eq!(opened.err().unwrap().reason, Reason::RequestObjectKeysUnavailable);
}

#[test]
fn jar_05_iss_aud_exp_and_nbf_hold_when_they_are_there() {
    let mut desk = Desk::default();
    let now = desk.world.now.seconds();
    for (name, value, reason) in [
        ("iss", json!("spa"), Reason::RequestObjectIssuer),
        ("iss", json!(7), Reason::RequestObjectIssuer),
        ("aud", json!("https://as.example/acme/other"), Reason::RequestObjectAudience),
        ("aud", json!([]), Reason::RequestObjectAudience),
        ("exp", json!(now), Reason::RequestObjectExpired),
        ("exp", json!("soon"), Reason::RequestObjectMalformed),
        ("nbf", json!(now + 11), Reason::RequestObjectNotYetValid),
        ("iat", json!(now + 60), Reason::RequestObjectNotYetValid),
    ] {
        let claims = desk.with(name, value);
        assert_eq!(desk.refused(&claims), Some(reason), "{name}");
    }
    for claims in [
        desk.with("aud", json!(["https://other.example", ISSUER])),
        desk.with("nbf", json!(now + 8)),
        desk.without(&["iss", "aud", "exp", "nbf", "iat", "jti"]),
    ] {
        assert_eq!(desk.refused(&claims), None, "{claims}");
    }
}

#[test]
fn fapi_2_0_message_signing_5_3_1_times_and_origin_are_required() {
    let mut desk = Desk::default();
    desk.world.server.profile = "fapi_20_message_signing".parse().unwrap();
    let now = desk.world.now.seconds();
    let claims = desk.claims();
    assert_eq!(desk.refused(&claims), None);
    for missing in ["iss", "aud", "exp", "nbf"] {
        let claims = desk.without(&[missing]);
        assert!(desk.refused(&claims).is_some(), "{missing}");
    }
    for (name, value) in [("exp", now + 70 * 60), ("nbf", now - 70 * 60)] {
        let claims = desk.with(name, json!(value));
        assert_eq!(desk.refused(&claims), Some(Reason::RequestObjectExpired), "{name}");
    }
}

#[test]
fn jar_06_client_id_and_response_type_agree() {
    let mut desk = Desk::default();
    for (name, value) in [("client_id", "spa"), ("response_type", "token")] {
        let claims = desk.with(name, json!(value));
        assert_eq!(desk.refused(&claims), Some(Reason::RequestObjectContradicts), "{name}");
    }
}

#[test]
fn jar_07_an_object_holds_no_other() {
    let mut desk = Desk::default();
    for name in ["request", "request_uri"] {
        let claims = desk.with(name, json!("https://app.example/r"));
        assert_eq!(desk.refused(&claims), Some(Reason::RequestObjectNested), "{name}");
    }
}

#[test]
fn jar_08_a_client_assertion_is_no_request() {
    let mut desk = Desk::default();
    let claims = desk.with("sub", json!("web"));
    assert_eq!(desk.refused(&claims), Some(Reason::RequestObjectClientAssertion));
    for typ in ["client-authentication+jwt", "dpop+jwt", "at+jwt"] {
        let claims = desk.claims();
        assert_eq!(desk.open_typ(typ, &claims).err(), Some(Reason::RequestObjectMalformed), "{typ}");
    }
}

#[test]
fn jar_10_by_value_or_by_reference() {
    let desk = Desk::default();
    let both = params("request=a.b.c&request_uri=https://app.example/r");
    assert_eq!(source(&both, &desk.client).err().unwrap().reason, Reason::RequestObjectTwice);
}

#[test]
fn jar_11_garbage_is_refused_without_panic() {
    let mut desk = Desk::default();
    for garbage in ["", "x", "..", "a.b.c", "e30.e30.", "e30.W10.e30", "a.b.c.d.e", "\u{1F980}.."] {
        let refused = desk.open_object(garbage, SENT, false).err();
        assert_eq!(refused, Some(Reason::RequestObjectMalformed), "{garbage:?}");
    }
    for value in [json!(null), json!("nul\0")] {
        let claims = desk.with("login_hint", value);
        assert!(desk.refused(&claims).is_some(), "{claims}");
    }
}

#[test]
fn oidc_core_6_2_only_registered_addresses_whatever_the_fragment() {
    let mut desk = Desk::default();
    desk.client.request_uris =
        vec!["https://app.example/r?a=1#first".to_owned(), "https://app.example/plain".to_owned()];
    let found = |uri: &str| {
        let mut sent = Params::default();
        sent.push("request_uri".to_owned(), uri.to_owned()).unwrap();
        match source(&sent, &desk.client) {
            Ok(Some(Source::Reference(address))) => Ok(address.to_owned()),
            Ok(_) => panic!("no reference"),
            Err(refusal) => Err(refusal.reason),
        }
    };
    assert_eq!(found("https://app.example/r?a=1#first").as_deref(), Ok("https://app.example/r?a=1"));
    assert_eq!(found("https://app.example/r?a=1#second").as_deref(), Ok("https://app.example/r?a=1"));
    assert_eq!(found("https://app.example/plain").as_deref(), Ok("https://app.example/plain"));
    for other in ["https://app.example/r", "https://app.example/plain/", "http://169.254.169.254/latest"] {
        assert_eq!(found(other), Err(Reason::RequestUriNotRegistered), "{other}");
    }
    for strange in ["data:application/jwt,x", "file:///etc/passwd", "urn:x:y"] {
        assert_eq!(found(strange), Err(Reason::RequestUriUnsupported), "PAR-04: {strange}");
    }
}
