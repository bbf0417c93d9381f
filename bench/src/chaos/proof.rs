//! Assertions and proofs of possession that a client makes for itself.

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bench::stopwatch;
use serde_json::{Value, json};

/// A client assertion of `client_secret_jwt` (RFC 7523 §2.2).
pub(crate) fn assertion(client: &str, secret: &str, audience: &str, jti: &str) -> Result<String> {
    let now = stopwatch::now().as_secs();
    let claims = json!({
        "iss": client, "sub": client, "aud": audience, "jti": jti, "iat": now, "exp": now + 300,
    });
    let signed = join(&json!({"alg": "HS256", "typ": "JWT"}), &claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag)))
}

/// A DPoP proof with a key of its own (RFC 9449 §4.2).
pub(crate) fn dpop(method: &str, url: &str, jti: &str) -> Result<String> {
    let broken = |_| anyhow!("no key could be made");
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(broken)?;
    // An uncompressed point: 4, x, y.
    let (x, y) = pair.public_key().as_ref().get(1..).context("a point")?.split_at(32);
    let [x, y] = [x, y].map(|half| BASE64_URL_SAFE_NO_PAD.encode(half));
    let header = json!({
        "typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": x, "y": y},
    });
    let claims = json!({"jti": jti, "htm": method, "htu": url, "iat": stopwatch::now().as_secs()});
    let signed = join(&header, &claims);
    let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).map_err(broken)?;
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(token: &str) -> Result<Value> {
    let payload = token.split('.').nth(1).context("no JWT")?;
    Ok(serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload)?)?)
}

/// The subject of a JWT, unverified.
pub(crate) fn subject(token: &str) -> Result<String> {
    let claims = claims(token)?;
    claims.get("sub").and_then(Value::as_str).map(str::to_owned).context("no sub")
}

fn join(header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}")
}
