//! `cadence local`: the whole system on this machine.

use std::path::PathBuf;

use anyhow::{Context, bail};
use cadence_local::{
    Cloud, Options, Pace,
    deployment::{self, SOURCE_SECRET, UserToken},
    processes::Processes,
    server,
};
use chrono::{DateTime, Utc};

use crate::told::print;

/// Runs the whole system on this machine until Ctrl-C
#[derive(clap::Args)]
#[command(
    after_help = "Nothing leaves this machine: texts, emails and AI calls land in the outbox.\nSee /_local for what to look at."
)]
pub(crate) struct Args {
    /// The port to serve on, on 127.0.0.1 only
    #[arg(long, default_value_t = 7878)]
    port: u16,
    /// A folder that keeps everything across restarts; without it all is forgotten at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many times as fast as real time the clock runs
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    speed: f64,
    /// What the clock tells first, such as 2026-12-01T10:00:00-08:00; now, if not given. It never goes back: with --data it
    /// goes on where it was, if that is later
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    at: Option<DateTime<Utc>>,
    /// A folder of the functions' binaries, such as target/debug: each function runs as a process of its own, as on Lambda,
    /// instead of in this one
    #[arg(long, value_name = "DIR")]
    processes: Option<PathBuf>,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    if !(args.speed > 0.0 && args.speed <= 100_000.0) {
        bail!("--speed must be above 0 and at most 100000; 600 runs ten minutes a second");
    }
    let listener = server::bind(args.port)
        .await
        .with_context(|| format!("port {} can't be bound: stop what has it, or give another with --port", args.port))?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let cloud = Cloud::open(Options {
        endpoint: endpoint.clone(),
        start: args.at.unwrap_or_else(crate::here::now),
        pace: Pace::Times(args.speed),
        data: args.data.clone(),
        faults: None,
    })?;
    let processes = args.processes.as_ref().map(Processes::in_folder);
    let users = match &processes {
        None => deployment::deploy(&cloud).await?,
        Some(processes) => deployment::deploy_processes(&cloud, processes).await?,
    };
    welcome(&cloud, &endpoint, &users);
    crate::start_logs("info,aws_config=warn,aws_smithy_runtime=warn");
    let ended = tokio::select! {
        served = server::serve(cloud.clone(), listener) => served.context("the server stopped"),
        delivered = server::deliver(&cloud) => delivered.context("the local cloud stopped"),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    if let Some(processes) = processes {
        processes.stop();
    }
    ended
}

/// Enough of Zillow's contact notification to start the reference cadence.
const ZILLOW_LEAD: &str = r#"{"id": "LC-1", "sender": {"firstName": "Sam", "lastName": "Sample", "phoneNumber": "415-555-0123",
    "emailAddress": "sam@example.com"}, "details": {"loanPurpose": "Purchase", "city": "Oakland", "stateAbbreviation": "CA"}}"#;

fn welcome(cloud: &Cloud, endpoint: &str, users: &[UserToken]) {
    print(&format!("Cadence runs at {endpoint}, its clock at {}.", cloud.now().format("%Y-%m-%dT%H:%M:%SZ")));
    print("\nA lead, as Zillow sends it:\n");
    print(&format!("  curl {endpoint}/leads/zillow/{SOURCE_SECRET} -d '{ZILLOW_LEAD}'"));
    print(&format!("\nWhat happens:     {endpoint}/_local/leads"));
    print(&format!("What was sent:    {endpoint}/_local/outbox"));
    print(&format!("AWS, for its CLI: aws --endpoint-url {endpoint} dynamodb list-tables"));
    print("                  (with AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1)");
    print("\nThe users' tokens, for /tasks (Authorization: Bearer ...):\n");
    for UserToken { user, token } in users {
        print(&format!("  {user}: {token}"));
    }
    print("");
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let at = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    at.map_err(|_| "write it with its offset, like 2026-12-01T10:00:00-08:00".to_owned())
}
