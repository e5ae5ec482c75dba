//! Checks what the first messages of a cadence carry: whichever comes first, since outcomes jump.

use std::collections::BTreeSet;

use super::{Known, graph::Graph, message::is_script, read::Read};
use crate::{
    Do, MessageId,
    records::{
        Cadence, Message, Status, Step,
        message::Copy,
        problem::{Problem, quoted},
    },
};

/// What the first text, and the first written message, of a cadence lack.
pub(super) fn check(cadence: &Cadence, graph: &Graph<'_>, known: &Known) -> Vec<Problem> {
    let first_texts = graph.firsts(|step| step.action == Do::CannedSms);
    let first_written = graph.firsts(|step| matches!(step.action, Do::CannedSms | Do::CannedEmail));
    let mut problems = Vec::new();
    for (index, step) in cadence.steps.iter().enumerate() {
        for message in step.messages().filter_map(|id| known.messages.get(id)) {
            let is_first_text = first_texts.contains(&index) && matches!(message.copy, Copy::Text(_));
            let is_first_written = first_written.contains(&index);
            let is_spoken_text = step.action == Do::CannedSms && is_script(message);
            if !(is_first_text || is_first_written || is_spoken_text) {
                continue;
            }
            let Some(read) = Read::of(message, known.settings.as_ref()).0 else { continue };
            let path = format!("steps[{index}].message");
            let id = quoted(message.id.as_str());
            if is_spoken_text {
                problems.extend(read.costs(&path, &format!("The text {id}")));
            }
            if is_first_text {
                let subject = format!("The first text, {id},");
                problems.extend(read.first_text_lacks().map(|lack| lack.warning(&path, &subject)));
            }
            if is_first_written {
                let subject = format!("The first message, {id},");
                problems.extend(read.first_written_lacks().map(|lack| lack.warning(&path, &subject)));
            }
        }
    }
    problems
}

/// How to speak of a message that is the first text of some cadence; `None` if it is of none.
pub(super) fn first_text_of(message: &Message, known: &Known) -> Option<String> {
    let is_used = known.cadences.values().find(|cadence| {
        matches!(cadence.status, Status::Live | Status::Paused) && first_texts(cadence).contains(&message.id)
    });
    match is_used {
        Some(cadence) => Some(format!("This text, the first of the cadence {},", quoted(cadence.id.as_str()))),
        None => is_named_first(&message.id).then(|| "This text".to_owned()),
    }
}

fn first_texts(cadence: &Cadence) -> BTreeSet<MessageId> {
    let firsts = Graph::of(cadence).firsts(|step| step.action == Do::CannedSms);
    firsts.into_iter().filter_map(|index| cadence.steps.get(index)).flat_map(Step::messages).cloned().collect()
}

/// Whether ops named it as the text that comes first.
fn is_named_first(id: &MessageId) -> bool {
    id.as_str().starts_with("sms/") && id.as_str().contains("intro")
}
