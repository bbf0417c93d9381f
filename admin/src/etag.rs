//! Entity tags: which revision of which incarnation of a document somebody has seen (RFC 9110 §8.8.3, §13.1.1).

use crate::failure::{Failure, Why};
use http::{HeaderMap, header};
use protocol::record::Document;

/// The strong entity tag of a document. It names the incarnation too, so that a tag outlives no deletion.
pub(crate) fn of(document: &Document) -> String {
    let incarnation: String =
        document.uid.as_str().chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("\"{}-{incarnation}\"", document.revision)
}

/// What the caller says it has seen (`If-Match`, RFC 9110 §13.1.1).
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum IfMatch {
    /// Nothing: the change is made to whatever is there.
    Absent,
    /// `*`: there must be something.
    Any,
    OneOf(Vec<String>),
}

impl IfMatch {
    /// # Errors
    /// 400 when the header is not text.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Failure> {
        let mut tags = Vec::new();
        for value in headers.get_all(header::IF_MATCH) {
            let unreadable = |_| Failure::new(Why::InvalidHeader).with("If-Match", "not printable ASCII");
            let text = value.to_str().map_err(unreadable)?;
            tags.extend(text.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()));
        }
        Ok(match tags.as_slice() {
            [] => Self::Absent,
            [star] if star == "*" => Self::Any,
            _ => Self::OneOf(tags),
        })
    }

    /// # Errors
    /// 412 when the caller has not seen this revision. Weak tags never match (RFC 9110 §8.8.3.2).
    pub(crate) fn check(&self, document: &Document) -> Result<(), Failure> {
        let current = of(document);
        match self {
            Self::OneOf(tags) if !tags.contains(&current) => {
                Err(Failure::new(Why::PreconditionFailed).with("current", current))
            }
            _ => Ok(()),
        }
    }

    /// Whether a change that met another revision may be tried again on the new one.
    pub(crate) fn permits_retry(&self) -> bool {
        !matches!(self, Self::OneOf(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use protocol::id::Uid;
    use protocol::record::DocumentKind;
    use protocol::time::Timestamp;

    fn document(revision: i64, uid: &str) -> Document {
        Document {
            kind: DocumentKind::Client,
            id: "a".into(),
            parent: None,
            uid: Uid::new(uid),
            revision,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            body: String::new(),
        }
    }

    fn if_match(value: &'static str) -> IfMatch {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(value))]);
        IfMatch::read(&headers).unwrap()
    }

    #[test]
    fn adm_27_only_the_revision_that_was_seen_may_be_changed() {
        let document = document(3, "0a1b-2c3d-4e5f");
        assert_eq!(of(&document), "\"3-0a1b2c3d\"");
        assert!(if_match("\"1-x\", \"3-0a1b2c3d\"").check(&document).is_ok());
        assert!(if_match("*").check(&document).is_ok());
        assert!(IfMatch::Absent.check(&document).is_ok());
        for other in ["\"2-0a1b2c3d\"", "\"3-ffffffff\"", "W/\"3-0a1b2c3d\"", "3-0a1b2c3d"] {
            assert!(if_match(other).check(&document).is_err(), "{other}");
        }
    }
}
