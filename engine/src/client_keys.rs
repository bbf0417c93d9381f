//! The keys with which a client signs, resolved the same way for every endpoint: its registered set, the set behind
//! its `jwks_uri`, or its secret where that is an HMAC key.
//!
//! A fetched set is kept as long as its answer says, within bounds. A `kid` that is not in it makes us look again,
//! since that is how clients rotate (OIDC Core §10.1.1): at once, for a client may rotate right after we looked, but
//! then no more often than [`BETWEEN_FETCHES`]. Anybody can invent a `kid`, and nobody can use us to flood somebody
//! else's server: of one `jwks_uri` it is at most seven questions a minute.

use crate::{Engine, Workspace, seal};
use jose::{JwkSet, VerifyingKey};
use moka::sync::Cache;
use protocol::client::{Client, SealedSecret, TokenEndpointAuthMethod};
use protocol::time::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a fetched set is kept, whatever its answer says.
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// How long it is kept when the answer says nothing.
const USUAL_LIFE: Duration = Duration::from_secs(300);
/// Least time between two fetches for one client, whatever came of the first...
const BETWEEN_FETCHES: Duration = Duration::from_secs(10);
/// ...but for one that an unknown `kid` makes us do at once, so often.
const BETWEEN_FETCHES_AT_ONCE: Duration = Duration::from_secs(60);
/// Largest set that is read, and the number of sets that are kept.
const MAX_SET_BYTES: usize = 128 * 1024;
const MAX_SETS: u64 = 1_000;

const PURPOSE: &str = "client secret at rest";

/// Key sets that were fetched, per node.
pub(crate) struct ClientKeySets(Cache<String, Arc<Slot>>);

/// What is known of one `jwks_uri`.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    /// Held while fetching: many requests at once make one fetch.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    set: Option<Arc<JwkSet>>,
    good_until: Timestamp,
    tried_at: Option<Timestamp>,
    /// When an unknown `kid` last made us look again sooner than is usual.
    at_once_at: Option<Timestamp>,
}

impl State {
    /// The set as it stands, and whether it is worth asking again.
    fn judge(&self, kid: Option<&str>, now: Timestamp) -> (Option<Arc<JwkSet>>, bool) {
        let set = self.set.clone().filter(|_| now < self.good_until);
        let has_key = set.as_ref().is_some_and(|set| kid.is_none_or(|kid| set.find(kid).is_some()));
        let may_ask = self.has_rested(now) || set.is_some() && self.may_ask_at_once(now);
        (set, !has_key && may_ask)
    }

    fn has_rested(&self, now: Timestamp) -> bool {
        self.tried_at.is_none_or(|at| now.since(at) >= BETWEEN_FETCHES)
    }

    fn may_ask_at_once(&self, now: Timestamp) -> bool {
        self.at_once_at.is_none_or(|at| now.since(at) >= BETWEEN_FETCHES_AT_ONCE)
    }

    /// What is known before the answer to a question that is asked now; what was good stays so for the rest of its life.
    fn asking(self, now: Timestamp) -> Self {
        Self {
            at_once_at: if self.has_rested(now) { self.at_once_at } else { Some(now) },
            set: self.set.filter(|_| now < self.good_until),
            tried_at: Some(now),
            good_until: self.good_until,
        }
    }
}

impl Slot {
    fn read(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

impl ClientKeySets {
    pub(crate) fn new() -> Self {
        Self(Cache::new(MAX_SETS))
    }

    fn slot(&self, client: &Client) -> Arc<Slot> {
        // A client that names another address, or is another one of the same name, starts anew.
        let key = [client.uid.as_str(), &client.jwks_uri].join("\u{1f}");
        self.0.get_with(key, || Arc::new(Slot::default()))
    }
}

impl Engine {
    /// The client's public keys: `jwks`, or what `jwks_uri` holds (RFC 7591 §2). `kid` is the one that is needed, if
    /// it is known. `None` when there is no set, or it cannot be had now.
    pub(crate) async fn client_jwks(&self, client: &Client, kid: Option<&str>) -> Option<Arc<JwkSet>> {
        if let Some(set) = &client.jwks {
            return Some(Arc::new(set.clone()));
        }
        if client.jwks_uri.is_empty() {
            return None;
        }
        let slot = self.client_key_sets.slot(client);
        let (set, ask) = slot.read().judge(kid, self.now());
        if !ask {
            return set;
        }
        let _fetching = slot.fetching.lock().await;
        // Somebody may have asked while this one waited.
        let (set, ask) = slot.read().judge(kid, self.now());
        if !ask {
            return set;
        }
        let state = self.fetch_key_set(client, slot.read()).await;
        let set = state.set.clone();
        slot.write(state);
        set
    }

    /// Keys with which the client signs assertions and request objects; those that cannot be used are passed over.
    pub(crate) async fn client_keys(&self, client: &Client, kid: Option<&str>) -> Vec<VerifyingKey> {
        self.client_jwks(client, kid).await.map(|set| set.verifying_keys()).unwrap_or_default()
    }

    /// Asks `jwks_uri`. A failure keeps what was good before for the rest of its life.
    async fn fetch_key_set(&self, client: &Client, before: State) -> State {
        let now = self.now();
        let failed = before.asking(now);
        let fetched = match self.fetch().get_json(&client.jwks_uri).await {
            Ok(fetched) if fetched.status == 200 && fetched.body.len() <= MAX_SET_BYTES => fetched,
            Ok(fetched) => {
                let (status, bytes) = (fetched.status, fetched.body.len());
                tracing::warn!(client = %client.client_id, status, bytes, "jwks_uri has no key set");
                return failed;
            }
            Err(error) => {
                tracing::warn!(client = %client.client_id, %error, "jwks_uri could not be fetched");
                return failed;
            }
        };
        match JwkSet::parse(&fetched.body) {
            Ok(set) => {
                let life = fetched.max_age.unwrap_or(USUAL_LIFE).clamp(SHORTEST_LIFE, LONGEST_LIFE);
                State { set: Some(Arc::new(set)), good_until: now.plus(life), ..failed }
            }
            Err(error) => {
                tracing::warn!(client = %client.client_id, %error, "jwks_uri holds no readable key set");
                failed
            }
        }
    }

    /// Keeps the secret beside its hash, sealed, if the client's method needs the secret itself; forgets it if not.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn keep_secret(&self, client: &mut Client, secret: &str) -> Result<(), crate::EngineError> {
        client.sealed_secret = match client.token_endpoint_auth_method {
            TokenEndpointAuthMethod::ClientSecretJwt => Some(self.seal_client_secret(client, secret)?),
            _ => None,
        };
        Ok(())
    }

    /// The sealed form of a client's secret. It opens for this client and no other.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn seal_client_secret(
        &self,
        client: &Client,
        secret: &str,
    ) -> Result<SealedSecret, crate::EngineError> {
        Ok(SealedSecret(seal::seal(&self.master, &purpose(client), secret.as_bytes())?))
    }

