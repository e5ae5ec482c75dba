//! `cadence rollback`: a record says again what an earlier version of it said.

use std::process::ExitCode;

use crate::{
    difference::said_outright,
    named,
    pulled::Pulled,
    push::{self, How},
    records::Records,
    table,
};

/// Writes an earlier version of a record as its newest edit
#[derive(clap::Args)]
#[command(after_help = "\
The version is checked as any edit is and becomes a new one; nothing is lost, and it can be undone in the same way. `cadence show`
lists a record's versions. A record that was deleted is there again.
Ends with 1 if the version would be refused today or the record was edited meanwhile.

Examples:

  cadence rollback zillow-purchase --to 3 --local
  cadence rollback message/sms/intro --to 1 --stage prod --dry-run")]
pub(crate) struct Args {
    /// The record: zillow-purchase, CADENCE#zillow-purchase or cadence/zillow-purchase
    #[arg(value_name = "ID")]
    record: String,
    /// The version's number
    #[arg(long, value_name = "VERSION", value_parser = named::number)]
    to: u32,
    /// Say what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let table = args.table.open().await?;
    let pk = named::key_of(&table, &args.record).await?;
    let kept = named::version(&table, &pk, args.to).await?;
    let mut meant = Records::default();
    let at_work = table.at_work().await?.remove(&pk);
    let content = said_outright(&pk, kept.written(&pk), at_work.as_ref().map(|at_work| &at_work.content));
    meant.insert(pk, content, &format!("version {}", args.to));
    let how = How { is_dry_run: args.dry_run, overwrites: true, as_json: args.json };
    push::carry_out(&table, &meant, Pulled::default(), how).await
}
