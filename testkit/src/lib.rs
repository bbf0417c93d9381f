//! The test yard: Postern in one process, with a clock turned by hand, two ready tenants, and a client that plays
//! browser and relying party.
//!
//! Everything goes over HTTP through the real gate and the real routers; only sockets and TLS are missing. Each
//! test has its own server and its own store.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so and stops"
)]

mod administrator;
mod browser;
mod clock;
mod cookies;
mod dpop;
mod exchange;
mod failing_store;
mod form;
mod jwt;
mod relying_party;
mod site;
mod tenants;
mod test_server;

pub use administrator::Administrator;
pub use browser::Browser;
pub use clock::ManualClock;
pub use dpop::{DpopKey, Proof};
pub use exchange::{Answer, Ask, ORIGIN, urlencoded};
pub use form::Form;
pub use jwt::{claims, header, signer, unsigned, verified};
pub use relying_party::{REDIRECT_URI, RelyingParty, Tokens, VERIFIER, s256};
pub use site::Site;
pub use tenants::{ACME_SECRET, SEAL_KEY, SERVICE_SECRET};
pub use test_server::TestServer;
