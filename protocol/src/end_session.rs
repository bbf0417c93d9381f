//! Logout that an application asks for (OIDC RP-Initiated Logout 1.0): who asks, whether the person must be asked
//! first, and where the browser may go afterwards.

use crate::client::Client;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::id::ClientId;
use crate::params::Params;
use crate::session::Session;
use crate::token::IdTokenHint;

/// Who asks, as far as the request itself tells.
#[derive(Clone, PartialEq, Debug)]
pub struct Asking {
    pub hint: Option<IdTokenHint>,
    pub client_id: Option<ClientId>,
}

/// A request that may be carried out.
#[derive(Clone, PartialEq, Debug)]
pub struct EndSessionRequest {
    hint: Option<IdTokenHint>,
    redirect: Option<PostLogoutRedirect>,
    state: Option<String>,
}

/// Where a browser may go: registered by the client that asks. Only [`check`] makes one (attack LGO-03).
#[derive(Clone, PartialEq, Debug)]
struct PostLogoutRedirect(String);

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndSessionStep {
    /// The person is asked: nothing proves that the request is about this session (OIDC RP-Initiated Logout §2, §6;
    /// attack LGO-04).
    Ask,
    /// The hint was issued in this very session.
    End,
    /// Nobody is logged in.
    Nobody,
}

/// Reads who asks.
///
/// # Errors
/// A hint that is no ID token of this workspace, or one of another client than `client_id` says (attack LGO-07).
pub fn read(params: &Params, cx: &Cx<'_>) -> Result<Asking, Refusal> {
    let hint = params.get("id_token_hint").map(|hint| IdTokenHint::verify(hint, cx)).transpose();
    // The token itself is personal data and stays out of the refusal.
    let hint = hint.map_err(|expected| {
        Refusal::new(Reason::IdTokenHintInvalid).parameter("id_token_hint").expected(expected)
    })?;
    let named = params.get("client_id");
    // OIDC RP-Initiated Logout §2: the server MUST verify that both name the same client.
    if let (Some(hint), Some(named)) = (&hint, named)
        && !hint.is_for(named)
    {
        return Err(Refusal::new(Reason::LogoutHintOfOtherClient).parameter("client_id").received(named));
    }
    let audience = || match hint.as_ref().map(|hint| hint.audiences.as_slice()) {
        Some([only]) => Some(only.as_str()),
        _ => None,
    };
    let client_id = named.or_else(audience).map(ClientId::new);
    Ok(Asking { hint, client_id })
}

/// Says whether the request may be carried out, `client` being the one that asks.
///
/// # Errors
/// A client that does not exist or is disabled, a redirect that is not its own.
pub fn check(params: &Params, asking: Asking, client: Option<&Client>) -> Result<EndSessionRequest, Refusal> {
    let client = client.filter(|client| client.is_active());
    if let (Some(named), None) = (params.get("client_id"), client) {
        return Err(Refusal::new(Reason::AuthorizeClientUnknown).parameter("client_id").received(named));
    }
    // A recycled name inherits nothing (attack W-09).
    let predecessor_deleted_at = client.and_then(|client| client.predecessor_deleted_at);
    if let (Some(hint), Some(deleted_at)) = (&asking.hint, predecessor_deleted_at)
        && hint.issued_at <= deleted_at
    {
        return Err(Refusal::new(Reason::IdTokenHintInvalid)
            .parameter("id_token_hint")
            .expected("an ID token issued to this client"));
    }
    let redirect = match params.get("post_logout_redirect_uri") {
        Some(uri) => Some(PostLogoutRedirect::verify(uri, client)?),
        None => None,
    };
    Ok(EndSessionRequest { hint: asking.hint, redirect, state: params.get("state").map(str::to_owned) })
}

impl PostLogoutRedirect {
    /// OIDC RP-Initiated Logout §3: the value MUST have been registered, and is compared as a string.
    fn verify(uri: &str, client: Option<&Client>) -> Result<Self, Refusal> {
        const PARAMETER: &str = "post_logout_redirect_uri";
        let Some(client) = client else {
            return Err(Refusal::new(Reason::PostLogoutRedirectUriWithoutClient)
                .parameter(PARAMETER)
                .received(uri)
                .expected("id_token_hint"));
        };
        if client.post_logout_redirect_uris.iter().any(|registered| registered == uri) {
            return Ok(Self(uri.to_owned()));
        }
        Err(Refusal::new(Reason::PostLogoutRedirectUriNotRegistered).parameter(PARAMETER).received(uri))
    }
}

impl EndSessionRequest {
    /// What comes next for the browser of `session`.
    pub fn step(&self, session: Option<&Session>) -> EndSessionStep {
        let Some(session) = session else { return EndSessionStep::Nobody };
        let hinted = self.hint.as_ref().and_then(|hint| hint.sid.as_deref());
        if hinted == Some(session.subject.sid.as_str()) { EndSessionStep::End } else { EndSessionStep::Ask }
    }

    /// Where the browser goes afterwards, with `state` exactly if it was sent (OIDC RP-Initiated Logout §3).
    ///
    /// Without a hint only a person who `confirmed` is sent on: a request alone proves nothing (attack LGO-05).
    pub fn location(&self, confirmed: bool) -> Option<String> {
        let PostLogoutRedirect(uri) = self.redirect.as_ref().filter(|_| confirmed || self.hint.is_some())?;
        let Some(state) = &self.state else { return Some(uri.clone()) };
        let separator = match uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        // No byte of the value leaves unencoded: none can end a header line (attack LGO-09).
        let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
        Some(format!("{uri}{separator}state={state}"))
    }

    /// The registered URI, for the `form-action` of the page that asks.
    pub fn redirect_uri(&self) -> Option<&str> {
        self.redirect.as_ref().map(|redirect| redirect.0.as_str())
    }
}

#[cfg(test)]
mod tests;
