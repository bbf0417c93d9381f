//! One response type and response mode at a server that allows all of them, and the checks inside nearly every module.

use serde_json::{Value, json};
use testkit::{Answer, Ask, Browser, RelyingParty, TestServer, Tokens, claims, header, verified};

/// The response types of the three plans.
const RESPONSE_TYPES: [&str; 6] =
    ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];

pub(super) const STATE: &str = "s-1";
pub(super) const NONCE: &str = "n-0S6_WzA2Mj";

/// Parameters that an error may have; the suite warns about any other.
const OF_ERRORS: [&str; 6] = ["error", "error_description", "error_uri", "state", "iss", "session_state"];

/// A client, a browser, and how the client asks.
pub(super) struct Stage {
    pub(super) server: TestServer,
    pub(super) party: RelyingParty,
    pub(super) browser: Browser,
    pub(super) response_type: &'static str,
    pub(super) form_post: bool,
}

/// What a whole flow brought.
pub(super) struct Outcome {
    /// Claims of each ID token, that of the authorization endpoint first.
    pub(super) id_tokens: Vec<Value>,
    /// As it was received, for hints.
    pub(super) id_token: String,
    pub(super) access_tokens: Vec<String>,
    /// The token response, if there was a code.
    pub(super) tokens: Option<Tokens>,
    /// What userinfo says, if there is an access token.
    pub(super) userinfo: Value,
}

impl Stage {
    /// Every response type by its default mode and by form_post, at one server and in one browser.
    pub(super) async fn every() -> Vec<Self> {
        let server = TestServer::start().await;
        let administrator = server.administrator().await;
        let mut workspace = administrator.get("/servers/default").await.expect(200).json();
        workspace["grant_types"].as_array_mut().unwrap().push(json!("implicit"));
        workspace["dynamic_client_registration"]["enabled"] = json!(true);
        administrator.put("/servers/default", &workspace).await.expect(200);
        let members = json!({
            "grant_types": ["authorization_code", "implicit", "refresh_token"],
            "response_types": RESPONSE_TYPES,
        });
        for client in ["client", "other", "post"] {
            administrator.change(&format!("/clients/{client}"), &members).await;
        }
        let browser = server.browser();
        let flows = RESPONSE_TYPES.iter().flat_map(|kind| [(*kind, false), (*kind, true)]);
        let stage = |(response_type, form_post)| Self {
            server: server.clone(),
            party: server.party("client"),
            browser: browser.clone(),
            response_type,
            form_post,
        };
        flows.map(stage).collect()
    }

    /// Those of [`Stage::every`] that bring a code.
    pub(super) async fn with_code() -> Vec<Self> {
        Self::every().await.into_iter().filter(|stage| stage.has("code")).collect()
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.response_type.split(' ').any(|value| value == part)
    }

    /// Whether userinfo can be asked.
    pub(super) fn has_access_token(&self) -> bool {
        self.response_type != "id_token"
    }

    pub(super) fn scope(&mut self, scope: &str) {
        self.party = self.party.clone().with_scope(scope);
    }

    pub(super) fn told(&self) -> String {
        format!("{}, form_post {}", self.response_type, self.form_post)
    }

    /// The authorization request as the suite sends it: no PKCE, a nonce and a state; `more` replaces, an empty value
    /// leaves out.
    pub(super) fn url(&self, more: &[(&str, &str)]) -> String {
        let mut params = vec![
            ("response_type", self.response_type),
            ("nonce", NONCE),
            ("state", STATE),
            ("code_challenge", ""),
            ("code_challenge_method", ""),
        ];
        if self.form_post {
            params.push(("response_mode", "form_post"));
        }
        params.retain(|(name, _)| !more.iter().any(|(changed, _)| changed == name));
        params.extend(more);
        self.party.authorize_url(&params)
    }

    /// The answer at the client after whatever the pages ask.
    pub(super) async fn authorize(&self, more: &[(&str, &str)]) -> Value {
        self.read(&self.browser.authorize(&self.url(more)).await)
    }

    /// The answer that comes without any page.
    pub(super) async fn silently(&self, more: &[(&str, &str)]) -> Value {
        self.read(&self.browser.load(&self.url(more)).await)
    }

    /// The parameters of an answer; every other place where they could stand is empty.
    #[track_caller]
    pub(super) fn read(&self, answer: &Answer) -> Value {
        if self.form_post {
            return self.posted(answer);
        }
        let location = answer.location();
        let (used, unused) = match self.response_type {
            "code" => (location.query(), location.fragment()),
            _ => (location.fragment(), location.query()),
        };
        assert_eq!(unused, None, "AUT-20: {}: {location}", self.told());
        assert!(location.as_str().starts_with(&self.party.redirect_uri), "{location}");
        self.checked(pairs(used.unwrap_or_else(|| panic!("{}: {location}", self.told()))))
    }

