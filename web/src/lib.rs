//! The hall: routes, endpoints and pages that a browser or a client meets.
//!
//! [`router`] is the whole map. An endpoint is one file: it reads the request, asks the engine, and turns the
//! outcome into an answer. Nothing here decides, and nothing here stores.

mod accept;
mod answer;
mod assets;
mod call;
mod content_security_policy;
mod cookies;
mod cors;
mod demo;
mod gate_refusal;
mod interaction;
mod landing;
mod not_found;
mod oauth2;
pub mod pages;
mod presented;
mod published;
mod router;
mod same_origin;
mod subject_name;
mod user_agent;
mod views;
mod visit;
mod workspace_request;

pub use gate_refusal::{GateRefusal, Reader};
pub use published::published;
pub use router::router;
