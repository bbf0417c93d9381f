//! What the load client and the measurement share.

pub mod connection;
pub mod process;
pub mod stopwatch;
