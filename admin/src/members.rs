//! What is wrong with the members of a document: every problem at once, each with what was received and what
//! was expected.

use crate::failure::{Failure, Why};
use protocol::json_type::{described, name_of_type};
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

    /// Takes over what was noted elsewhere; of a member the first stands.
    pub(crate) fn extend(&mut self, other: Self) {
        for (member, problem) in other.0 {
            self.0.entry(member).or_insert(problem);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// 422 with everything noted.
    pub(crate) fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::Own { why: Why::Invalid, details: self.0 }) }
    }
}

/// Members that hold keys, secrets and passwords: of their values only the type is repeated.
const NOT_REPEATED: [&str; 4] = ["jwks", "client_secret", "credentials", "users"];

/// Reads `members` as a document; unknown ones are ignored (contract).
///
/// # Errors
/// 422 naming every value of a wrong type by its path.
pub(crate) fn read<T: DeserializeOwned>(members: &Map<String, Value>) -> Result<T, Failure> {
    types::<T>(members).into_result()?;
    T::deserialize(&Value::Object(members.clone()))
        .map_err(|error| Failure::new(Why::Invalid).with("problem", error.to_string()))
}

/// The values that have another type than `T` has there, by their paths: `credentials.users[2].username`.
pub(crate) fn types<T: DeserializeOwned>(members: &Map<String, Value>) -> Problems {
    let mut problems = Problems::default();
    for (name, value) in members {
        let fault = |value| T::deserialize(&Value::Object(Map::from_iter([(name.clone(), value)]))).err();
        let repeated = !NOT_REPEATED.contains(&name.as_str());
        Spot { path: name.clone(), repeated, fault: &fault }.look(value, &mut problems);
    }
    problems
}

/// A place in a document where a value stands.
struct Spot<'a> {
    path: String,
    /// Whether a wrong value may be told.
    repeated: bool,
    /// What is wrong with a value that stands here, and nothing else in the document.
    fault: &'a dyn Fn(Value) -> Option<serde_json::Error>,
}

impl Spot<'_> {
    /// Notes what is wrong with `value`, as deep inside as it is wrong by itself.
    fn look(&self, value: &Value, problems: &mut Problems) {
        let error = (self.fault)(value.clone());
        let is_free = error.is_none() && self.takes(json!(true)) && self.takes(json!({}));
        if is_free || error.is_none() && !(value.is_array() || value.is_object()) {
            return;
        }
        let before = problems.0.len();
        match value {
            Value::Object(members) if self.takes(json!({})) => {
                for (name, member) in members.iter().take(MAX_LIST) {
                    let within = |value| (self.fault)(Value::Object(Map::from_iter([(name.clone(), value)])));
                    let path = format!("{}.{name}", self.path);
                    Spot { path, fault: &within, ..*self }.look(member, problems);
                }
            }
            // The members of an object in their order, which serde would take for it.
            Value::Array(_) if self.takes(json!({})) => {
                problems.add(self.path.as_str(), name_of_type(value), "an object");
            }
            Value::Array(items) if self.takes(json!([])) => {
                for (index, item) in items.iter().enumerate().take(MAX_LIST) {
                    let within = |value| (self.fault)(Value::Array(vec![value]));
                    let path = format!("{}[{index}]", self.path);
                    Spot { path, fault: &within, ..*self }.look(item, problems);
                }
            }
            _ => {}
        }
        if let Some(error) = error.filter(|_| problems.0.len() == before) {
            let received = if self.repeated { described(value) } else { name_of_type(value).to_owned() };
            problems.add(self.path.as_str(), received, expected(value, &error.to_string()));
        }
    }

    fn takes(&self, value: Value) -> bool {
        (self.fault)(value).is_none()
    }
}

/// What serde expected, in the words of JSON. What it says of something inside that does not stand alone, such as a member
/// of a key, is told as that.
fn expected(value: &Value, error: &str) -> String {
    let Some((received, expected)) = error.split_once(", expected ") else { return error.to_owned() };
    let is_inside = value.is_object() && !received.starts_with("invalid type: map")
        || value.is_array() && !received.starts_with("invalid type: sequence");
    let expected = in_json(expected);
    if is_inside { format!("inside it: {expected}") } else { expected }
}

fn in_json(expected: &str) -> String {
    match expected {
        "i64" => "a whole number".to_owned(),
        "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "a sequence" => "an array".to_owned(),
        other if other == "a map" || other.starts_with("struct ") => "an object".to_owned(),
        other => other.to_owned(),
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
        assert_eq!(details["client_id"], json!({"received": "a number: 7", "expected": "a string"}));
        assert_eq!(details["trusted"], json!({"received": "a string: yes", "expected": "a boolean"}));
        assert_eq!(details["jwks"]["received"], "a string");
        assert_eq!(details.len(), 3, "{details:?}");
    }
}
