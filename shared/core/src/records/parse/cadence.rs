//! Reads a cadence.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    console::{only, text_of, unquoted},
    enrolling,
    fields::Fields,
    reference,
    step::{self, Steps},
};
use crate::{
    CadenceId, Outcome,
    law::State,
    records::{
        ApplyTo, Cadence, Status, Step, Target,
        cadence::ChannelHours,
        problem::{Problem, closest, did_you_mean, quoted},
    },
    time::parse_hours,
};

/// More steps than that is a mistake, and a version has to fit into one item.
const MOST_STEPS: usize = 100;

/// What to write where hours can't be read.
pub(super) const HOURS: &str = "Write hours such as \"Mon-Fri 09:00-19:30, Sat 10:00-16:00\", or \"any time\".";

pub(super) fn read(id: CadenceId, fields: Fields<'_>) -> Option<Cadence> {
    let name = fields.required("name", "Say what people call this cadence.");
    let status = fields.choice(
        "status",
        &[("live", Status::Live), ("paused", Status::Paused), ("off", Status::Off), ("archived", Status::Archived)],
    );
    let apply_to = fields.choice("apply_to", &[("new_leads", ApplyTo::NewLeads), ("everyone", ApplyTo::Everyone)]);
    let for_leads = fields.map("for_leads").map(enrolling::for_leads);
    let priority = fields.whole("priority", -1000..=1000);
    let reenroll = enrolling::reenroll(&fields);
    let takes_over = enrolling::takes_over(&fields, &id);
    let hours = fields.map("hours").map(hours);
    let skip_holidays = fields.flag("skip_holidays");
    let listed = fields.list("steps");
    if fields.value("steps").is_none_or(|steps| [json!([]), json!({})].contains(steps)) {
        fields.missing("steps", "A cadence needs at least one step.");
    } else if listed.len() > MOST_STEPS {
        let sentence = format!("There are {} steps.", listed.len());
        fields.wrong("steps", sentence, format!("A cadence can have {MOST_STEPS}; part it in two."));
        return None;
    }
    let steps = Steps::of(&listed);
    let anytime = fields.map("anytime").map(|map| outcomes(&map, &steps));
    let read = listed.iter().map(|(path, item)| {
        let fields = Fields::of(path.clone(), item, fields.findings())?;
        Some(step::read(fields, &steps))
    });
    let read: Vec<Option<Step>> = read.collect();
    // Steps keep their numbers, so what comes after one that is none is left out.
    let steps = read.into_iter().map_while(|step| step).collect();
    fields.finish();
    Some(Cadence {
        id,
        name: name.unwrap_or_default(),
        status: status.unwrap_or_default(),
        for_leads: for_leads.unwrap_or_default(),
        priority: priority.unwrap_or(0),
        reenroll: reenroll.unwrap_or_default(),
        takes_over,
        apply_to: apply_to.unwrap_or_default(),
        hours: hours.unwrap_or_default(),
        skip_holidays,
        anytime: anytime.unwrap_or_default(),
        steps,
    })
}

/// Reads a list of states, each by its code or name.
pub(super) fn states(fields: &Fields<'_>, name: &'static str) -> Vec<String> {
    let mut states = Vec::new();
    for (path, word) in fields.words(name) {
        match State::parse(&word) {
            Some(state) => states.push(state.code().to_owned()),
            None => fields.findings().add(Problem::error(
                path,
                format!("{} is not a state of the United States.", quoted(&word)),
                "Write its two-letter code, such as CA.",
            )),
        }
    }
    states.sort();
    states.dedup();
    states
}

/// What people call the channels, and what hours are given by.
const OTHER_WORDS: [(&str, &str); 8] = [
    ("text", "sms"),
    ("texts", "sms"),
    ("message", "sms"),
    ("messages", "sms"),
    ("dial", "call"),
    ("phone", "call"),
    ("phone_call", "call"),
    ("voice", "call"),
];

fn hours(fields: Fields<'_>) -> ChannelHours {
    let hours = ChannelHours {
        call: fields.parsed("call", parse_hours, HOURS),
        sms: fields.parsed("sms", parse_hours, HOURS),
        email: fields.parsed("email", parse_hours, HOURS),
    };
    fields.finish_with(|name| {
        let (_, channel) = OTHER_WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name))?;
        Some(format!("Write \"{channel}\"."))
    });
    hours
}

/// Reads what outcomes lead to: `on` and `anytime`.
pub(super) fn outcomes(fields: &Fields<'_>, steps: &Steps) -> BTreeMap<Outcome, Target> {
    let mut targets = BTreeMap::new();
    for (word, value) in fields.entries() {
        let outcome = outcome_of(fields, word);
        if let (Some(outcome), Some(target)) = (outcome, target_of(fields, word, value, steps))
            && targets.insert(outcome, target).is_some()
        {
            let sentence = format!("The outcome \"{}\" stands here twice.", outcome.as_str());
            fields.wrong(word, sentence, "Remove one of them.");
        }
    }
    targets
}

fn outcome_of(fields: &Fields<'_>, word: &str) -> Option<Outcome> {
    let known = || Outcome::BY_STRENGTH.iter().map(|outcome| outcome.as_str());
    let found = Outcome::BY_STRENGTH.into_iter().find(|outcome| outcome.as_str().eq_ignore_ascii_case(word));
    if found.is_none() {
        let remedy = format!("An outcome is one of {}.", known().collect::<Vec<_>>().join(", "));
        fields.wrong(word, format!("There is no outcome {}.", quoted(word)), did_you_mean(word, known(), &remedy));
    }
    found
}

pub(super) fn target_of(fields: &Fields<'_>, word: &str, value: &Value, steps: &Steps) -> Option<Target> {
    let remedy = "Write \"next\", \"end\", \"pause\", the id of a step, or {\"cadence\": \"id\"}.";
    let value = only(value);
    if value.is_object() {
        let target = Fields::of(fields.path(word), value, fields.findings())?;
        let cadence = target.required("cadence", "Name the cadence that goes on.");
        target.finish();
        return Some(Target::Cadence(reference("CADENCE", &cadence?).into()));
    }
    let text = text_of(value).map(|text| unquoted(&text).to_owned());
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        fields.wrong(word, "This does not say what the outcome leads to.", remedy);
        return None;
    };
    match text.to_ascii_lowercase().as_str() {
        "next" => return Some(Target::Next),
        "end" => return Some(Target::End),
        "pause" => return Some(Target::Pause),
        _ => {}
    }
    let step = steps.named(&text);
    if step.is_none() && !steps.are_none() {
        let known = step::RESERVED.into_iter().chain(steps.ids());
        let remedy = match closest(&text, known) {
            Some(guess) => {
                format!("Did you mean \"{guess}\"? To go on with another cadence, write {{\"cadence\": \"id\"}}.")
            }
            None => remedy.replace("\"id\"}", &format!("{}}}", quoted(&text))),
        };
        fields.wrong(word, format!("There is no step {} in this cadence.", quoted(&text)), remedy);
    }
    step.map(Target::Step)
}
