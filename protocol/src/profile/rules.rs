//! What holds for one client: the profile of its workspace and its own, the stricter one winning member by member.

use super::{AssertionAudience, RequestObjects, SecurityProfile, SenderConstraint};
use crate::client::{Client, TokenEndpointAuthMethod};
use crate::decision::Cx;
use crate::duration::Span;
use crate::pkce::CodeChallengeMethod;
use crate::response_mode::ResponseMode;
use crate::response_type::ResponseType;
use crate::server::Server;
use jose::Algorithm;

/// The profiles that hold together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rules {
    workspace: &'static SecurityProfile,
    client: &'static SecurityProfile,
}

impl Rules {
    /// Of a client in its workspace.
    pub fn of(server: &Server, client: &Client) -> Self {
        let workspace = server.profile.rules;
        Self { workspace, client: client.profile.map_or(workspace, |profile| profile.rules) }
    }

    /// Of the workspace, whoever the client is.
    pub fn of_workspace(server: &Server) -> Self {
        Self { workspace: server.profile.rules, client: server.profile.rules }
    }

    pub fn allows_grant_type(self, grant_type: &str) -> bool {
        self.all(|profile| !profile.forbidden_grant_types.contains(&grant_type))
    }

    pub fn allows_response_type(self, response_type: ResponseType) -> bool {
        self.all(|profile| profile.response_types.contains(&response_type))
    }

    pub fn allows_response_mode(self, mode: ResponseMode) -> bool {
        self.all(|profile| !profile.forbidden_response_modes.contains(&mode))
    }

    pub fn allows_algorithm(self, algorithm: Algorithm) -> bool {
        self.all(|profile| profile.signing_algorithms.contains(&algorithm))
    }

    pub fn allows_auth_method(self, method: TokenEndpointAuthMethod) -> bool {
        self.all(|profile| profile.client_auth_methods.contains(&method))
    }

    pub fn allows_challenge_method(self, method: CodeChallengeMethod) -> bool {
        self.all(|profile| profile.code_challenge_methods.contains(&method))
    }

    /// Whether assertions name the issuer as a single string.
    pub fn wants_issuer_alone(self) -> bool {
        self.any(|profile| profile.assertion_audience == AssertionAudience::IssuerAlone)
    }

    pub fn requires_pkce(self) -> bool {
        self.any(|profile| profile.pkce_required)
    }

    pub fn requires_pushed_requests(self) -> bool {
        self.any(|profile| profile.pushed_requests_required)
    }

    pub fn requires_signed_requests(self) -> bool {
        self.any(|profile| profile.signed_requests_required)
    }

    pub fn request_objects(self) -> RequestObjects {
        let (workspace, client) = (self.workspace.request_objects, self.client.request_objects);
        RequestObjects {
            claims_required: workspace.claims_required || client.claims_required,
            longest_life: workspace.longest_life.min(client.longest_life),
        }
    }

    pub fn requires_redirect_uri(self) -> bool {
        self.any(|profile| profile.redirect_uris.must_be_sent)
    }

    pub fn keeps_loopback_for_native(self) -> bool {
        self.any(|profile| profile.redirect_uris.loopback_for_native_only)
    }

    pub fn sender_constraint(self) -> SenderConstraint {
        self.workspace.sender_constraint.max(self.client.sender_constraint)
    }

    /// How long a code lives, of what the settings say.
    pub fn code_ttl(self, settings: Span) -> Span {
        settings.min(self.workspace.longest_code_ttl).min(self.client.longest_code_ttl)
    }

    /// How long a pushed request lives, of what the settings say.
    pub fn pushed_request_ttl(self, settings: Span) -> Span {
        settings.min(self.workspace.longest_pushed_request_ttl).min(self.client.longest_pushed_request_ttl)
    }

    /// How long a rotated refresh token is answered again, of what the settings say.
    pub fn retry_window(self, settings: Span) -> Span {
        settings.max(self.workspace.shortest_retry_window).max(self.client.shortest_retry_window)
    }

    pub fn wants_see_other(self) -> bool {
        self.any(|profile| profile.see_other)
    }

    /// The algorithm of ID tokens and of what else is signed for the client: the registered one, else the workspace's,
    /// else the first that is allowed. A registered HS256 has no key: secrets are stored as hashes only.
    pub fn signing_algorithm(self, registered: Option<Algorithm>, cx: &Cx<'_>) -> Algorithm {
        let of_keys = cx.keys.iter().flat_map(|key| key.algorithms().iter().copied());
        registered
            .into_iter()
            .chain([cx.default_alg])
            .chain(of_keys)
            .find(|algorithm| !algorithm.is_symmetric() && self.allows_algorithm(*algorithm))
            .unwrap_or(Algorithm::ES256)
    }

    fn all(self, holds: impl Fn(&SecurityProfile) -> bool) -> bool {
        holds(self.workspace) && holds(self.client)
    }

    fn any(self, holds: impl Fn(&SecurityProfile) -> bool) -> bool {
        holds(self.workspace) || holds(self.client)
    }
}
