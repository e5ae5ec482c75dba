//! Messages that no lead should get.

use serde_json::{Value, json};

use crate::{Broken, assert_told};

#[test]
fn what_no_lead_should_read_is_said_with_its_line() {
    assert_told("messages", broken());
}

fn broken() -> Vec<Broken> {
    let lawful = "{{ unsubscribe_url }} {{ postal_address }}";
    let messages = vec![
        ("an empty message", json!({})),
        ("a text and an email in one", json!({"text": "a", "subject": "b", "body": "c"})),
        ("an email without its subject", json!({"body": lawful})),
        ("an email without its body", json!({"subject": "b"})),
        ("a variable misspelt", json!({"text": "Hi {{ lead_frist_name }}"})),
        ("a variable nobody knows", json!({"subject": "Hi\n{{ rate }}", "body": lawful})),
        ("a variable without whose it is", json!({"text": "Hi {{ first_name }}"})),
        ("an attribute as if it were a variable", json!({"text": "Your {{ loan_amount }}"})),
        ("what may be one", json!({"text": "Your {{ closing_month }}"})),
        ("words without quotes", json!({"text": "Hi {{ lead_first_name or there }}"})),
        ("words in curly quotes", json!({"text": "Hi\n{{ lead_first_name or ‘there’ }}"})),
        ("a brace forgotten", json!({"text": "Hi {{ lead_first_name }"})),
        ("a block left open", json!({"text": "{% if city %}in {{ city }}"})),
        ("a filter nobody knows", json!({"text": "{{ city | shout }}"})),
        ("a function", json!({"text": "{{ range(10) }}"})),
        ("an include", json!({"text": "{% include 'footer' %}"})),
        ("arithmetic on what may be missing", json!({"text": "{{ attributes.loan_amount / 2 }}"})),
        (
            "a loop without end",
            json!({"text": "{% for a in 'x' * 99999 %}{% for b in 'x' * 99999 %}y{% endfor %}{% endfor %}"}),
        ),
        ("an email without a way out", json!({"subject": "b", "body": "Hi"})),
        ("a first text that says too little", json!({"text": "Hi"})),
        (
            "a way out that only some leads read",
            json!({"text": "{{ company }}{% if city %}. Reply STOP to opt out{% endif %}"}),
        ),
        ("a text that only sounds like a way out", json!({"text": "{{ company }} here. Stop by our office!"})),
        (
            "a text of three parts",
            json!({"text": format!("{{{{ company }}}}. {} Reply STOP to opt out", "Call me soon. ".repeat(22))}),
        ),
        (
            "a text with a typographer's marks",
            json!({"text": "{{ company }}: it’s time — “call”… Reply STOP to opt out 🏡"}),
        ),
        (
            "a long text with an odd character",
            json!({"text": format!("{{{{ company }}}}. {} It’s time. Reply STOP to opt out", "Call me. ".repeat(12))}),
        ),
        (
            "a link that a text doesn't have",
            json!({"text": "{{ company }} {{ unsubscribe_url }}. Reply STOP to opt out"}),
        ),
        (
            "a text that may come out empty",
            json!({"text": "{% if city %}{{ company }}. Reply STOP to opt out{% endif %}"}),
        ),
        ("a subject that comes out empty", json!({"subject": "{{ lead_first_name[99:] }}", "body": lawful})),
        ("a subject that may come out empty", json!({"subject": "{{ city }}", "body": lawful})),
        (
            "an address that only some leads read",
            json!({"subject": "b", "body": "{{ unsubscribe_url }} {% if city %}{{ postal_address }}{% endif %}"}),
        ),
    ];
    let of = |pk| move |(title, record)| (title, pk, record);
    let elsewhere = [("a text that a cadence sends first", json!({"text": "Hi"}))];
    messages
        .into_iter()
        .chain(of_whom_little_is_known())
        .chain(snippets())
        .chain(as_elsewhere())
        .map(of("MESSAGE#sms/intro"))
        .chain(elsewhere.into_iter().map(of("MESSAGE#sms/hello")))
        .collect()
}

/// What comes out odd for a lead of whom little is known.
fn of_whom_little_is_known() -> Vec<(&'static str, Value)> {
    vec![
        (
            "a name without a stand-in",
            json!({"text": "Hi {{ lead_first_name }}, {{ company }} here. Reply STOP to opt out"}),
        ),
        (
            "an amount compared as it is sent",
            json!({"text": "{{ company }}{% if attributes.loan_amount > 300000 %}, jumbo loans{% endif %}. Reply STOP to opt out"}),
        ),
    ]
}

/// As other software has them.
fn as_elsewhere() -> Vec<(&'static str, Value)> {
    let lawful = "{{ unsubscribe_url }} {{ postal_address }}";
    vec![
        (
            "an email in HTML",
            json!({"subject": "b", "body": format!("<p>Hi {{{{ lead_first_name or 'there' }}}}</p> {lawful}")}),
        ),
        (
            "placeholders of other software",
            json!({"subject": "Hi [First Name]", "body": format!("Hi {{lead_first_name}}, {lawful}")}),
        ),
    ]
}

fn snippets() -> Vec<(&'static str, Value)> {
    vec![
        ("a snippet misspelt", json!({"text": "{{ snippets.form }}. {{ snippets.way_out }}"})),
        ("a snippet nobody knows", json!({"text": "Hi\n{{ snippets.rates }}"})),
        ("all snippets at once", json!({"text": "{{ snippets }}"})),
        ("snippets that say what the law asks", json!({"text": "{{ snippets.from }}. {{ snippets.way_out }}"})),
        ("snippets that say what the law asks in an email", json!({"subject": "b", "body": "{{ snippets.footer }}"})),
        ("a snippet that says too little", json!({"text": "{{ snippets.from }}"})),
        ("a link in a text's snippet", json!({"text": "{{ snippets.footer }} {{ snippets.way_out }}"})),
    ]
}
