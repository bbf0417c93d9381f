//! The binary's rooms: the gate, configuration, wiring and commands. `main.rs` only starts them.

pub mod cli;
pub mod config;
pub mod http;
pub mod log;
pub mod tls;

mod backup;
mod create_tenant;
mod demo;
mod doctor;
mod explain;
mod migrate;
mod seal_key;
mod serve;
mod server;
mod spans;
mod wire;

pub use wire::{metrics, rooms};
