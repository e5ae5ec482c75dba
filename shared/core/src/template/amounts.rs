//! `amount`: what a source sent as text or as a number, so that a template can compare it.

use minijinja::Value;

use crate::records::enrolling;

/// The filter's name.
pub(crate) const AMOUNT: &str = "amount";

/// The number that a value stands for, as `for_leads` reads it: 350000 of `$350,000`. Where it stands for none, 0.
pub(super) fn amount(value: &Value) -> Value {
    let number = serde_json::to_value(value).ok().and_then(|value| enrolling::amount(&value));
    let whole = number.as_ref().and_then(serde_json::Number::as_i64).map(Value::from);
    whole.or_else(|| number?.as_f64().map(Value::from)).unwrap_or_else(|| Value::from(0))
}
