//! A logged-in person, as that person knows it.

use protocol::subject::Subject;
use serde_json::Value;

/// The name that was typed at the login.
pub(crate) fn user_name(subject: &Subject) -> String {
    claim(subject, "preferred_username").unwrap_or(&subject.idp_sub).to_owned()
}

/// The person's full name if it is known, else the name that was typed.
pub(crate) fn full_name(subject: &Subject) -> String {
    claim(subject, "name").map_or_else(|| user_name(subject), str::to_owned)
}

fn claim<'a>(subject: &'a Subject, name: &str) -> Option<&'a str> {
    subject.claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
