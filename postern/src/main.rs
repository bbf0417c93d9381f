//! Postern, a multi-tenant OAuth 2 and OpenID Connect authorization server.

use std::process::ExitCode;

fn main() -> ExitCode {
    postern::cli::run()
}
