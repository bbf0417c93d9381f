//! The gate: TLS, limits, hygiene, and what every answer carries.

mod accept;
mod access_log;
mod address_limit;
mod client_address;
mod finish;
mod gate;
mod hygiene;
mod idempotency;
mod limits;
mod metrics;
mod operations;
mod panic;
mod pulse;
mod refusal;
mod security_headers;
mod shutdown;
mod stream;
mod tenant_requests;
pub mod trace_id;

pub use accept::{Transport, serve};
pub use address_limit::AddressLimit;
pub use gate::{Gate, Prompt, Rooms, Settings};
pub use idempotency::Repeatable;
pub use limits::Limits;
pub use metrics::Metrics;
pub use operations::{Probe, health, metrics};
pub use panic::log_panics;
pub use security_headers::Hsts;
pub use shutdown::Shutdown;
pub use tenant_requests::TenantCheck;
