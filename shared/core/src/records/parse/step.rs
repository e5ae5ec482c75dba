//! Reads one step of a cadence.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    cadence::{outcomes, target_of},
    console::{bare, only, text_of, trimmed, unquoted, whole},
    fields::Fields,
    reference,
};
use crate::{
    Do, GroupId, MessageId, Outcome, StepId, UserId,
    records::{Assign, OnOverdue, Says, Step, Target, problem::quoted},
    time::Wait,
};

/// The words that say where an outcome leads, and so can't be steps.
pub(super) const RESERVED: [&str; 3] = ["next", "end", "pause"];

/// Step ids go into every vendor's tags and tokens, some of which are short.
const ID_LENGTH: usize = 40;

/// More rounds than that the caps would not let through in a week.
const MOST_ATTEMPTS: i64 = 20;

/// The ids of the steps as they stand in the record, for what refers to them.
pub(super) struct Steps(Vec<String>);

impl Steps {
    pub(super) fn of(listed: &[(String, &Value)]) -> Self {
        let id = |item: &Value| {
            let (_, id) = item.as_object()?.iter().find(|(name, _)| trimmed(name) == "id")?;
            text_of(bare(id)).map(|id| unquoted(&id).to_owned())
        };
        Self(listed.iter().filter_map(|(_, item)| id(item)).collect())
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are none yet: then nothing can be said of what refers to them.
    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn named(&self, id: &str) -> Option<StepId> {
        self.ids().find(|known| *known == id).map(StepId::from)
    }

    fn count(&self, id: &str) -> usize {
        self.ids().filter(|known| *known == id).count()
    }
}

const WAIT: &str = "Write a length of time such as \"0m\", \"20m\", \"2h\", \"1d\", \"1bd\" or \"1d at 10:15\".";

/// Reads a step. What stands for something that can't be read is never run, since then there is a finding.
pub(super) fn read(fields: Fields<'_>, steps: &Steps) -> Step {
    let id = id(&fields, steps);
    let action = action(&fields);
    if fields.value("wait").is_none() {
        fields.missing("wait", "Say how long to wait after the step before, or \"0m\" to run it at once.");
    }
    let wait = fields.parsed("wait", Wait::parse, WAIT);
    let message = message(&fields);
    let agent = fields.notation("agent");
    let assign = assign(&fields, "assign").unwrap_or_default();
    let due = fields.parsed("due", Wait::parse, WAIT);
    let hold = fields.parsed("hold", Wait::parse, WAIT);
    let attempts = fields.whole("attempts", 1..=MOST_ATTEMPTS);
    let every = fields.parsed("every", Wait::parse, WAIT);
    let on = fields.map("on").map(|map| outcomes(&map, steps)).unwrap_or_default();
    let on_overdue = on_overdue(&fields, steps);
    if attempts.is_some_and(|attempts| attempts > 1) && fields.value("every").is_none() {
        let remedy = "Say how long after one attempt the next is due, such as \"2h\".";
        fields.wrong("every", "The step has \"attempts\" but no \"every\".", remedy);
    }
    let needs = action.map_or(Needs::Nothing, needs);
    if needs == Needs::Agent && fields.value("agent").is_none() {
        fields.missing("agent", "Name the AI agent that calls.");
    }
    if needs == Needs::Message && fields.value("message").is_none() {
        fields.missing("message", "Name the message that is sent, such as \"sms/intro\".");
    }
    if let (Some(on_overdue), Some(action)) = (&on_overdue, action) {
        overdue_problems(&fields, on_overdue, action, &assign, due.as_ref(), &on);
    }
    fields.finish();
    Step {
        id: id.unwrap_or_else(|| StepId::from("")),
        action: action.unwrap_or(Do::Dial),
        wait: wait.unwrap_or_else(|| Wait::minutes(0)),
        message,
        agent,
        assign,
        due,
        hold,
        attempts: attempts.and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(1),
        every,
        on,
        on_overdue,
    }
}

fn id(fields: &Fields<'_>, steps: &Steps) -> Option<StepId> {
    if fields.value("id").is_none() {
        fields.missing("id", "Give the step a short name of letters, digits and hyphens.");
    }
    let id = fields.notation("id")?;
    let is_well_formed = id.len() <= ID_LENGTH && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_well_formed {
        let sentence = format!("{} is no id for a step.", quoted(&id));
        fields.wrong("id", sentence, format!("Use letters, digits and hyphens, at most {ID_LENGTH}."));
        return None;
    }
    if RESERVED.contains(&id.to_ascii_lowercase().as_str()) {
        let sentence = format!("A step can't be named \"{id}\", because that word says where an outcome leads.");
        fields.wrong("id", sentence, "Give it another name.");
        return None;
    }
    if steps.count(&id) > 1 {
        fields.wrong("id", format!("Two steps are named \"{id}\"."), "Give each step a name of its own.");
        return None;
    }
    Some(StepId::from(id.as_str()))
}

fn action(fields: &Fields<'_>) -> Option<Do> {
    if fields.value("do").is_none() {
        fields.missing("do", "Say what the step does, such as \"dial\" or \"canned_sms\".");
    }
    fields.choice("do", &Do::ALL.map(|action| (action.as_str(), action)))
}

/// What a step can't run without.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Message,
    Agent,
}

fn needs(action: Do) -> Needs {
    match action {
        Do::AiDial => Needs::Agent,
        Do::CannedSms | Do::CannedEmail => Needs::Message,
        Do::Dial | Do::CustomSms | Do::CustomEmail | Do::AiSms | Do::AiEmail => Needs::Nothing,
    }
}

