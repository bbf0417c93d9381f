//! Postern, a multi-tenant OAuth 2 and OpenID Connect authorization server.

use std::process::ExitCode;

/// Requests allocate much and briefly, on every thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    postern::cli::run()
}
