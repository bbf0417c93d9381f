//! A key and the DPoP proofs that are made with it, good and bad ones (RFC 9449 §4.2).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::Clock;
use jose::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::{ORIGIN, TestServer};

/// A key of a client; clones are the same one.
#[derive(Clone)]
pub struct DpopKey {
    server: TestServer,
    pub key: Arc<SigningKey>,
}

/// A proof before it is signed.
#[derive(Clone)]
pub struct Proof {
    key: Arc<SigningKey>,
    header: Value,
    claims: Value,
}

impl DpopKey {
    pub fn new(server: &TestServer) -> Self {
        Self::of(server, Algorithm::ES256)
    }

    pub fn of(server: &TestServer, algorithm: Algorithm) -> Self {
        Self { server: server.clone(), key: Arc::new(crate::signer(algorithm)) }
    }

    /// The thumbprint (RFC 7638).
    pub fn jkt(&self) -> String {
        self.key.public_jwk().thumbprint().expect("a thumbprint")
    }

    /// A good proof, with a `jti` of its own; `path` lies on [`ORIGIN`].
    pub fn proof(&self, method: &str, path: &str) -> Proof {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let path = path.strip_prefix(ORIGIN).unwrap_or(path);
        Proof {
            key: Arc::clone(&self.key),
            header: json!({
                "typ": "dpop+jwt", "alg": self.key.algorithm(), "jwk": self.key.public_jwk(),
            }),
            claims: json!({
                "jti": format!("proof-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
                "htm": method,
                "htu": format!("{ORIGIN}{path}"),
                "iat": self.server.clock().now().seconds(),
            }),
        }
    }
}

impl Proof {
    /// With a header parameter; `null` takes it out.
    pub fn header(mut self, name: &str, value: Value) -> Self {
        put(&mut self.header, name, value);
        self
    }

    /// With a claim; `null` takes it out.
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        put(&mut self.claims, name, value);
        self
    }

    /// For an access token.
    pub fn of_token(self, access_token: &str) -> Self {
        let ath = jose::base64url::encode(&jose::sha256(access_token.as_bytes()));
        self.claim("ath", json!(ath))
    }

    /// `iat` so many seconds from now.
    pub fn moved(self, seconds: i64) -> Self {
        let iat = self.claims["iat"].as_i64().expect("iat");
        self.claim("iat", json!(iat + seconds))
    }

    pub fn signed(&self) -> String {
        let claims = self.claims.to_string();
        self.key.sign_with_header(&self.header, claims.as_bytes()).expect("a proof")
    }
}

fn put(members: &mut Value, name: &str, value: Value) {
    members[name] = value;
    members.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
}