    /// The client's secrets as HMAC keys: the current one, then rotated ones that still count. A `kid`, which says
    /// nothing about a shared secret, fits them all.
    pub(crate) fn client_secret_keys(&self, client: &Client, kid: Option<&str>) -> Vec<VerifyingKey> {
        let now = self.now();
        let rotated = client.hashed_rotated_secrets.iter();
        let rotated =
            rotated.filter(|r| r.expires_at.is_none_or(|end| now < end)).filter_map(|r| r.sealed.as_ref());
        let sealed = client.sealed_secret.iter().chain(rotated);
        let opened = sealed.filter_map(|sealed| match seal::open(&self.master, &purpose(client), &sealed.0) {
            Ok(secret) => Some(secret),
            Err(_) => {
                tracing::error!(client = %client.client_id, "the sealed secret does not open with this key file");
                None
            }
        });
        opened
            .map(|secret| {
                let key = VerifyingKey::from_secret(&secret);
                match kid {
                    Some(kid) => key.with_kid(kid),
                    None => key,
                }
            })
            .collect()
    }

    /// What verifies an assertion with which the client authenticates: never keys of another method than the
    /// registered one (attack CAJ-24).
    pub(crate) async fn authentication_keys(
        &self,
        workspace: &Workspace,
        client: &Client,
        assertion: &str,
    ) -> Vec<VerifyingKey> {
        let Ok(jwt) = jose::UnverifiedJwt::parse(assertion) else { return Vec::new() };
        let kid = jwt.header().kid.as_deref();
        let allows = |method: TokenEndpointAuthMethod| {
            let methods = &workspace.server.token_endpoint_auth_methods;
            client.is_active() && methods.iter().any(|allowed| allowed == method.name())
        };
        match client.token_endpoint_auth_method {
            method if !allows(method) => Vec::new(),
            TokenEndpointAuthMethod::PrivateKeyJwt => self.client_keys(client, kid).await,
            TokenEndpointAuthMethod::ClientSecretJwt => self.client_secret_keys(client, kid),
            _ => Vec::new(),
        }
    }
}

fn purpose(client: &Client) -> String {
    [PURPOSE, client.tenant_id.as_str(), client.client_id.as_str()].join("\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(set: &str, good_until: i64, tried_at: i64) -> State {
        State {
            set: Some(Arc::new(JwkSet::parse(set.as_bytes()).unwrap())),
            good_until: Timestamp::from_seconds(good_until),
            tried_at: Some(Timestamp::from_seconds(tried_at)),
            at_once_at: None,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn an_unknown_kid_asks_again_at_once_and_then_not_so_soon() {
        let state = state(r#"{"keys":[]}"#, 1_000, 100);
        let ask = |state: &State, kid, seconds| state.judge(kid, at(seconds)).1;
        assert!(!ask(&state, None, 100), "any key would do, and the set is good");
        assert!(ask(&state, Some("new"), 101), "a client may rotate right after we looked");
        let asked = state.asking(at(101));
        assert!(!ask(&asked, Some("new"), 101) && !ask(&asked, Some("newer"), 110));
        assert!(ask(&asked, Some("new"), 111));
        let asked = asked.asking(at(111));
        assert!(!ask(&asked, Some("new"), 112), "once a minute at once");
        assert!(ask(&asked, None, 1_000), "the set has had its time");
        assert!(State::default().judge(None, at(0)).1);
        // Where there is no set to begin with, a failure is not followed by another question at once.
        let failed = State::default().asking(at(0));
        assert!(!ask(&failed, Some("new"), 9) && ask(&failed, Some("new"), 10));
    }

    /// However many `kid`s somebody invents.
    #[test]
    fn dcr_05_seven_questions_a_minute_are_the_most() {
        let mut state = state(r#"{"keys":[]}"#, 10_000, 0);
        let mut asked = Vec::new();
        for second in 0..600 {
            if state.judge(Some("invented"), at(second)).1 {
                state = state.asking(at(second));
                asked.push(second);
            }
        }
        for start in 0..540 {
            let within = asked.iter().filter(|second| (start..start + 60).contains(*second)).count();
            assert!(within <= 7, "{within} from {start} on: {asked:?}");
        }
        assert!(asked.len() >= 60, "{asked:?}");
    }
}
