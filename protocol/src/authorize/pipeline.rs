//! The checks of an authorization request, in order. The order is data and is snapshot-tested (house rule 6).

use super::check_redirect_uri::VerifiedRedirect;
use super::{
    AuthorizeRequest, ResponseTarget, check_acr_values, check_claims, check_client, check_display,
    check_dpop_jkt, check_front_channel, check_grant_type, check_id_token_hint, check_login_hint,
    check_max_age, check_nonce, check_pkce, check_prompt, check_pushed, check_redirect_uri,
    check_registration, check_request_object, check_resource, check_response_mode, check_response_type,
    check_scope, check_signed, check_size,
};
use crate::client::Client;
use crate::decision::Cx;
use crate::error::{Reason, Refusal};
use crate::params::Params;
use crate::response_type::ResponseType;

/// One check.
pub struct Row {
    /// Source file beside this one, without its ending.
    pub file: &'static str,
    /// Standard and section.
    pub clause: &'static str,
    /// Runs when the request arrives.
    pub authorize: bool,
    /// Runs again before the answer of a login that took a while: what the configuration may have taken back.
    pub resume: bool,
    /// Runs when the request is pushed (RFC 9126 §2.1).
    pub par: bool,
    pub check: Check,
}

/// What a check works on says where its refusal may go.
#[derive(Clone, Copy)]
pub enum Check {
    /// Nobody is known yet to whom a refusal could be sent: the user sees it on a page.
    Page(for<'a> fn(&mut Arrival<'a>, &Cx<'_>) -> Result<(), Refusal>),
    /// The redirect URI is verified: the client gets the refusal.
    Respond(for<'a> fn(&mut Draft<'a>, &Cx<'_>) -> Result<(), Refusal>),
}

/// Every check, in order; of several faults the first one here is told.
pub static AUTHORIZE_CHECKS: &[Row] = &[
    page("check_size", "RFC 6819 §4.4.1.11", check_size::check),
    page("check_client", "RFC 6749 §4.1.2.1", check_client::check).and_resume(),
    page("check_redirect_uri", "RFC 9700 §2.1", check_redirect_uri::check).and_resume(),
    row("check_response_mode", "OAuth Multiple Response Types §2.1", check_response_mode::check).and_resume(),
    row("check_request_object", "OIDC Core §6", check_request_object::check),
    row("check_registration", "OIDC Core §7.2.1", check_registration::check),
    row("check_pushed", "RFC 9126 §6", check_pushed::check).and_resume().but_par(),
    row("check_signed", "FAPI 2.0 Message Signing §5.3.1", check_signed::check).and_resume(),
    row("check_response_type", "RFC 6749 §3.1.1", check_response_type::check).and_resume(),
    row("check_grant_type", "RFC 7591 §2.1", check_grant_type::check).and_resume(),
    row("check_front_channel", "OIDC Core §3.2.2.1", check_front_channel::check).and_resume(),
    row("check_pkce", "RFC 7636 §4.4.1", check_pkce::check).and_resume(),
    row("check_dpop_jkt", "RFC 9449 §10", check_dpop_jkt::check).and_resume(),
    row("check_scope", "RFC 6749 §3.3", check_scope::check).and_resume(),
    row("check_resource", "RFC 8707 §2", check_resource::check).and_resume(),
    row("check_nonce", "OIDC Core §3.1.2.1", check_nonce::check),
    row("check_prompt", "OIDC Core §3.1.2.1", check_prompt::check),
    row("check_max_age", "OIDC Core §3.1.2.1", check_max_age::check),
    row("check_display", "OIDC Core §3.1.2.1", check_display::check),
    row("check_login_hint", "OIDC Core §3.1.2.1", check_login_hint::check),
    row("check_acr_values", "OIDC Core §3.1.2.1", check_acr_values::check),
    row("check_claims", "OIDC Core §5.5", check_claims::check),
    row("check_id_token_hint", "OIDC Core §3.1.2.2", check_id_token_hint::check),
];

const fn page(
    file: &'static str,
    clause: &'static str,
    check: for<'a> fn(&mut Arrival<'a>, &Cx<'_>) -> Result<(), Refusal>,
) -> Row {
    Row { file, clause, authorize: true, resume: false, par: true, check: Check::Page(check) }
}

const fn row(
    file: &'static str,
    clause: &'static str,
    check: for<'a> fn(&mut Draft<'a>, &Cx<'_>) -> Result<(), Refusal>,
) -> Row {
    Row { file, clause, authorize: true, resume: false, par: true, check: Check::Respond(check) }
}

impl Row {
    const fn and_resume(mut self) -> Self {
        self.resume = true;
        self
    }

    const fn but_par(mut self) -> Self {
        self.par = false;
        self
    }
}

/// How a request came, beside its parameters.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Envelope {
    /// By a `request_uri` of the pushed authorization request endpoint; then nothing beside it counts.
    pub pushed: bool,
    /// In a request object: its client signed it.
    pub signed: bool,
    /// Why what the parameters stand for could not be had.
    pub fault: Option<Refusal>,
}

/// A request of whose client and redirect URI nothing is known yet.
pub struct Arrival<'a> {
    pub params: &'a Params,
    pub envelope: &'a Envelope,
    /// What is registered under the request's `client_id`.
    pub registered: Option<&'a Client>,
    pub(super) client: Option<&'a Client>,
    pub(super) redirect: Option<VerifiedRedirect>,
    pub(super) redirect_uri_sent: bool,
}

