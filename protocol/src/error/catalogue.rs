//! The catalogue: every reason for a no, with its error code, safe description, clause and fix.

use super::{Entry, ErrorCode};

/// Makes the enumeration and its table out of all rows.
macro_rules! catalogue {
    ($($reason:ident $name:literal $code:ident $clause:literal $description:literal $fix:literal)*) => {
        /// Every reason for which a request is refused.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Reason { $(#[doc = $description] $reason,)* }

        impl Reason {
            pub const ALL: &'static [Reason] = &[$(Reason::$reason,)*];

            /// The row of the catalogue.
            pub const fn entry(self) -> &'static Entry {
                match self {
                    $(Reason::$reason => &Entry {
                        name: $name,
                        code: ErrorCode::$code,
                        description: $description,
                        clause: $clause,
                        fix: $fix,
                    },)*
                }
            }
        }
    };
}

/// Hands the rows so far to the next table, and in the end all of them to `catalogue!`. A part of the standards that has
/// many rows is a table in a file of its own.
macro_rules! tables {
    ([] $($row:tt)*) => { catalogue! { $($row)* } };
    ([$next:ident $($rest:ident)*] $($row:tt)*) => { $next! { [$($rest)*] $($row)* } };
}

#[macro_use]
mod admission;
#[macro_use]
mod client_documents;
#[macro_use]
mod grants;
#[macro_use]
mod login_pages;
#[macro_use]
mod proof_of_possession;
#[macro_use]
mod registration;
#[macro_use]
mod request_objects;

