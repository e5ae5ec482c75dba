//! `cadence simulate`: a cadence and a lead in virtual time, through the engine itself.

mod lead;
mod matrix;
mod published;
mod telling;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use cadence_core::{
    CadenceId, StepId, law,
    records::Cadence,
    simulation::{Arriving, Begun, NotTaken, Script, script::ScriptError, simulate},
    time::{LocalTime, Zone},
};
use chrono::{DateTime, Utc};

use crate::{
    difference::says_the_same,
    here,
    records::Records,
    table::{self, Table},
    told::complain,
};
use lead::LeadFlags;
use matrix::{MatrixFlags, Sweep};
use published::Published;
use telling::{Shown, Telling};

/// Runs a lead through a cadence in virtual time and prints what would happen, and why
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A folder of records such as infra/cadences, or one cadence's file in it; none, if they are in a table. A file's records go
    /// before those of the table
    #[arg(value_name = "FILE|DIR")]
    records: Option<PathBuf>,
    /// The cadence, such as new-lead; without it, the one that would take the lead
    cadence: Option<String>,
    /// When the lead arrives: 2026-12-01T10:00:00-08:00, or where the lead is, "2026-12-01 10:00" or "Tue 10:00" [default: now]
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Something that happens, in the words of a script's line; may be given often
    #[arg(long, value_name = "LINE")]
    outcome: Vec<String>,
    /// A file of such lines
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Print one JSON object for each thing that happens
    #[arg(long)]
    json: bool,
    /// Print messages and tasks whole
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    lead: LeadFlags,
    #[command(flatten)]
    table: table::Args,
    #[command(flatten)]
    sweep: MatrixFlags,
}

const EXAMPLES: &str = "\
The same code decides as on AWS: hours, holidays, consent, caps and licences hold. Vendors accept everything, users and the lead
do nothing, unless a script says otherwise. Which variant of a message a lead gets, whether it is held out, and whose it is where
several users may have it, is drawn by who it is: the same each time for the same --at and --draw. --draw 2, 3 ... are other leads.

A script's lines:

  first-call=no_answer                      whenever the step runs, a plausible while later
  +5m first-call=connected \"wants a quote\"  five minutes after it ran; any wait will do, such as +1bd at 10:15
  09:30 intro-text=replied                  at the next 09:30 where the lead is, after the step ran; Tue 09:30 and dates too
  second-call#3=connected                   in its third round, instead of what is said of all rounds
  intro-text=later                          what the vendor answers: accepted, rejected, later or unknown
  +2d lead=opted_out                        two days after the lead arrived, about no step

Examples:

  cadence simulate infra/cadences
  cadence simulate infra/cadences zillow-purchase --at 'Sat 23:50' --state AZ
  cadence simulate infra/cadences new-lead --consent express --outcome second-call=voicemail --outcome '+1h second-text=replied'
  cadence simulate infra/cadences new-lead --script story.txt --full
  cadence simulate infra/cadences new-lead --draw 2
  cadence simulate infra/cadences new-lead --matrix --weeks next,clocks,holiday
  cadence simulate zillow-purchase --stage prod
  cadence simulate my-edit.json --stage prod";

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (records, only) = records(args).await?;
    let mut published = Published::of(&records)?;
    let named = args.cadence.as_deref().or(only.as_deref());
    let chosen = named.map(|name| published.chosen(name)).transpose()?;
    let script = script(args)?;
    if let Some(id) = &chosen
        && published.make_live(id)
    {
        complain(&format!("note: the status of {id} is not live; it is simulated as if it were"));
    }
    if args.sweep.matrix {
        published.complain();
        return sweep(args, &published, chosen.as_ref());
    }
    let begun = begin(args, &published, chosen.as_ref())?;
    refuse_unknown_steps(&script, &published, &begun.context.cadence)?;
    published.complain();
    let shown = Shown::of(&begun);
    let simulated = simulate(&published.records, begun, &script)?;
    Telling { json: args.json, full: args.full }.tell(&shown, &simulated)?;
    Ok(ExitCode::SUCCESS)
}

/// The records, and the cadence that the first argument means, if it means one.
async fn records(args: &Args) -> anyhow::Result<(Records, Option<String>)> {
    let table = match args.table.open_if_given().await? {
        Some(table) => Some(at_work(&table).await?),
        None => None,
    };
    match (&args.records, table) {
        (None, Some(table)) => Ok((table, None)),
        (None, None) => bail!("say where the records are: a file, a folder, --local or --stage dev"),
        (Some(name), Some(table)) if !name.exists() && args.cadence.is_none() => {
            Ok((table, Some(name.display().to_string())))
        }
        (Some(path), table) => {
            let (meant, beside) = Records::meant(path)?;
            let only = only_cadence(path, &meant)?;
            Ok((meant.over(beside).over(table.unwrap_or_default()), only))
        }
    }
}

/// What is at work in a table, whatever edits stand there; of what never was, the edit.
async fn at_work(table: &Table) -> anyhow::Result<Records> {
    let (at_work, edits) = (table.records_at_work().await?, table.records().await?);
    for (pk, found) in at_work.iter() {
        if edits.get(pk).is_some_and(|edit| !says_the_same(pk, &found.content, &edit.content)) {
            complain(&format!("note: of {pk}, {} counts: the edit that stands there is not at work", found.place));
        }
    }
    Ok(at_work.over(edits))
}

