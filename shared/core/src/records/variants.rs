//! What a step says: one message, or variants that are compared with one another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CadenceId, LeadId, MessageId, StepId, draw};

/// The message of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Says {
    /// The same to every lead.
    One(MessageId),
    /// To that many percent of the leads this; they sum to 100.
    Variants(BTreeMap<MessageId, u8>),
}

impl Says {
    /// Every message that some lead gets.
    pub fn messages(&self) -> impl Iterator<Item = &MessageId> {
        let (one, variants) = match self {
            Self::One(id) => (Some(id), None),
            Self::Variants(variants) => (None, Some(variants.keys())),
        };
        one.into_iter().chain(variants.into_iter().flatten())
    }

    /// The message that this lead gets at this step: the same each time, whatever else is edited. Where percents are edited, only as many
    /// leads change over as have to.
    pub fn to(&self, lead: &LeadId, cadence: &CadenceId, step: &StepId) -> Option<&MessageId> {
        let mut drawn = draw::percent(&format!("variant {lead} {cadence} {step}"));
        match self {
            Self::One(id) => Some(id),
            Self::Variants(variants) => {
                let chosen = variants.iter().find(|(_, percent)| {
                    let left = drawn.checked_sub(**percent);
                    drawn = left.unwrap_or(drawn);
                    left.is_none()
                });
                chosen.map(|(id, _)| id)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::fixtures::cadence;

    fn variants(percents: &[(&str, u8)]) -> Says {
        Says::Variants(percents.iter().map(|(id, percent)| (MessageId::from(*id), *percent)).collect())
    }

    fn lead(number: u32) -> LeadId {
        format!("{number:032x}").as_str().into()
    }

    /// What each of a thousand leads gets at that step.
    fn split(says: &Says, cadence: &str, step: &str) -> Vec<String> {
        let to = |number| says.to(&lead(number), &cadence.into(), &step.into()).unwrap().to_string();
        (0..1000).map(to).collect()
    }

    fn count(split: &[String], id: &str) -> usize {
        split.iter().filter(|said| *said == id).count()
    }

    #[test]
    fn one_message_is_everybodys_and_is_written_as_it_always_was() {
        let one = Says::One("sms/intro".into());
        assert_eq!(count(&split(&one, "c", "s"), "sms/intro"), 1000);
        for (says, stored) in
            [(one, json!("sms/intro")), (variants(&[("sms/a", 50), ("sms/b", 50)]), json!({"sms/a": 50, "sms/b": 50}))]
        {
            assert_eq!(serde_json::to_value(&says).unwrap(), stored);
            assert_eq!(serde_json::from_value::<Says>(stored).unwrap(), says);
        }
    }

    #[test]
    fn who_gets_what_is_told_apart_by_lead_cadence_and_step() {
        let half = variants(&[("sms/a", 50), ("sms/b", 50)]);
        let one = split(&half, "spring", "hello");
        for other in [split(&half, "summer", "hello"), split(&half, "spring", "again")] {
            let same = one.iter().zip(&other).filter(|(one, other)| one == other).count();
            assert!((400..600).contains(&same), "{same} of 1000 the same: one test must not be another's");
        }
        assert_eq!(one, split(&half, "spring", "hello"), "but the same each time");
    }

    #[test]
    fn a_variant_of_no_percent_is_nobodys() {
        let off = variants(&[("sms/a", 0), ("sms/b", 100), ("sms/c", 0)]);
        assert_eq!(count(&split(&off, "c", "s"), "sms/b"), 1000);
    }

    #[test]
    fn editing_percents_moves_only_as_many_as_it_has_to() {
        let before = split(&variants(&[("sms/a", 50), ("sms/b", 50)]), "c", "s");
        let after = split(&variants(&[("sms/a", 60), ("sms/b", 40)]), "c", "s");
        for (before, after) in before.iter().zip(&after) {
            assert!(before == after || (before == "sms/b" && after == "sms/a"), "{before} became {after}");
        }
    }

    #[test]
    fn adding_a_step_or_editing_a_text_moves_nobody() {
        let says = json!({"sms/a": 50, "sms/b": 50});
        let split_step = || json!({"id": "hello", "do": "canned_sms", "wait": "0m", "message": says});
        let first = json!({"id": "first", "do": "dial", "wait": "0m"});
        let of = |steps: Value| {
            let cadence = cadence(json!({"steps": steps}));
            let step = cadence.step(&"hello".into()).unwrap();
            (0..200).map(|number| step.message_for(&cadence.id, &lead(number)).cloned()).collect::<Vec<_>>()
        };
        let mut edited = split_step();
        (edited["wait"], edited["note"]) = (json!("2h"), json!("tried since spring"));
        assert_eq!(of(json!([split_step()])), of(json!([first, edited, {"id": "last", "do": "dial", "wait": "1d"}])));
    }

    proptest! {
        #[test]
        fn as_many_leads_get_a_variant_as_its_percent_says(first in 0_u8..=100, part in 0_u8..=100, cadence in "[a-z-]{1,12}", step in "[a-z-]{1,12}") {
            let second = u8::try_from(u32::from(100 - first) * u32::from(part) / 100).unwrap();
            let percents = [("sms/a", first), ("sms/b", second), ("sms/c", 100 - first - second)];
            let split = split(&variants(&percents), &cadence, &step);
            for (id, percent) in percents {
                let expected = i64::from(percent) * 10;
                // Five standard deviations of a thousand tosses of a fair coin are 79.
                let off = i64::try_from(count(&split, id)).unwrap() - expected;
                prop_assert!(off.abs() <= 80, "{id}: {off} off {expected}");
                prop_assert!(percent > 0 || off == 0, "nobody gets what nobody should");
            }
        }
    }
}
