//! Bad requests at every door, posted through the real functions in a local cloud.

use std::collections::{BTreeMap, BTreeSet};

use cadence_core::{
    address::{normalize_email, normalize_phone},
    records::Format,
};
use cadence_tests::{Answer, Tested, World, end_of_call, local::deployment::VOICE_AGENT_SECRET};
use serde_json::{Value, json};

use crate::{
    bad_webhooks::{NO_EMAILS, NO_PHONES, Webhook, by_hand, made_of},
    parsers::bodies,
};

/// The sources that those bodies are of, in their order.
const SOURCES: [&str; 5] = ["zillow", "gizmo", "plain", "nested", "form"];

/// How many of each part of the corpus are refused at least: by field, and as a whole, since they are no JSON object.
const LEAST_REFUSED: [(&str, usize, usize); 5] =
    [("zillow", 125, 100), ("gizmo", 100, 85), ("plain", 190, 90), ("mapped", 200, 95), ("by hand", 24, 110)];

/// A world in which all five sources are published.
async fn world() -> Tested<World> {
    let world = World::start().await?;
    for (source, (format, ..)) in SOURCES.iter().zip(bodies()) {
        if let Format::Mapped(fields) = format {
            let consent = json!({ "email": "express", "proof": "Yes." });
            let record = json!({ "pk": format!("SOURCE#{source}"), "sk": "CURRENT", "secret": "plain", "format": "mapped", "fields": fields, "consent": consent });
            assert_eq!(world.put_record(&record).await?["check"], "ok: published as version 1");
        }
    }
    Ok(world)
}

/// Posts webhooks, and looks at what each is answered and that it is kept.
async fn post(of: &str, webhooks: Vec<Webhook>) -> Tested {
    let world = world().await?;
    let (mut answers, mut kept, mut wrong) = (BTreeMap::<_, usize>::new(), BTreeSet::new(), Vec::new());
    let (mut by_field, mut as_a_whole) = (0, 0);
    for webhook in webhooks {
        let Webhook { path, headers, body, what } = &webhook;
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = world.ask("POST", path, &headers, body).await?;
        let (code, fault) = match answer.status {
            202 => {
                let lead = answer.body["lead"].as_str().unwrap_or_default();
                let is_there = world.store.load_lead(&lead.into()).await?.is_some();
                ("taken".to_owned(), (!is_there).then_some("there is no such lead"))
            }
            _ => (code_of(&answer), fault_of(&answer)),
        };
        wrong.extend(fault.map(|fault| format!("{path:.40}: {what:.60}: {fault}: {answer:?}")));
        if answer.status == 422 {
            kept.insert((path.clone(), body.clone()));
            match errors_of(&answer).as_slice() {
                // Of a body that is no JSON object there is no field to name, but a place.
                [("", detail)] if detail.starts_with("The body ") => as_a_whole += 1,
                errors if errors.iter().all(|(pointer, _)| pointer.starts_with('/')) => by_field += 1,
                _ => wrong.push(format!("{path:.40}: {what:.60}: it names neither fields nor the body: {answer:?}")),
            }
        }
        *answers.entry((answer.status, code)).or_default() += 1;
    }
    println!("{of}: {answers:?}, {} kept, {by_field} refused by field, {as_a_whole} as a whole", kept.len());
    assert!(wrong.is_empty(), "{} are answered wrongly:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(world.lead_items("QUARANTINE#").await?.len(), kept.len(), "what is unusable is kept, once");
    assert!(answers.keys().any(|(status, _)| *status == 202));
    let least = LEAST_REFUSED.iter().find(|(part, ..)| *part == of).ok_or("nobody says how many are refused")?;
    assert!(by_field >= least.1 && as_a_whole >= least.2, "{by_field} by field, {as_a_whole} as a whole: {least:?}");
    Ok(())
}

/// The short name of a problem, which machines may key on.
fn code_of(answer: &Answer) -> String {
    let kind = answer.body["type"].as_str().unwrap_or_default();
    kind.trim_start_matches("urn:cadence:problem:").to_owned()
}

/// What is wrong, as pointer and sentence.
fn errors_of(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    errors
        .map(|error| (error["pointer"].as_str().unwrap_or_default(), error["detail"].as_str().unwrap_or_default()))
        .collect()
}

/// What keeps an answer from being a problem document as RFC 9457 has it, with a code, a remedy, and what is wrong with each field.
fn fault_of(answer: &Answer) -> Option<&'static str> {
    let Answer { status, content_type, body } = answer;
    let errors = body["errors"].as_array();
    let is_error = |error: &Value| {
        let pointer = error["pointer"].as_str();
        let detail = error["detail"].as_str();
        pointer.is_some_and(|pointer| pointer.is_empty() || pointer.starts_with('/'))
            && detail.is_some_and(|detail| detail.ends_with('.'))
    };
    let is_there = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
    [
        ((400..500).contains(status), "its status is none of a bad request"),
        (content_type == "application/problem+json", "it is no problem document"),
        (body["status"] == *status, "its status is not the answer's"),
        (is_there("type") && !code_of(answer).contains(':'), "it has no code"),
        (is_there("title"), "it has no title"),
        (*status != 422 || errors.is_some_and(|errors| !errors.is_empty()), "it names no field"),
        (errors.is_none_or(|errors| errors.iter().all(is_error)), "a field has no pointer, or no sentence"),
    ]
    .into_iter()
    .find_map(|(holds, fault)| (!holds).then_some(fault))
}

