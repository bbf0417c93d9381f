//! What comes next for a checked request: log in, choose an account, consent, or answer (OIDC Core §3.1.2.3,
//! §3.1.2.4).

use super::missing_consent::missing_consent;
use super::{AuthorizeRequest, Progress};
use crate::client::Client;
use crate::consent::Consent;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::scope::ScopeSet;
use crate::session::Session;
use crate::token::subject_identifier::subject_identifier;

/// What comes next.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// Show the login page; `forced` when a session exists and does not do.
    Login { forced: bool },
    /// Let the user say that the session's account is the right one, or take another.
    SelectAccount,
    /// Show the consent page for these scopes; may be none when only the client itself is to be confirmed.
    Consent { missing: ScopeSet },
    /// Answer with a success.
    Respond,
    /// Answer with an error.
    Refuse(Refusal),
}

/// Decides what comes next. With `prompt=none` it is never a page (OIDC Core §3.1.2.1; attack AUT-12).
///
/// `session` is the one of the browser's cookie, if any; `consent` the remembered one of its subject and this
/// client.
pub fn next_step(
    request: &AuthorizeRequest,
    client: &Client,
    session: Option<&Session>,
    consent: Option<&Consent>,
    progress: &Progress,
    cx: &Cx<'_>,
) -> Step {
    let step = authentication(request, client, session, progress, cx)
        .or_else(|| missing_consent(request, client, session?, consent, progress, cx))
        .unwrap_or(Step::Respond);
    if request.prompt.none { without_pages(step) } else { step }
}

/// Whether a session still stands: of this incarnation of the workspace, not over, its person not gone
/// (attacks W-09, W-10).
pub fn is_usable_session(session: &Session, cx: &Cx<'_>) -> bool {
    session.server == cx.server.id
        && session.server_uid == cx.server.uid
        && cx.now < session.ends_at
        && cx.subjects.still_exists(&session.subject)
}

/// The page that a step would show becomes the error that says so (OIDC Core §3.1.2.6).
fn without_pages(step: Step) -> Step {
    let reason = match step {
        Step::Login { .. } => Reason::LoginRequired,
        Step::SelectAccount => Reason::AccountSelectionRequired,
        Step::Consent { .. } => Reason::ConsentRequired,
        Step::Respond | Step::Refuse(_) => return step,
    };
    Step::Refuse(Refusal::new(reason).parameter("prompt").received("none"))
}

/// What is still to be done about who the user is; nothing when the session does.
fn authentication(
    request: &AuthorizeRequest,
    client: &Client,
    session: Option<&Session>,
    progress: &Progress,
    cx: &Cx<'_>,
) -> Option<Step> {
    let demanded_acr = request.demanded_acr();
    let reachable = |acr: &&str| cx.server.acr_values_supported.iter().any(|supported| supported == acr);
    let Some(session) = session.filter(|session| is_usable_session(session, cx)) else {
        return Some(match demanded_acr.is_empty() || demanded_acr.iter().any(reachable) {
            true => Step::Login { forced: false },
            false => Step::Refuse(Reason::AcrUnsatisfiable.into()),
        });
    };
    let logged_in_here = has_logged_in_here(session, progress);
    if request.prompt.select_account && !progress.account_chosen && !logged_in_here {
        return Some(Step::SelectAccount);
    }
    if !logged_in_here && (request.prompt.login || is_too_old(request, session, cx)) {
        return Some(Step::Login { forced: true });
    }
    if !is_wanted_subject(request, client, session, cx) {
        return Some(if logged_in_here {
            Step::Refuse(Refusal::new(Reason::OtherUserLoggedIn).expected("the user whom the client named"))
        } else {
            Step::Login { forced: true }
        });
    }
    // RFC 9470 §5: a wish that a new login would meet is worth one, but no error without one.
    let own = cx.server.acr_values_supported.first();
    let has = session.subject.acr.as_ref();
    let wishes = &request.acr_values;
    let unmet = !wishes.is_empty() && has.is_none_or(|has| !wishes.contains(has));
    let would_help = unmet && own.is_some_and(|own| wishes.contains(own));
    if would_help && !logged_in_here && !request.prompt.none {
        return Some(Step::Login { forced: true });
    }
    // OIDC Core §5.5.1.1: an essential acr that cannot be met is a failed authentication.
    let has = session.subject.acr.as_deref();
    if demanded_acr.is_empty() || demanded_acr.iter().any(|acr| Some(*acr) == has) {
        None
    } else if demanded_acr.iter().any(reachable) && !logged_in_here {
        Some(Step::Login { forced: true })
    } else {
        Some(Step::Refuse(Reason::AcrUnsatisfiable.into()))
    }
}

/// Whether the session comes from a login inside this interaction. The clock of the login and that of the
/// interaction are one, compared in seconds; an older session that another tab brought does not count.
fn has_logged_in_here(session: &Session, progress: &Progress) -> bool {
    progress.logged_in_at.is_some_and(|at| session.subject.auth_time.seconds() >= at.seconds())
}

/// OIDC Core §3.1.2.1: a login longer ago than `max_age` is repeated; 0 asks for one each time (attack AUT-15).
fn is_too_old(request: &AuthorizeRequest, session: &Session, cx: &Cx<'_>) -> bool {
    let age = cx.now.millis().saturating_sub(session.subject.auth_time.millis());
    request.max_age.is_some_and(|max_age| max_age == 0 || age > max_age.saturating_mul(1000))
}

/// Whether the session's user is the one that `id_token_hint` or a demanded `sub` names (OIDC Core §3.1.2.2).
///
/// The client knows the user by the identifier it was given, which may be pairwise (OIDC Core §8).
fn is_wanted_subject(request: &AuthorizeRequest, client: &Client, session: &Session, cx: &Cx<'_>) -> bool {
    let sub = subject_identifier(client, &session.subject, cx);
    let sub = sub.as_str();
    let demanded = request.demanded("sub");
    request.hinted_subject.as_deref().is_none_or(|hinted| hinted == sub)
        && (demanded.is_empty() || demanded.contains(&sub))
}

#[cfg(test)]
mod tests;
