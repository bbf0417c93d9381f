//! Tokens: what stands in them, how they are read back, and what is known of one that somebody presents.

pub mod access_token;
pub mod id_token;
pub mod id_token_hint;
pub mod presented;
pub mod refresh_token;
pub mod subject_identifier;

pub use access_token::{AccessTokenDraft, ActiveToken, TokenReference, read};
pub use id_token::IdTokenDraft;
pub use id_token_hint::IdTokenHint;

use crate::confirmation::TokenType;
use crate::decision::Handle;
use crate::scope::ScopeSet;

/// What a token request is answered with, before anything is signed (RFC 6749 §5.1).
pub struct Issue {
    pub access_token: AccessTokenDraft,
    pub token_type: TokenType,
    pub id_token: Option<IdTokenDraft>,
    pub refresh_token: Option<Handle>,
    pub scope: ScopeSet,
    /// Seconds that the access token lives.
    pub expires_in: u64,
    /// What was issued, where the request could ask for several kinds (RFC 8693 §2.2.1).
    pub issued_token_type: Option<&'static str>,
}
