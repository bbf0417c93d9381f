//! The types of JSON (RFC 8259 §3), in the words in which a wrong one is told.

use serde_json::Value;

/// What a value is, with its article: `a string`.
pub const fn name_of_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The type of a value, and the value itself where it is short; not for what may be a secret.
pub fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("a boolean: {value}"),
        Value::Number(number) => format!("a number: {number}"),
        Value::String(text) => format!("a string: {text}"),
        Value::Array(entries) if entries.is_empty() => "an empty array".to_owned(),
        Value::Array(entries) => match entries.iter().find(|entry| !entry.is_string()) {
            Some(odd) => format!("an array with {} in it", name_of_type(odd)),
            None => "an array of strings".to_owned(),
        },
        Value::Object(_) => "an object".to_owned(),
    }
}
