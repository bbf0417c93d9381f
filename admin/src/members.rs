//! What is wrong with the members of a document: every problem at once, each with what was received and what
//! was expected.

use crate::failure::{Failure, Why};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::fmt::Display;

/// Longest text in one member, in bytes, and longest list of texts.
pub(crate) const MAX_TEXT_BYTES: usize = 2048;
pub(crate) const MAX_LIST: usize = 200;

/// Problems found so far, by member: `redirect_uris[1]`, `token_ttls.access_token_ttl`.
#[derive(Default)]
pub(crate) struct Problems(Map<String, Value>);

impl Problems {
    /// Notes a problem; the first one of a member stands. `received` must not be a secret.
    pub(crate) fn add(&mut self, member: impl Into<String>, received: impl Display, expected: impl Display) {
        let received: String = received.to_string().chars().take(256).collect();
        self.0
            .entry(member.into())
            .or_insert_with(|| json!({ "received": received, "expected": expected.to_string() }));
    }

    /// Notes `expected` when `holds` is false.
    pub(crate) fn require(&mut self, holds: bool, member: &str, received: impl Display, expected: &str) {
        if !holds {
            self.add(member, received, expected);
        }
    }

    /// `value` must be one of `allowed`.
    pub(crate) fn one_of(&mut self, member: &str, value: &str, allowed: &[&str]) {
        if !allowed.contains(&value) {
            self.add(member, value, format_args!("one of {}", allowed.join(", ")));
        }
    }

    /// Each of `values` must be one of `allowed`, and none may stand there twice.
    pub(crate) fn each_of(&mut self, member: &str, values: &[String], allowed: &[&str]) {
        for (index, value) in values.iter().enumerate() {
            self.one_of(&format!("{member}[{index}]"), value, allowed);
        }
        self.distinct(member, values);
    }

    pub(crate) fn distinct(&mut self, member: &str, values: &[String]) {
        if values.len() > MAX_LIST {
            self.add(member, format_args!("{} entries", values.len()), format_args!("at most {MAX_LIST}"));
        }
        for (index, value) in values.iter().enumerate() {
            if values.iter().take(index).any(|earlier| earlier == value) {
                self.add(format!("{member}[{index}]"), value, "no entry twice");
            }
        }
    }

    /// Every text of a document, so that none is endless or holds control characters.
    pub(crate) fn texts(&mut self, members: &Map<String, Value>) {
        for (member, value) in members {
            self.text(member, value);
        }
    }

    fn text(&mut self, member: &str, value: &Value) {
        match value {
            Value::String(text) if text.len() > MAX_TEXT_BYTES => {
                self.add(
                    member,
                    format_args!("{} bytes", text.len()),
                    format_args!("at most {MAX_TEXT_BYTES} bytes"),
                );
            }
            Value::String(text)
                if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) =>
            {
                self.add(member, "control characters", "text without control characters");
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate().filter(|(_, item)| item.is_string()) {
                    self.text(&format!("{member}[{index}]"), item);
                }
            }
            _ => {}
        }
    }

    /// # Errors
    /// 422 with everything noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::Own { why: Why::Invalid, details: self.0 }) }
    }
}

/// Reads `members` as a document; unknown ones are ignored (contract).
///
/// # Errors
/// 422 naming every member of a wrong type.
pub(crate) fn read<T: DeserializeOwned>(members: &Map<String, Value>) -> Result<T, Failure> {
    let error = match T::deserialize(&Value::Object(members.clone())) {
        Ok(document) => return Ok(document),
        Err(error) => error,
    };
    let mut problems = Problems::default();
    for (name, value) in members {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        if let Err(error) = T::deserialize(&Value::Object(alone)) {
            let text = error.to_string();
            let (received, expected) = text.split_once(", expected ").unwrap_or((kind_of(value), &text));
            let received =
                received.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
            // Keys and secrets are not repeated.
            let received =
                if matches!(name.as_str(), "jwks" | "client_secret") { kind_of(value) } else { received };
            problems.add(name, received, expected);
        }
    }
    problems.into_result()?;
    Err(Failure::new(Why::Invalid).with("problem", error.to_string()))
}

/// What kind of JSON value it is, in words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::client::Client;

    #[test]
    fn every_member_of_a_wrong_type_is_named_with_received_and_expected() {
        let sent =
            json!({"client_id": 7, "trusted": "yes", "client_name": "ok", "public": true, "jwks": "secret"});
        let Err(Failure::Own { why: Why::Invalid, details }) = read::<Client>(sent.as_object().unwrap())
        else {
            panic!("accepted")
        };
        assert_eq!(details["client_id"], json!({"received": "integer `7`", "expected": "a string"}));
        assert_eq!(details["trusted"], json!({"received": "string \"yes\"", "expected": "a boolean"}));
        assert_eq!(details["jwks"]["received"], "a string");
        assert_eq!(details.len(), 3, "{details:?}");
    }
}
