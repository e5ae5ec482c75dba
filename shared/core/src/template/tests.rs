use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    fixtures::user,
    lead::{ChannelConsent, Facts, Lead, Proof},
    records::{Settings, User},
};

#[test]
fn a_lead_reads_what_is_known_of_it_and_stand_ins_for_the_rest() {
    for (template, text) in [
        ("Hi {{ lead_first_name or 'there' }} {{ lead_last_name }}", "Hi John Doe"),
        ("{{ purpose or 'home' }}{% if city %} in {{ city }}{% endif %}", "home in Beverly Hills"),
        (
            "{{ lo_first_name }} {{ lo_last_name }}, {{ lo_phone }}, {{ lo_email }}, {{ lo_nmls_id }}",
            "Riley Example, (415) 555-0140, riley@example.com, 1000001",
        ),
        (
            "{{ company }}; {{ postal_address }}; {{ source }}; {{ state }}",
            "Example Home Loans; 100 Example Street\nSpringfield; zillow; CA",
        ),
        (
            "{{ attributes.loan_amount }} {{ attributes.down_payment }} {{ attributes.rate }} {{ attributes.has_agent }}",
            "350000 50000 6.5 True",
        ),
        ("[{{ attributes.nothing }}][{{ attributes.programs }}][{{ attributes }}]", "[][][]"),
        ("{{ attributes['loan_amount'] }} {{ attributes.nothing or 'some' }}", "350000 some"),
        (
            "{% if attributes.loan_amount | amount > 300000 %}big{% endif %}, {{ attributes.nothing | amount }}, {{ attributes.has_agent | amount }}, {{ '$6,000.5' | amount }}",
            "big, 0, 0, 6000.5",
        ),
        ("{{ company | upper }}", "EXAMPLE HOME LOANS"),
        ("<b>{{ company }}</b> & co", "<b>Example Home Loans</b> & co"),
        ("  [{{ unsubscribe_url }}]  \n", "[]"),
    ] {
        assert_eq!(rendered(template, &facts()), Ok(text.to_owned()), "{template}");
    }
}

#[test]
fn what_a_stranger_typed_as_a_name_stays_a_name() {
    for (name, shown) in [
        ("John\r\nBcc: everybody@example.com", "John Bcc: everybody@example.com"),
        ("  John \t  Q. ", "John Q."),
        ("{{ company }}", "{{ company }}"),
        ("J\u{0}o\u{7}hn", "J o hn"),
        ("\u{202e}nhoJ", "nhoJ"),
        ("Visit https://evil.example.com", ""),
        ("WWW.evil.example.com", ""),
        ("José Nuñez 🏡", "José Nuñez 🏡"),
    ] {
        let facts = Facts { first_name: name.to_owned(), ..facts() };
        assert_eq!(rendered("[{{ lead_first_name }}]", &facts), Ok(format!("[{shown}]")), "{name:?}");
    }
}

#[test]
fn a_template_that_cannot_be_rendered_says_where_and_never_what_it_rendered() {
    for (template, error) in [
        ("\nHi {{ lead_frist_name }}", "message sms/test (text), line 2: there is no variable lead_frist_name"),
        ("{{ city", "message sms/test (text), line 1: unexpected end of input, expected end of variable block"),
        ("\n\n{{ lead_last_name + 1 }}", "message sms/test (text), line 3: invalid operation"),
        ("{{ lead_last_name.secret }}", "message sms/test (text), line 1: undefined value"),
        ("{{ city | shout }}", "message sms/test (text), line 1: filter shout is unknown"),
        ("{{ 'x' * 99000 }}{{ 'x' * 99000 }}", "message sms/test (text) comes out too long"),
        ("{{ unsubscribe_url }} \n", "message sms/test (text) comes out empty"),
        (
            "{% for a in 'x' * 999 %}{% for b in 'x' * 999 %}{% endfor %}{% endfor %}",
            "message sms/test (text), line 1: engine ran out of fuel",
        ),
    ] {
        let told = rendered(template, &facts()).unwrap_err().to_string();
        assert_eq!(told, error, "{template}");
        assert!(!told.contains("Doe"), "{told}");
    }
}

#[test]
fn an_email_has_one_line_of_subject_and_the_same_words_twice() {
    let message = Message {
        id: "email/test".into(),
        copy: Copy::Email {
            subject: "Hi {{ postal_address }}\n\nthere".to_owned(),
            body: "Dear {{ lead_first_name }},\n\n<{{ unsubscribe_url }}>".to_owned(),
        },
    };
    let url = "https://example.com/unsubscribe/a.b";
    let Rendered::Email { subject, text, html } = rendered_for(&message, &facts(), Some(url)).unwrap() else {
        panic!("it is an email");
    };
    assert_eq!(subject, "Hi 100 Example Street Springfield there");
    assert_eq!(text, format!("Dear John,\n\n<{url}>"));
    assert!(html.contains(&format!("<p>Dear John,</p>\n<p>&lt;<a href=\"{url}\">{url}</a>&gt;</p>")), "{html}");
}

