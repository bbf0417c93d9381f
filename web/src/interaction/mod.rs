//! The pages of a login in progress. What stands at a URL is the engine's word: a page that is asked for at the
//! wrong moment leads to the one that is due.

pub(crate) mod consent;
pub(crate) mod gone;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod select_account;

use crate::visit::{Visit, page_name};
use axum::response::Response;
use engine::{AuthorizeAnswer, ConsentPage, InteractionPage, LoginPage, NextPage};
use http::StatusCode;

/// GET of any page of a login in progress. Consumes nothing.
async fn show(visit: Visit, here: NextPage) -> Response {
    let login_id = match visit.login_id() {
        Ok(login_id) => login_id,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    let page =
        visit.engine().interaction_page(&visit.workspace, &login_id, &visit.browser, visit.call()).await;
    match page.map(due) {
        Ok(Due::Page(page, content)) if page == here => content.render(&visit, &login_id),
        Ok(due) => lead_on(&visit, login_id, due),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

/// To the page that is due instead of the one that was asked for.
fn lead_on(visit: &Visit, login_id: String, due: Due) -> Response {
    visit.answer(match due {
        Due::Page(page, _) => AuthorizeAnswer::Continue { page, login_id, new_browser: None },
        Due::Answer(answer) => answer,
    })
}

/// What is due under a `login_id`.
enum Due {
    Page(NextPage, Content),
    Answer(AuthorizeAnswer),
}

enum Content {
    Login(LoginPage),
    SelectAccount(LoginPage),
    Consent(ConsentPage),
}

fn due(page: InteractionPage) -> Due {
    match page {
        InteractionPage::Login(page) => Due::Page(NextPage::Login, Content::Login(page)),
        InteractionPage::SelectAccount(page) => {
            Due::Page(NextPage::SelectAccount, Content::SelectAccount(page))
        }
        InteractionPage::Consent(page) => Due::Page(NextPage::Consent, Content::Consent(page)),
        InteractionPage::Answer(answer) => Due::Answer(answer),
    }
}

impl Content {
    fn render(self, visit: &Visit, login_id: &str) -> Response {
        match self {
            Self::Login(page) => login::render(visit, login_id, &page, login::Attempt::first()),
            Self::SelectAccount(page) => select_account::render(visit, login_id, &page),
            Self::Consent(page) => consent::render(visit, login_id, &page),
        }
    }
}

/// Where the form of a page posts: the page's own address.
fn action(visit: &Visit, page: NextPage, login_id: &str) -> String {
    let encoded = percent_encoding::utf8_percent_encode(login_id, percent_encoding::NON_ALPHANUMERIC);
    format!("{}?login_id={encoded}", visit.path(page_name(page)))
}

const OK: StatusCode = StatusCode::OK;
