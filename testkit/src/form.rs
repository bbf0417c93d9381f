//! An HTML form as a browser without JavaScript sees it.

use scraper::{Html, Selector};
use url::Url;

use crate::ORIGIN;

/// A form with its fields; buttons are chosen when it is sent.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it is sent, as an absolute URL.
    pub action: Url,
    pub fields: Vec<(String, String)>,
}

impl Form {
    pub(crate) fn find(html: &str, id: &str, page: &str) -> Option<Self> {
        let document = Html::parse_document(html);
        let form = document.select(&selector(&format!("form[id=\"{id}\"]"))).next()?;
        let base = Url::parse(ORIGIN).ok()?.join(page).ok()?;
        let action = base.join(form.value().attr("action").unwrap_or_default()).ok()?;
        let fields = form
            .select(&selector("input[name]"))
            .filter(|input| match input.value().attr("type") {
                Some("submit") => false,
                Some("checkbox") => input.value().attr("checked").is_some(),
                _ => true,
            })
            .map(|input| {
                let attribute = |name| input.value().attr(name).unwrap_or_default().to_owned();
                (attribute("name"), attribute("value"))
            })
            .collect();
        Some(Self { action, fields })
    }

    /// Types `value` into the field, or presses the button, of that name.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.to_owned(),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// Leaves a field out.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}
