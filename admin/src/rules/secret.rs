//! How strong a secret that somebody chose must be.

/// Shortest and longest secret, in characters. The contract's minimum; 32 is also what HS256 needs (RFC 7518 §3.2).
const MIN_LENGTH: usize = 32;
const MAX_LENGTH: usize = 256;

/// Fewest different characters; a repeated one is no secret.
const MIN_DIFFERENT: usize = 10;

/// What is wrong with a chosen secret: what was received, in words that do not give it away, and what is expected.
pub(crate) fn problem(secret: &str) -> Option<(String, String)> {
    let length = secret.chars().count();
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        // RFC 6749 appendix A.2 also allows the space, which is lost on its way too easily.
        return Some(("other characters".into(), "visible ASCII characters (RFC 6749 appendix A.2)".into()));
    }
    if !(MIN_LENGTH..=MAX_LENGTH).contains(&length) {
        let expected = format!("{MIN_LENGTH} to {MAX_LENGTH} characters, or none to have one made");
        return Some((format!("{length} characters"), expected));
    }
    let mut different: Vec<char> = secret.chars().collect();
    different.sort_unstable();
    different.dedup();
    (different.len() < MIN_DIFFERENT).then(|| {
        (
            format!("{} different characters", different.len()),
            format!("at least {MIN_DIFFERENT} different characters"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn adm_22_weak_secrets_are_refused() {
        for weak in [
            "secret",
            "wPeimtcljkdBeG19Xc3OXD41iZo0zxd",
            &"a".repeat(40),
            &"ab".repeat(20),
            &"x y".repeat(20),
        ] {
            assert!(problem(weak).is_some(), "{weak}");
        }
        assert!(problem(&"0123456789abcdef".repeat(17)).is_some());
        assert_eq!(problem("wPeimtcljkdBeG19Xc3OXD41iZo0zxdg"), None);
        let (received, _) = problem("hunter2").unwrap();
        assert_eq!(received, "7 characters");
    }
}