#[test]
fn a_check_finds_what_no_lead_could_be_sent_and_passes_what_every_lead_could() {
    for good in [
        "Hi",
        "{{ attributes.loan_amount or 'your' }}",
        "{% for word in company | split %}{{ loop.index }}{{ word }}{% endfor %}",
        "{% set name = lead_first_name %}{{ name }}",
        "{% if attributes.loan_amount | amount > 1000 %}big{% endif %}",
    ] {
        assert_eq!(check_template(good, None), Ok(()), "{good}");
    }
    for bad in [
        "{{ rate }}",
        "{{ dict() }}",
        "{% if city %}",
        "{% if city %}{{ city | shout }}{% endif %}",
        "{{ attributes.rate / 2 }}",
    ] {
        assert!(check_template(bad, None).is_err(), "{bad}");
    }
}

#[test]
fn every_declared_name_is_filled_and_explained() {
    for variable in variables() {
        let of_its_own = if variable.name == SNIPPETS { ".hello" } else { "" };
        let template = format!("{{{{ {}{of_its_own} }}}}", variable.name);
        assert_eq!(check_template(&template, Some(&with_snippets(&[("hello", "Hi")]))), Ok(()), "{template}");
        assert!(!variable.doc.is_empty());
    }
}

fn with_snippets(snippets: &[(&str, &str)]) -> Settings {
    let snippets = snippets.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Settings { snippets: snippets.collect(), ..crate::fixtures::settings() }
}

/// A text for John with these snippets.
fn said(text: &str, snippets: &[(&str, &str)]) -> Result<String, TemplateError> {
    let message = Message { id: "sms/test".into(), copy: Copy::Text(text.to_owned()) };
    let (lead, settings) = (crate::fixtures::lead(), with_snippets(snippets));
    let facts = facts();
    render(&message, &Variables::new(&lead, &facts, None, &settings, None)).map(|rendered| rendered.text().to_owned())
}

#[test]
fn a_snippet_says_what_it_says_for_the_same_lead() {
    let snippets =
        [("hello", "Hi {{ lead_first_name }}"), ("footer", "{{ company }}\n{% if city %}{{ city }}{% endif %}")];
    for (text, expected) in [
        ("{{ snippets.hello }}, call me.", "Hi John, call me."),
        ("{{ snippets.hello | upper }} {{ snippets.hello }}", "HI JOHN Hi John"),
        ("x\n{{ snippets.footer }}", "x\nExample Home Loans\nBeverly Hills"),
        ("{% if snippets.hello %}{{ snippets.hello }}{% endif %}", "Hi John"),
    ] {
        assert_eq!(said(text, &snippets).as_deref(), Ok(expected), "{text}");
        assert_eq!(check_template(text, Some(&with_snippets(&snippets))), Ok(()), "{text}");
    }
}

#[test]
fn what_uses_snippets_otherwise_than_by_a_known_name_is_refused() {
    let snippets = [("signature", "{{ lo_first_name }}"), ("footer", "{{ company }}")];
    let settings = with_snippets(&snippets);
    for (text, expected) in [
        ("a\n{{ snippets.signatur }}", "line 2: there is no snippet signatur"),
        ("{{ snippets.rates }}", "line 1: there is no snippet rates"),
        ("{{ snippets }}", "line 1: snippets are used by their names"),
        ("{% for name in snippets %}{{ snippets[name] }}{% endfor %}", "snippets are used by their names"),
        ("{{ snippets[city] }}", "snippets are used by their names"),
        ("{{ snippets['footer'] }}", "snippets are used by their names"),
        ("{% set s = snippets %}{{ s.footer }}", "snippets are used by their names"),
    ] {
        for refused in [said(text, &snippets).err(), check_template(text, Some(&settings)).err()] {
            let told = refused.map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(expected), "{text}: {told}");
        }
    }
    let guess = |text| match check_template(text, Some(&settings)) {
        Err(TemplateError::UnknownSnippet { guess, .. }) => guess,
        other => panic!("{other:?}"),
    };
    assert_eq!((guess("{{ snippets.signatur }}").as_deref(), guess("{{ snippets.x }}")), (Some("signature"), None));
    assert!(check_template("{{ snippets.footer }}", None).is_err(), "without settings there are none");
}

