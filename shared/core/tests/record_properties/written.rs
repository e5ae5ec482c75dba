//! Good records of every kind, with any of their fields.

use cadence_core::records::{Known, parse_record};
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// A key, and what stands under it.
pub(crate) fn records() -> impl Strategy<Value = (String, Value)> {
    prop_oneof![
        4 => cadences().prop_map(|content| ("CADENCE#a", content)),
        1 => messages().prop_map(|content| ("MESSAGE#sms/intro", content)),
        1 => users().prop_map(|content| ("USER#a", content)),
        1 => sources().prop_map(|content| ("SOURCE#a", content)),
        1 => settings().prop_map(|content| ("SETTINGS#company", content)),
    ]
    .prop_map(|(pk, content)| (pk.to_owned(), content))
}

/// Other records for them to refer to, or not.
pub(crate) fn known() -> Known {
    let mut known = Known::default();
    for (pk, content) in [
        ("MESSAGE#sms/intro", json!({"text": "{{ lo_first_name }} of {{ company }}. Reply STOP to opt out"})),
        ("MESSAGE#email/intro", json!({"subject": "s", "body": "{{ unsubscribe_url }}, {{ postal_address }}"})),
        (
            "CADENCE#b",
            json!({"name": "b", "steps": [{"id": "a", "do": "dial", "wait": "0m", "hold": "1h", "on": {"expired": {"cadence": "a"}}}]}),
        ),
        ("SOURCE#zillow", json!({"format": "zillow"})),
    ] {
        known.insert(parse_record(pk, &content).unwrap());
    }
    known
}

