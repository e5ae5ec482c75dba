//! `cadence redrive`: what was given up goes back to where it came from, if it still means something.

mod dismissal;
mod letters;
mod records;
mod webhook;
mod webhooks;

use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use crate::{queues::Queue, stage::Stage, table, told::print};

/// Puts back what was given up: due steps, webhooks that could not be used, and edits that were not looked at
#[derive(clap::Args)]
#[command(after_help = "\
Without --yes nothing is changed: it tells what would be done. It is safe to run twice, and while everything runs:
  a due step goes back to its queue only if it is still what is due, and is claimed there as any other;
  a webhook is posted to the API as its vendor did, so that it is known if that sends it again, and kept until it is taken;
  a record that was not looked at is checked as if it had just been edited; one that was refused stays for somebody to edit.
A webhook that will never be of use can be dismissed, with the reason: it is posted no more, and doctor tells it as dismissed until it
is deleted, 90 days after it came. A message that is kept because nobody can tell what is due by it can be dismissed too, by the name
that is told of it: it is deleted, so look at it in SQS first. Nothing else is done then.
Ends with 0 if nothing is left, with 1 if something is that needs somebody, with 2 if it can't be told.

Examples:

  cadence redrive --local
  cadence redrive --local --yes
  cadence redrive --stage prod --only steps --yes
  cadence redrive --stage prod --dismiss zillow/1a2b3c4d --reason 'a test of the vendor' --yes
  cadence redrive --stage prod --api-url https://abc123.execute-api.us-east-1.amazonaws.com --secret-id arn:aws:... --yes")]
pub(crate) struct Args {
    /// Do it, instead of telling what would be done
    #[arg(long)]
    yes: bool,
    /// Only these: due steps, webhooks or records
    #[arg(long, value_name = "WHAT", value_enum)]
    only: Option<What>,
    /// Instead of all else, dismiss this webhook that could not be used, or this message that is kept, by its name as redrive tells it, or
    /// all webhooks of a source that still can't be used; may be given often
    #[arg(long, value_name = "ID|SOURCE", requires = "reason", conflicts_with_all = ["only", "api_url", "secret_id"])]
    dismiss: Vec<String>,
    /// Why nothing more is to come of them
    #[arg(long, value_name = "WHY", requires = "dismiss", value_parser = reason)]
    reason: Option<String>,
    /// How many messages to look at in each queue, and so to put back at most; if there are more, it says so
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = at_most)]
    at_most: usize,
    /// The stack's output ApiUrl, where webhooks are posted; the local cloud's is known
    #[arg(long, value_name = "URL", value_parser = table::url)]
    api_url: Option<String>,
    /// The stack's output SecretId, which holds the sources' secrets; the local cloud's is known
    #[arg(long, value_name = "ID")]
    secret_id: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

/// What is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    Steps,
    Webhooks,
    Records,
}

/// What is done with one thing that was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
    /// It goes back to its queue.
    Requeue,
    /// It is posted to the API.
    Post,
    /// It is looked at again.
    Check,
    /// It is deleted: it means nothing any more.
    Drop,
    /// It is marked, or deleted if it is a message: nothing more is to come of it.
    Dismiss,
    /// It stays as it is, and nobody has to see to it.
    Leave,
    /// It stays: somebody has to see to it.
    Keep,
}

/// One thing that was given up.
#[derive(Clone, Debug, Serialize)]
struct Found {
    /// Where it is.
    from: String,
    /// What it is.
    about: String,
    fate: Fate,
    why: String,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stage = args.table.open_stage().await?;
    let found = match &args.reason {
        Some(reason) => dismissal::dismiss(&stage, args, reason).await?,
        None => redrive(&stage, args).await?,
    };
    let is_left = found.iter().any(|found| found.fate == Fate::Keep);
    match args.json {
        true => print(&json!({ "done": args.yes, "found": found }).to_string()),
        false => tell(&found, args.yes, &stage),
    }
    Ok(if is_left { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("say why, for whoever finds it later".to_owned()) } else { Ok(text.to_owned()) }
}

fn at_most(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "say how many, 1 or more".to_owned())
}

async fn redrive(stage: &Stage, args: &Args) -> anyhow::Result<Vec<Found>> {
    let wants = |what| args.only.is_none_or(|only| only == what);
    let mut found = Vec::new();
    if wants(What::Steps) {
        found.extend(letters::redrive(stage, args).await?);
    }
    if wants(What::Records) {
        found.extend(records::redrive(stage, args).await?);
    }
    if wants(What::Webhooks) {
        found.extend(webhooks::redrive(stage, args).await?);
    }
    Ok(found)
}

/// What is told of a queue that holds more than one run looks at.
fn unseen(queue: &Queue, at_most: usize) -> Found {
    let about = format!("more than {at_most} messages");
    let why = "one run looks at no more: run it again, or with a higher --at-most".to_owned();
    Found { from: queue.name.to_owned(), about, fate: Fate::Keep, why }
}

fn tell(found: &[Found], done: bool, stage: &Stage) {
    for Found { from, about, fate, why } in found {
        print(&format!("{:<9} {from}: {about}: {why}", fate.word(done)));
    }
    let kept = found.iter().filter(|found| matches!(found.fate, Fate::Keep | Fate::Leave)).count();
    let changes = found.len() - kept;
    print(&match (found.len(), done) {
        (0, _) => format!("Nothing was given up in {}.", stage.place),
        (_, true) => format!("\nDid {changes} in {} and left {kept}.", stage.place),
        (_, false) => {
            format!("\nNothing was changed in {}. With --yes it does {changes} and leaves {kept}.", stage.place)
        }
    });
}

impl Fate {
    fn word(self, done: bool) -> &'static str {
        match (self, done) {
            (Self::Requeue, true) => "requeued",
            (Self::Requeue, false) => "requeue",
            (Self::Post, true) => "posted",
            (Self::Post, false) => "post",
            (Self::Check, true) => "checked",
            (Self::Check, false) => "check",
            (Self::Drop, true) => "dropped",
            (Self::Drop, false) => "drop",
            (Self::Dismiss, true) => "dismissed",
            (Self::Dismiss, false) => "dismiss",
            (Self::Keep, _) => "keep",
            (Self::Leave, _) => "leave",
        }
    }
}
