//! Webhooks of vendors whom a record alone makes readable.

use cadence_core::lead::Consent;
use cadence_tests::{Answer, Tested, World, local::deployment::SOURCE_SECRET};
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

/// A world in which such a source is published.
async fn with_source(fields: Value) -> Tested<World> {
    let world = World::start().await?;
    let record = json!({
        "pk": "SOURCE#vendor", "sk": "CURRENT", "format": "mapped", "secret": "plain", "fields": fields,
        "consent": { "call": "express_written", "sms": "express_written", "email": "express", "proof": "Call me." },
    });
    let record = world.put_record(&record).await?;
    assert_eq!(record["check"], "ok: published as version 1", "{record}");
    Ok(world)
}

async fn post(world: &World, content_type: &str, body: &str) -> Tested<Answer> {
    let headers = [("x-cadence-secret", SOURCE_SECRET), ("content-type", content_type)];
    world.ask("POST", "/leads/vendor", &headers, body.as_bytes()).await
}

#[tokio::test]
async fn a_vendors_json_becomes_a_lead_as_the_record_says_and_counts_once() -> Tested {
    let fields = json!({
        "id": "lead.leadExternalId", "first_name": "lead.consumer.contact.firstName", "last_name": "lead.consumer.contact.lastName",
        "phone": "lead.consumer.contact.phones[0]", "state": "lead.consumer.state", "purpose": "lead.product",
        "attributes.loan_amount": "lead.mortgagePurchase.loanAmount",
    });
    let world = with_source(fields).await?;
    let large = json!({ "pk": "CADENCE#large", "sk": "CURRENT", "name": "Large loans", "status": "live", "priority": 50,
        "for_leads": { "source": "vendor", "attributes": { "loan_amount": { "at_least": 300_000 } } },
        "steps": [{ "id": "call", "do": "dial", "wait": "0m" }] });
    assert_eq!(world.put_record(&large).await?["check"], "ok: published as version 1");
    let body = |id: i64| {
        let contact = json!({ "firstName": "Avery", "lastName": "Sample", "phones": [4_155_550_123_u64] });
        json!({ "lead": { "leadExternalId": id, "consumer": { "contact": contact, "state": "CA" }, "product": "Refinance",
            "mortgagePurchase": { "loanAmount": "350,000" } }, "campaign": "spring" })
        .to_string()
    };
    let first = post(&world, "application/json", &body(7)).await?;
    let (lead, enrollment) = first.taken()?;
    let known = world.store.load_lead(&lead).await?.ok_or("the lead is gone")?;
    assert_eq!((known.lead.phone.as_deref(), known.facts.full_name().as_str()), (Some("+14155550123"), "Avery Sample"));
    assert_eq!(known.facts.purpose.as_deref(), Some("refinance"));
    assert_eq!(json!(known.facts.attributes), json!({ "loan_amount": "350,000", "campaign": "spring" }));
    assert_eq!(known.lead.consent.sms, Consent::ExpressWritten, "as its source declares");
    assert_eq!(world.enrollment(&lead, &enrollment).await?.cadence.as_str(), "large");

    let before = world.items().await?;
    assert_eq!(post(&world, "application/json; charset=utf-8", &body(7)).await?, first);
    assert_eq!(world.items().await?, before, "the vendor's own id tells it");
    assert_eq!(post(&world, "application/json", &body(8)).await?.body["status"], "running");
    Ok(())
}

#[tokio::test]
async fn a_form_becomes_a_lead_and_a_box_that_is_not_ticked_is_no_consent() -> Tested {
    let fields = json!({
        "full_name": "your-name", "phone": "tel", "email": "e-mail", "zip": "zip",
        "consent.sms": "may-text", "consent.text": "terms",
    });
    let world = with_source(fields).await?;
    for (number, ticked, expected) in [
        (0, "&may-text=express_written", Consent::ExpressWritten),
        (1, "&may-text=on", Consent::Express),
        (2, "", Consent::None),
    ] {
        let body = format!(
            "your-name=Avery+Sample&tel=%28415%29+555-012{number}&zip=94607&terms=Text+me.&loanAmount=350000{ticked}"
        );
        let (lead, _) = post(&world, FORM, &body).await?.taken()?;
        let known = world.store.load_lead(&lead).await?.ok_or("the lead is gone")?;
        assert_eq!((known.lead.consent.sms, known.lead.consent.call), (expected, Consent::None), "{ticked}");
        assert_eq!((known.facts.first_name.as_str(), known.lead.state.as_deref()), ("Avery", Some("CA")));
        assert_eq!(known.facts.attributes["loan_amount"], "350000");
    }
    // The same source's JSON, which some tools call a form.
    let body = json!({ "your-name": "Blake", "tel": "415-555-0129" }).to_string();
    for content_type in ["application/json", FORM] {
        assert_eq!(post(&world, content_type, &body).await?.status, 202, "{content_type}");
    }
    assert_eq!(world.count_leads().await?, 4);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_by_the_vendors_own_names_and_kept() -> Tested {
    let world = with_source(json!({ "phone": "lead.phones[0]", "email": "mail" })).await?;
    for (count, (content_type, body, named)) in [
        ("application/json", "{\"lead\": {\"phones\": [\"12\"]}}", ["/lead/phones/0", "/mail"].as_slice()),
        (FORM, "mail=nobody&first=%FF", ["/lead/phones/0", "/mail"].as_slice()),
        ("text/plain", "mail=avery%40example.com", [""].as_slice()),
        ("application/json", "[]", [""].as_slice()),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = post(&world, content_type, body).await?;
        assert_eq!(answer.status, 422, "{body}");
        let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
        let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap_or("none")).collect();
        assert_eq!(pointers, named, "{body}");
        let kept = world.lead_items("QUARANTINE#vendor").await?;
        assert_eq!(kept.len(), count + 1, "{body}");
        assert!(kept.iter().any(|kept| kept["body"] == body), "{body}");
    }
    assert_eq!(world.count_leads().await?, 0);
    Ok(())
}

#[tokio::test]
async fn only_a_mapped_source_reads_forms() -> Tested {
    let world = World::start().await?;
    for source in ["plain", "gizmo", "zillow"] {
        let headers = [("x-cadence-secret", SOURCE_SECRET), ("content-type", FORM)];
        let answer = world.ask("POST", &format!("/leads/{source}"), &headers, b"phone=4155550123").await?;
        assert_eq!(answer.status, 422, "{source}");
    }
    Ok(())
}
