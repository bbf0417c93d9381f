//! What the programs of this crate share.

pub mod connection;
pub mod page;
pub mod process;
pub mod stopwatch;
