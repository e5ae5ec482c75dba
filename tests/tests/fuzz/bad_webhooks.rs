//! More than a thousand bad webhooks, made of good ones: byte by byte, field by field, and by hand.

use cadence_tests::local::deployment::SOURCE_SECRET;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::damage::WORDS;

/// A webhook as it is posted.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// What was done to it, for whoever reads that a test failed.
    pub(crate) what: String,
}

impl Webhook {
    fn to(source: &str, content_type: Option<&'static str>, body: Vec<u8>, what: impl Into<String>) -> Self {
        let mut headers = vec![("x-cadence-secret", SOURCE_SECRET.to_owned())];
        headers.extend(content_type.map(|stated| ("content-type", stated.to_owned())));
        Self { path: format!("/leads/{source}"), headers, body, what: what.into() }
    }
}

/// Everything bad that is made of a source's good body.
pub(crate) fn made_of(source: &str, content_type: Option<&'static str>, good: &[u8]) -> Vec<Webhook> {
    let mut bodies = bytes_changed(good);
    match serde_json::from_slice::<Value>(good) {
        Ok(good) => bodies.extend(fields_changed(&good).into_iter().chain(fields_of_nobody(&good))),
        Err(_) => bodies.extend(forms_of_nobody(good)),
    }
    let webhook = |(count, (what, body)): (usize, (String, Vec<u8>))| {
        Webhook::to(source, content_type, told_apart(&body, count), what)
    };
    bodies.into_iter().enumerate().map(webhook).collect()
}

/// The body about another event and another person, where it still says which: else it would be answered as one that came before.
fn told_apart(body: &[u8], count: usize) -> Vec<u8> {
    let mut body = body.to_vec();
    for (zero, counted) in [
        ("ID-000000", format!("ID-{count:06}")),
        ("e000000", format!("e{count:06}")),
        ("555-0100", format!("555-01{:02}", count % 100)),
    ] {
        if let Some(at) = body.windows(zero.len()).position(|window| window == zero.as_bytes()) {
            body[at..at + zero.len()].copy_from_slice(counted.as_bytes());
        }
    }
    body
}

/// In how many places the bytes of a body are changed, in three ways each.
const PLACES: usize = 40;

/// The body cut, and with bytes set, put in and taken out all along.
fn bytes_changed(good: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut bodies = Vec::new();
    for at in (0..good.len()).step_by((good.len() / PLACES).max(1)) {
        bodies.push((format!("cut at {at}"), good[..at].to_vec()));
        let word = WORDS[at % WORDS.len()];
        let with = [&good[..at], word, &good[at..]].concat();
        bodies.push((format!("{} put in at {at}", String::from_utf8_lossy(word)), with));
        let mut set = good.to_vec();
        set[at] ^= 1 << (at % 8);
        bodies.push((format!("a bit changed at {at}"), set));
    }
    let utf16 = good.iter().flat_map(|byte| [*byte, 0]).collect();
    bodies.push(("as UTF-16".to_owned(), utf16));
    bodies.push(("twice".to_owned(), good.repeat(2)));
    bodies.push(("after a byte order mark".to_owned(), [b"\xef\xbb\xbf", good].concat()));
    bodies
}

/// The body with each of its values gone, renamed, doubled, wrapped, and replaced by each of the values that trip people up.
fn fields_changed(good: &Value) -> Vec<(String, Vec<u8>)> {
    let mut bodies = Vec::new();
    let mut add = |what: String, body: &Value| bodies.push((what, body.to_string().into_bytes()));
    for (place, pointer) in pointers(good, "").into_iter().enumerate() {
        for (name, value) in values() {
            let mut body = good.clone();
            *body.pointer_mut(&pointer).unwrap() = value;
            add(format!("{pointer} is {name}"), &body);
        }
        let mut wrapped = good.clone();
        let whole = wrapped.pointer_mut(&pointer).unwrap();
        *whole = json!([whole.take(), { "value": 1 }]);
        add(format!("{pointer} in a list"), &wrapped);
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut without = good.clone();
        let Some(fields) = without.pointer_mut(parent).and_then(Value::as_object_mut) else { continue };
        let value = fields.remove(name).unwrap();
        add(format!("{pointer} is gone"), &without);
        let renamed = [name.to_uppercase(), format!("{name} "), format!("{name}.~/{name}"), "x".repeat(70_000)];
        let renamed = &renamed[place % renamed.len()];
        without.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().insert(renamed.clone(), value);
        add(format!("{pointer} is named {renamed:.20}"), &without);
    }
    bodies
}

