//! Messages of another kind than the steps that use them ask for: said on whichever of the two is edited.

use super::Known;
use crate::{
    Channel, Do,
    records::{
        Cadence, Message, Status, Step,
        message::Copy,
        problem::{Problem, quoted},
    },
};

/// What keeps a step from using a message.
pub(super) struct Misfit {
    /// What the message is.
    pub(super) is: &'static str,
    /// What the step does.
    pub(super) does: &'static str,
    /// What a message has that the step can use.
    pub(super) wanted: &'static str,
}

impl Misfit {
    /// `None` if the step can use the message. A user who writes an email may go by a text.
    pub(super) fn of(message: &Message, step: &Step) -> Option<Self> {
        match (&message.copy, step.action.channel(), step.action) {
            (Copy::Email { .. }, Channel::Sms, _) => {
                Some(Self { is: "an email", does: "sends a text", wanted: "a \"text\"" })
            }
            (Copy::Email { .. }, Channel::Call, _) => {
                Some(Self { is: "an email", does: "is a call", wanted: "a \"text\" to be said" })
            }
            (Copy::Text(_), _, Do::CannedEmail) => {
                Some(Self { is: "a text", does: "sends an email", wanted: "a \"subject\" and a \"body\"" })
            }
            (Copy::Email { .. } | Copy::Text(_), ..) => None,
        }
    }
}

/// The steps at work that could no longer use the message. Running leads get messages as they were last published, so the message goes by
/// its steps, and not they by it.
pub(super) fn steps_left(message: &Message, known: &Known) -> Vec<Problem> {
    let at_work = known.cadences.values().filter(|cadence| cadence.status != Status::Archived);
    let steps = at_work.flat_map(|cadence| cadence.steps.iter().map(move |step| (cadence, step)));
    let using = steps.filter(|(_, step)| step.messages().any(|id| *id == message.id));
    let left = using.filter_map(|(cadence, step)| {
        let Misfit { is, does, wanted } = Misfit::of(message, step)?;
        let (cadence, step) = (quoted(cadence.id.as_str()), quoted(step.id.as_str()));
        let sentence =
            format!("This message is {is}, but the step {step} of the cadence {cadence} uses it and {does}.");
        let remedy = format!("Give it {wanted} again, or let that step name another message first.");
        Some(Problem::error("", sentence, remedy))
    });
    left.collect()
}

/// The same of the versions that leads still run through, whatever the newest ones say.
pub fn kept_for_running(message: &Message, running: &[Cadence]) -> Option<Problem> {
    running.iter().find_map(|cadence| {
        let mut using = cadence.steps.iter().filter(|step| step.messages().any(|id| *id == message.id));
        let (step, Misfit { is, does, .. }) = using.find_map(|step| Some((step, Misfit::of(message, step)?)))?;
        let (cadence, step) = (quoted(cadence.id.as_str()), quoted(step.id.as_str()));
        let sentence = format!(
            "This message is {is}, but leads still run through a version of the cadence {cadence} whose step {step} uses it and {does}."
        );
        let remedy = "Make it what it was, and write a message of another name for what is new.";
        Some(Problem::error("", sentence, remedy))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        fixtures::steps,
        records::{Record, check, parse_record},
    };

    #[test]
    fn a_message_is_refused_in_a_kind_that_a_step_at_work_can_not_use() {
        let text = json!({"text": "{{ company }}. Reply STOP to opt out"});
        let email = json!({"subject": "Hi", "body": "{{ unsubscribe_url }} {{ postal_address }}"});
        let errors = |content: &Value, known: &Known| {
            let message = parse_record("MESSAGE#a", content).unwrap();
            let errors = check(&message, known).into_iter().filter(Problem::is_error);
            errors.map(|problem| problem.to_string()).collect::<Vec<_>>()
        };
        for (action, content, why) in [
            ("canned_sms", &text, None),
            ("canned_sms", &email, Some("sends a text. Give it a \"text\" again")),
            ("custom_sms", &email, Some("sends a text")),
            ("canned_email", &email, None),
            ("canned_email", &text, Some("sends an email. Give it a \"subject\" and a \"body\" again")),
            ("custom_email", &text, None),
            ("dial", &text, None),
            ("dial", &email, Some("is a call")),
        ] {
            for (wanted, of) in [(json!("a"), 1), (json!({"a": 50, "b": 50}), 2)] {
                let step = |id: &str| json!({"id": id, "do": action, "wait": "1d", "message": wanted});
                let mut cadence = steps(json!([step("first"), step("second")]));
                let mut known = Known::default();
                known.insert(Record::Cadence(cadence.clone()));
                let told = errors(content, &known);
                assert_eq!(told.len(), if why.is_some() { 2 } else { 0 }, "{action} of {of}: {told:?}");
                for (told, step) in told.iter().zip(["first", "second"]) {
                    let uses = format!("the step \"{step}\" of the cadence {} uses it", quoted(cadence.id.as_str()));
                    assert!(told.contains(&uses) && told.contains(why.unwrap()), "{told}");
                }
                cadence.status = Status::Archived;
                known.insert(Record::Cadence(cadence));
                assert_eq!(errors(content, &known), [""; 0], "what is archived uses nothing");
            }
        }
    }
}
