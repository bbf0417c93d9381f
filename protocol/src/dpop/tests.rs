use super::*;
use crate::client_auth::Presented;
use crate::fixtures::{Conflict, ISSUER, Memory, World};
use crate::profile::Profile;
use jose::SigningKey;
use serde_json::{Value, json};

/// Makes proofs for the token endpoint, or for a resource when it has an access token.
struct Holder {
    world: World,
    key: SigningKey,
    access_token: Option<&'static str>,
}

impl Holder {
    fn new() -> Self {
        Self::with(Algorithm::ES256)
    }

    fn with(algorithm: Algorithm) -> Self {
        Self { world: World::default(), key: SigningKey::generate(algorithm).unwrap(), access_token: None }
    }

    fn url() -> String {
        format!("{ISSUER}/oauth2/token")
    }

    /// A good proof with changes; `null` takes a member out.
    fn proof(&self, header: &Value, claims: &Value) -> String {
        let jwk = serde_json::to_value(self.key.public_jwk()).unwrap();
        let usual = json!({"typ": "dpop+jwt", "alg": self.key.algorithm(), "jwk": jwk});
        let mut said = json!({
            "jti": "one", "htm": "POST", "htu": Self::url(), "iat": self.world.now.seconds(),
        });
        if let Some(token) = self.access_token {
            said["ath"] = json!(base64url::encode(&jose::sha256(token.as_bytes())));
        }
        let claims = serde_json::to_vec(&changed(said, claims)).unwrap();
        self.key.sign_with_header(&changed(usual, header), &claims).unwrap()
    }

    fn prove(&mut self, proof: &str) -> Result<ProvenSender, Refusal> {
        let url = Self::url();
        let presented = Presented { authorization: None, dpop: Some(proof) };
        let request = SenderRequest { presented, method: "POST", url: &url, access_token: self.access_token };
        let client = self.world.confidential();
        Dpop.prove(&request, &client, &self.world.cx()).map(Option::unwrap)
    }

    fn refused(&mut self, header: &Value, claims: &Value) -> Reason {
        let proof = self.proof(header, claims);
        self.prove(&proof).unwrap_err().reason
    }

    fn accepts(&mut self, header: &Value, claims: &Value) -> bool {
        let proof = self.proof(header, claims);
        self.prove(&proof).is_ok()
    }
}

fn changed(mut usual: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        usual[name] = value.clone();
    }
    usual.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    usual
}

