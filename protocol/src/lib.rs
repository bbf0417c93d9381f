//! Every rule of every RFC that Postern speaks: parse, check, decide.
//!
//! Pure and synchronous: no clock, no randomness source, no sockets, no files, no SQL. Functions take values
//! and return a [`decision::Decision`]; the engine loads the facts, commits the writes and only then answers.

pub mod assertion;
pub mod audience;
pub mod authorize;
pub mod backchannel_logout;
pub mod challenge;
pub mod client;
pub mod client_addresses;
pub mod client_auth;
pub mod client_id_metadata;
pub mod confirmation;
pub mod consent;
pub mod decision;
pub mod device_authorization;
pub mod discovery;
pub mod dpop;
pub mod duration;
pub mod encryption;
pub mod end_session;
pub mod error;
pub mod explain;
pub mod form_action;
pub mod frontchannel_logout;
pub mod grant;
pub mod grant_record;
pub mod id;
pub mod idp;
pub mod introspection;
pub mod jar;
pub mod json_type;
pub mod key;
pub mod network_address;
pub mod par;
pub mod params;
pub mod pkce;
pub mod profile;
pub mod protected_resource;
pub mod rate_limit;
pub mod record;
pub mod redirect_uri;
pub mod registration;
pub mod resource;
pub mod resource_request;
pub mod response_mode;
pub mod response_type;
pub mod revocation;
pub mod scope;
pub mod scope_request;
pub mod sender_constraint;
pub mod server;
pub mod service;
pub mod session;
pub mod session_management;
pub mod single_use;
pub mod standard_claims;
pub mod step_up;
pub mod subject;
pub mod tenant;
pub mod third_party_login;
pub mod time;
pub mod token;
pub mod unknown_members;
pub mod user_code;
pub mod userinfo;
pub mod web_uri;

#[cfg(test)]
mod fixtures;
