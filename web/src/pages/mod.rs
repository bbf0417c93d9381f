//! The pages people see: a view model in, an HTML document out.
//!
//! Nothing here decides, reads or stores. A page function takes plain owned values and a [`Lang`] and gives back a
//! `String`; status, headers, cookies and the Content-Security-Policy are the caller's. What a page needs of that policy
//! is told by [`image_origins`] (client logos) and by the `SCRIPT_SHA256` of those with a script: [`form_post`], [`error`],
//! [`check_session`].
//!
//! The ids and names of form controls are a contract for tests, password managers and automation; a test in each file
//! holds them.

pub mod check_session;
pub mod consent;
pub mod demo;
pub mod device;
pub mod error;
pub mod form_post;
pub mod landing;
pub mod login;
pub mod logout;
pub mod not_found;
pub mod select_account;
pub mod sessions;

mod asset;
mod client;
mod frame;
mod lang;
mod messages;
mod place;
mod template;
mod web_uri;

pub use asset::{ASSETS, Asset, IMMUTABLE, asset};
pub use client::ClientView;
pub use frame::Frame;
pub use lang::Lang;
pub use place::{Place, PlaceKind};
pub use web_uri::{image_origin, image_origins};

#[cfg(test)]
mod html_contract;
