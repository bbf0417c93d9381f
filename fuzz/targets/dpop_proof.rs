//! A DPoP proof, whole or as the claims of one that is signed here. Whatever proves a key names that key, this request
//! and this moment, and is good once.

use super::world::{Counter, NOW, WORLDS};
use jose::{Algorithm, Jwk, SigningKey, UnverifiedJwt};
use protocol::client_auth::Presented;
use protocol::confirmation::Confirmation;
use protocol::dpop::Dpop;
use protocol::sender_constraint::{SenderConstraint, SenderRequest};
use serde_json::json;
use std::sync::LazyLock;
use url::Url;

const URL: &str = "https://as.example/acme/shop/oauth2/token";

/// The key of RFC 8037 appendix A.1.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": "1",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let key: Jwk = serde_json::from_value(key).expect("a key");
    SigningKey::from_jwk(Algorithm::EdDSA, &key).expect("a usable key")
});

pub(super) fn run(data: &[u8]) {
    let signed = data.starts_with(b"{").then(|| {
        let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": KEY.public_jwk()});
        KEY.sign_with_header(&header, data).expect("a signature")
    });
    let Some(proof) = signed.as_deref().or_else(|| std::str::from_utf8(data).ok()) else { return };
    let presented = Presented { authorization: None, dpop: Some(proof) };
    let at_endpoint = SenderRequest { presented, method: "POST", url: URL, access_token: None };
    let at_resource = SenderRequest { access_token: Some("a token"), ..at_endpoint };
    for world in WORLDS.iter() {
        let mut entropy = Counter::default();
        let cx = world.cx(&mut entropy);
        let client = &world.clients[0];
        match Dpop.prove(&at_endpoint, client, &cx) {
            Ok(proven) => {
                let proven = proven.expect("a proof was sent");
                assert_eq!(proven.once.len(), 1, "RFC 9449 §11.1");
                holds(proof, &proven.confirmation);
            }
            Err(refusal) => assert!([400, 401].contains(&refusal.status()), "{refusal}"),
        }
        if Dpop.prove(&at_resource, client, &cx).is_ok() {
            let jwt = UnverifiedJwt::parse(proof).expect("a JWT");
            let ath = jwt.unverified_claims().expect("claims").remove("ath").expect("RFC 9449 §4.3 (12)");
            assert_eq!(ath, jose::base64url::encode(&jose::sha256(b"a token")));
        }
    }
}

/// RFC 9449 §4.3, read once more and in another way.
fn holds(proof: &str, confirmation: &Confirmation) {
    let jwt = UnverifiedJwt::parse(proof).expect("a JWT");
    let (header, claims) = (jwt.header(), jwt.unverified_claims().expect("claims"));
    assert!(header.is_type("dpop+jwt") && header.crit.is_none());
    assert!(!header.algorithm().expect("an algorithm").is_symmetric());
    let key = header.jwk.as_ref().expect("a key");
    assert!(!key.is_private());
    assert_eq!(*confirmation, Confirmation::Jkt(key.thumbprint().expect("a thumbprint")));
    assert_eq!(claims["htm"], "POST");
    let htu = Url::parse(claims["htu"].as_str().expect("htu")).expect("a URL");
    assert_eq!((htu.scheme(), htu.host_str(), htu.port()), ("https", Some("as.example"), None));
    assert!(claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()));
    let iat = claims["iat"].as_f64().expect("iat");
    assert!((iat - NOW.seconds() as f64).abs() <= 61.0, "{iat}");
}