/// The cadence that a file is, if it is one.
fn only_cadence(path: &Path, meant: &Records) -> anyhow::Result<Option<String>> {
    let cadences: Vec<&str> = meant.iter().map(|(pk, _)| pk).filter(|pk| pk.starts_with("CADENCE#")).collect();
    match cadences.as_slice() {
        _ if path.is_dir() => Ok(None),
        [] => bail!("{} holds no cadence: give a cadence's file, or the folder", path.display()),
        [only] => Ok(Some((*only).to_owned())),
        _ => Ok(None),
    }
}

fn sweep(args: &Args, published: &Published, chosen: Option<&CadenceId>) -> anyhow::Result<ExitCode> {
    let id = chosen.context("--matrix sweeps one cadence: name it")?;
    let cadence = published.cadence(id).with_context(|| format!("there is no cadence {id}"))?;
    let now = here::now();
    let (source, inbound) = args.lead.inbound(published, Some(cadence), now)?;
    let at = arrives(args.at.as_deref(), law::unknown_zones().first(), now)?;
    let records = match &args.records {
        Some(path) if path.exists() => format!(" {}", path.display()),
        Some(_) | None => String::new(),
    };
    let command = format!("cadence simulate{records} {id}{}{}", args.table.flags(), args.lead.everywhere());
    let takers = published.records.only(id);
    Sweep { published, takers: &takers, cadence, source, inbound: &inbound, at, command }.run(&args.sweep, args.json)
}

fn script(args: &Args) -> anyhow::Result<Script> {
    let mut script = Script::default();
    if let Some(path) = &args.script {
        let place = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("--script: {place} can't be read"))?;
        let lines = |errors: Vec<ScriptError>| told(&errors, |error| format!("{place}, line {}", error.number));
        script =
            Script::parse(&text).map_err(|errors| anyhow::anyhow!("the script can't be read:{}", lines(errors)))?;
    }
    for line in &args.outcome {
        let read = Script::parse(line);
        let read = read.map_err(|errors| {
            anyhow::anyhow!("the script can't be read:{}", told(&errors, |_| "--outcome".to_owned()))
        })?;
        script.lines.extend(read.lines);
    }
    Ok(script)
}

fn told(errors: &[ScriptError], place: impl Fn(&ScriptError) -> String) -> String {
    errors.iter().map(|error| format!("\n  {}: {error}", place(error))).collect()
}

/// A step that neither the cadence has nor one that it leads to is a slip of the pen.
fn refuse_unknown_steps(script: &Script, published: &Published, cadence: &Cadence) -> anyhow::Result<()> {
    let mut reached: Vec<&Cadence> = vec![cadence];
    let mut looked_at = 0;
    while let Some(cadence) = reached.get(looked_at) {
        looked_at += 1;
        let targets: Vec<&Cadence> = cadence.targets().filter_map(|id: &CadenceId| published.cadence(id)).collect();
        let new = targets.into_iter().filter(|target| reached.iter().all(|known| known.id != target.id));
        let new: Vec<&Cadence> = new.collect();
        reached.extend(new);
    }
    let steps = reached.iter().flat_map(|cadence| cadence.steps.iter().map(|step| &step.id));
    let errors = script.unknown_steps(steps.collect::<Vec<&StepId>>());
    let told: Vec<String> = errors.iter().map(|error| format!("\n  {error}")).collect();
    match errors.is_empty() {
        true => Ok(()),
        false => bail!("the script can't be used:{}", told.concat()),
    }
}

/// The lead in the cadence that is named, or that takes it.
fn begin(args: &Args, published: &Published, chosen: Option<&CadenceId>) -> anyhow::Result<Begun> {
    let cadence = chosen.and_then(|id| published.cadence(id));
    let only = chosen.map(|id| published.records.only(id));
    let takers = only.as_ref().unwrap_or(&published.records.catalogue);
    let arrive = |at| {
        let (source, inbound) = args.lead.inbound(published, cadence, at)?;
        let arriving = Arriving { source, inbound: &inbound, takers, at };
        let is_for = cadence.is_none_or(|cadence| published.records.is_for(cadence, arriving));
        let held_out = cadence.and_then(|cadence| published.records.held_out(cadence, arriving));
        match published.records.arrive(arriving) {
            Ok(begun) => Ok((begun, is_for, held_out)),
            Err(NotTaken { entries }) => {
                published.complain();
                let why: Vec<&str> = entries.iter().filter_map(|entry| entry.text.as_deref()).collect();
                bail!("no cadence takes the lead ({}): name one to simulate it all the same", why.join("; "))
            }
        }
    };
    // Where the lead is tells which instant a local time means.
    let now = here::now();
    let (there, ..) = arrive(now)?;
    let (begun, is_for, held_out) = arrive(arrives(args.at.as_deref(), there.context.calendar().zone(), now)?)?;
    if let (Some(id), false) = (chosen, is_for) {
        complain(&format!("note: {id} is not for such a lead; it is simulated as if it were"));
    }
    if let Some(why) = held_out {
        let next = args.lead.draw.saturating_add(1);
        complain(&format!(
            "note: this lead is {why}; it is simulated as if it were not held out. --draw {next} is another lead"
        ));
    }
    Ok(begun)
}

fn arrives(text: Option<&str>, zone: &Zone, now: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    let Some(text) = text else { return Ok(now) };
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let local = LocalTime::parse(text).with_context(|| {
        format!(
            "--at: {text:?} is no time; write it like 2026-12-01T10:00:00-08:00, \"2026-12-01 10:00\" or \"Tue 10:00\""
        )
    })?;
    Ok(local.after(now, zone))
}