/// The key and the access token of RFC 9449 §4.1 and §7.1.
#[test]
fn rfc9449_vectors_jkt_and_ath() {
    let jwk: jose::Jwk = serde_json::from_value(json!({
        "kty": "EC", "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    }))
    .unwrap();
    assert_eq!(jwk.thumbprint().unwrap(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    let mut holder = Holder::new();
    holder.access_token = Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU");
    let ath = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";
    assert!(holder.accepts(&json!({}), &json!({ "ath": ath })));
    assert_eq!(holder.refused(&json!({}), &json!({"ath": null})), Reason::DpopProofAth);
    let other = base64url::encode(&jose::sha256(b"another token"));
    assert_eq!(holder.refused(&json!({}), &json!({ "ath": other })), Reason::DpopProofAth);
}

#[test]
fn a_proof_proves_the_key_that_it_brings() {
    for algorithm in ALGORITHMS {
        let mut holder = Holder::with(*algorithm);
        let proof = holder.proof(&json!({}), &json!({}));
        let jkt = holder.key.public_jwk().thumbprint().unwrap();
        assert_eq!(holder.prove(&proof).unwrap().confirmation, Confirmation::Jkt(jkt), "{algorithm}");
        holder.world.server.profile = Profile::named("fapi_20_security").unwrap();
        let fapi = [Algorithm::ES256, Algorithm::PS256, Algorithm::EdDSA].contains(algorithm);
        assert_eq!(holder.prove(&proof).is_ok(), fapi, "{algorithm}");
    }
}

/// `fapi2-…-check-dpop-proof-nbf-exp`, and what `…-dpop-negative-tests` wants accepted.
#[test]
fn rfc9449_4_2_what_else_stands_in_a_proof_says_nothing() {
    let mut holder = Holder::new();
    let now = holder.world.now.seconds();
    assert!(holder.accepts(&json!({}), &json!({"exp": now + 60, "nbf": now - 5})));
    assert!(holder.accepts(&json!({"x": 1, "kid": "k"}), &json!({"exp": 1, "nbf": now + 999, "foo": {}})));
    assert!(holder.accepts(&json!({"typ": "application/dpop+jwt"}), &json!({"nonce": "nobody asked"})));
}

#[test]
fn dpo_06_dpo_09_typ_and_algorithm() {
    let mut holder = Holder::new();
    for typ in [json!(null), json!("JWT"), json!("at+jwt"), json!("dpop")] {
        assert_eq!(holder.refused(&json!({"typ": typ}), &json!({})), Reason::DpopProofMalformed, "{typ}");
    }
    assert_eq!(holder.refused(&json!({"alg": null}), &json!({})), Reason::DpopProofMalformed);
    for alg in ["none", "None", "HS256", "RS512", "es256", ""] {
        assert_eq!(holder.refused(&json!({"alg": alg}), &json!({})), Reason::DpopProofAlgorithm, "{alg}");
    }
    assert_eq!(holder.refused(&json!({"crit": ["x"], "x": 1}), &json!({})), Reason::DpopProofMalformed);
    for broken in ["", "x", "a.b.c", "e30.e30.", "...."] {
        assert_eq!(holder.prove(broken).unwrap_err().reason, Reason::DpopProofMalformed, "{broken}");
    }
    // Signed with the public key as a secret.
    let secret = serde_json::to_vec(&holder.key.public_jwk()).unwrap();
    let jwk = serde_json::to_value(holder.key.public_jwk()).unwrap();
    holder.key = SigningKey::from_secret(Algorithm::HS256, "k", &secret).unwrap();
    assert_eq!(holder.refused(&json!({ "jwk": jwk }), &json!({})), Reason::DpopProofAlgorithm);
}

#[test]
fn dpo_07_dpo_08_the_key_is_there_public_and_the_one_that_signed() {
    let mut holder = Holder::new();
    let jwk = |change: &Value| {
        let key = serde_json::to_value(Holder::new().key.public_jwk()).unwrap();
        json!({"jwk": changed(key, change)})
    };
    assert_eq!(holder.refused(&json!({"jwk": null}), &json!({})), Reason::DpopProofKey);
    assert_eq!(holder.refused(&jwk(&json!({})), &json!({})), Reason::DpopProofSignature, "another key");
    for bad in [
        json!({"d": "AAAA"}),
        json!({"k": "AAAA"}),
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"crv": "P-999"}),
        json!({"x": null}),
        json!({"x": "AAAA"}),
        json!({"use": "enc"}),
    ] {
        assert_eq!(holder.refused(&jwk(&bad), &json!({})), Reason::DpopProofKey, "{bad}");
    }
    for strange in [json!("key"), json!([]), json!({})] {
        let reason = holder.refused(&json!({ "jwk": strange }), &json!({}));
        assert!(matches!(reason, Reason::DpopProofMalformed | Reason::DpopProofKey), "{strange}");
    }
    let proof = holder.proof(&json!({}), &json!({}));
    let (rest, _) = proof.rsplit_once('.').unwrap();
    assert_eq!(holder.prove(&format!("{rest}.")).unwrap_err().reason, Reason::DpopProofSignature);
    let other = holder.proof(&json!({}), &json!({"jti": "two"}));
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(holder.prove(&format!("{rest}.{signature}")).unwrap_err().reason, Reason::DpopProofSignature);
}

#[test]
fn dpo_02_the_proof_is_for_this_method_and_this_address() {
    let mut holder = Holder::new();
    for htm in [json!(null), json!("GET"), json!("post"), json!(""), json!(1)] {
        assert_eq!(holder.refused(&json!({}), &json!({ "htm": htm })), Reason::DpopProofMethod, "{htm}");
    }
    for good in [
        "https://as.example/acme/shop/oauth2/token?a=b",
        "https://as.example/acme/shop/oauth2/token#fragment",
        "https://as.example/acme/shop/oauth2/token?a=b#c",
        "HTTPS://AS.Example:443/acme/shop/oauth2/token",
        "https://as.example/acme/./x/../shop/oauth2/%74oken",
    ] {
        assert!(holder.accepts(&json!({}), &json!({ "htu": good })), "{good}");
    }
    for bad in [
        json!(null),
        json!(""),
        json!("/acme/shop/oauth2/token"),
        json!("http://as.example/acme/shop/oauth2/token"),
        json!("https://as.example:8443/acme/shop/oauth2/token"),
        json!("https://evil.example/acme/shop/oauth2/token"),
        json!("https://as.example/acme/shop/oauth2/token/"),
        json!("https://as.example/acme/shop/oauth2/Token"),
        json!("https://as.example/acme/shop/oauth2%2Ftoken"),
        json!("https://as.example/acme/shop/par"),
        json!("https://x@as.example/acme/shop/oauth2/token"),
        json!(["https://as.example/acme/shop/oauth2/token"]),
    ] {
        assert_eq!(holder.refused(&json!({}), &json!({ "htu": bad })), Reason::DpopProofUrl, "{bad}");
    }
}

#[test]
fn rfc3986_6_2_2_percent_encoding_has_one_spelling() {
    assert_eq!(percent_normalized("/%61%2f%7e/%c3%a9/%zz%4"), "/a%2F~/%C3%A9/%zz%4");
    assert_eq!(percent_normalized("/é%é"), "/é%é");
}

/// `fapi2-…-dpopproof-with-iat-10seconds-before/after-succeeds`.
#[test]
fn dpo_04_the_iat_window() {
    let mut holder = Holder::new();
    let now = holder.world.now.seconds();
    for good in [-60, -10, 0, 8, 15] {
        assert!(holder.accepts(&json!({}), &json!({"iat": now + good})), "{good}");
    }
    assert!(holder.accepts(&json!({}), &json!({"iat": f64::from(1_800_000_000) + 0.5})));
    for bad in [-3600, -61, 16, 3600] {
        assert_eq!(holder.refused(&json!({}), &json!({"iat": now + bad})), Reason::DpopProofTime, "{bad}");
    }
    for strange in [json!(null), json!("now"), json!(-1)] {
        assert_eq!(holder.refused(&json!({}), &json!({ "iat": strange })), Reason::DpopProofMalformed);
    }
}

#[test]
fn dpo_05_dpo_10_a_jti_is_needed_and_counts_once_for_each_key() {
    let mut holder = Holder::new();
    for jti in [json!(null), json!(""), json!(7), json!("x".repeat(257))] {
        assert_eq!(holder.refused(&json!({}), &json!({ "jti": jti })), Reason::DpopProofMalformed);
    }
    let proof = holder.proof(&json!({}), &json!({}));
    let mut store = Memory::default();
    let mut commit = |holder: &mut Holder, proof: &str| {
        let once = holder.prove(proof).unwrap().once;
        assert_eq!((once.len(), once[0].replayed), (1, Reason::DpopProofReplayed));
        store.commit(&[once[0].write.clone()])
    };
    assert_eq!(commit(&mut holder, &proof), Ok(()));
    assert_eq!(commit(&mut holder, &proof), Err(Conflict));
    let again = holder.proof(&json!({}), &json!({"iat": holder.world.now.seconds() - 1}));
    assert_eq!(commit(&mut holder, &again), Err(Conflict), "the same jti in another proof");
    let mut other = Holder::new();
    let foreign = other.proof(&json!({}), &json!({}));
    assert_eq!(commit(&mut other, &foreign), Ok(()), "the jti of another key is another");
    // It is forgotten no sooner than the proof is dead.
    let Write::PutArtifact { artifact, .. } = &holder.prove(&proof).unwrap().once[0].write else { panic!() };
    holder.world.now = artifact.expires_at;
    assert_eq!(holder.prove(&proof).unwrap_err().reason, Reason::DpopProofTime);
}

#[test]
fn rfc9449_8_a_nonce_of_ours_and_then_the_clients_clock_does_not_matter() {
    let mut holder = Holder::new();
    holder.world.server.dpop_nonce_required = true;
    let proof = holder.proof(&json!({}), &json!({}));
    let refusal = holder.prove(&proof).unwrap_err();
    assert_eq!((refusal.reason, refusal.status()), (Reason::DpopNonceNeeded, 400));
    let nonce = refusal.nonce.unwrap();
    let far = json!({"nonce": nonce, "iat": holder.world.now.seconds() - 7200});
    assert!(holder.accepts(&json!({}), &far));
    assert_eq!(holder.refused(&json!({}), &json!({"nonce": "made-up"})), Reason::DpopNonceNeeded);
    assert_eq!(holder.refused(&json!({}), &json!({"nonce": nonce, "iat": null})), Reason::DpopProofMalformed);
    // The previous one counts, and an older one does not.
    holder.world.advance_millis(120_000);
    assert!(holder.accepts(&json!({}), &json!({ "nonce": nonce })));
    let proof = holder.proof(&json!({}), &json!({ "nonce": nonce }));
    let Write::PutArtifact { artifact, .. } = &holder.prove(&proof).unwrap().once[0].write else { panic!() };
    holder.world.now = artifact.expires_at;
    let late = holder.proof(&json!({}), &json!({ "nonce": nonce }));
    let refusal = holder.prove(&late).unwrap_err();
    assert_eq!(refusal.reason, Reason::DpopNonceNeeded);
    assert_ne!(refusal.nonce.unwrap(), nonce);
    // Another node whose clock is behind by little.
    let next = nonce::current(&holder.world.cx());
    holder.world.now = Timestamp::from_seconds(holder.world.now.seconds() - 120);
    assert!(holder.accepts(&json!({}), &json!({ "nonce": next })));
}

proptest::proptest! {
    #[test]
    fn whatever_stands_in_the_header_is_a_clean_no(proof in "[a-zA-Z0-9._-]{0,80}", url in ".{0,40}") {
        proptest::prop_assert!(Holder::new().prove(&proof).is_err());
        let path = percent_normalized(&url);
        proptest::prop_assert!(!path.is_empty() || url.is_empty());
        let _ = normalized(&url);
    }
}
