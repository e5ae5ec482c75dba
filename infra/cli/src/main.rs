//! The `cadence` command.

mod client;
mod demo;
mod local;
mod records;
mod simulate;
mod told;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Contacts every new lead on a fixed, multi-channel strategy.
#[derive(Parser)]
#[command(
    name = "cadence",
    version,
    about,
    after_help = "Begin with `cadence demo`; then `cadence local` and a webhook of your own."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the reference cadence with two leads, from webhook to finish, and prints what happens
    Demo(demo::Args),
    /// Runs the whole system on this machine: real webhooks in, everything sent lands in an outbox
    Local(local::Args),
    /// Runs a lead through a cadence in virtual time and prints what would happen, and why
    Simulate(Box<simulate::Args>),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args).await,
        Command::Local(args) => local::run(&args).await,
        Command::Simulate(args) => simulate::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            told::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Logs to stderr: warnings, unless `RUST_LOG` says otherwise.
fn start_logs(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).compact().init();
}
