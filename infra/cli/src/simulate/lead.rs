//! The lead that is simulated: a webhook in the plain format, from a file or from flags.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, bail};
use cadence_core::{
    SourceId,
    address::normalize_phone,
    law::{self, State},
    records::{Cadence, Format, Source, Wanted, closest},
    sources::{self, Inbound, misspelt},
    time::Zone,
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::published::Published;

/// The lead
#[derive(clap::Args)]
#[command(next_help_heading = "The lead")]
pub(crate) struct LeadFlags {
    /// The lead as a webhook's JSON body in the plain format: first_name, last_name, phone, email, city, state, zip, time_zone, purpose,
    /// attributes, consent, loan_officer_email, created_at
    #[arg(long, value_name = "FILE.json")]
    lead: Option<PathBuf>,
    /// Its state, by code or name; "unknown" for none
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Its ZIP code, which tells the state and the time zone better than the state does
    #[arg(long, value_name = "ZIP")]
    zip: Option<String>,
    /// The time zone that it states, such as America/Denver, which tells it best of all
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Its phone number, whose area code tells the time zone where nothing else does
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// The user whom its source sent it to
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// The source it comes from, with the consent that source's leads arrive with [default: one that the cadence is for]
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// Which of the leads that are all like that: another number is another lead, for whom variants, hold-outs and the owner are drawn
    /// anew
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = crate::named::number)]
    pub(super) draw: u32,
    /// What the lead itself agreed to, for texts and AI calls, instead of what its source says
    #[arg(long, value_enum)]
    consent: Option<Consent>,
    /// The lead is three hours old when it arrives, too old for an instant text or AI call
    #[arg(long)]
    stale: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Consent {
    /// To nothing; emails go out all the same, since they need no consent until it is taken back
    None,
    /// To be contacted, but not in writing: users text and call in place of machines
    Express,
    /// In writing, which texts and AI calls need
    ExpressWritten,
}

/// Where a lead lives of whom nothing is said.
const STATE: &str = "CA";
/// Toll-free, so that it tells no zone.
const PHONE: &str = "+18005550123";

