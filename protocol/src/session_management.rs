//! What an application can ask the browser about the session without a request (OIDC Session Management 1.0).

use crate::id::ClientId;
use url::Url;

/// Path of the page that answers, below the issuer.
pub const CHECK_SESSION_PATH: &str = "/oidc/check-session";

/// `session_state` of an authorization response: a salted hash of the client, its origin and the state of the browser
/// here (OIDC Session Management §3, §4.2). Nothing for redirect URIs that have no origin.
pub fn session_state(client: &ClientId, redirect: &str, browser_state: &str, salt: &str) -> Option<String> {
    let url = Url::parse(redirect).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let origin = url.origin().ascii_serialization();
    let digest = jose::sha256(format!("{client} {origin} {browser_state} {salt}").as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{hex}.{salt}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_session_management_4_2_each_part_changes_the_state() {
        let state = |client: &str, redirect, browser| {
            session_state(&ClientId::new(client), redirect, browser, "salt")
        };
        let this = state("app", "https://app.example/cb?x=1", "s").unwrap();
        assert_eq!(this.split_once('.').map(|(hash, salt)| (hash.len(), salt)), Some((64, "salt")));
        assert!(!this.contains(' '), "§2: no space");
        assert_eq!(state("app", "https://app.example:443/elsewhere", "s").as_ref(), Some(&this));
        assert_ne!(state("other", "https://app.example/cb", "s").as_ref(), Some(&this));
        assert_ne!(state("app", "https://app.example:8443/cb", "s").as_ref(), Some(&this));
        assert_ne!(state("app", "https://app.example/cb", "").as_ref(), Some(&this));
        assert_eq!(state("app", "com.example.app:/cb", "s"), None);
    }
}
