//! The pages of a login in progress. What stands at a URL is the engine's word: a page that is asked for at the
//! wrong moment leads to the one that is due.

pub(crate) mod check_session;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod end_session;
pub(crate) mod gone;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod select_account;
pub(crate) mod sessions;

use crate::visit::{Visit, page_name};
use axum::response::Response;
use engine::{AuthorizeAnswer, InteractionPage, NextPage};
use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use protocol::error::Reason;

/// GET of any page of a login in progress. Consumes nothing.
async fn show(visit: Visit, here: NextPage) -> Response {
    let login_id = match visit.login_id() {
        Ok(login_id) => login_id,
        Err(refusal) => return visit.refused(&refusal, None),
    };
    let page =
        visit.engine().interaction_page(&visit.workspace, &login_id, &visit.browser, visit.call()).await;
    match page {
        Ok(InteractionPage::Login(page)) if here == NextPage::Login => {
            login::render(&visit, &login_id, &page, visit.notice(&login_id))
        }
        Ok(InteractionPage::SelectAccount(page)) if here == NextPage::SelectAccount => {
            select_account::render(&visit, &login_id, &page, is_outdated(&visit, &login_id))
        }
        Ok(InteractionPage::Consent(page)) if here == NextPage::Consent => {
            consent::render(&visit, &login_id, &page, is_outdated(&visit, &login_id))
        }
        Ok(other) => lead_on(&visit, login_id, other),
        Err(refusal) => visit.refused(&refusal, None),
    }
}

/// Whether the form before this page was made for an earlier session, and so did not count.
fn is_outdated(visit: &Visit, login_id: &str) -> bool {
    let refusal = visit.notice(login_id).and_then(|notice| notice.refusal);
    refusal.is_some_and(|refusal| refusal.reason == Reason::FormOutdated)
}

/// To the page that is due instead of the one that was asked for.
fn lead_on(visit: &Visit, login_id: String, due: InteractionPage) -> Response {
    let page = match due {
        InteractionPage::Login(_) => NextPage::Login,
        InteractionPage::SelectAccount(_) => NextPage::SelectAccount,
        InteractionPage::Consent(_) => NextPage::Consent,
        InteractionPage::Answer(answer) => return visit.answer(answer),
    };
    let notice = visit.sealed_notice();
    visit.answer(AuthorizeAnswer::Continue { page, login_id, new_browser: None, notice })
}

/// Everything but the unreserved characters (RFC 3986 §2.3), of which handles are made.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where the form of a page posts: the page's own address.
fn action(visit: &Visit, page: NextPage, login_id: &str) -> String {
    let encoded = utf8_percent_encode(login_id, RESERVED);
    format!("{}?login_id={encoded}", visit.path(page_name(page)))
}

const OK: StatusCode = StatusCode::OK;
