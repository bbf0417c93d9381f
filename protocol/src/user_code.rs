//! The code that a person types (RFC 8628 §6.1).

use crate::decision::{Cx, Derive};
use crate::record::HandleHash;
use crate::server::Server;

/// Consonants without those that look or sound alike: 4.3 bits each, and no words (RFC 8628 §6.1).
const BASE20: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";
const DIGITS: &[u8] = b"0123456789";

/// Longest input that is looked at; codes have at most 12 characters and a few separators.
const MAX_INPUT_BYTES: usize = 64;

/// A user code in the form in which it is compared: upper case, without separators. Has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// A new one of the workspace's length and alphabet.
    pub fn random(cx: &mut Cx<'_>) -> Self {
        let settings = &cx.server.device_authorization;
        let alphabet = match settings.user_code_character_set.as_str() {
            "digits" => DIGITS,
            _ => BASE20,
        };
        let length = settings.user_code_length.clamp(6, 12);
        let mut code = String::with_capacity(length);
        // Bytes beyond the last whole multiple would favour the first letters.
        let whole = 256 / alphabet.len() * alphabet.len();
        while code.len() < length {
            let mut bytes = [0u8; 32];
            cx.entropy.fill(&mut bytes);
            let letters = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < whole);
            let letters = letters.filter_map(|byte| alphabet.get(byte % alphabet.len()));
            code.extend(letters.take(length - code.len()).map(|letter| char::from(*letter)));
        }
        Self(code)
    }

    /// What a person typed: in any case, with whatever between the characters (RFC 8628 §6.1). `None` when nothing is
    /// left that could be a code.
    pub fn read(typed: &str) -> Option<Self> {
        if typed.len() > MAX_INPUT_BYTES {
            return None;
        }
        let code: String =
            typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
        (!code.is_empty()).then_some(Self(code))
    }

    /// As it is shown: in two halves.
    pub fn shown(&self) -> String {
        let (first, second) = self.0.split_at(self.0.len().div_ceil(2));
        if second.is_empty() { first.to_owned() } else { format!("{first}-{second}") }
    }

    /// Where its row is kept. Keyed, since a code is short enough to be guessed from a plain hash.
    pub fn hash(&self, server: &Server, deriver: &dyn Derive) -> HandleHash {
        HandleHash(deriver.derive("user code", &[server.uid.as_str(), &self.0].join("\0")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::World;

    #[test]
    fn rfc8628_6_1_codes_are_read_in_any_case_and_with_any_separators() {
        let read = |typed: &str| UserCode::read(typed).map(|code| code.0);
        for typed in ["WDJBMJHT", "wdjb-mjht", " WDJB MJHT ", "w.d_j/b-m-j-h-t", "\u{2013}WDJB\u{2013}MJHT"] {
            assert_eq!(read(typed).as_deref(), Some("WDJBMJHT"), "{typed:?}");
        }
        for nothing in ["", " - ", "\u{0}", &"A".repeat(65)] {
            assert_eq!(read(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn dev_09_codes_have_the_workspaces_length_and_alphabet() {
        let mut world = World::default();
        let code = UserCode::random(&mut world.cx());
        assert_eq!(code.0.len(), 8);
        assert!(code.0.bytes().all(|b| BASE20.contains(&b)), "{}", code.0);
        assert_eq!(code.shown(), format!("{}-{}", &code.0[..4], &code.0[4..]));
        world.server.device_authorization.user_code_character_set = "digits".to_owned();
        world.server.device_authorization.user_code_length = 9;
        let code = UserCode::random(&mut world.cx());
        assert!(code.0.len() == 9 && code.0.bytes().all(|b| b.is_ascii_digit()), "{}", code.0);
        assert_eq!(code.shown().len(), 10);
        world.server.device_authorization.user_code_length = 1;
        assert_eq!(UserCode::random(&mut world.cx()).0.len(), 6, "never less than six");
    }
}
