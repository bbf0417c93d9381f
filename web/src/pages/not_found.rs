//! The page for a path where nothing is.

use serde::Serialize;

use super::place::Place;
use super::template;
use super::{Frame, Lang};

/// What was asked for, and where things are.
#[derive(Clone, Default, Serialize)]
pub struct NotFoundView {
    pub frame: Frame,
    /// The path as it was sent; a long one is cut.
    pub path: String,
    /// The path that was probably meant.
    pub nearest: Option<String>,
    pub places: Vec<Place>,
    pub trace_id: String,
}

/// The page as HTML.
pub fn not_found(view: &NotFoundView, lang: Lang) -> String {
    template::render("not_found.html", lang, view)
}

#[cfg(test)]
mod tests {
    use super::super::place::PlaceKind;
    use super::*;

    #[test]
    fn the_path_is_shown_and_a_long_one_is_cut() {
        let html =
            not_found(&NotFoundView { path: "/defualt".to_owned(), ..NotFoundView::default() }, Lang::En);
        assert!(html.contains("/defualt"), "{html}");
        let long = NotFoundView { path: format!("/{}", "ä".repeat(9000)), ..NotFoundView::default() };
        assert!(not_found(&long, Lang::En).len() < 8000);
    }

    #[test]
    fn places_and_the_nearest_path_are_linked() {
        let places = vec![Place { kind: PlaceKind::SwaggerUi, href: "/api/swagger/default".to_owned() }];
        let nearest = Some("/default".to_owned());
        let html = not_found(&NotFoundView { places, nearest, ..NotFoundView::default() }, Lang::En);
        assert!(
            html.contains("href=\"/api/swagger/default\"") && html.contains("href=\"/default\""),
            "{html}"
        );
    }
}