impl LeadFlags {
    /// The lead and its source, for that cadence.
    pub(crate) fn inbound<'a>(
        &self,
        published: &'a Published,
        cadence: Option<&Cadence>,
        at: DateTime<Utc>,
    ) -> anyhow::Result<(&'a Source, Inbound)> {
        let source = self.source(published, cadence)?;
        let mut body = self.body(cadence)?;
        self.say(&mut body, published, at)?;
        match sources::parse(&Format::Plain, None, body.to_string().as_bytes()) {
            Ok(inbound) if self.draw == 1 => Ok((source, inbound)),
            Ok(inbound) => {
                // Who a lead is comes from the webhook's id.
                let id = inbound.vendor_event_id.as_deref().unwrap_or("simulated");
                Ok((source, Inbound { vendor_event_id: Some(format!("{id} {}", self.draw)), ..inbound }))
            }
            Err(problems) => {
                let told: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
                bail!("the lead can't be used:{}", told.concat())
            }
        }
    }

    fn source<'a>(&self, published: &'a Published, cadence: Option<&Cadence>) -> anyhow::Result<&'a Source> {
        let known = &published.sources;
        let named = |id: &str| known.values().find(|source| source.id.as_str().eq_ignore_ascii_case(id));
        let or_else = |id: &str| or_else(id, known.keys().map(SourceId::as_str));
        let wanted = cadence.and_then(|cadence| cadence.for_leads.source.first());
        match (self.source.as_ref(), wanted) {
            (Some(id), _) => named(id).with_context(|| {
                let absent = || format!("there is no source {id}{}", or_else(id));
                format!("--source: {}", published.absent(&format!("SOURCE#{id}"), absent))
            }),
            (None, Some(id)) => named(id).with_context(|| {
                let absent = || format!("there is no record SOURCE#{id}{}", or_else(id));
                let absent = published.absent(&format!("SOURCE#{id}"), absent);
                format!("the cadence is for leads of the source {id}, but {absent}")
            }),
            (None, None) => {
                let plain = known.values().find(|source| source.format == Format::Plain);
                plain.or_else(|| known.values().next()).context("there is no source: add a record such as SOURCE#plain")
            }
        }
    }

    fn body(&self, cadence: Option<&Cadence>) -> anyhow::Result<Value> {
        if let Some(path) = &self.lead {
            let place = path.display();
            let text = fs::read_to_string(path).with_context(|| format!("--lead: {place} can't be read"))?;
            let body: Value = serde_json::from_str(&text).with_context(|| format!("--lead: {place} is not JSON"))?;
            if !body.is_object() {
                bail!("--lead: {place} is not one JSON object");
            }
            let misspelt = misspelt(&body);
            if !misspelt.is_empty() {
                let told: Vec<String> = misspelt.iter().map(|problem| format!("\n  {problem}")).collect();
                bail!("--lead: {place} can't be used:{}", told.concat());
            }
            return Ok(body);
        }
        let first = |list: &[String]| list.first().cloned();
        let wanted = cadence.map(|cadence| &cadence.for_leads);
        let purpose = wanted.and_then(|wanted| first(&wanted.purpose)).unwrap_or_else(|| "purchase".to_owned());
        let is_placed = self.zip.is_some() || self.phone.is_some() || self.time_zone.is_some();
        let state = wanted.and_then(|wanted| first(&wanted.state)).unwrap_or_else(|| STATE.to_owned());
        Ok(json!({
            "first_name": "Robin", "last_name": "Example", "email": "robin@example.com", "phone": PHONE, "purpose": purpose,
            "state": (!is_placed).then_some(state), "attributes": wanted.map(|wanted| wanted_attributes(&wanted.attributes)),
        }))
    }

    /// What the flags say of the lead stands above what its file says.
    fn say(&self, body: &mut Value, published: &Published, at: DateTime<Utc>) -> anyhow::Result<()> {
        let fields = body.as_object_mut().context("the lead is not one JSON object")?;
        self.refuse_nowhere()?;
        if let Some(id) = &self.owner {
            let users = &published.records.catalogue.users;
            let ids = || users.iter().map(|user| user.id.as_str());
            let owner = users.iter().find(|user| user.id.as_str() == id);
            let owner = owner.with_context(|| format!("--owner: there is no user {id}{}", or_else(id, ids())))?;
            fields.insert("loan_officer_email".to_owned(), json!(owner.email));
        }
        let said = [("state", &self.state), ("zip", &self.zip), ("time_zone", &self.time_zone), ("phone", &self.phone)];
        for (name, said) in said {
            if let Some(said) = said {
                fields.insert(name.to_owned(), json!(said));
            }
        }
        if self.state.as_deref().is_some_and(is_unknown) {
            fields.remove("state");
        }
        if let Some(consent) = self.consent {
            let (word, email) = match consent {
                Consent::None => ("none", "none"),
                Consent::Express => ("express", "express"),
                Consent::ExpressWritten => ("express_written", "express"),
            };
            let text = "As the simulation was told.";
            fields.insert("consent".to_owned(), json!({"call": word, "sms": word, "email": email, "text": text}));
        }
        if self.stale {
            let created_at = (at - TimeDelta::hours(3)).to_rfc3339_opts(SecondsFormat::Secs, true);
            fields.insert("created_at".to_owned(), json!(created_at));
        }
        Ok(())
    }

    /// What a webhook's lead may get wrong, and is taken all the same, is a slip of the pen in a flag.
    fn refuse_nowhere(&self) -> anyhow::Result<()> {
        if let Some(zone) = self.time_zone.as_deref().filter(|zone| Zone::parse(zone).is_none()) {
            let meant = Zone::closest(zone).map_or_else(|| "such as America/Chicago".to_owned(), |zone| meaning(&zone));
            bail!("--time-zone: {zone} is not the name of a zone: {meant}");
        }
        if let Some(state) = self.state.as_deref().filter(|state| !is_unknown(state) && State::parse(state).is_none()) {
            bail!("--state: {state} is no US state: write its code or its name, such as CA or California, or unknown");
        }
        if let Some(zip) = self.zip.as_deref().filter(|zip| law::resolve_zones(None, Some(zip), None, None).is_none()) {
            bail!("--zip: {zip} is no ZIP code of the US: write its five digits, such as 94607");
        }
        if let Some(phone) = self.phone.as_deref().filter(|phone| normalize_phone(phone).is_none()) {
            bail!("--phone: {phone} can't be dialled: write ten digits, such as 415-555-0123");
        }
        Ok(())
    }

    /// The flags that hold wherever the lead is, as they were given.
    pub(crate) fn everywhere(&self) -> String {
        let source = self.source.as_ref().map(|source| format!(" --source {source}"));
        let consent = self.consent.and_then(|consent| consent.to_possible_value());
        let consent = consent.map(|consent| format!(" --consent {}", consent.get_name()));
        let stale = self.stale.then(|| " --stale".to_owned());
        [source, consent, stale].into_iter().flatten().collect()
    }
}

fn is_unknown(state: &str) -> bool {
    state.eq_ignore_ascii_case("unknown")
}

fn meaning(word: &str) -> String {
    format!("did you mean {word}?")
}

/// What to say of a word that is none of those that there are.
pub(super) fn or_else<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match closest(word, known.iter().copied()) {
        Some(word) => format!(": {}", meaning(word)),
        None if known.is_empty() => "; there is none".to_owned(),
        None => format!("; there are: {}", known.join(", ")),
    }
}

/// Attributes as a cadence wants them to be.
fn wanted_attributes(wanted: &BTreeMap<String, Wanted>) -> Value {
    let value = |wanted: &Wanted| match wanted {
        Wanted::OneOf(values) => values.first().cloned(),
        Wanted::Between { at_least, at_most } => at_least.clone().or(at_most.clone()).map(Value::Number),
    };
    wanted.iter().filter_map(|(name, wanted)| Some((name.clone(), value(wanted)?))).collect::<Map<_, _>>().into()
}
