//! Values on their way into a statement and out of a row.
//!
//! PostgreSQL's text holds every character but U+0000. A key with that character is a stranger's input, not a fault, so
//! text is stored with U+0000 as U+0001 U+0001 and U+0001 as U+0001 U+0002: nothing is lost, and the order of the bytes
//! stays the order of the bytes.

use bytes::BytesMut;
use protocol::record::HandleHash;
use std::borrow::Cow;
use std::error::Error;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// One value of a statement.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Number(i64),
    Texts(Vec<Option<Cow<'a, str>>>),
    Numbers(Vec<i64>),
    Null,
}

/// The values of a statement, in their order.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::value::Value::from($value)),*]
    };
}
pub(crate) use values;

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(escape(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(escape(&text).into_owned()))
    }
}

impl<'a> From<&'a HandleHash> for Value<'a> {
    fn from(hash: &'a HandleHash) -> Self {
        Self::Bytes(Cow::Borrowed(&hash.0))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Text(text) => text.as_ref().to_sql_checked(kind, out),
            Self::Bytes(bytes) => bytes.as_ref().to_sql_checked(kind, out),
            Self::Number(number) => number.to_sql_checked(kind, out),
            Self::Texts(texts) => texts.to_sql_checked(kind, out),
            Self::Numbers(numbers) => numbers.to_sql_checked(kind, out),
            Self::Null => Ok(IsNull::Yes),
        }
    }

    /// Each variant looks at the type for itself.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Text as it is stored.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', '\u{1}']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\u{1}', "\u{1}\u{2}").replace('\0', "\u{1}\u{1}"))
}

/// Stored text as it was; `None` for what [`escape`] never makes.
pub(crate) fn unescape(stored: &str) -> Option<String> {
    let mut parts = stored.split('\u{1}');
    let mut text = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        if let Some(rest) = part.strip_prefix('\u{2}') {
            text.push('\u{1}');
            text.push_str(rest);
        } else if part.is_empty() {
            // The second half of a U+0000, and what follows it.
            text.push('\0');
            text.push_str(parts.next()?);
        } else {
            return None;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_keeps_its_place() {
        let pieces = ["", "\0", "\u{1}", "\u{2}", "a", "ä"];
        let mut texts = vec![String::new()];
        for _ in 0..3 {
            let longer = texts.iter().flat_map(|text| pieces.map(|piece| format!("{text}{piece}")));
            texts = longer.collect();
        }
        for text in &texts {
            let stored = escape(text);
            assert!(!stored.contains('\0'));
            assert_eq!(unescape(&stored).as_ref(), Some(text));
            for other in &texts {
                assert_eq!(text.cmp(other), stored.cmp(&escape(other)), "{text:?} and {other:?}");
            }
        }
        assert_eq!(unescape("\u{1}a"), None);
        assert_eq!(unescape("\u{1}"), None);
    }
}