/// Texts that are no phone number.
pub(crate) const NO_PHONES: [&str; 28] = [
    "n/a",
    "none",
    "unknown",
    "call me",
    "-",
    "+",
    "()",
    "0",
    "1",
    "12",
    "555-0100",
    "5550100",
    "415-555",
    "(415) 555-01",
    "0000000000",
    "1111111111",
    "123-456-7890",
    "(000) 555-0100",
    "415-055-0100",
    "+1 415 555 010",
    "+1 415 555 0100 0100 0100",
    "+999 415 555 0100",
    "four one five",
    "415.555.0100@example.com",
    "٤١٥",
    "4155550100415555010041555501004155550100",
    "#31#",
    "415-555-01x",
];

/// Texts that are no email address.
pub(crate) const NO_EMAILS: [&str; 28] = [
    "n/a",
    "none",
    "unknown",
    "avery",
    "avery@",
    "@example.com",
    "@",
    "avery@@example.com",
    "avery@example",
    "avery@example..com",
    "avery@.example.com",
    "avery@example.com.",
    "avery.@example.com",
    ".avery@example.com",
    "av..ery@example.com",
    "avery at example.com",
    "avery@exam ple.com",
    "avery sample@example.com",
    "avery@-example.com",
    "avery@example.com, blake@example.com",
    "avery@example.com;blake@example.com",
    "mailto:",
    "https://example.com",
    "avery@example,com",
    "avery\n@example.com",
    "avery@[]",
    "avery@.com",
    "415-555-0100",
];

