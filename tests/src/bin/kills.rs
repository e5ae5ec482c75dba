//! Kills the deployed binaries at random instants while leads flow, and tells what came of it.

use std::{
    io::Write,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use cadence_tests::{
    Tested,
    kills::{self, Plan},
};
use clap::Parser;

/// Kills the functions' processes, and the cloud under them, at random instants while leads flow; then looks for what was lost or
/// done twice
#[derive(Parser)]
#[command(after_help = "The same seed draws the same instants and victims; what they hit is as the machine has it.")]
struct Args {
    /// How many processes are killed
    #[arg(long, value_name = "N", default_value_t = 100)]
    kills: u32,
    /// What instants and victims are drawn from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// A folder of the functions' and the cadence command's binaries, such as target/release; without it they are built as this
    /// program was
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Where the state and the log are kept; without it they are gone at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many milliseconds of real time lie between two leads
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    lead_every: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            print(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Tested<bool> {
    let began = Instant::now();
    let temporary = tempfile::tempdir()?;
    let plan = Plan {
        kills: args.kills,
        seed: args.seed,
        binaries: args.binaries.clone().map_or_else(kills::built, Ok)?,
        data: args.data.clone().unwrap_or_else(|| temporary.path().to_owned()),
        lead_every: Duration::from_millis(args.lead_every),
    };
    let report = kills::run(&plan, &print).await?;
    print(&report.to_string());
    print(&format!("{:.0} s, seed {}", began.elapsed().as_secs_f64(), plan.seed));
    Ok(report.failures().is_empty())
}

fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
