//! The company of a world: what its messages say, and who works there when.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use serde_json::{Value, json};

use super::{
    draws::{happens, one_of},
    people::HOMES,
};

/// The messages that a world has beside those that ship.
pub(crate) const MORE_MESSAGES: [&str; 3] = ["sms/news", "email/news", "script/news"];

/// How messages begin: with whom they are for, by which a message that went astray is known.
const GREETINGS: [&str; 3] = [
    "Hi {{ lead_first_name or 'there' }}",
    "Dear {{ lead_first_name or 'friend' }} {{ lead_last_name or '' }}",
    "Hi {{ lead_first_name or 'there' }}{% if city %} of {{ city }}{% endif %}",
];
const WORDS: [&str; 3] =
    ["is now a good time to talk?", "rates changed today.", "how is your {{ purpose or 'home' }} loan?"];

/// The record of that message, in words that are drawn.
pub(crate) fn message(id: &str, rng: &mut Rng) -> Value {
    let (greeting, words) = (one_of(rng, &GREETINGS), one_of(rng, &WORDS));
    let text = format!(
        "{}, {} {{{{ lo_first_name }}}}, {{{{ company }}}}.",
        greeting.unwrap_or(&GREETINGS[0]),
        words.unwrap_or(&WORDS[0])
    );
    let (pk, sk) = (format!("MESSAGE#{id}"), "CURRENT");
    match id.split('/').next() {
        Some("email") => {
            let foot = "{{ company }}, {{ postal_address }}\nUnsubscribe: {{ unsubscribe_url }}";
            json!({ "pk": pk, "sk": sk, "subject": "News for {{ lead_first_name or 'you' }}", "body": format!("{text}\n\n{foot}") })
        }
        Some("sms") => json!({ "pk": pk, "sk": sk, "text": format!("{text} Reply STOP to opt out.") }),
        _ => json!({ "pk": pk, "sk": sk, "text": text }),
    }
}

/// A shipped user as they are in a world: in groups, perhaps licensed wherever people live, with hours, away.
pub(crate) fn user(mut shipped: Value, start: DateTime<Utc>, rng: &mut Rng) -> Value {
    let is_riley = shipped.get("pk") == Some(&json!("USER#lo-riley"));
    let other = if is_riley { "lo-morgan" } else { "lo-riley" };
    if let Some(fields) = shipped.as_object_mut() {
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("time_zone", json!(if is_riley { "America/Los_Angeles" } else { "America/New_York" }));
        put("groups", json!(if is_riley { &["callers"][..] } else { &["callers", "closers"] }));
        if happens(rng, 0.5) {
            put("licences", everywhere());
        }
        if happens(rng, 0.3) {
            put("hours", json!("Mon-Fri 09:00-17:00"));
        }
        if happens(rng, 0.3) {
            put("out_of_office", away(other, start, rng));
        }
    }
    shipped
}

/// The company's settings: often it rests on some days of a world.
pub(crate) fn settings(mut shipped: Value, start: DateTime<Utc>, rng: &mut Rng) -> Value {
    let rests = happens(rng, 0.5);
    let days: Vec<String> =
        (0..rng.i64(1..4)).map(|_| (start + TimeDelta::days(rng.i64(0..8))).format("%Y-%m-%d").to_string()).collect();
    if let Some(fields) = shipped.as_object_mut().filter(|_| rests) {
        fields.insert("holidays".to_owned(), json!(days));
    }
    shipped
}

/// Days on which a user is away, early in a world; often the other one stands in.
pub(crate) fn away(other: &str, start: DateTime<Utc>, rng: &mut Rng) -> Value {
    let from = start + TimeDelta::days(rng.i64(-1..4));
    let until = from + TimeDelta::days(rng.i64(0..5));
    let day = |at: DateTime<Utc>| at.format("%Y-%m-%d").to_string();
    let mut absence = json!({ "from": day(from), "until": day(until) });
    if let Some(fields) = absence.as_object_mut().filter(|_| happens(rng, 0.7)) {
        fields.insert("stand_in".to_owned(), json!(other));
    }
    json!([absence])
}

/// Every state where people live.
pub(crate) fn everywhere() -> Value {
    let mut states = HOMES.map(|home| home.state).to_vec();
    states.dedup();
    json!(states)
}
