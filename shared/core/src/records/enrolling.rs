//! Which leads a cadence takes, and which of them again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::time::Wait;

/// Which leads a cadence is for; an empty list asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ForLeads {
    /// Source ids, in whatever case.
    pub source: Vec<String>,
    /// USPS state codes.
    pub state: Vec<String>,
    /// Loan purposes, in whatever case: `purchase`.
    pub purpose: Vec<String>,
    /// What the lead's attributes must be, by their snake_case names: `loan_amount`.
    #[serde(default)]
    pub attributes: BTreeMap<String, Wanted>,
    /// The percent of the leads that fit which are left to other cadences.
    #[serde(default)]
    pub hold_out: u8,
}

impl ForLeads {
    /// Whether every lead that those are is one of these too, as far as can be told without knowing any.
    pub(crate) fn covers(&self, those: &Self) -> bool {
        let takes = |these: &[String], those: &[String]| {
            let is_one = |that: &String| these.iter().any(|this| this.eq_ignore_ascii_case(that));
            these.is_empty() || (!those.is_empty() && those.iter().all(is_one))
        };
        self.hold_out == 0
            && takes(&self.source, &those.source)
            && takes(&self.state, &those.state)
            && takes(&self.purpose, &those.purpose)
            && self
                .attributes
                .iter()
                .all(|(name, this)| those.attributes.get(name).is_some_and(|that| this.covers(that)))
    }
}

impl Wanted {
    fn covers(&self, that: &Self) -> bool {
        let number = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_f64);
        match (self, that) {
            (Self::OneOf(these), Self::OneOf(those)) => those.iter().all(|that| these.contains(that)),
            (Self::Between { at_least, at_most }, Self::Between { at_least: least, at_most: most }) => {
                let is_from = number(at_least).is_none_or(|this| number(least).is_some_and(|that| this <= that));
                let is_to = number(at_most).is_none_or(|this| number(most).is_some_and(|that| this >= that));
                is_from && is_to
            }
            (Self::OneOf(_), Self::Between { .. }) | (Self::Between { .. }, Self::OneOf(_)) => false,
        }
    }
}

/// What an attribute of a lead must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// One of these: texts, numbers, true or false.
    OneOf(Vec<Value>),
    /// An amount within these bounds, themselves included.
    Between {
        /// The lower one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        at_least: Option<Number>,
        /// The upper one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        at_most: Option<Number>,
    },
}

/// When a cadence may take a lead who was through one before and asks again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reenroll {
    /// Never one who was through this cadence; one who was through another as by default.
    Never,
    /// So long after the lead's latest cadence began.
    After(Wait),
}

impl Reenroll {
    /// How long after a cadence began the same lead does not begin another, where a record doesn't say.
    pub fn default_wait() -> Wait {
        Wait::days(30)
    }

    /// How long after a cadence began the same lead may begin this one, if at all.
    pub fn wait(&self) -> Wait {
        match self {
            Self::Never => Self::default_wait(),
            Self::After(wait) => wait.clone(),
        }
    }
}

impl Default for Reenroll {
    fn default() -> Self {
        Self::After(Self::default_wait())
    }
}

/// What stands for an amount, as a number: `350000`, `"350000"`, `"$350,000"`.
pub(crate) fn amount(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => whole(number.as_f64()?).or_else(|| Some(number.clone())),
        Value::String(text) => {
            let text: String = text.chars().filter(|c| !matches!(c, ',' | '$' | ' ')).collect();
            let is_plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'));
            let amount = text.parse().ok().filter(|_| is_plain)?;
            whole(amount).or_else(|| Number::from_f64(amount))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A table gives whole numbers back without a fraction, so they are never written with one.
fn whole(amount: f64) -> Option<Number> {
    (amount.fract() == 0.0 && amount.abs() < 9e15).then_some(Number::from(amount as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_is_read_as_vendors_and_ops_write_it() {
        for (written, expected) in [
            (json!(350_000), Some(json!(350_000))),
            (json!(350_000.0), Some(json!(350_000))),
            (json!("350000"), Some(json!(350_000))),
            (json!(" $350,000.50 "), Some(json!(350_000.5))),
            (json!("-5"), Some(json!(-5))),
            (json!("350k"), None),
            (json!("200000 - 250000"), None),
            (json!("nan"), None),
            (json!("inf"), None),
            (json!("1e3"), None),
            (json!(""), None),
            (json!(true), None),
            (json!([1]), None),
        ] {
            assert_eq!(amount(&written).map(Value::Number), expected, "{written}");
        }
    }

    #[test]
    fn a_record_of_before_there_were_attributes_asks_for_none() {
        let stored = json!({"source": ["zillow"], "state": [], "purpose": []});
        let read: ForLeads = serde_json::from_value(stored).unwrap();
        assert_eq!((read.attributes.len(), read.hold_out), (0, 0));
    }
}
