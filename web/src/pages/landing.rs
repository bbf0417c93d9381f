//! The start pages: `/` and `/{tid}`, where things are.

use serde::Serialize;

use super::place::Place;
use super::template;
use super::{Frame, Lang};

/// The start page of the server or of one tenant.
#[derive(Clone, Default, Serialize)]
pub struct LandingView {
    pub frame: Frame,
    /// The tenant's name; `None` for the whole server.
    pub tenant: Option<String>,
    pub places: Vec<Place>,
    /// Given in the demonstration only.
    pub credentials: Vec<CredentialView>,
    /// One page of the tenant's workspaces.
    pub workspaces: Vec<WorkspaceView>,
    /// The path of the next page of workspaces.
    pub next_page: Option<String>,
}

/// A published credential of the demonstration.
#[derive(Clone, Serialize)]
pub struct CredentialView {
    pub kind: CredentialKind,
    /// `client_id` or user name.
    pub id: String,
    /// Client secret or password; `None` for a public client.
    pub secret: Option<String>,
    /// The workspace it belongs to, e.g. `default/admin`.
    pub workspace: String,
}

/// Who presents a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    User,
    Client,
}

/// A workspace in the list.
#[derive(Clone, Default, Serialize)]
pub struct WorkspaceView {
    pub id: String,
    pub name: String,
    /// The issuer identifier.
    pub issuer: String,
    /// Its discovery document.
    pub discovery: String,
    /// The demonstration's relying party, when there is one.
    pub demo: Option<String>,
}

/// The page as HTML.
pub fn landing(view: &LandingView, lang: Lang) -> String {
    template::render("landing.html", lang, view)
}

#[cfg(test)]
mod tests {
    use super::super::place::PlaceKind;
    use super::*;

    #[test]
    fn places_credentials_and_workspaces_are_listed() {
        let view = LandingView {
            tenant: Some("Default".to_owned()),
            places: vec![Place { kind: PlaceKind::SwaggerUi, href: "/api/swagger/default".to_owned() }],
            credentials: vec![CredentialView {
                kind: CredentialKind::User,
                id: "user".to_owned(),
                secret: Some("pa55".to_owned()),
                workspace: "default/default".to_owned(),
            }],
            workspaces: vec![WorkspaceView { name: "Payments".to_owned(), ..WorkspaceView::default() }],
            next_page: Some("/default?after_workspace_id=b".to_owned()),
            ..LandingView::default()
        };
        let html = landing(&view, Lang::En);
        for part in ["/api/swagger/default", "pa55", "Payments", "/default?after_workspace_id=b"] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!landing(&LandingView::default(), Lang::En).contains("<table"), "no credentials, no table");
    }
}
