//! The protocol endpoints as the description shows them. They are served elsewhere.

use super::{Defaults, path_parameters, set};
use crate::operation::Method;
use serde_json::{Map, Value, json};

pub(super) const TAG: &str = "oauth2";
pub(super) const DESCRIPTION: &str = "OAuth 2.0 and OpenID Connect endpoints of a workspace.";

/// One endpoint of a workspace.
pub(super) struct Endpoint {
    id: &'static str,
    pub(super) method: Method,
    pub(super) path: &'static str,
    summary: &'static str,
    /// Parameters: in the query for GET, in a form for POST. Required ones end with `*`.
    parameters: &'static [&'static str],
    success: (u16, &'static str),
}

pub(super) static ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        id: "authorize",
        method: Method::Get,
        path: "/{tid}/{aid}/oauth2/authorize",
        summary: "Start an authorization (RFC 6749 §4.1.1, OIDC Core §3.1.2.1); open it in a browser",
        parameters: &[
            "client_id*",
            "response_type*",
            "redirect_uri*",
            "scope",
            "state",
            "nonce",
            "code_challenge",
            "code_challenge_method",
            "prompt",
            "max_age",
            "login_hint",
            "resource",
            "response_mode",
        ],
        success: (302, "To the login page or back to the client"),
    },
    Endpoint {
        id: "token",
        method: Method::Post,
        path: "/{tid}/{aid}/oauth2/token",
        summary: "Exchange a grant for tokens (RFC 6749 §3.2)",
        parameters: &[
            "grant_type*",
            "client_id",
            "client_secret",
            "code",
            "redirect_uri",
            "code_verifier",
            "refresh_token",
            "scope",
            "resource",
        ],
        success: (200, "Tokens"),
    },
    Endpoint {
        id: "introspect",
        method: Method::Post,
        path: "/{tid}/{aid}/oauth2/introspect",
        summary: "Ask about a token (RFC 7662)",
        parameters: &["token*", "token_type_hint", "client_id", "client_secret"],
        success: (200, "What the token says, or only that it is not active"),
    },
    Endpoint {
        id: "revoke",
        method: Method::Post,
        path: "/{tid}/{aid}/oauth2/revoke",
        summary: "Revoke a token and what descends from its grant (RFC 7009)",
        parameters: &["token*", "token_type_hint", "client_id", "client_secret"],
        success: (200, "The token is not valid any more"),
    },
    Endpoint {
        id: "userinfo",
        method: Method::Get,
        path: "/{tid}/{aid}/userinfo",
        summary: "Claims about the user of an access token (OIDC Core §5.3)",
        parameters: &[],
        success: (200, "Claims"),
    },
    Endpoint {
        id: "listClientsWithAccess",
        method: Method::Get,
        path: "/{tid}/{aid}/clients",
        summary: "The clients that the user of an access token let in",
        parameters: &[],
        success: (200, "Clients"),
    },
    Endpoint {
        id: "revokeClientAccess",
        method: Method::Delete,
        path: "/{tid}/{aid}/clients/{cid}",
        summary: "Take a client's access back, as the user of an access token",
        parameters: &[],
        success: (204, "Done"),
    },
    Endpoint {
        id: "wellKnown",
        method: Method::Get,
        path: "/{tid}/{aid}/.well-known/openid-configuration",
        summary: "Metadata of the workspace (OIDC Discovery §4)",
        parameters: &[],
        success: (200, "Metadata"),
    },
    Endpoint {
        id: "jwks",
        method: Method::Get,
        path: "/{tid}/{aid}/.well-known/jwks.json",
        summary: "Public keys of the workspace (RFC 7517 §5)",
        parameters: &[],
        success: (200, "Keys"),
    },
];

impl Endpoint {
    pub(super) fn describe(&self, defaults: &Defaults<'_>) -> Value {
        let mut parameters = path_parameters(self.path, defaults);
        let named = self.parameters.iter().map(|name| (name.trim_end_matches('*'), name.ends_with('*')));
        let (status, answer) = self.success;
        let mut responses = Map::from_iter([(status.to_string(), json!({ "description": answer }))]);
        responses.insert("400".to_owned(), json!({ "description": "RFC 6749 §5.2" }));
        let mut described = json!({
            "operationId": self.id, "tags": [TAG], "summary": self.summary, "responses": responses,
        });
        if self.method != Method::Post {
            parameters.extend(named.map(
                |(name, required)| json!({ "name": name, "in": "query", "required": required, "schema": { "type": "string" } }),
            ));
        } else {
            let required: Vec<&str> =
                named.clone().filter(|(_, required)| *required).map(|(name, _)| name).collect();
            let properties: Map<String, Value> =
                named.map(|(name, _)| (name.to_owned(), json!({ "type": "string" }))).collect();
            let schema = json!({ "type": "object", "required": required, "properties": properties });
            let body = json!({ "required": true, "content": { "application/x-www-form-urlencoded": { "schema": schema } } });
            set(&mut described, "requestBody", body);
        }
        set(&mut described, "parameters", parameters.into());
        described
    }
}
