//! ES256: sign a claim set, check a token.

use anyhow::{Result, anyhow};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

const KEY_ID: &str = "146574382194637281946372819463728194637";

/// One key pair, parsed once.
pub(crate) struct Signer {
    key: EcdsaKeyPair,
    public: ParsedPublicKey,
    /// The JOSE header, encoded, with its dot.
    header: String,
    random: SystemRandom,
}

impl Signer {
    pub(crate) fn generate() -> Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| anyhow!("no key"))?;
        let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref())
            .map_err(|_| anyhow!("the public key is not read back"))?;
        let header = BASE64.encode(json!({"alg": "ES256", "kid": KEY_ID, "typ": "at+jwt"}).to_string()) + ".";
        Ok(Self { key, public, header, random: SystemRandom::new() })
    }

    /// The signed token.
    pub(crate) fn sign(&self, claims: &Value) -> Result<String> {
        let mut token = String::with_capacity(1024);
        token.push_str(&self.header);
        BASE64.encode_string(claims.to_string(), &mut token);
        let signature = self.key.sign(&self.random, token.as_bytes()).map_err(|_| anyhow!("not signed"))?;
        token.push('.');
        BASE64.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The claims of a token of ours that has not expired.
    pub(crate) fn check(&self, token: &str, now: u64) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = BASE64.decode(signature).ok()?;
        self.public.verify_sig(signed.as_bytes(), &signature).ok()?;
        let (_, payload) = signed.split_once('.')?;
        let claims: Value = serde_json::from_slice(&BASE64.decode(payload).ok()?).ok()?;
        (claims.get("exp")?.as_u64()? > now).then_some(claims)
    }

    /// 32 random bytes, as text.
    pub(crate) fn handle(&self) -> Result<String> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).map_err(|_| anyhow!("no random bytes"))?;
        Ok(BASE64.encode(bytes))
    }

    /// The key set document.
    pub(crate) fn key_set(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let coordinate = |from: usize| BASE64.encode(point.get(from..from + 32).unwrap_or_default());
        json!({"keys": [{
            "alg": "ES256", "crv": "P-256", "kid": KEY_ID, "kty": "EC", "use": "sig",
            "x": coordinate(1), "y": coordinate(33),
        }]})
    }
}

/// SHA-256, how handles and secrets are kept.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}