/// A request that may be answered at its redirect URI, and what is known of it so far.
pub struct Draft<'a> {
    pub params: &'a Params,
    pub envelope: &'a Envelope,
    pub client: &'a Client,
    pub request: AuthorizeRequest,
}

/// A refusal and where it goes.
#[derive(Clone, PartialEq, Debug)]
pub enum AuthorizeRefusal {
    /// To the user, on a page of ours.
    Page(Refusal),
    /// To the client.
    Respond(Refusal, Box<ResponseTarget>),
}

impl AuthorizeRefusal {
    pub fn refusal(&self) -> &Refusal {
        match self {
            Self::Page(refusal) | Self::Respond(refusal, _) => refusal,
        }
    }
}

/// Checks an authorization request. `client` is what is registered under its `client_id`.
///
/// # Errors
/// The refusal of the first row that refuses.
pub fn validate(
    params: &Params,
    envelope: &Envelope,
    client: Option<&Client>,
    cx: &mut Cx<'_>,
) -> Result<AuthorizeRequest, AuthorizeRefusal> {
    run(params, envelope, client, cx, |row| row.authorize)
}

/// Checks a request when it is pushed; the one who pushed it gets the refusal.
///
/// # Errors
/// The refusal of the first row that refuses.
pub fn push(
    params: &Params,
    envelope: &Envelope,
    client: Option<&Client>,
    cx: &mut Cx<'_>,
) -> Result<(), Refusal> {
    match run(params, envelope, client, cx, |row| row.par) {
        Ok(_) => Ok(()),
        Err(AuthorizeRefusal::Page(refusal) | AuthorizeRefusal::Respond(refusal, _)) => Err(refusal),
    }
}

/// Checks the original parameters of an interaction again, before its answer: the client may have been disabled,
/// a redirect URI or a scope taken from it since (attacks RDR-27, CAU-12).
///
/// # Errors
/// As [`validate`].
pub fn resume(
    params: &Params,
    envelope: &Envelope,
    client: Option<&Client>,
    cx: &mut Cx<'_>,
) -> Result<(), AuthorizeRefusal> {
    run(params, envelope, client, cx, |row| row.resume).map(|_| ())
}

fn run(
    params: &Params,
    envelope: &Envelope,
    client: Option<&Client>,
    cx: &Cx<'_>,
    in_column: impl Fn(&Row) -> bool,
) -> Result<AuthorizeRequest, AuthorizeRefusal> {
    let rows = || AUTHORIZE_CHECKS.iter().filter(|row| in_column(row));
    let mut arrival = Arrival {
        params,
        envelope,
        registered: client,
        client: None,
        redirect: None,
        redirect_uri_sent: false,
    };
    for row in rows() {
        if let Check::Page(check) = row.check {
            // What is missing may be in what could not be had: then that is the reason to tell.
            check(&mut arrival, cx)
                .map_err(|refusal| AuthorizeRefusal::Page(envelope.fault.clone().unwrap_or(refusal)))?;
        }
    }
    // A fault goes to the client only where the request itself says so, not to what happens to be registered.
    if let Some(fault) = envelope.fault.as_ref().filter(|_| envelope.pushed || !arrival.redirect_uri_sent) {
        return Err(AuthorizeRefusal::Page(fault.clone()));
    }
    let mut draft = arrival.verified().map_err(AuthorizeRefusal::Page)?;
    for row in rows() {
        if let Check::Respond(check) = row.check
            && let Err(refusal) = check(&mut draft, cx)
        {
            return Err(AuthorizeRefusal::Respond(refusal, Box::new(draft.request.target)));
        }
    }
    Ok(draft.request)
}

impl<'a> Arrival<'a> {
    fn verified(self) -> Result<Draft<'a>, Refusal> {
        let (Some(client), Some(redirect)) = (self.client, self.redirect) else {
            return Err(Refusal::new(Reason::Internal));
        };
        let target = ResponseTarget {
            redirect,
            mode: ResponseType::default_mode(self.params.get("response_type").unwrap_or_default()),
            state: self.params.get("state").map(str::to_owned),
        };
        let request = AuthorizeRequest::new(client.client_id.clone(), target, self.redirect_uri_sent);
        Ok(Draft { params: self.params, envelope: self.envelope, client, request })
    }
}

#[cfg(test)]
mod tests;