/// Reads what a step says: a message, or variants with their percents.
fn message(fields: &Fields<'_>) -> Option<Says> {
    let id = |text: &str| MessageId::from(reference("MESSAGE", text));
    if !only(fields.value("message")?).is_object() {
        return fields.notation("message").map(|text| Says::One(id(&text)));
    }
    let listed = fields.map("message")?;
    let mut variants = BTreeMap::new();
    for (name, value) in listed.entries() {
        let Some(percent) = percent(value) else {
            let sentence = format!("This does not say how many percent of the leads get {}.", quoted(name));
            listed.wrong(name, sentence, "Write a whole number such as 50 or \"50%\".");
            continue;
        };
        if variants.insert(id(unquoted(name)), percent).is_some() {
            listed.wrong(name, format!("The message {} stands here twice.", quoted(name)), "Remove one of them.");
        }
    }
    let sum: u32 = variants.values().copied().map(u32::from).sum();
    if sum != 100 && variants.len() == listed.entries().count() {
        let remedy = "Name the messages, each with its percent of the leads, so that they add up to 100.";
        fields.wrong("message", format!("The percents add up to {sum}."), remedy);
    }
    Some(Says::Variants(variants))
}

fn percent(value: &Value) -> Option<u8> {
    let text = text_of(value)?;
    let number = whole(&Value::from(trimmed(unquoted(&text).trim_end_matches('%'))))?;
    u8::try_from(number).ok().filter(|percent| *percent <= 100)
}

/// Reads who is asked: `loan_officer`, a user's id, `{"round_robin": "callers"}` or `round_robin: callers`.
fn assign(fields: &Fields<'_>, name: &'static str) -> Option<Assign> {
    if only(fields.value(name)?).is_object() {
        let turns = fields.map(name)?;
        if turns.value(ROUND_ROBIN).is_none() {
            turns.missing(ROUND_ROBIN, "Name the group whose members take turns.");
        }
        let group = turns.notation(ROUND_ROBIN);
        turns.finish();
        return group.map(|group| Assign::RoundRobin(GroupId::new(group)));
    }
    let text = fields.notation(name)?;
    let (word, group) = text.split_once(':').unwrap_or((&text, ""));
    if word.trim().replace([' ', '-'], "_").eq_ignore_ascii_case(ROUND_ROBIN) {
        if group.trim().is_empty() {
            fields.wrong(
                name,
                "This does not say whose turns.",
                "Write \"round_robin: callers\" with the group's name.",
            );
            return None;
        }
        return Some(Assign::RoundRobin(GroupId::new(group.trim())));
    }
    Some(match text.eq_ignore_ascii_case("loan_officer") {
        true => Assign::LoanOfficer,
        false => Assign::User(UserId::from(reference("USER", &text))),
    })
}

/// Reads what happens when the task is not done in time: a target like an outcome's, or who is asked then.
fn on_overdue(fields: &Fields<'_>, steps: &Steps) -> Option<OnOverdue> {
    let value = fields.value("on_overdue")?;
    let map = if only(value).is_object() { fields.map("on_overdue") } else { None };
    let Some(other) = map.filter(|map| map.value("cadence").is_none()) else {
        return target_of(fields, "on_overdue", value, steps).map(OnOverdue::Go);
    };
    if other.value("assign").is_none() {
        other.missing("assign", "Say who is asked then, such as \"loan_officer\" or \"round_robin: callers\".");
    }
    let assign = assign(&other, "assign");
    other.finish();
    assign.map(OnOverdue::Assign)
}

/// What `on_overdue` can't stand beside.
fn overdue_problems(
    fields: &Fields<'_>,
    on_overdue: &OnOverdue,
    action: Do,
    assign: &Assign,
    due: Option<&Wait>,
    on: &BTreeMap<Outcome, Target>,
) {
    if !action.is_users() {
        let sentence =
            format!("\"{}\" is not what a user does, and only a user's task can be overdue.", action.as_str());
        fields.wrong("on_overdue", sentence, "Remove it, or use \"dial\", \"custom_sms\" or \"custom_email\".");
    }
    let remedy = "Say how long the user has, such as \"10m\".";
    if fields.value("due").is_none() {
        fields.wrong("due", "The step has \"on_overdue\" but no \"due\".", remedy);
    }
    if due.is_some_and(Wait::is_none) {
        fields.wrong("due", "The user has no time at all to do it before it is overdue.", remedy);
    }
    let remedy = "Remove one of them.";
    if fields.value("hold").is_some() {
        fields.wrong(
            "hold",
            "\"on_overdue\" holds the step until its task is due, and so leaves nothing to \"hold\".",
            remedy,
        );
    }
    if fields.value("attempts").is_some() {
        let sentence =
            "\"attempts\" asks the same user again and \"on_overdue\" another, so they can't stand together.";
        fields.wrong("attempts", sentence, remedy);
    }
    match on_overdue {
        OnOverdue::Go(_) if on.contains_key(&Outcome::Expired) => {
            let sentence =
                "\"on_overdue\" and \"expired\" in \"on\" both say where the step leads when it is not done in time.";
            fields.wrong("on_overdue", sentence, remedy);
        }
        OnOverdue::Assign(other) if other == assign && !matches!(other, Assign::RoundRobin(_)) => {
            let sentence = "Whoever does not do it in time would be asked again.";
            fields.wrong("on_overdue", sentence, "Name somebody else, such as {\"assign\": \"round_robin: callers\"}.");
        }
        OnOverdue::Go(_) | OnOverdue::Assign(_) => {}
    }
}

const ROUND_ROBIN: &str = "round_robin";
