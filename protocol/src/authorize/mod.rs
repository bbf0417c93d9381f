//! The authorization endpoint (RFC 6749 §3.1): a table of checks, then what to ask the user, then the answer.

pub mod claims_request;
pub mod interaction;
pub mod pipeline;
pub mod prompt;
pub mod request;

mod check_acr_values;
mod check_claims;
mod check_client;
mod check_display;
mod check_dpop_jkt;
mod check_front_channel;
mod check_grant_type;
mod check_id_token_hint;
mod check_login_hint;
mod check_max_age;
mod check_nonce;
mod check_pkce;
mod check_prompt;
mod check_pushed;
mod check_redirect_uri;
mod check_registration;
mod check_request_object;
mod check_resource;
mod check_response_mode;
mod check_response_type;
mod check_scope;
mod check_signed;
mod check_size;
mod missing_consent;
mod next_step;
mod remember_consent;
mod respond;

pub use check_redirect_uri::VerifiedRedirect;
pub use interaction::{Consented, Interaction, Progress, Unpacked};
pub use next_step::{Step, is_usable_session, next_step};
pub use pipeline::{AUTHORIZE_CHECKS, AuthorizeRefusal, Envelope, push, resume, validate};
pub use remember_consent::{Remembered, remember_consent};
pub use request::{AuthorizeRequest, ResponseTarget};
pub use respond::{AccessTokenIssue, AuthorizationIssue, AuthorizationResponse, refuse, respond};

#[cfg(test)]
pub(crate) mod trial;
