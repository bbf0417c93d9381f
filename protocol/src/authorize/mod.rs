//! The authorization endpoint (RFC 6749 §3.1): a table of checks, then what to ask the user, then the answer.

pub mod claims_request;