#[test]
fn what_is_said_of_a_long_name_is_short() {
    let settings = with_snippets(&[("signature", "Riley")]);
    for text in [format!("{{{{ {} }}}}", "x".repeat(5_000)), format!("{{{{ snippets.{} }}}}", "x".repeat(5_000))] {
        let told = check_template(&text, Some(&settings)).unwrap_err().to_string();
        assert!(told.len() < 200, "{told}");
    }
}

#[test]
fn a_snippet_is_held_to_what_a_message_is_and_uses_no_other() {
    for (text, is_good) in [
        ("{{ lo_first_name }}", true),
        ("{{ rate }}", false),
        ("{{ snippets.footer }}", false),
        ("{% if city %}", false),
        ("{{ attributes.nothing / 2 }}", false),
        ("{% for a in 'x' * 99999 %}{% for b in 'x' * 99999 %}y{% endfor %}{% endfor %}", false),
    ] {
        assert_eq!(check_snippet(text).is_ok(), is_good, "{text}");
        assert_eq!(said("{{ snippets.it }}x", &[("it", text), ("footer", "")]).is_ok(), is_good, "{text}");
    }
    let long = "x".repeat(4_000);
    let again = "{{ snippets.it }}".repeat(30);
    assert_eq!(
        said(&again, &[("it", &long)]),
        Err(TemplateError::TooLong { template: "message sms/test (text)".into() })
    );
}

proptest! {
    #[test]
    fn no_template_and_no_name_makes_rendering_panic(template in "([a-z{}%|\\[\\] .'\n]|\\{\\{|\\}\\}|city|if|for){0,40}", name in "\\PC{0,20}|[\\x00-\\x20]{0,5}") {
        let facts = Facts { first_name: name, ..facts() };
        let _ = rendered(&template, &facts);
        let _ = check_template(&template, None);
        let text = rendered("x{{ lead_first_name }}", &facts).unwrap();
        prop_assert!(!text.chars().any(char::is_control), "{text:?}");
    }

    #[test]
    fn nothing_that_is_rendered_leaves_its_paragraph(text in "(<|>|\"|'|&|https://|\\n|[a-z ]){0,30}") {
        let html = html_of(&text);
        let tags = ["<p>", "</p>", "<br>", "</a>", "<a href=\""];
        let (_, body) = html.split_once("<body>").unwrap();
        let mut body = body.strip_suffix("</body></html>\n").unwrap();
        while let Some(at) = body.find('<') {
            body = &body[at..];
            prop_assert!(tags.iter().any(|tag| body.starts_with(tag)), "{body}");
            body = &body[1..];
        }
    }
}

fn rendered(template: &str, facts: &Facts) -> Result<String, TemplateError> {
    let message = Message { id: "sms/test".into(), copy: Copy::Text(template.to_owned()) };
    rendered_for(&message, facts, None).map(|rendered| rendered.text().to_owned())
}

fn rendered_for(message: &Message, facts: &Facts, unsubscribe_url: Option<&str>) -> Result<Rendered, TemplateError> {
    let lead = Lead {
        id: "a1".into(),
        revision: 1,
        phone: None,
        email: None,
        phone_hash: None,
        email_hash: None,
        state: Some("CA".to_owned()),
        zones: None,
        owner: None,
        consent: ChannelConsent::default(),
        opt_outs: BTreeMap::new(),
        touches: BTreeMap::new(),
    };
    let owner = User {
        last_name: "Example".to_owned(),
        email: "riley@example.com".to_owned(),
        nmls_id: Some("1000001".to_owned()),
        ..user("lo-riley", "Riley", &[])
    };
    let settings =
        Settings { postal_address: "100 Example Street\nSpringfield".to_owned(), ..crate::fixtures::settings() };
    render(message, &Variables::new(&lead, facts, Some(&owner), &settings, unsubscribe_url))
}

fn facts() -> Facts {
    Facts {
        first_name: "John".to_owned(),
        last_name: "Doe".to_owned(),
        source: "zillow".into(),
        consent_proof: Proof {
            text: "yes".to_owned(),
            source: "lead".to_owned(),
            at: "2026-01-22T18:30:00Z".parse().unwrap(),
        },
        city: Some("Beverly Hills".to_owned()),
        zip: None,
        purpose: None,
        attributes: [
            ("loan_amount", json!(350000)),
            ("down_payment", json!(50000.0)),
            ("rate", json!(6.5)),
            ("has_agent", json!(true)),
            ("programs", json!(["Fixed30Year"])),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect(),
    }
}
