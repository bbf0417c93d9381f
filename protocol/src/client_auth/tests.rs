use super::*;
use crate::client::RotatedSecret;
use crate::fixtures::{ISSUER, World, params};
use crate::record::Write;
use jose::{Algorithm, SigningKey, base64url};
use serde_json::{Value, json};

fn basic(text: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

fn found(authorization: Option<&str>, body: &str) -> Result<(String, &'static str, String), Reason> {
    let presented = Presented { authorization, dpop: None };
    identify(&presented, &params(body)).map_err(|r| r.reason).map(|credential| {
        let proof = match credential.proof {
            Proof::None => String::new(),
            Proof::Secret(readings) => {
                readings.iter().map(|secret| secret.expose().as_str()).collect::<Vec<_>>().join("|")
            }
            Proof::Assertion(assertion) => assertion,
        };
        (credential.client_id.as_str().to_owned(), credential.method.name(), proof)
    })
}

fn checked(
    world: &mut World,
    client: Option<&Client>,
    header: Option<&str>,
    body: &str,
) -> Result<Verdict, Reason> {
    let credential =
        identify(&Presented { authorization: header, dpop: None }, &params(body)).map_err(|r| r.reason)?;
    check(&credential, client, &[], &mut world.cx()).map_err(|r| r.reason)
}

fn with_secret(world: &World) -> Client {
    Client { hashed_secret: Some(HashedSecret("sha256:x".to_owned())), ..world.confidential() }
}

#[test]
fn cau_14_rfc6749_2_3_1_basic_is_form_decoded_exactly_once() {
    let read = |text: &str| found(Some(&basic(text)), "").map(|(id, _, secret)| (id, secret));
    assert_eq!(read("web:s3cret"), Ok(("web".into(), "s3cret".into())));
    assert_eq!(read("my%3Aclient:p%25+%2B%3A"), Ok(("my:client".into(), "p% +:|p%25+%2B%3A".into())));
    assert_eq!(read("web:a%2525"), Ok(("web".into(), "a%25|a%2525".into())));
    assert_eq!(read("web:a:b"), Ok(("web".into(), "a:b".into())));
    assert_eq!(read("web:"), Ok(("web".into(), String::new())));
}

/// curl, Authlib and most HTTP libraries encode nothing.
#[test]
fn a_secret_in_basic_may_also_stand_there_as_it_is() {
    for secret in ["100%", "%zz", "%00", "a%ff"] {
        let read = found(Some(&basic(&format!("web:{secret}"))), "").map(|(_, _, read)| read);
        assert_eq!(read.as_deref(), Ok(secret), "no other reading");
    }
}

#[test]
fn cau_09_a_malformed_authorization_header_is_invalid_client_and_no_panic() {
    let mut bad = vec![
        String::new(),
        " ".to_owned(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic !!!".to_owned(),
        "Basic d2Vi".to_owned(),
        "Basic d2Vi Og==".to_owned(),
        "Basicd2ViOng=".to_owned(),
        "Bearer abc".to_owned(),
        "Negotiate YII".to_owned(),
        "\u{e4}\u{2028}".to_owned(),
        format!("Basic {}", "A".repeat(100_000)),
    ];
    bad.extend([":x", "", "%ff:x", "%:x"].map(basic));
    for header in bad {
        assert_eq!(
            found(Some(&header), "client_id=web"),
            Err(Reason::AuthorizationHeaderMalformed),
            "{header}"
        );
    }
    assert!(found(Some("bAsIc d2ViOng="), "").is_ok());
    assert!(found(Some("Basic d2ViOng"), "").is_ok(), "padding may be left out");
}

#[test]
fn a_refused_header_never_shows_what_was_in_it() {
    let refusal =
        identify(&Presented { authorization: Some("hunter2 hunter3"), dpop: None }, &Params::default())
            .err()
            .unwrap();
    assert!(!format!("{refusal:?}").contains("hunter"));
}

#[test]
fn rfc6749_2_3_two_methods_at_once_are_refused() {
    let header = basic("web:x");
    for body in [
        "client_id=web&client_secret=x",
        "client_secret=x",
        &format!(
            "client_assertion=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.&client_assertion_type={}&client_id=web",
            assertion::JWT_BEARER
        ),
    ] {
        assert_eq!(found(Some(&header), body), Err(Reason::ClientAuthenticationTwice), "{body}");
    }
    let both = format!(
        "client_id=web&client_secret=x&client_assertion=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.&client_assertion_type={}",
        assertion::JWT_BEARER
    );
    assert_eq!(found(None, &both), Err(Reason::ClientAuthenticationTwice));
}

#[test]
fn cau_08_client_id_in_the_body_must_be_the_authenticated_client() {
    let header = basic("web:x");
    assert_eq!(found(Some(&header), "client_id=other"), Err(Reason::ClientIdMismatch));
    assert_eq!(found(Some(&header), "client_id=web").map(|f| f.0), Ok("web".to_owned()));
}

#[test]
fn rfc6749_3_2_1_without_any_method_authentication_is_missing() {
    assert_eq!(found(None, "grant_type=x"), Err(Reason::ClientAuthenticationMissing));
    assert_eq!(found(None, "client_id="), Err(Reason::ClientAuthenticationMissing));
    assert_eq!(found(None, "client_secret=x"), Err(Reason::ParameterMissing));
    assert_eq!(found(None, "client_id=spa").map(|f| f.1), Ok("none"));
}

#[test]
fn cau_03_pkc_19_the_method_is_pinned() {
    let mut world = World::default();
    let web = with_secret(&world);
    let spa = world.public();
    let header = basic("web:x");
    let spa_header = basic("spa:made-up");
    let mismatch = Err(Reason::ClientAuthenticationMethodMismatch);
    assert_eq!(checked(&mut world, Some(&web), Some(&header), ""), Ok(Verdict::CheckSecret));
    assert_eq!(checked(&mut world, Some(&web), None, "client_id=web"), mismatch);
    assert_eq!(checked(&mut world, Some(&web), None, "client_id=web&client_secret=x"), mismatch);
    assert_eq!(checked(&mut world, Some(&spa), None, "client_id=spa"), Ok(Verdict::Holds(vec![])));
    assert_eq!(checked(&mut world, Some(&spa), Some(&spa_header), ""), mismatch);
    assert_eq!(checked(&mut world, Some(&spa), None, "client_id=spa&client_secret=made-up"), mismatch);
}

#[test]
fn decisions_6_unspecified_accepts_basic_and_body_and_nothing_else() {
    let mut world = World::default();
    let client =
        Client { token_endpoint_auth_method: TokenEndpointAuthMethod::Unspecified, ..with_secret(&world) };
    let header = basic("web:x");
    assert_eq!(checked(&mut world, Some(&client), Some(&header), ""), Ok(Verdict::CheckSecret));
    let body = "client_id=web&client_secret=x";
    assert_eq!(checked(&mut world, Some(&client), None, body), Ok(Verdict::CheckSecret));
    let none = checked(&mut world, Some(&client), None, "client_id=web");
    assert_eq!(none, Err(Reason::ClientAuthenticationMethodMismatch));
}

#[test]
fn cau_12_cau_16_unknown_inactive_expired_and_forbidden_look_the_same_outside() {
    let mut world = World::default();
    let header = basic("web:x");
    let good = with_secret(&world);
    let inactive = Client { client_status: "inactive".to_owned(), ..good.clone() };
    let expired = Client { client_secret_expires_at: world.now.seconds(), ..good.clone() };
    let secretless = world.confidential();
    for (client, reason) in [
        (None, Reason::ClientUnknown),
        (Some(&inactive), Reason::ClientInactive),
        (Some(&expired), Reason::ClientSecretExpired),
        (Some(&secretless), Reason::ClientSecretWrong),
    ] {
        assert_eq!(checked(&mut world, client, Some(&header), ""), Err(reason));
    }
    world.server.token_endpoint_auth_methods.retain(|m| m != "client_secret_basic");
    let forbidden = checked(&mut world, Some(&good), Some(&header), "");
    assert_eq!(forbidden, Err(Reason::ClientAuthenticationMethodNotAllowed));
    for reason in [
        Reason::ClientUnknown,
        Reason::ClientInactive,
        Reason::ClientSecretExpired,
        Reason::ClientSecretWrong,
        Reason::ClientAuthenticationMethodNotAllowed,
        Reason::ClientAuthenticationMethodMismatch,
    ] {
        let (entry, wrong) = (reason.entry(), Reason::ClientSecretWrong.entry());
        assert_eq!((entry.code, entry.description), (wrong.code, wrong.description));
    }
}

#[test]
fn rotated_secrets_count_until_their_end() {
    let world = World::default();
    let rotated = |name: &str, expires_at| RotatedSecret {
        hash: HashedSecret(name.to_owned()),
        sealed: None,
        expires_at,
    };
    let client = Client {
        hashed_rotated_secrets: vec![rotated("old", None), rotated("older", Some(world.now))],
        ..with_secret(&world)
    };
    let hashes: Vec<_> = accepted_hashes(&client, world.now).map(|h| h.0.as_str()).collect();
    assert_eq!(hashes, ["sha256:x", "old"]);
}

/// A client with a key, and a way to sign what one likes.
struct Signer {
    world: World,
    key: SigningKey,
    client: Client,
}

impl Signer {
    fn new() -> Self {
        let world = World::default();
        let client = Client {
            token_endpoint_auth_method: TokenEndpointAuthMethod::PrivateKeyJwt,
            ..world.confidential()
        };
        Self { world, key: SigningKey::generate(Algorithm::ES256).unwrap(), client }
    }

    fn claims(&self) -> Value {
        json!({
            "iss": "web", "sub": "web", "aud": ISSUER, "jti": "one",
            "exp": self.world.now.seconds() + 60,
        })
    }

    fn with(&self, claim: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[claim] = value;
        claims
    }

    fn without(&self, claim: &str) -> Value {
        let mut claims = self.claims();
        claims.as_object_mut().unwrap().remove(claim);
        claims
    }

    fn check_token(&mut self, assertion: &str) -> Result<Verdict, Reason> {
        let body = format!("client_assertion_type={}&client_assertion={assertion}", assertion::JWT_BEARER);
        let credential = identify(&Presented::default(), &params(&body)).map_err(|r| r.reason)?;
        let keys = [self.key.verifying_key().unwrap()];
        check(&credential, Some(&self.client), &keys, &mut self.world.cx()).map_err(|r| r.reason)
    }

    fn check(&mut self, claims: &Value) -> Result<Verdict, Reason> {
        let assertion = self.key.sign_jwt("JWT", claims).unwrap();
        self.check_token(&assertion)
    }
}

#[test]
fn caj_02_issuer_and_token_endpoint_are_audiences() {
    let mut signer = Signer::new();
    for aud in [json!(ISSUER), json!([ISSUER]), json!(format!("{ISSUER}/oauth2/token"))] {
        let claims = signer.with("aud", aud);
        assert!(matches!(signer.check(&claims), Ok(Verdict::Holds(writes)) if writes.len() == 1));
    }
}

#[test]
fn caj_12_caj_13_an_audience_of_anybody_else_is_refused() {
    let mut signer = Signer::new();
    for aud in [
        json!("https://evil.example"),
        json!([]),
        json!([ISSUER, "https://evil.example"]),
        json!([ISSUER, 7]),
        json!({"aud": ISSUER}),
        json!(format!("{ISSUER}/")),
        json!(null),
    ] {
        let claims = signer.with("aud", aud);
        assert_eq!(signer.check(&claims), Err(Reason::ClientAssertionAudience), "{claims}");
    }
    let claims = signer.without("aud");
    assert_eq!(signer.check(&claims), Err(Reason::ClientAssertionAudience));
}

#[test]
fn fapi2_sp_5_3_2_1_the_issuer_as_one_string_is_the_only_audience() {
    let mut signer = Signer::new();
    signer.world.server.profile = "fapi_20_security".parse().unwrap();
    let own = signer.claims();
    assert!(signer.check(&own).is_ok());
    for aud in [json!([ISSUER]), json!(format!("{ISSUER}/oauth2/token"))] {
        let claims = signer.with("aud", aud);
        assert_eq!(signer.check(&claims), Err(Reason::ClientAssertionAudience));
    }
}

#[test]
fn caj_10_caj_11_times_are_enforced() {
    let mut signer = Signer::new();
    let now = signer.world.now.seconds();
    let cases = [
        ("exp", json!(now - 10), Some(Reason::ClientAssertionExpired)),
        ("exp", json!(now - 9), None),
        ("exp", json!(now - 300), Some(Reason::ClientAssertionExpired)),
        ("exp", json!(now + 3600), None),
        ("exp", json!(now + 4000), Some(Reason::ClientAssertionExpired)),
        ("exp", json!("soon"), Some(Reason::ClientAssertionMalformed)),
        ("exp", json!(null), Some(Reason::ClientAssertionMalformed)),
        ("nbf", json!(now + 8), None),
        ("nbf", json!(now + 61), Some(Reason::ClientAssertionNotYetValid)),
        ("iat", json!(now + 8), None),
        ("iat", json!(now + 61), Some(Reason::ClientAssertionNotYetValid)),
        ("iat", json!("now"), Some(Reason::ClientAssertionMalformed)),
    ];
    for (claim, value, refusal) in cases {
        let claims = signer.with(claim, value);
        assert_eq!(signer.check(&claims).err(), refusal, "{claims}");
    }
    let claims = signer.without("exp");
    assert_eq!(signer.check(&claims), Err(Reason::ClientAssertionExpired));
}

#[test]
fn caj_14_caj_19_issuer_and_subject_are_the_client() {
    let mut signer = Signer::new();
    for (claim, value) in [("iss", json!("other")), ("sub", json!("other")), ("iss", json!(null))] {
        let claims = signer.with(claim, value);
        assert_eq!(signer.check(&claims), Err(Reason::ClientAssertionIssuer), "{claims}");
    }
    for claim in ["iss", "sub"] {
        let claims = signer.without(claim);
        assert_eq!(signer.check(&claims), Err(Reason::ClientAssertionIssuer), "{claim}");
    }
}

#[test]
fn caj_03_caj_15_caj_25_a_jti_is_needed_and_counts_once() {
    let mut signer = Signer::new();
    for jti in [json!(""), json!("x".repeat(257)), json!(7), json!(null)] {
        let claims = signer.with("jti", jti);
        assert_eq!(signer.check(&claims), Err(Reason::ClientAssertionWithoutJti));
    }
    let claims = signer.claims();
    let Ok(Verdict::Holds(once)) = signer.check(&claims) else { panic!("refused") };
    let writes: Vec<Write> = once.iter().map(|once| once.write.clone()).collect();
    let mut store = crate::fixtures::Memory::default();
    assert_eq!(store.commit(&writes), Ok(()));
    assert_eq!(store.commit(&writes), Err(crate::fixtures::Conflict));
    assert_eq!(once[0].replayed, Reason::ClientAssertionReplayed);
    // It is forgotten no sooner than the assertion is dead.
    let Write::PutArtifact { artifact, .. } = &writes[0] else { panic!("another write") };
    signer.world.now = artifact.expires_at;
    assert_eq!(signer.check(&claims), Err(Reason::ClientAssertionExpired));
}

#[test]
fn caj_04_caj_07_caj_16_jwt_05_only_a_registered_key_and_algorithm_verify() {
    let mut signer = Signer::new();
    let claims = signer.claims();
    let body = serde_json::to_vec(&claims).unwrap();
    let public = signer.key.public_jwk();
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    let rs256 = SigningKey::generate(Algorithm::RS256).unwrap();
    let hmac = SigningKey::from_secret(Algorithm::HS256, signer.key.kid(), &[7; 32]).unwrap();
    let kid = signer.key.kid().to_owned();
    let header = |extra: Value| {
        let mut header = json!({"alg": "ES256", "kid": kid, "typ": "JWT"});
        header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        header
    };
    let unsigned =
        format!("{}.{}.", base64url::encode(br#"{"alg":"none","typ":"JWT"}"#), base64url::encode(&body));
    let good = signer.key.sign_jwt("JWT", &claims).unwrap();
    let stripped = good.rsplit_once('.').unwrap().0.to_owned() + ".";
    let cases = [
        (unsigned, Reason::ClientAssertionAlgorithm),
        (stripped, Reason::ClientAssertionSignature),
        (stranger.sign_jwt("JWT", &claims).unwrap(), Reason::ClientAssertionSignature),
        (
            stranger.sign_with_header(&header(json!({"jwk": stranger.public_jwk()})), &body).unwrap(),
            Reason::ClientAssertionSignature,
        ),
        (rs256.sign_jwt("JWT", &claims).unwrap(), Reason::ClientAssertionSignature),
        (hmac.sign_jwt("JWT", &claims).unwrap(), Reason::ClientAuthenticationMethodMismatch),
        (
            signer.key.sign_with_header(&header(json!({"crit": ["x"]})), &body).unwrap(),
            Reason::ClientAssertionMalformed,
        ),
        (signer.key.sign_jwt("at+jwt", &claims).unwrap(), Reason::ClientAssertionMalformed),
    ];
    for (assertion, reason) in cases {
        assert_eq!(signer.check_token(&assertion), Err(reason), "{assertion}");
    }
    assert!(signer.check_token(&good).is_ok());
    assert!(public.alg.is_some());
    // A workspace that lists HS256 does not make a public key into a secret.
    signer.world.server.token_endpoint_auth_signing_alg_values.push(Algorithm::HS256);
    let as_secret = hmac.sign_jwt("JWT", &claims).unwrap();
    assert_eq!(signer.check_token(&as_secret), Err(Reason::ClientAuthenticationMethodMismatch));
    signer.client.token_endpoint_auth_signing_alg = Some(Algorithm::PS256);
    assert_eq!(signer.check_token(&good), Err(Reason::ClientAssertionAlgorithm));
}

#[test]
fn caj_21_caj_23_other_types_and_garbage_are_refused() {
    let of = |kind: &str, assertion: &str| {
        found(None, &format!("client_assertion_type={kind}&client_assertion={assertion}"))
    };
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    assert_eq!(of(saml, "e30.e30."), Err(Reason::ClientAssertionTypeUnknown));
    assert_eq!(found(None, "client_assertion=e30.e30."), Err(Reason::ClientAssertionTypeUnknown));
    let bearer = assertion::JWT_BEARER;
    let huge = "a".repeat(100_000);
    for assertion in ["", "x", "a.b.c", "e30.e30", &huge] {
        assert_eq!(of(bearer, assertion), Err(Reason::ClientAssertionMalformed));
    }
}

#[test]
fn a_client_without_keys_is_told_apart_from_a_bad_signature() {
    let mut signer = Signer::new();
    let assertion = signer.key.sign_jwt("JWT", &signer.claims()).unwrap();
    let body = format!("client_assertion_type={}&client_assertion={assertion}", assertion::JWT_BEARER);
    let client = signer.client.clone();
    assert_eq!(checked(&mut signer.world, Some(&client), None, &body), Err(Reason::ClientKeysUnavailable));
}

proptest::proptest! {
    #[test]
    fn cau_09_no_header_and_no_body_makes_it_panic(
        header in proptest::option::of("(?i:basic |bearer |)[ -~\\u{0}-\\u{ff}]{0,60}"),
        client_id in "[ -~]{0,12}",
        assertion in "[A-Za-z0-9_.-]{0,60}",
    ) {
        let mut sent = Params::default();
        for (name, value) in [("client_id", client_id), ("client_assertion", assertion)] {
            sent.push(name.to_owned(), value).ok();
        }
        sent.push("client_assertion_type".to_owned(), assertion::JWT_BEARER.to_owned()).ok();
        let _ = identify(&Presented { authorization: header.as_deref(), dpop: None }, &sent);
        let _ = identify(&Presented { authorization: header.as_deref(), dpop: None }, &params("client_id=web"));
    }

    #[test]
    fn cau_14_whatever_a_client_encodes_arrives(id in "\\PC{1,20}", secret in "\\PC{0,40}") {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let header = basic(&format!("{}:{}", encode(&id), encode(&secret)));
        let (found_id, method, read) = found(Some(&header), "").unwrap();
        proptest::prop_assert_eq!((found_id, method), (id, "client_secret_basic"));
        proptest::prop_assert!(read == secret || read == format!("{secret}|{}", encode(&secret)), "{}", read);
    }
}