/// The body with one address gone, and the other replaced by each of the values that trip people up, and by each text that is none.
fn fields_of_nobody(good: &Value) -> Vec<(String, Vec<u8>)> {
    let place = |of: &str| {
        pointers(good, "")
            .into_iter()
            .find(|at| good.pointer(at).and_then(Value::as_str).is_some_and(|text| text.contains(of)))
    };
    let (Some(phone), Some(email)) = (place("555-0100"), place("e000000@")) else { return Vec::new() };
    let texts = |texts: [&'static str; 28]| texts.map(|text| (text, json!(text))).into_iter().chain(values());
    let mut bodies = Vec::new();
    for (gone, left, texts) in [(&email, &phone, texts(NO_PHONES)), (&phone, &email, texts(NO_EMAILS))] {
        let mut without = good.clone();
        *without.pointer_mut(gone).unwrap() = Value::Null;
        for (name, value) in texts {
            *without.pointer_mut(left).unwrap() = value;
            bodies.push((format!("{gone} is null, {left} is {name}"), without.to_string().into_bytes()));
        }
    }
    bodies
}

/// The form with one address gone, and the other replaced by each text that is none.
fn forms_of_nobody(good: &[u8]) -> Vec<(String, Vec<u8>)> {
    let fields: Vec<&str> = std::str::from_utf8(good).unwrap().split('&').collect();
    let mut bodies = Vec::new();
    for (gone, left, texts) in [("email=", "phone=", NO_PHONES), ("phone=", "email=", NO_EMAILS)] {
        let rest: Vec<&str> =
            fields.iter().copied().filter(|field| ![gone, left].iter().any(|name| field.starts_with(name))).collect();
        for text in texts {
            let body = format!("{left}{}&{}", utf8_percent_encode(text, NON_ALPHANUMERIC), rest.join("&"));
            bodies.push((format!("without {gone}, {left}{text}"), body.into_bytes()));
        }
    }
    bodies
}

/// Where each value of a body stands.
pub(crate) fn pointers(value: &Value, at: &str) -> Vec<String> {
    let inner = |name: String, value: &Value| {
        let at = format!("{at}/{name}");
        let mut found = pointers(value, &at);
        found.insert(0, at);
        found
    };
    match value {
        Value::Object(fields) => fields.iter().flat_map(|(name, value)| inner(name.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(place, value)| inner(place.to_string(), value)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// Values that trip people up.
fn values() -> Vec<(&'static str, Value)> {
    let number = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    let many: Map<String, Value> = (0..300).map(|count| (format!("field {count}"), json!(count))).collect();
    vec![
        ("null", Value::Null),
        ("true", json!(true)),
        ("zero", json!(0)),
        ("negative", json!(-1)),
        ("a fraction", json!(0.1)),
        ("a huge number", number("1e300")),
        ("a tiny number", number("1e-300")),
        ("many digits", number("123456789012345678901234567890123456789012345678901234567890")),
        ("empty", json!("")),
        ("a space", json!(" ")),
        ("control characters", json!("a\u{0}b\r\nBcc: x\u{1b}[31m\u{7f}\u{85}")),
        ("text that turns", json!("\u{202e}moc.elpmaxe@eiram\u{202c}")),
        ("text of many marks", json!("e\u{301}".repeat(400))),
        ("emoji", json!("👩‍👩‍👧‍👦".repeat(300))),
        ("long", json!("x".repeat(100_000))),
        ("markup", json!("<script>alert(1)</script>' OR 1=1 --{{ lead_first_name }}${jndi:x}")),
        ("a number as text", json!("4155550123")),
        ("an instant before time", json!("-262143-01-01T00:00:00Z")),
        ("an instant after time", json!("+262142-12-31T23:59:60Z")),
        ("milliseconds", json!(9_999_999_999_999_i64)),
        ("an empty list", json!([])),
        ("an empty object", json!({})),
        ("a list in a list", json!([[["x"]]])),
        ("an object", json!({ "value": "x", "": { "": "" } })),
        ("many fields", Value::Object(many)),
        ("deep", deep),
    ]
}

/// What no generator thinks of.
pub(crate) fn by_hand() -> Vec<Webhook> {
    let bodies = bodies_by_hand();
    let mut webhooks = Vec::new();
    for (source, content_type) in [
        ("zillow", None),
        ("gizmo", Some("application/json; charset=utf-16")),
        ("plain", Some("text/plain")),
        ("nested", Some("application/json")),
        ("form", Some("APPLICATION/X-WWW-FORM-URLENCODED; charset=latin1")),
        ("form", Some("multipart/form-data; boundary=x")),
    ] {
        let of = |body: &String| Webhook::to(source, content_type, body.clone().into_bytes(), format!("{:.60}", body));
        webhooks.extend(bodies.iter().map(of));
    }
    let good = || format!("{{{REACH}}}").into_bytes();
    for path in [
        "/leads/%ff",
        "/leads/%00",
        "/leads/plain%2f..",
        "/leads/..",
        "/leads/plain%20",
        "/leads/pl%61in",
        "/leads/plain;x=1",
        "/leads/PLAIN",
        "/leads/SOURCE%23plain",
        "/leads/%E2%80%AE",
        "/leads/plain/%ff",
        "/leads/plain/%00",
    ] {
        webhooks.push(Webhook { path: path.to_owned(), ..Webhook::to("plain", None, good(), path) });
    }
    let long = "x".repeat(5_000);
    for path in [format!("/leads/{long}"), format!("/leads/plain/{long}"), format!("/leads/plain?{long}={long}")] {
        webhooks.push(Webhook { what: format!("{:.20}", path), path, ..Webhook::to("plain", None, good(), "") });
    }
    for (name, value) in [
        ("idempotency-key", long.clone()),
        ("idempotency-key", "é#id#\t".to_owned()),
        ("idempotency-key", String::new()),
        ("content-type", long.clone()),
        ("content-encoding", "gzip".to_owned()),
        ("content-length", "1".to_owned()),
        ("x-cadence-secret", long),
        ("transfer-encoding", "chunked".to_owned()),
        ("authorization", "Bearer \u{e9}".to_owned()),
        ("x-http-method-override", "DELETE".to_owned()),
    ] {
        let mut webhook = Webhook::to("plain", None, good(), format!("{name}: {value:.20}"));
        webhook.headers.push((name, value));
        webhooks.push(webhook);
    }
    webhooks
}

/// A way to reach somebody, as fields of a plain lead.
const REACH: &str = r#""phone": "415-555-0123", "email": "avery@example.com""#;

fn bodies_by_hand() -> Vec<String> {
    let reach = REACH;
    let nested = |open: &str, close: &str, count: usize| format!("{}1{}", open.repeat(count), close.repeat(count));
    vec![
        String::new(),
        " ".repeat(1000),
        "null".to_owned(),
        "0".to_owned(),
        "\"phone\"".to_owned(),
        "[]".to_owned(),
        "[{}]".to_owned(),
        "{}".to_owned(),
        "{,}".to_owned(),
        "NaN".to_owned(),
        format!("{{{reach}}} trailing"),
        format!("{{{reach},}}"),
        "{'phone': '415-555-0123'}".to_owned(),
        format!("{{{reach}, \"phone\": null}}"),
        format!("{{{reach}, \"phone\": \"\\ud800\"}}"),
        format!("{{{reach}, \"x\": 1e999}}"),
        format!("{{{reach}, \"x\": {}}}", nested("[", "]", 200)),
        format!("{{{reach}, \"x\": {}}}", nested("{\"a\":", "}", 127)),
        nested("[", "]", 100_000),
        "{\"a\":".repeat(50_000),
        format!("{{{reach}, \"x\": \"{}\"}}", "y".repeat(255 * 1024)),
        format!("{{{reach}, \"x\": \"{}\"}}", "y".repeat(300 * 1024)),
        format!("{{{reach}{}}}", (0..8_000).map(|count| format!(", \"f{count}\": \"{count}\"")).collect::<String>()),
        format!("{{{reach}, \"list\": [{}]}}", vec!["\"é\""; 20_000].join(",")),
        "phone=415-555-0123&email=avery%40example.com".to_owned(),
        "<lead><phone>415-555-0123</phone></lead>".to_owned(),
        "--x\r\nContent-Disposition: form-data; name=\"phone\"\r\n\r\n415-555-0123\r\n--x--".to_owned(),
    ]
}
