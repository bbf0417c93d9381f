//! A key set as a stranger publishes it. Whatever passes for public is public, and stays so when it is written.

use jose::{Jwk, JwkSet, MAX_JWKS_KEYS};
use serde_json::Value;

/// Members that no published key has (RFC 7517 §9.2).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

pub(super) fn run(data: &[u8]) {
    let Ok(set) = JwkSet::parse(data) else { return };
    assert!(set.keys.len() <= MAX_JWKS_KEYS);
    let is_registrable = set.validate().is_ok();
    for key in &set.keys {
        let written = serde_json::to_value(key).expect("JSON");
        for member in PRIVATE {
            assert!(written.get(member).is_none(), "{member} is written");
        }
        if let Value::Object(members) = &written {
            assert!(members.values().all(|value| !value.is_null()), "null in {written}");
        }
        if key.validate().is_ok() {
            assert!(!key.is_private() && !key.is_symmetric());
            let again: Jwk = serde_json::from_value(written).expect("what was written is a key");
            assert_eq!(again.validate(), Ok(()));
            assert_eq!(again.thumbprint(), key.thumbprint(), "RFC 7638 §3");
            assert!(key.thumbprint().is_ok());
        }
        assert!(!(is_registrable && key.is_private()), "RFC 7517 §9.2");
    }
    let usable = set.verifying_keys();
    assert!(usable.len() <= set.keys.len());
    assert!(
        usable
            .iter()
            .all(|key| !key.algorithms().is_empty() && key.algorithms().iter().all(|a| !a.is_symmetric()))
    );
}