/// All that is made of the good body of that source.
fn of(source: &str) -> Vec<Webhook> {
    let place = SOURCES.iter().position(|name| *name == source).unwrap();
    let (_, content_type, body) = bodies().swap_remove(place);
    made_of(source, content_type, &body)
}

#[test]
fn the_corpus_is_of_every_source_and_a_thousand_of_it_are_refused() {
    let counts = SOURCES.map(|source| of(source).len());
    println!("{SOURCES:?}: {counts:?}, by hand: {}", by_hand().len());
    assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
    let refused: usize = LEAST_REFUSED.iter().map(|(_, by_field, as_a_whole)| by_field + as_a_whole).sum();
    assert!(refused >= 1_000, "at least {refused} are refused");
    let read = NO_PHONES.iter().filter(|text| normalize_phone(text).is_some());
    let read: Vec<_> = read.chain(NO_EMAILS.iter().filter(|text| normalize_email(text).is_some())).collect();
    assert!(read.is_empty(), "{read:?} are addresses");
}

#[tokio::test]
async fn bad_webhooks_of_zillow_are_taken_or_refused_by_field_and_kept() -> Tested {
    post("zillow", of("zillow")).await
}

#[tokio::test]
async fn bad_webhooks_of_gizmo_are_taken_or_refused_by_field_and_kept() -> Tested {
    post("gizmo", of("gizmo")).await
}

#[tokio::test]
async fn bad_plain_webhooks_are_taken_or_refused_by_field_and_kept() -> Tested {
    post("plain", of("plain")).await
}

#[tokio::test]
async fn bad_webhooks_that_a_record_maps_are_taken_or_refused_by_field_and_kept() -> Tested {
    post("mapped", [of("nested"), of("form")].concat()).await
}

#[tokio::test]
async fn webhooks_that_no_generator_thinks_of_are_taken_or_refused_by_field_and_kept() -> Tested {
    post("by hand", by_hand()).await
}

/// Ids that become keys of items, which have bounds.
fn bad_ids() -> Vec<String> {
    let long = "x".repeat(3_000);
    ["%ff", "%00", "..", ".", "a", "a.b.c.1", "a.b.c.99999999999", "%20.%20.%20.1", "%E2%80%AE.b.c.1", "a.b.c.-1"]
        .into_iter()
        .map(str::to_owned)
        .chain([long.clone(), format!("{long}.b.c.1"), format!("a.{long}.c.1"), format!("a.b.{long}.1")])
        .collect()
}

#[tokio::test]
async fn bad_reports_of_calls_are_taken_or_refused() -> Tested {
    let world = World::start().await?;
    let (lead, enrollment) = world.enroll().await?;
    let good = end_of_call(&(lead, enrollment), "robot-call", "customer-ended-call", None).to_string();
    let mut bodies: Vec<Vec<u8>> = made_of("", None, good.as_bytes()).into_iter().map(|report| report.body).collect();
    for id in bad_ids() {
        let metadata = json!({ "lead": id, "step_key": format!("{id}.a.1") });
        let message = json!({ "type": "end-of-call-report", "endedReason": id, "call": { "metadata": metadata } });
        bodies.push(json!({ "message": message }).to_string().into_bytes());
    }
    for body in bodies {
        let answer = world.ask("POST", "/events/voice-agent", &[("x-vapi-secret", VOICE_AGENT_SECRET)], &body).await?;
        if answer.status != 200 {
            assert_eq!(fault_of(&answer), None, "{:.200}: {answer:?}", String::from_utf8_lossy(&body));
        }
    }
    Ok(())
}

#[tokio::test]
async fn bad_words_on_tasks_are_refused() -> Tested {
    let world = World::start().await?;
    world.enroll().await?;
    world.settle().await?;
    let task = world.open_tasks().await?.pop().ok_or("nobody was asked")?;
    let user = world.users.iter().find(|user| user.user == task.user.as_str()).ok_or("the user has no token")?;
    let bearer = format!("Bearer {}", user.token);
    let headers = [("authorization", bearer.as_str())];
    let good = json!({ "outcome": "voicemail", "note": "Left a message." }).to_string();
    for told in made_of("", None, good.as_bytes()) {
        let answer = world.ask("POST", &format!("/tasks/{}/outcome", task.id), &headers, &told.body).await?;
        if answer.status != 200 {
            assert_eq!(fault_of(&answer), None, "{}: {answer:?}", told.what);
        }
    }
    for id in bad_ids() {
        for (method, path) in [("GET", format!("/tasks/{id}")), ("POST", format!("/tasks/{id}/outcome"))] {
            let answer = world.ask(method, &path, &headers, good.as_bytes()).await?;
            assert_eq!(fault_of(&answer), None, "{method} {path:.60}: {answer:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn bad_unsubscribe_links_are_pages_that_say_so() -> Tested {
    let world = World::start().await?;
    for id in bad_ids() {
        for method in ["GET", "POST"] {
            let answer = world.ask(method, &format!("/unsubscribe/{id}"), &[], b"").await?;
            // What leads out of the path is no link to begin with.
            let is_link = ![".", ".."].contains(&id.as_str());
            let is_page = answer.content_type == "text/html; charset=utf-8";
            assert_eq!((answer.status, is_page), (404, is_link), "{method} {id:.60}: {answer:?}");
        }
    }
    Ok(())
}
