//! What is fuzzed of the rule rooms. A target takes bytes as a stranger could send them, and panics if a rule does not hold. One file and
//! one line of [`TARGETS`] each; its kept inputs lie in `fuzz/corpus/<name>/`.

mod authorization_request;
mod client_metadata;
mod dpop_proof;
mod jwe;
mod jwk;
mod jwt;
mod redirect_uri;
mod token_request;
pub(crate) mod world;

/// A target by its name.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target; `http_request`, which needs the whole hall, is named by those who run it.
pub(crate) const TARGETS: &[Target] = &[
    ("jwt", jwt::run),
    ("jwe", jwe::run),
    ("jwk", jwk::run),
    ("redirect_uri", redirect_uri::run),
    ("authorization_request", authorization_request::run),
    ("token_request", token_request::run),
    ("dpop_proof", dpop_proof::run),
    ("client_metadata", client_metadata::run),
];
