//! A checked authorization request.

use super::check_redirect_uri::VerifiedRedirect;
use super::claims_request::ClaimsRequest;
use super::prompt::PromptSet;
use crate::id::ClientId;
use crate::pkce::CodeChallenge;
use crate::response_mode::ResponseMode;
use crate::response_type::ResponseType;
use crate::scope::ScopeSet;
use crate::standard_claims;
use serde::{Deserialize, Serialize};

/// Where the answer goes, refusals included.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ResponseTarget {
    pub redirect: VerifiedRedirect,
    pub mode: ResponseMode,
    /// Echoed as it came (RFC 6749 §4.1.2; attack AUT-30).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// An authorization request that passed every check. Stored inside an interaction while the user is asked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    pub client_id: ClientId,
    pub response_type: ResponseType,
    pub target: ResponseTarget,
    /// Whether the request named its redirect URI; then the token request must too (RFC 6749 §4.1.3).
    pub redirect_uri_sent: bool,
    pub scope: ScopeSet,
    /// Resource indicators, verbatim (RFC 8707 §2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    #[serde(default)]
    pub prompt: PromptSet,
    /// Seconds; the request's, else the client's `default_max_age`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// `sub` of the `id_token_hint`, as the client knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hinted_subject: Option<String>,
    /// Voluntary, in order of preference; the request's, else the client's `default_acr_values`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<ClaimsRequest>,
    /// BCP 47 tags in order of preference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ui_locales: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<CodeChallenge>,
    /// Thumbprint of the key that redeems the code (RFC 9449 §10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
}

impl AuthorizeRequest {
    /// A request of which only the client and the target are known; the rows of the table fill in the rest.
    pub(super) fn new(client_id: ClientId, target: ResponseTarget, redirect_uri_sent: bool) -> Self {
        Self {
            client_id,
            response_type: ResponseType::Code,
            target,
            redirect_uri_sent,
            scope: ScopeSet::default(),
            resource: Vec::new(),
            nonce: None,
            prompt: PromptSet::default(),
            max_age: None,
            login_hint: None,
            hinted_subject: None,
            acr_values: Vec::new(),
            claims: None,
            ui_locales: Vec::new(),
            display: None,
            code_challenge: None,
            dpop_jkt: None,
        }
    }

    /// Whether it is an OpenID Connect request (OIDC Core §3.1.2.1).
    pub fn is_openid(&self) -> bool {
        self.scope.contains("openid")
    }

    /// What the user is to be asked for: the scopes, and those whose claims the parameter `claims` names one by one
    /// (OIDC Core §3.1.2.4, §5.5).
    pub fn asked_for(&self) -> ScopeSet {
        let mut asked = self.scope.clone();
        let claims =
            self.claims.iter().flat_map(|claims| claims.userinfo.keys().chain(claims.id_token.keys()));
        for scope in claims.filter_map(|name| standard_claims::scope_of(name)) {
            asked.insert(scope);
        }
        asked
    }

    /// The redirect URI as the token request must repeat it; `None` if the request named none.
    pub fn redirect_uri_as_sent(&self) -> Option<&str> {
        self.redirect_uri_sent.then(|| self.target.redirect.as_str())
    }

    /// Values of `acr` that the client demands as essential; a voluntary one may stay unmet (OIDC Core §5.5.1.1).
    pub(super) fn demanded_acr(&self) -> Vec<&str> {
        let wanted = self.claims.as_ref().and_then(|claims| claims.id_token.get("acr"));
        if wanted.is_some_and(|wanted| wanted.essential) { self.demanded("acr") } else { Vec::new() }
    }

    /// Values that the client demands for a claim of the ID token (OIDC Core §5.5.1): those of `value` and
    /// `values`. Empty when it demands none.
    pub(super) fn demanded(&self, claim: &str) -> Vec<&str> {
        let wanted = self.claims.as_ref().and_then(|claims| claims.id_token.get(claim));
        wanted
            .map(|wanted| wanted.value.iter().chain(&wanted.values).filter_map(|v| v.as_str()).collect())
            .unwrap_or_default()
    }
}