    /// C4: a page whose form posts itself, also without scripts, and may.
    #[track_caller]
    fn posted(&self, answer: &Answer) -> Value {
        assert_eq!(answer.status, 200, "{}: {}", self.told(), answer.text());
        let form = answer.form("form-post");
        assert_eq!(form.action.as_str(), self.party.redirect_uri, "nothing in query and fragment");
        let (text, policy) = (answer.text(), answer.header("content-security-policy"));
        assert!(
            text.contains("method=\"post\"") && text.contains("<noscript>") && text.contains("<button"),
            "{text}"
        );
        assert!(policy.contains("form-action") && policy.contains("https://example.com"), "{policy}");
        assert!(text.contains("<script") && policy.contains("script-src"), "it posts itself: {policy}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let fields = form.fields.into_iter().map(|(name, value)| (name, Value::String(value)));
        self.checked(Value::Object(fields.collect()))
    }

    /// C0.4 and C0.8.
    #[track_caller]
    fn checked(&self, params: Value) -> Value {
        let told = self.told();
        assert_eq!(params["state"], STATE, "{told}: {params}");
        assert_eq!(params["iss"], self.party.issuer(), "RFC 9207 §2: {told}");
        let names: Vec<&str> = params.as_object().unwrap().keys().map(String::as_str).collect();
        if params["error"].is_string() {
            assert!(names.iter().all(|name| OF_ERRORS.contains(name)), "{told}: {names:?}");
            let plain = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
            let description = params["error_description"].as_str().unwrap_or_default();
            assert!(description.bytes().all(plain), "RFC 6749 §4.1.2.1: {description}");
            return params;
        }
        for (part, member) in [("code", "code"), ("token", "access_token"), ("id_token", "id_token")] {
            assert_eq!(params[member].is_string(), self.has(part), "{told}: {member}");
        }
        assert!(params["refresh_token"].is_null(), "RFC 6749 §4.2.2");
        params
    }

    /// A whole flow with every check of C0.
    pub(super) async fn flow(&self, more: &[(&str, &str)]) -> Outcome {
        let answer = self.authorize(more).await;
        self.outcome(&answer).await
    }

    /// Checks an answer, redeems its code, asks userinfo.
    pub(super) async fn outcome(&self, answer: &Value) -> Outcome {
        assert!(answer["error"].is_null(), "{}: {answer}", self.told());
        let mut outcome = Outcome {
            id_tokens: Vec::new(),
            id_token: String::new(),
            access_tokens: Vec::new(),
            tokens: None,
            userinfo: Value::Null,
        };
        if answer["id_token"].is_string() {
            self.take(&mut outcome, answer).await;
        }
        if let Some(token) = answer["access_token"].as_str() {
            assert_eq!(answer["token_type"], "Bearer");
            assert!(answer["expires_in"].as_str().unwrap().parse::<u32>().is_ok());
            outcome.access_tokens.push(token.to_owned());
        }
        if let Some(code) = answer["code"].as_str() {
            let tokens = self.redeem(code).await.expect(200).json();
            assert!(tokens["expires_in"].is_u64(), "C0.5");
            self.take(&mut outcome, &tokens).await;
            outcome.access_tokens.push(tokens["access_token"].as_str().unwrap().to_owned());
            outcome.tokens = Some(Tokens(tokens));
        }
        for token in &outcome.access_tokens {
            let answer = self.party.userinfo(token).await.expect(200);
            assert!(answer.header("content-type").starts_with("application/json"));
            outcome.userinfo = answer.json();
        }
        let subjects = outcome.id_tokens.iter().chain(Some(&outcome.userinfo).filter(|info| !info.is_null()));
        let mut subjects: Vec<&str> = subjects.map(|claims| claims["sub"].as_str().unwrap()).collect();
        subjects.dedup();
        assert_eq!(subjects.len(), 1, "OIDC Core §3.3.3.6, §5.3.2: one person, {}", self.told());
        well_typed(&outcome.userinfo);
        outcome
    }

    /// The code as the suite redeems it.
    pub(super) async fn redeem(&self, code: &str) -> Answer {
        let [grant_type, code, redirect_uri, _] = self.party.redemption(code);
        self.party.token(&[grant_type, code, redirect_uri]).await
    }

    /// C0.6: an ID token that came with these parameters.
    async fn take(&self, outcome: &mut Outcome, beside: &Value) {
        let token = beside["id_token"].as_str().unwrap();
        let jwks = self.server.get(&self.party.path("/.well-known/jwks.json")).await.expect(200).body;
        let claims = Value::Object(verified(token, &jwks));
        let now = self.server.engine().now().seconds();
        let told = format!("{}: {claims}", self.told());
        assert!(header(token)["kid"].is_string(), "{told}");
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!(self.party.issuer()), &json!(self.party.client_id))
        );
        let (exp, iat) = (claims["exp"].as_i64().unwrap(), claims["iat"].as_i64().unwrap());
        assert!(exp > now && exp - now < 50 * 365 * 86_400 && (iat - now).abs() <= 300, "{told}");
        assert!(claims["auth_time"].as_i64().is_none_or(|at| at <= now && at > now - 86_400), "{told}");
        let sub = claims["sub"].as_str().unwrap();
        assert!(!sub.is_empty() && sub.len() <= 255 && sub.bytes().all(|b| (0x20..0x7f).contains(&b)));
        assert_ne!(claims["acr"], "");
        let algorithm = jose::Algorithm::parse(header(token)["alg"].as_str().unwrap()).unwrap();
        let bound = |text: &Value| text.as_str().map(|text| jose::half_hash(algorithm, text));
        for (hash, part) in [("at_hash", "access_token"), ("c_hash", "code")] {
            let expected = bound(&beside[part]);
            assert_eq!(claims[hash].as_str(), expected.as_deref(), "{hash}: {told}");
        }
        if beside["state"].is_string() {
            assert_eq!(claims["s_hash"].as_str(), bound(&beside["state"]).as_deref(), "{told}");
        }
        well_typed(&claims);
        outcome.id_token = token.to_owned();
        outcome.id_tokens.push(claims);
    }
}

