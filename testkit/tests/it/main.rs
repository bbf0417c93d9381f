//! The one integration binary: Postern as a whole, over HTTP, in this process.
//!
//! Tests that withstand a row of docs/ATTACKS.md carry its id in their name.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod assertion_grant;
#[cfg(test)]
mod attack_table;
#[cfg(test)]
mod audience;
#[cfg(test)]
mod audit_events;
#[cfg(test)]
mod audit_export;
#[cfg(test)]
mod authorization;
#[cfg(test)]
mod bearer_tokens;
#[cfg(test)]
mod changed_password;
#[cfg(test)]
mod cimd;
#[cfg(test)]
mod client_authentication;
#[cfg(test)]
mod client_keys;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod code;
#[cfg(test)]
mod config_plan;
#[cfg(test)]
mod conformance_table;
#[cfg(test)]
mod consent;
mod consent_asked;
#[cfg(test)]
mod description;
#[cfg(test)]
mod device;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod dpop;
#[cfg(test)]
mod dpop_resources;
#[cfg(test)]
mod encryption;
#[cfg(test)]
mod every_flow;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod fapi2;
#[cfg(test)]
mod fetch_reasons;
#[cfg(test)]
mod frontchannel_logout;
#[cfg(test)]
mod http_robustness;
#[cfg(test)]
mod hybrid;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod inside;
#[cfg(test)]
mod jar;
#[cfg(test)]
mod known_tokens;
#[cfg(test)]
mod logout;
#[cfg(test)]
mod mcp;
#[cfg(test)]
mod member_types;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod named_tests;
#[cfg(test)]
mod older_workspaces;
#[cfg(test)]
mod openid_connect;
#[cfg(test)]
mod openid_dynamic;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod own_sessions;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod par;
#[cfg(test)]
mod parallel_guesses;
#[cfg(test)]
mod password;
#[cfg(test)]
mod quick_start;
#[cfg(test)]
mod races;
#[cfg(test)]
mod random_walks;
#[cfg(test)]
mod rate_limits;
#[cfg(test)]
mod redirect_uris;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod registration_management;
#[cfg(test)]
mod registration_refusals;
#[cfg(test)]
mod session_management;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod static_idps;
#[cfg(test)]
mod step_up;
#[cfg(test)]
mod storage_failures;
#[cfg(test)]
mod tabs;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod token_endpoint;
#[cfg(test)]
mod upgrade;
