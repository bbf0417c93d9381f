//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{backup, config, create_tenant, demo, doctor, explain, migrate, serve};

/// Multi-tenant OAuth 2 and OpenID Connect authorization server.
#[derive(Debug, Parser)]
#[command(name = "postern", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a ready-made server to try everything: known clients and users, generated certificate, loopback only.
    Demo(DemoArgs),
    /// Run a server.
    Serve(ServeArgs),
    /// Make a tenant with a client that administers it; its secret is shown once.
    CreateTenant(CreateTenantArgs),
    /// Look for what could go wrong with an installation, and say how to mend it.
    ///
    /// Changes nothing. Before the first start it says what is not there yet, and judges what can be judged. Exit status:
    /// 0 when nothing must be mended (warnings do not count), 1 when something must be, or the configuration cannot be
    /// read.
    Doctor(ConfigArgs),
    /// Say why a request was refused: what was received, what was expected, the rule, and the fix.
    Explain(ExplainArgs),
    /// Bring the database's schema up to date.
    Migrate(MigrateArgs),
    /// Copy the database (SQLite) to a file, also while the server runs.
    ///
    /// The copy is one moment of the database, complete and on disk when the command ends, readable by its owner alone. It
    /// is of use only together with the sealing key (key_file): keep that one elsewhere.
    Backup(BackupArgs),
}

/// What `demo` is told.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Address and port to listen on; the issuer is https://localhost:PORT whatever the address
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8443")]
    pub(crate) listen: SocketAddr,
    /// Where the database and the certificate are kept between starts
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub(crate) data_dir: PathBuf,
    /// Let outbound requests (keys of clients, client metadata) reach this machine
    #[arg(long)]
    pub(crate) allow_loopback_fetch: bool,
    /// Tell metrics and health in the clear on this address and port
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
}

/// What `serve` is told.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration (TOML)
    #[arg(long, value_name = "FILE", required_unless_present = "print_config")]
    pub(crate) config: Option<PathBuf>,
    /// Print a commented configuration with every setting, and stop
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// What `create-tenant` is told.
#[derive(Debug, Args)]
pub(crate) struct CreateTenantArgs {
    /// The tenant's id, as it stands in URLs
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The tenant's name, as people read it
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The configuration (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// What `doctor` is told.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// What `explain` is told.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The X-Trace-ID of the answer, also shown on the error page
    #[arg(value_name = "TRACE-ID")]
    pub(crate) trace_id: String,
    /// The demo's data directory
    #[arg(long, value_name = "DIR", default_value = "data", conflicts_with = "config")]
    pub(crate) data_dir: PathBuf,
    /// The configuration (TOML) of a server
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What `migrate` is told.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// The configuration (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Only say what would be done
    #[arg(long)]
    pub(crate) plan: bool,
}

/// What `backup` is told.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to write; one of that name is replaced
    #[arg(value_name = "TARGET")]
    pub(crate) target: PathBuf,
    /// The configuration (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

/// Runs the command that the process was started with. A failure is one line on standard error.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(ServeArgs { print_config: true, .. }) => print(config::TEMPLATE),
        Command::Serve(ServeArgs { config, .. }) => serve::run(&config.unwrap_or_default()),
        Command::CreateTenant(args) => create_tenant::run(&args),
        Command::Doctor(ConfigArgs { config }) => doctor::run(&config),
        Command::Explain(args) => explain::run(&args),
        Command::Backup(BackupArgs { target, config }) => backup::run(&config, &target),
        Command::Migrate(MigrateArgs { config, plan }) => migrate::run(&config, plan),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("postern: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// An error with its causes, in one line.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
