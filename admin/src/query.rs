//! Query parameters, and the page of a list that they ask for (contract: lists).

use crate::failure::Failure;
use crate::operation::Parameter;
use engine::{Cursor, Page};
use protocol::id::is_valid_chosen_id;

/// Rows of a page when the caller does not say, and at most.
pub(crate) const DEFAULT_LIMIT: usize = 20;
pub(crate) const MAX_LIMIT: usize = 100;

/// What [`Query::page`] reads, for descriptions.
pub(crate) const LIMIT: Parameter =
    Parameter { name: "limit", description: "Rows of the page, 1 to 100; 20 when absent." };
pub(crate) const ORDER: Parameter =
    Parameter { name: "order", description: "`asc` (default) or `desc`, by identifier." };
pub(crate) const AFTER: Parameter =
    Parameter { name: "after_{kind}_id", description: "The page starts after this identifier." };
pub(crate) const BEFORE: Parameter =
    Parameter { name: "before_{kind}_id", description: "The page ends before this identifier." };

/// The query of one request.
#[derive(Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// # Errors
    /// 400 when a parameter is sent twice.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut query = Self::default();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if query.get(&name).is_some() {
                return Err(Failure::query(&name, "sent twice", "sent once"));
            }
            query.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(query)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The page asked for by `limit`, `order`, `after_{kind}_id` and `before_{kind}_id`. Lists are kept in the
    /// order of their ids, so that no page is skipped or repeated while others write.
    ///
    /// # Errors
    /// 400 naming the parameter that is out of range (attack ADM-28).
    pub(crate) fn page(&self, kind: &str) -> Result<Page, Failure> {
        let limit = self.limit()?;
        let descending = self.order()?.unwrap_or(false);
        if let Some(sort) = self.get("sort").filter(|sort| *sort != "id" && *sort != format!("{kind}_id")) {
            return Err(Failure::query("sort", sort, format_args!("id or {kind}_id")));
        }
        let (after, before) = (format!("after_{kind}_id"), format!("before_{kind}_id"));
        let cursor = match (self.identifier(&after)?, self.identifier(&before)?) {
            (None, None) => Cursor::Start,
            (Some(id), None) => Cursor::After(id),
            (None, Some(id)) => Cursor::Before(id),
            (Some(_), Some(id)) => {
                return Err(Failure::query(&before, &id, format_args!("not together with {after}")));
            }
        };
        Ok(Page { cursor, limit, descending })
    }

    /// Rows of the page.
    ///
    /// # Errors
    /// 400 when it is out of range.
    pub(crate) fn limit(&self) -> Result<usize, Failure> {
        let Some(text) = self.get("limit") else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or_else(|| Failure::query("limit", text, format_args!("a number from 1 to {MAX_LIMIT}")))
    }

    /// Whether the order is said to be descending.
    ///
    /// # Errors
    /// 400 when it says something else.
    pub(crate) fn order(&self) -> Result<Option<bool>, Failure> {
        match self.get("order") {
            None => Ok(None),
            Some("asc") => Ok(Some(false)),
            Some("desc") => Ok(Some(true)),
            Some(other) => Err(Failure::query("order", other, "asc or desc")),
        }
    }

    /// The members of a list separated by commas.
    ///
    /// # Errors
    /// 400 when one of them is not known.
    pub(crate) fn some_of(&self, name: &str, known: &[&'static str]) -> Result<Vec<&'static str>, Failure> {
        let sent = self.get(name).unwrap_or_default().split(',').filter(|part| !part.is_empty());
        let expected = || format!("one or more of {}", known.join(", "));
        sent.map(|part| {
            known.iter().copied().find(|k| *k == part).ok_or_else(|| Failure::query(name, part, expected()))
        })
        .collect()
    }

    fn identifier(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(id) if is_valid_chosen_id(id) => Ok(Some(id.to_owned())),
            Some(other) => Err(Failure::query(name, other, "an identifier")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Result<Page, Failure> {
        Query::parse(text)?.page("client")
    }

    #[test]
    fn pages_have_a_limit_an_order_and_one_cursor() {
        let first = page("").unwrap();
        assert_eq!((first.limit, first.descending, first.cursor), (20, false, Cursor::Start));
        let next = page("limit=100&order=desc&sort=client_id&after_client_id=a").unwrap();
        assert_eq!((next.limit, next.descending, next.cursor), (100, true, Cursor::After("a".into())));
        assert_eq!(page("before_client_id=b").unwrap().cursor, Cursor::Before("b".into()));
    }

    #[test]
    fn adm_28_list_parameters_are_checked_not_passed_on() {
        for bad in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=1;drop",
            "limit=",
            "order=asc;--",
            "sort=client_secret",
            "sort=hashed_secret+desc",
            "after_client_id='+OR+1=1--",
            "after_client_id=%00",
            "after_client_id=a&before_client_id=b",
            "limit=1&limit=2",
        ] {
            assert!(page(bad).is_err(), "{bad}");
        }
    }
}