tables! { [admission client_documents grants login_pages proof_of_possession registration request_objects]
    // The request as such
    ParameterRepeated "parameter_repeated" InvalidRequest "RFC 6749 §3.1"
        "A parameter was sent more than once."
        "Send each parameter once; look for one that a library and your own code both add."
    TooManyParameters "too_many_parameters" InvalidRequest "RFC 6749 §3.1"
        "Too many parameters."
        "Send only the parameters that the request needs."
    ParameterTooLong "parameter_too_long" InvalidRequest "RFC 6749 §3.1"
        "A parameter is too long."
        "Shorten the value."
    BrokenEncoding "broken_encoding" InvalidRequest "RFC 6749 appendix B"
        "The parameters are not valid application/x-www-form-urlencoded UTF-8."
        "Percent-encode each value once."
    ParameterMissing "parameter_missing" InvalidRequest "RFC 6749 §5.2"
        "A required parameter is missing."
        "Add the parameter named here."
    ParameterInvalid "parameter_invalid" InvalidRequest "RFC 6749 §5.2"
        "A parameter has a value that is not allowed."
        "Correct the parameter named here."
    WrongContentType "wrong_content_type" UnsupportedMediaType "RFC 6749 §3.2"
        "The body must be application/x-www-form-urlencoded."
        "Send the header Content-Type: application/x-www-form-urlencoded and the parameters in the body."
    ParametersInQuery "parameters_in_query" InvalidRequest "RFC 6749 §3.2"
        "Parameters must be sent in the body, not in the URL."
        "Move the query's parameters into the form body."
    MethodNotAllowed "method_not_allowed" MethodNotAllowed "RFC 6749 §3.2"
        "This method is not allowed here."
        "Use the method that the endpoint documents."
    UnknownWorkspace "unknown_workspace" NotFound "RFC 8414 §3"
        "There is no such tenant or workspace."
        "Check the two path segments after the host: tenant, then workspace."
    UnknownPath "unknown_path" NotFound "RFC 9110 §15.5.5"
        "There is nothing at this path."
        "Compare the path with the endpoints in the discovery document."
    BodyTooLarge "body_too_large" ContentTooLarge "RFC 9110 §15.5.14"
        "The body is too large."
        "Send less than 256 KiB."
    ConcurrentChange "concurrent_change" TemporarilyUnavailable "RFC 6749 §4.1.2.1"
        "Too many requests changed the same thing at once."
        "Send the request again."
    StoreUnavailable "store_unavailable" TemporarilyUnavailable "RFC 6749 §4.1.2.1"
        "The server cannot reach its store at the moment."
        "Send the request again after the time in Retry-After."
    Internal "internal" ServerError "RFC 6749 §4.1.2.1"
        "The server met an unexpected condition."
        "Report the trace id to the operator."

    // Client authentication
    ClientUnknown "client_unknown" InvalidClient "RFC 6749 §5.2"
        "Client authentication failed."
        "Check client_id and workspace: no such client is registered there."
    ClientInactive "client_inactive" InvalidClient "RFC 6749 §5.2"
        "Client authentication failed."
        "The client is disabled; set client_status to active."
    ClientSecretWrong "client_secret_wrong" InvalidClient "RFC 6749 §2.3.1"
        "Client authentication failed."
        "The secret does not match; rotate it in the admin API if it is lost."
    ClientSecretExpired "client_secret_expired" InvalidClient "RFC 7591 §3.2.1"
        "Client authentication failed."
        "The secret has expired; rotate it in the admin API."
    ClientAuthenticationMissing "client_authentication_missing" InvalidClient "RFC 6749 §3.2.1"
        "Client authentication is required."
        "Authenticate with the method that the client is registered for."
    ClientAuthenticationTwice "client_authentication_twice" InvalidRequest "RFC 6749 §2.3"
        "More than one client authentication method was used."
        "Use either the Authorization header or the body, not both."
    ClientAuthenticationMethodMismatch "client_authentication_method_mismatch" InvalidClient "RFC 7591 §2"
        "Client authentication failed."
        "Use the token_endpoint_auth_method that the client is registered for, or change the registration."
    ClientAuthenticationMethodNotAllowed "client_authentication_method_not_allowed" InvalidClient "RFC 6749 §2.3"
        "Client authentication failed."
        "The workspace does not allow this method; see token_endpoint_auth_methods."
    AuthorizationHeaderMalformed "authorization_header_malformed" InvalidClient "RFC 6749 §2.3.1"
        "The Authorization header cannot be read."
        "Send Basic with base64 of the form-encoded client_id, a colon and the form-encoded secret."
    ClientIdMismatch "client_id_mismatch" InvalidClient "RFC 6749 §3.2.1"
        "client_id is not the authenticated client."
        "Leave client_id out of the body or make it the same as the authenticated client."
    ClientAssertionMalformed "client_assertion_malformed" InvalidClient "RFC 7523 §3"
        "The client assertion cannot be read."
        "Send one compact JWS as client_assertion."
    ClientAssertionTypeUnknown "client_assertion_type_unknown" InvalidClient "RFC 7521 §4.2"
        "client_assertion_type is not supported."
        "Use urn:ietf:params:oauth:client-assertion-type:jwt-bearer."
    ClientAssertionAlgorithm "client_assertion_algorithm" InvalidClient "RFC 8725 §3.1"
        "Client authentication failed."
        "Sign the assertion with an algorithm that the client is registered for and the server allows."
    ClientAssertionSignature "client_assertion_signature" InvalidClient "RFC 7523 §3"
        "Client authentication failed."
        "No key in the registered jwks verifies the assertion; check kid and the registered keys."
    ClientAssertionIssuer "client_assertion_issuer" InvalidClient "RFC 7523 §3"
        "Client authentication failed."
        "iss and sub must both be the client_id."
    ClientAssertionAudience "client_assertion_audience" InvalidClient "RFC 7523 §3"
        "Client authentication failed."
        "aud must be the issuer or the token endpoint."
    ClientAssertionExpired "client_assertion_expired" InvalidClient "RFC 7523 §3"
        "Client authentication failed."
        "exp is missing, past, or too far ahead; make the assertion just before it is used."
    ClientAssertionNotYetValid "client_assertion_not_yet_valid" InvalidClient "RFC 7523 §3"
        "Client authentication failed."
        "nbf or iat lies in the future; check the client's clock."
    ClientAssertionReplayed "client_assertion_replayed" InvalidClient "RFC 7523 §3"
        "Client authentication failed."
        "Each assertion can be used once; make a new jti."
    ClientAssertionWithoutJti "client_assertion_without_jti" InvalidClient "OIDC Core §9"
        "Client authentication failed."
        "Add a jti of at most 256 bytes."
    ClientKeysUnavailable "client_keys_unavailable" InvalidClient "RFC 7523 §3"
        "Client authentication failed."
        "The client's jwks is missing or its jwks_uri could not be fetched."

    // Token endpoint
    GrantTypeMissing "grant_type_missing" InvalidRequest "RFC 6749 §5.2"
        "grant_type is missing."
        "Add grant_type."
    GrantTypeUnsupported "grant_type_unsupported" UnsupportedGrantType "RFC 6749 §5.2"
        "The grant type is not supported."
        "Use one of grant_types_supported in the discovery document."
    GrantTypeNotAllowedHere "grant_type_not_allowed_here" UnauthorizedClient "RFC 6749 §5.2"
        "The grant type is not allowed in this workspace."
        "Add it to the workspace's grant_types."
    GrantTypeNotRegistered "grant_type_not_registered" UnauthorizedClient "RFC 6749 §5.2"
        "The client is not allowed to use this grant type."
        "Add it to the client's grant_types."
    PublicClientRefused "public_client_refused" UnauthorizedClient "RFC 6749 §4.4"
        "A public client cannot use this grant type."
        "Register the client with a secret or a key."
    // Authorization endpoint, before the redirect URI is verified
    AuthorizeClientMissing "authorize_client_missing" InvalidRequest "RFC 6749 §4.1.1"
        "client_id is missing."
        "Add client_id."
    AuthorizeClientUnknown "authorize_client_unknown" InvalidRequest "RFC 6749 §4.1.2.1"
        "The application is not known here."
        "No such client is registered in this workspace."
    AuthorizeClientInactive "authorize_client_inactive" UnauthorizedClient "RFC 6749 §4.1.2.1"
        "The application is disabled."
        "Set client_status to active."
    RedirectUriMissing "redirect_uri_missing" InvalidRequest "RFC 6749 §3.1.2.3"
        "redirect_uri is missing."
        "Send one of the client's registered redirect URIs."
    RedirectUriNotRegistered "redirect_uri_not_registered" InvalidRequest "RFC 9700 §2.1"
        "redirect_uri is not registered for this application."
        "Register exactly the URI that is sent: every character counts."
    RedirectUriInvalid "redirect_uri_invalid" InvalidRequest "RFC 6749 §3.1.2"
        "redirect_uri is not an allowed absolute URI."
        "Use an absolute https URI without fragment, or loopback or a private scheme for native applications."

    // Authorization endpoint, sent to the client
    ResponseTypeMissing "response_type_missing" InvalidRequest "RFC 6749 §3.1.1"
        "response_type is missing."
        "Add response_type=code."
    ResponseTypeUnsupported "response_type_unsupported" UnsupportedResponseType "RFC 6749 §4.1.2.1"
        "The response type is not supported in this workspace."
        "Use one of response_types_supported in the discovery document."
    ResponseTypeNotRegistered "response_type_not_registered" UnauthorizedClient "RFC 7591 §2"
        "The client is not registered for this response type."
        "Add it to the client's response_types."
    ResponseModeUnsupported "response_mode_unsupported" InvalidRequest "OAuth Multiple Response Types §2.1"
        "The response mode is not supported."
        "Use query, fragment or form_post."
    ResponseModeUnsafe "response_mode_unsafe" InvalidRequest "OAuth Multiple Response Types §3"
        "Tokens must not be returned in the query."
        "Use fragment or form_post."
    TokensToPlainHttp "tokens_to_plain_http" InvalidRequest "OIDC Core §3.2.2.1"
        "This response type needs an https redirect URI."
        "Use response_type=code with redirect URIs on loopback; tokens do not travel to plain http."
    CodeChallengeMissing "code_challenge_missing" InvalidRequest "RFC 9700 §2.1.1"
        "code_challenge is missing."
        "Send code_challenge and code_challenge_method=S256 (PKCE)."
    CodeChallengeMalformed "code_challenge_malformed" InvalidRequest "RFC 7636 §4.2"
        "code_challenge is malformed."
        "For S256 it is the 43-character base64url form of SHA-256 of the verifier; hex is wrong."
    CodeChallengeMethodUnsupported "code_challenge_method_unsupported" InvalidRequest "RFC 7636 §4.4.1"
        "code_challenge_method is not supported."
        "Send code_challenge_method=S256; leaving it out means plain."
    CodeChallengeMethodAlone "code_challenge_method_alone" InvalidRequest "RFC 7636 §4.3"
        "code_challenge_method was sent without code_challenge."
        "Send both or neither."
    NonceMissing "nonce_missing" InvalidRequest "OIDC Core §3.2.2.1"
        "nonce is missing."
        "An ID token from the authorization endpoint needs a nonce."
    PromptInvalid "prompt_invalid" InvalidRequest "OIDC Core §3.1.2.1"
        "prompt has a value that is not allowed."
        "Use none alone, or login, consent and select_account."
    MaxAgeInvalid "max_age_invalid" InvalidRequest "OIDC Core §3.1.2.1"
        "max_age must be a number of seconds."
        "Send a whole number, 0 or more."
    ClaimsMalformed "claims_malformed" InvalidRequest "OIDC Core §5.5"
        "The claims parameter is malformed."
        "Send a JSON object with the members userinfo and id_token."
    IdTokenHintInvalid "id_token_hint_invalid" InvalidRequest "OIDC Core §3.1.2.1"
        "id_token_hint is not an ID token of this issuer."
        "Send an ID token that this workspace issued to this client, decrypted if it was encrypted."
    RegistrationUnsupported "registration_unsupported" RegistrationNotSupported "OIDC Core §7.2.1"
        "The registration parameter is not supported."
        "Register the client beforehand."
    PushedRequestRequired "pushed_request_required" InvalidRequest "RFC 9126 §6"
        "The client must push its authorization requests."
        "Send the parameters to the pushed authorization request endpoint first, or do not require it."
    SignedRequestRequired "signed_request_required" InvalidRequest "FAPI 2.0 Message Signing §5.3.1"
        "The client must sign its authorization requests."
        "Send the parameters in a request object, or do not require it by the profile."
    OpenidScopeMissing "openid_scope_missing" InvalidScope "OIDC Core §3.1.2.1"
        "This response type needs the scope openid."
        "Add openid to scope."
    LoginRequired "login_required" LoginRequired "OIDC Core §3.1.2.6"
        "The user is not logged in."
        "Without prompt=none a login page would be shown."
    ConsentRequired "consent_required" ConsentRequired "OIDC Core §3.1.2.6"
        "The user has not consented."
        "Without prompt=none a consent page would be shown."
    InteractionRequired "interaction_required" InteractionRequired "OIDC Core §3.1.2.6"
        "The user must be asked."
        "Without prompt=none a page would be shown."
    AccountSelectionRequired "account_selection_required" AccountSelectionRequired "OIDC Core §3.1.2.6"
        "The user must choose an account."
        "Without prompt=none a page would be shown."
    AcrUnsatisfiable "acr_unsatisfiable" UnmetAuthenticationRequirements "RFC 9470 §5"
        "The requested authentication context cannot be reached."
        "Ask for one of acr_values_supported, or as a voluntary claim."
    UserDenied "user_denied" AccessDenied "RFC 6749 §4.1.2.1"
        "The user denied the request."
        "Nothing to mend: the user said no."
    UserCancelled "user_cancelled" AccessDenied "RFC 6749 §4.1.2.1"
        "The user cancelled the login."
        "Nothing to mend: the user went back."

    // Logout
    PostLogoutRedirectUriNotRegistered "post_logout_redirect_uri_not_registered" InvalidRequest "OIDC RP-Initiated Logout §3"
        "post_logout_redirect_uri is not registered for this application."
        "Register exactly the URI that is sent in post_logout_redirect_uris: every character counts."
    PostLogoutRedirectUriWithoutClient "post_logout_redirect_uri_without_client" InvalidRequest "OIDC RP-Initiated Logout §3"
        "post_logout_redirect_uri was sent without saying whose it is."
        "Send the ID token as id_token_hint, or at least client_id."
    LogoutHintOfOtherClient "logout_hint_of_other_client" InvalidRequest "OIDC RP-Initiated Logout §2"
        "client_id is not the application that id_token_hint was issued to."
        "Leave client_id out, or send an ID token of the same client."
    SessionManagementOff "session_management_off" NotFound "OIDC Session Management §3.3"
        "This workspace offers no check_session_iframe."
        "Set sso.session_management of the workspace, or do without: applications learn of a logout by the back channel."
    SessionUnknown "session_unknown" NotFound "RFC 9110 §15.5.5"
        "There is no such session."
        "List the sessions again; it may have ended by itself."

    // Bearer tokens at our own APIs
    TokenMissing "token_missing" InvalidToken "RFC 6750 §3"
        "An access token is required."
        "Send Authorization: Bearer with an access token."
    TokenTwice "token_twice" InvalidRequest "RFC 6750 §2"
        "The access token was sent in more than one way."
        "Send it in the Authorization header only."
    TokenMalformed "token_malformed" InvalidToken "RFC 6750 §3.1"
        "The access token is not valid."
        "Send the access token exactly as the token endpoint gave it."
    TokenSignature "token_signature" InvalidToken "RFC 9068 §4"
        "The access token is not valid."
        "It was not issued by this workspace, or its key has been revoked."
    TokenExpired "token_expired" InvalidToken "RFC 6750 §3.1"
        "The access token has expired."
        "Get a new one, for example with the refresh token."
    TokenRevoked "token_revoked" InvalidToken "RFC 6750 §3.1"
        "The access token is not valid."
        "It, its grant, its client or its user was revoked or deleted."
    TokenKindWrong "token_kind_wrong" InvalidToken "RFC 9068 §4"
        "The access token is not valid."
        "This is another kind of token; send the access token."
    TokenForOtherResource "token_for_other_resource" InvalidToken "RFC 9068 §4"
        "The access token is for another resource."
        "Ask for a second token without resource, or with this API's identifier as resource (RFC 9728 §3, RFC 8707 §2)."
    TokenWithoutUser "token_without_user" InvalidToken "OIDC Core §5.3"
        "The access token was not issued for a user."
        "Userinfo needs a token from a user's login with the scope openid."
    TokenWithoutOpenid "token_without_openid" InsufficientScope "OIDC Core §5.3"
        "The access token lacks the scope openid."
        "Ask for the scope openid in the authorization request."
    AuthenticationInsufficient "authentication_insufficient" InsufficientUserAuthentication "RFC 9470 §3"
        "The login behind the access token is too old or too weak."
        "Send the person to the authorization endpoint again, with acr_values and max_age of WWW-Authenticate."
    ScopeInsufficient "scope_insufficient" InsufficientScope "RFC 6750 §3.1"
        "The access token lacks a required scope."
        "Ask for the scope named in WWW-Authenticate."

    // The page of the device authorization
    UserCodeUnknown "user_code_unknown" InvalidRequest "RFC 8628 §3.3"
        "This code is not known or has expired."
        "Type the code that the device shows; it may have made a new one."
    UserCodesThrottled "user_codes_throttled" TooManyRequests "RFC 8628 §5.1"
        "Too many wrong codes; wait a little."
        "Wait, then type the code that the device shows."

    // Idempotent POST
    IdempotencyKeyInvalid "idempotency_key_invalid" InvalidRequest "contract §e"
        "X-Idempotency-Key must have 32 to 255 printable ASCII characters."
        "Send for example a UUID."
    IdempotencyKeyReused "idempotency_key_reused" InvalidRequest "contract §e"
        "X-Idempotency-Key was used for another request."
        "Make a new key for each request; repeat only the same request."
}
