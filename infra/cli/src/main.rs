//! The `cadence` command.

mod aws;
mod check;
mod client;
mod demo;
mod diff;
mod difference;
mod doctor;
mod files;
mod here;
mod json;
mod list;
mod local;
mod named;
mod pull;
mod pulled;
mod push;
mod queues;
mod records;
mod redrive;
mod rollback;
mod schema;
mod show;
mod simulate;
mod stage;
mod status;
mod table;
mod told;
mod why;

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
    /// Checks records as publish does
    Check(check::Args),
    /// Runs a lead through a cadence in virtual time and prints what would happen, and why
    Simulate(Box<simulate::Args>),
    /// Lists the records of a table: version, status, running leads, and what the check says
    List(list::Args),
    /// Shows a record: what the check says, what it does, who runs through it, and its versions
    Show(show::Args),
    /// Writes the records of a table into files
    Pull(pull::Args),
    /// Says what would change in a table if files were pushed, and for whom
    Diff(diff::Args),
    /// Writes files into a table as its records, and waits until each is published
    Push(push::Args),
    /// Writes an earlier version of a record as its newest edit
    Rollback(rollback::Args),
    /// Tells what needs somebody's attention, and why
    Doctor(doctor::Args),
    /// Puts back what was given up, after telling what that would be
    Redrive(redrive::Args),
    /// Tells everything that was decided about a lead, and what comes next
    Why(why::Args),
    /// Prints the JSON Schema of records, by which editors complete and explain their fields
    Schema(schema::Args),
}

/// What a command ends with that could not do what it is for; 1 is for those that find something.
const FAILED: u8 = 2;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args).await.map(|()| ExitCode::SUCCESS),
        Command::Local(args) => local::run(&args).await.map(|()| ExitCode::SUCCESS),
        Command::Check(args) => check::run(&args).await,
        Command::Simulate(args) => simulate::run(&args).await,
        Command::List(args) => list::run(&args).await,
        Command::Show(args) => show::run(&args).await,
        Command::Pull(args) => pull::run(&args).await,
        Command::Diff(args) => diff::run(&args).await,
        Command::Push(args) => push::run(&args).await,
        Command::Rollback(args) => rollback::run(&args).await,
        Command::Doctor(args) => doctor::run(&args).await,
        Command::Redrive(args) => redrive::run(&args).await,
        Command::Why(args) => why::run(&args).await,
        Command::Schema(args) => schema::run(&args),
    };
    done.unwrap_or_else(|error| {
        told::complain(&format!("error: {error:#}"));
        ExitCode::from(FAILED)
    })
}

/// Logs to stderr: warnings, unless `RUST_LOG` says otherwise.
fn start_logs(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).compact().init();
}