/// A field's name and value.
type Field = (&'static str, Value);

/// A map of the fields that must be there and any of those that may.
fn map(
    must: impl Strategy<Value = Vec<Field>> + 'static,
    may: Vec<(&'static str, BoxedStrategy<Value>)>,
) -> BoxedStrategy<Value> {
    let may = may.into_iter().map(|(name, value)| prop::option::of(value.prop_map(move |value| (name, value))));
    let object = |(must, may): (Vec<Field>, Vec<Option<Field>>)| {
        let fields = must.into_iter().chain(may.into_iter().flatten());
        Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    };
    (must, may.collect::<Vec<_>>()).prop_map(object).boxed()
}

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(words).prop_map(Value::from).boxed()
}

fn some_of(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop::sample::subsequence(words, 1..=words.len()).prop_map(Value::from).boxed()
}

fn whole(range: std::ops::RangeInclusive<i64>) -> BoxedStrategy<Value> {
    range.prop_map(Value::from).boxed()
}

fn text() -> BoxedStrategy<Value> {
    "[A-Za-z][ -~]{0,20}[a-z.]|[\\PC&&[^ ]]{1,4}x".prop_map(Value::from).boxed()
}

fn flag() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

fn wait() -> BoxedStrategy<Value> {
    "[1-9][0-9]?(m|h|d|bd)|0m|[0-9](d|bd) at (09:30|17:05)".prop_map(Value::from).boxed()
}

fn hours() -> BoxedStrategy<Value> {
    one_of(&["any time", "Mon-Sat 09:00-19:30", "daily 08:00-12:00, Sat 13:00-18:00", "weekdays 10:00-11:00"])
}

pub(crate) fn cadences() -> BoxedStrategy<Value> {
    let ids = || prop::collection::vec(Just(()), 1..5).prop_map(|steps| steps.len());
    ids()
        .prop_flat_map(|count| {
            let steps: Vec<_> = (0..count).map(|index| step(index, count)).collect();
            let must = (text(), steps).prop_map(|(name, steps)| vec![("name", name), ("steps", steps.into())]);
            let channels = || vec![("call", hours()), ("sms", hours()), ("email", hours())];
            map(
                must,
                vec![
                    ("status", one_of(&["live", "paused", "off", "archived"])),
                    ("for_leads", for_leads()),
                    ("priority", whole(-1000..=1000)),
                    ("reenroll", prop_oneof![wait(), one_of(&["never"])].boxed()),
                    ("takes_over", some_of(&["b", "c"])),
                    ("apply_to", one_of(&["new_leads", "everyone"])),
                    ("hours", map(Just(Vec::new()), channels())),
                    ("skip_holidays", flag()),
                    ("anytime", on(count)),
                    ("note", text()),
                ],
            )
        })
        .boxed()
}

fn for_leads() -> BoxedStrategy<Value> {
    let value = prop_oneof![
        text().prop_filter("that would be bounds", |text| !text.as_str().unwrap().starts_with(['<', '>', '='])),
        whole(0..=900_000),
        flag(),
        some_of(&["TownHouse", "Modular"]),
        (0_i64..500, 500_i64..900).prop_map(|(least, most)| json!({"at_least": least, "at_most": most})),
        (0.5_f64..9.0).prop_map(|least| json!({"at_least": least})),
    ];
    let attributes = prop::collection::btree_map("loan_amount|has_agent|property_type", value, 1..3);
    map(
        Just(Vec::new()),
        vec![
            ("source", some_of(&["zillow", "gizmo"])),
            ("state", some_of(&["CA", "NY"])),
            ("purpose", some_of(&["purchase", "refinance"])),
            ("attributes", attributes.prop_map(|map| Value::Object(map.into_iter().collect())).boxed()),
            ("hold_out", whole(0..=99)),
        ],
    )
}

fn step(index: usize, count: usize) -> BoxedStrategy<Value> {
    let id = move || Just(Value::from(format!("step-{index}")));
    let users = (id(), one_of(&["dial", "custom_sms", "custom_email", "ai_sms", "ai_email"]), wait())
        .prop_map(|(id, action, wait)| vec![("id", id), ("do", action), ("wait", wait)]);
    let ai_call = (id(), wait(), text())
        .prop_map(|(id, wait, agent)| vec![("id", id), ("do", "ai_dial".into()), ("wait", wait), ("agent", agent)]);
    let kinds = select(vec![("canned_sms", "sms/intro"), ("canned_email", "email/intro")]);
    let canned =
        (id(), kinds, wait(), prop::option::of(0_u8..=100)).prop_map(|(id, (action, message), wait, percent)| {
            let message = match percent {
                Some(percent) => json!({message: percent, "sms/other": 100 - percent}),
                None => message.into(),
            };
            vec![("id", id), ("do", action.into()), ("wait", wait), ("message", message)]
        });
    let rounds = (2_i64..20, wait());
    let step = map(
        prop_oneof![users, ai_call, canned],
        vec![("assign", assign()), ("due", wait()), ("hold", wait()), ("on", on(count)), ("note", text())],
    );
    let overdue = prop_oneof![target(count), Just(json!({"assign": {"round_robin": "closers"}}))];
    (step, prop::option::of(rounds), prop::option::of(overdue))
        .prop_map(|(mut step, rounds, overdue)| {
            let is_free = step.get("hold").is_none() && step.pointer("/on/expired").is_none();
            let is_users = ["dial", "custom_sms", "custom_email"].iter().any(|action| step["do"] == *action);
            match (rounds, overdue) {
                (Some((attempts, every)), _) => (step["attempts"], step["every"]) = (attempts.into(), every),
                (None, Some(overdue)) if is_free && is_users => {
                    (step["due"], step["on_overdue"]) = ("10m".into(), overdue);
                }
                _ => {}
            }
            step
        })
        .boxed()
}

fn assign() -> BoxedStrategy<Value> {
    prop_oneof![one_of(&["loan_officer", "lo-riley", "round_robin: callers"]), Just(json!({"round_robin": "closers"})),]
        .boxed()
}

fn target(count: usize) -> BoxedStrategy<Value> {
    let step = (0..count).prop_map(|step| Value::from(format!("step-{step}")));
    prop_oneof![one_of(&["next", "end", "pause"]), step, Just(json!({"cadence": "b"}))].boxed()
}

fn on(count: usize) -> BoxedStrategy<Value> {
    let outcome = "no_answer|voicemail|busy|connected|replied|delivered|expired|failed|skipped|opted_out";
    let map = prop::collection::btree_map(outcome, target(count), 1..5);
    map.prop_map(|map| Value::Object(map.into_iter().collect())).boxed()
}

fn messages() -> BoxedStrategy<Value> {
    let template = || "[A-Za-z.][a-z .’—]{0,200}[a-z]|Hi \\{\\{ (city|company|rate) \\}\\}";
    prop_oneof![
        template().prop_map(|text| json!({"text": text})),
        (template(), template()).prop_map(|(subject, body)| json!({"subject": subject, "body": body})),
    ]
    .boxed()
}

fn users() -> BoxedStrategy<Value> {
    let must = (text(), text()).prop_map(|(first, last)| {
        vec![
            ("first_name", first),
            ("last_name", last),
            ("email", "a@example.com".into()),
            ("phone", "+14155550140".into()),
        ]
    });
    let user = map(
        must,
        vec![
            ("sms_number", one_of(&["+14155550141", "(415) 555-0141"])),
            ("nmls_id", whole(1..=9_999_999)),
            ("licences", some_of(&["CA", "NY", "Texas"])),
            ("active", flag()),
            ("groups", some_of(&["callers", "closers"])),
        ],
    );
    let away = (some_of(&["2026-12-20", "2026-12-24"]), prop::option::of(one_of(&["b", "c"])));
    let away = away.prop_map(|(from, stand_in)| json!({"from": from[0], "until": "2027-01-02", "stand_in": stand_in}));
    let zone = one_of(&["America/Chicago", "Pacific/Honolulu"]);
    let there = map(
        zone.prop_map(|zone| vec![("time_zone", zone)]),
        vec![("hours", hours()), ("out_of_office", prop::collection::vec(away, 1..3).prop_map(Value::from).boxed())],
    );
    (user, prop::option::of(there))
        .prop_map(|(mut user, there)| {
            if let (Some(user), Some(Value::Object(there))) = (user.as_object_mut(), there) {
                user.extend(there);
            }
            user
        })
        .boxed()
}

fn sources() -> BoxedStrategy<Value> {
    let named = one_of(&["zillow", "gizmo", "plain"]).prop_map(|format| vec![("format", format)]);
    let path = || one_of(&["phone", "lead.contact.phone", "$.a[0].b", "lead[x]"]);
    let rest = vec![("first_name", path()), ("attributes.loanAmount", path()), ("attributes.zip_code", path())];
    let reach = (path(), path()).prop_map(|(phone, email)| vec![("phone", phone), ("email", email)]);
    let mapped = map(reach, rest).prop_map(|fields| vec![("format", json!("mapped")), ("fields", fields)]);
    let must = prop_oneof![named, mapped];
    let consent = || one_of(&["none", "express", "express_written", "revoked"]);
    let channels = map(
        text().prop_map(|proof| vec![("proof", proof)]),
        vec![("call", consent()), ("sms", consent()), ("email", consent())],
    );
    map(must, vec![("secret", text()), ("consent", channels)])
}

fn settings() -> BoxedStrategy<Value> {
    let must = (text(), text()).prop_map(|(company, address)| {
        vec![
            ("company", company),
            ("postal_address", address),
            ("notices_from", "a@example.com".into()),
            ("unsubscribe_url", "https://example.com/unsubscribe".into()),
        ]
    });
    let caps = map(
        Just(Vec::new()),
        vec![
            ("contacts_per_day", whole(0..=3)),
            ("contacts_per_week", whole(0..=8)),
            ("ai_calls_per_day", whole(0..=1)),
            ("sms_per_day", whole(0..=2)),
            ("emails_per_day", whole(0..=1)),
        ],
    );
    map(
        must,
        vec![
            ("holidays", some_of(&["2026-12-24", "2026-12-31"])),
            ("caps", caps),
            ("snippets", map(Just(Vec::new()), vec![("signature", text()), ("footer", text())])),
        ],
    )
}
