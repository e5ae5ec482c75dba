//! `cadence why`: what was decided about a lead, and what comes next.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::{Context, bail};
use cadence_core::{
    LeadId, MessageId, StepId,
    address::{normalize_email, normalize_phone},
    arrival::Known,
    enrollment::Enrollment,
    records::Cadence,
    time::{Zone, local_text},
    timeline::{Entry, EntryKind},
};
use cadence_local::words::{
    standing::{closed_to, standing},
    variant, words,
};
use cadence_store::StoreError;
use serde_json::{Value, json};

use crate::{
    stage::{Stage, unreadable},
    table,
    told::{complain, print},
};

/// Tells everything that was decided about a lead, and what comes next, in the lead's local time
#[derive(clap::Args)]
#[command(after_help = "\
A phone number or an email address is looked for in the whole leads table, which takes a minute in a big one:
its index holds hashes, and the key of these stays with the functions. A lead's id is found at once.

Examples:

  cadence why 415-555-0123 --local
  cadence why jordan@example.com --stage prod
  cadence why 0198c0a2b7e07d0f8b1c2d3e4f5a6b7c --stage prod --json")]
pub(crate) struct Args {
    /// The lead's id, phone number or email address; the id of a task of theirs does too
    lead: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    table: table::Args,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stage = args.table.open_stage().await?;
    let id = lead_of(&stage, args.lead.trim()).await?;
    let known = stage.store.load_lead(&id).await.map_err(|error| stage.explained(error))?;
    let known = known.with_context(|| format!("there is no lead {id} in {}", stage.place))?;
    let told = Told::of(&stage, known).await?;
    match args.json {
        true => print(&told.json.to_string()),
        false => told.lines.iter().for_each(|line| print(line)),
    }
    Ok(ExitCode::SUCCESS)
}

/// The lead that is meant: by its id, with which a task's begins too, or by an address.
async fn lead_of(stage: &Stage, text: &str) -> anyhow::Result<LeadId> {
    let id = text.split('.').next().unwrap_or(text);
    if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(LeadId::new(id.to_lowercase()));
    }
    let address = normalize_phone(text).or_else(|| normalize_email(text));
    let address = address.with_context(|| format!("{text} is no lead's id, no phone number and no email address"))?;
    let found = stage.store.load_leads_reached_at(&address).await.map_err(|error| stage.explained(error))?;
    match found.as_slice() {
        [lead] => Ok(lead.clone()),
        [] => bail!("nobody in {} is reached at {address}", stage.place),
        [lead, others @ ..] => {
            let others: Vec<&str> = others.iter().map(LeadId::as_str).collect();
            complain(&format!("note: {address} is also in {}", others.join(", ")));
            Ok(lead.clone())
        }
    }
}

/// Which version of its cadence an enrollment is on, since when, and on which it began.
fn since(enrollment: &Enrollment, timeline: &[Entry], zone: &Zone) -> String {
    let is_own =
        |entry: &&Entry| entry.kind == EntryKind::VersionChanged && entry.enrollment.as_ref() == Some(&enrollment.id);
    let mut changes = timeline.iter().filter(is_own);
    let (cadence, version) = (&enrollment.cadence, enrollment.progress.version);
    let began = local_text(enrollment.enrolled_at, zone);
    let Some(first) = changes.next() else { return format!("{cadence}, version {version}, since {began}") };
    let last = changes.next_back().unwrap_or(first);
    let first = first.from.as_deref().unwrap_or("another");
    format!("{cadence}, version {version} since {}; it began on {first}, {began}", local_text(last.at, zone))
}

/// What is told of a lead, for people and for machines.
struct Told {
    lines: Vec<String>,
    json: Value,
}

impl Told {
    async fn of(stage: &Stage, known: Known) -> anyhow::Result<Self> {
        let (id, now) = (&known.lead.id, stage.now().await);
        let zone = known.lead.zones.as_ref().map_or_else(Zone::utc, |zones| zones.first().clone());
        let timeline = stage.store.load_timeline(id).await.map_err(|error| stage.explained(error))?;
        let (mut runs, mut told, mut cadences) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut enrollments = known.enrollments;
        enrollments.sort_by_key(|enrollment| enrollment.enrolled_at);
        for enrollment in enrollments {
            told.push(format!("\n{}", since(&enrollment, &timeline, &zone)));
            let (stands, open_tasks, variants) = match stage.store.load_step(id, &enrollment.id).await {
                Ok(context) => {
                    let open_tasks: Vec<_> = context.its_open_tasks().cloned().collect();
                    let stands = standing(&context, &zone, now);
                    let variants = variants(&context.cadence, id);
                    cadences.insert(enrollment.id.clone(), context.cadence);
                    (stands, open_tasks, variants)
                }
                // That is the very thing that somebody wants to know who asks why nothing happens.
                Err(error @ (StoreError::Missing { .. } | StoreError::Unreadable { .. })) => {
                    let stuck = format!("Stuck: its functions can't read what they need: {}", unreadable(error));
                    (vec![stuck], Vec::new(), BTreeMap::new())
                }
                Err(error) => return Err(stage.explained(error)),
            };
            told.extend(stands.iter().map(|line| format!("  {line}")));
            runs.push(
                json!({ "enrollment": enrollment, "stands": stands, "open_tasks": open_tasks, "variants": variants }),
            );
        }
        let line = |entry: &Entry| {
            let cadence = entry.enrollment.as_ref().and_then(|enrollment| cadences.get(enrollment));
            words(entry, &zone) + &cadence.and_then(|cadence| variant(entry, cadence)).unwrap_or_default()
        };
        let mut lines =
            vec![format!("{}, lead {id}, in the lead's time ({zone})", known.facts.full_name()), String::new()];
        lines.extend(timeline.iter().map(line));
        for (closed, at) in &known.lead.opt_outs {
            lines.push(format!("\nClosed to {} since {}", closed_to(*closed), local_text(*at, &zone)));
        }
        lines.append(&mut told);
        if runs.is_empty() {
            lines.push("\nNo cadence has taken the lead.".to_owned());
        }
        let json = json!({
            "lead": id, "name": known.facts.full_name(), "zone": zone.to_string(), "opt_outs": known.lead.opt_outs,
            "timeline": timeline, "runs": runs,
        });
        Ok(Self { lines, json })
    }
}

/// The message that a lead gets at each step that has several.
fn variants(cadence: &Cadence, lead: &LeadId) -> BTreeMap<StepId, MessageId> {
    let several = cadence.steps.iter().filter(|step| step.messages().count() > 1);
    several.filter_map(|step| Some((step.id.clone(), step.message_for(&cadence.id, lead)?.clone()))).collect()
}
