//! Checks what the first messages of a cadence carry: whichever comes first, since outcomes jump.

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
    let of = first_of(message, known, |step| step.action == Do::CannedSms).map(|of| format!("This text, {of},"));
    of.or_else(|| is_named_first(&message.id).then(|| "This text".to_owned()))
}

/// The same of the first message that is written, whatever its channel.
pub(super) fn first_written_of(message: &Message, known: &Known) -> Option<String> {
    let is_written = |step: &Step| matches!(step.action, Do::CannedSms | Do::CannedEmail);
    first_of(message, known, is_written).map(|of| format!("This message, {of},"))
}

/// `the first of the cadences "new-lead" and "spring"`: the cadences whose first step of that kind may send the message.
fn first_of(message: &Message, known: &Known, is_it: fn(&Step) -> bool) -> Option<String> {
    let of = known.cadences.values().filter(|cadence| {
        let firsts = || Graph::of(cadence).firsts(is_it).into_iter().filter_map(|index| cadence.steps.get(index));
        matches!(cadence.status, Status::Live | Status::Paused)
            && firsts().flat_map(Step::messages).any(|id| *id == message.id)
    });
    let of: Vec<String> = of.map(|cadence| quoted(cadence.id.as_str())).collect();
    match of.as_slice() {
        [] => None,
        [one] => Some(format!("the first of the cadence {one}")),
        several => Some(format!("the first of the cadences {}", several.join(" and "))),
    }
}

/// Whether ops named it as the text that comes first.
fn is_named_first(id: &MessageId) -> bool {
    id.as_str().starts_with("sms/") && id.as_str().contains("intro")
}