impl Outcome {
    /// OIDC Core §5.4: these claims of the person are where they can be fetched, and nowhere else.
    #[track_caller]
    pub(super) fn releases(&self, expected: &[&str], stage: &Stage) {
        for claim in expected {
            if stage.has_access_token() {
                assert!(!self.userinfo[*claim].is_null(), "{claim} in userinfo: {}", stage.told());
            } else {
                assert!(!self.id_tokens[0][*claim].is_null(), "{claim} in the ID token: {}", stage.told());
            }
        }
        let of_person = ["name", "given_name", "birthdate", "updated_at", "email", "address", "phone_number"];
        for claims in self.id_tokens.iter().filter(|_| stage.has_access_token()) {
            let leaked = of_person.iter().find(|claim| !claims[**claim].is_null());
            assert_eq!(leaked, None, "not asked for in the ID token: {}", stage.told());
        }
        for claim in of_person.iter().filter(|claim| !expected.contains(claim)) {
            let known = [&self.userinfo, &self.id_tokens[0]];
            assert!(known.iter().all(|claims| claims[*claim].is_null()), "{claim}: {}", stage.told());
        }
    }

    /// Claims of the last ID token.
    pub(super) fn last(&self) -> &Value {
        self.id_tokens.last().unwrap()
    }
}

/// C0.6: standard claims have the JSON type of OIDC Core §5.1 and a value.
#[track_caller]
fn well_typed(claims: &Value) {
    for (name, value) in claims.as_object().into_iter().flatten() {
        let fits = match name.as_str() {
            "email_verified" | "phone_number_verified" => value.is_boolean(),
            "updated_at" | "iat" | "exp" | "auth_time" => value.is_i64(),
            "address" => value.as_object().is_some_and(|members| members.values().all(Value::is_string)),
            "amr" => value.is_array(),
            "birthdate" => value.as_str().is_some_and(is_birthdate),
            _ => value.as_str().is_some_and(|text| !text.trim().is_empty() && text != "null"),
        };
        assert!(fits, "{name}: {value}");
    }
}

/// YYYY-MM-DD, 0000-MM-DD or YYYY.
fn is_birthdate(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    match parts.as_slice() {
        [year] => digits(year, 4),
        [year, month, day] => digits(year, 4) && digits(month, 2) && digits(day, 2),
        _ => false,
    }
}

fn pairs(text: &str) -> Value {
    let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned();
    Value::Object(pairs.map(|(name, value)| (name, Value::String(value))).collect())
}

/// The authorization request by POST from another site, as far as the first page.
pub(super) async fn by_post(stage: &Stage, browser: &Browser) -> Answer {
    let url = stage.url(&[]);
    let path = stage.party.path("/oauth2/authorize");
    let ask = Ask::new(http::Method::POST, &path)
        .body("application/x-www-form-urlencoded", url.split_once('?').unwrap().1.to_owned())
        .header("origin", "https://example.com")
        .header("sec-fetch-site", "cross-site");
    let answer = browser.send(ask, &path).await;
    browser.follow(answer).await
}

/// Claims of a token, for what is compared across flows.
pub(super) fn subject(token: &str) -> Value {
    claims(token)["sub"].clone()
}
