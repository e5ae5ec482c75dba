//! The commands of those who look after a stage: doctor, redrive, why.

use serde_json::{Value, json};

use crate::running::{Local, MORNING, Ran};

const ACCOUNT: &str = "000000000000";

/// Runs a command on that cloud.
fn ask(local: &Local, args: &[&str]) -> Ran {
    Ran::of(&[&args[..1], &["--endpoint-url", &local.endpoint()], &args[1..]].concat(), &[])
}

/// What doctor found, as `kind about`.
fn found(local: &Local) -> (i32, Vec<String>) {
    let ran = ask(local, &["doctor", "--json"]);
    let findings = ran.json()["findings"].clone();
    let told =
        |finding: &Value| format!("{} {}", finding["kind"].as_str().unwrap(), finding["about"].as_str().unwrap());
    (ran.code, findings.as_array().unwrap().iter().map(told).collect())
}

/// What redrive does, as `fate from`.
fn redriven(local: &Local, args: &[&str]) -> (i32, Vec<String>) {
    let ran = ask(local, &[&["redrive", "--json"], args].concat());
    let found = ran.json()["found"].clone();
    let told = |found: &Value| format!("{} {}", found["fate"].as_str().unwrap(), found["from"].as_str().unwrap());
    (ran.code, found.as_array().unwrap().iter().map(told).collect())
}

fn give_up(local: &Local, queue: &str, body: &Value) {
    let url = format!("{}/{ACCOUNT}/{queue}", local.endpoint());
    let message = json!({ "QueueUrl": url, "MessageBody": body.to_string() });
    local.aws("sqs", "AmazonSQS.SendMessage", "POST", "/", &message);
}

/// What is due of the lead's only enrollment, as queues carry it.
fn step_due(local: &Local, lead: &str) -> Value {
    let why = ask(local, &["why", lead, "--json"]).json();
    let enrollment = &why["runs"][0]["enrollment"];
    json!({ "lead": lead, "enrollment": enrollment["id"], "generation": enrollment["progress"]["generation"] })
}

/// What was printed, without what differs from run to run: those words, and the seconds of instants.
fn golden(told: &str, words: &[(&str, &str)]) -> String {
    let told = words.iter().fold(told.to_owned(), |told, (word, name)| told.replace(word, name));
    let mut parts = told.split(':').map(str::to_owned).collect::<Vec<_>>();
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    for after in 2..parts.len() {
        if digits(&parts[after - 1]) && parts[after].get(..2).is_some_and(digits) {
            parts[after].replace_range(..2, "..");
        }
    }
    parts.join(":")
}

/// Waits until the first call and the first text of the lead are out.
fn has_begun(local: &Local) {
    let outbox = || local.get("/_local/outbox?json")["outbox"].as_array().unwrap().len();
    local.until("the notice and the text are out", || outbox() == 2);
    local.until("the text is settled", || {
        let why = ask(local, &["why", "415-555-0123", "--json"]).json();
        why["runs"][0]["enrollment"]["progress"]["next"]["step"] == "robot-call"
            && why["runs"][0]["enrollment"]["claim"].is_null()
    });
}

#[test]
fn why_tells_what_happened_to_a_lead_and_what_comes_next_by_id_phone_or_email() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    let lead = local.post_lead();
    has_begun(&local);
    let told = ask(&local, &["why", &lead]);
    assert_eq!(told.code, 0, "{}", told.complained);
    for address in ["(415) 555-0123", "Jordan@Example.com", &format!("{lead}.e.first-call.1")] {
        assert_eq!(ask(&local, &["why", address]).told, told.told, "{address}");
    }
    insta::assert_snapshot!("why", golden(&told.told, &[(&lead, "[lead]")]));

    // As a lead looks who closed its phone while a task was being written.
    let edit = json!({
        "TableName": "leads", "Key": { "pk": { "S": format!("LEAD#{lead}") }, "sk": { "S": "LEAD" } },
        "UpdateExpression": "SET opt_outs.phone = :at", "ExpressionAttributeValues": { ":at": { "S": "2026-12-01T18:05:00Z" } },
    });
    local.aws("dynamodb", "DynamoDB_20120810.UpdateItem", "POST", "/", &edit);
    let told = ask(&local, &["why", &lead]).told;
    assert!(told.contains("Closed to calls and texts since Tue Dec 1 10:05"), "{told}");
    assert!(
        told.contains("Open: first-call for lo-riley, due") && told.contains(" (closed to calls and texts: don't)"),
        "{told}"
    );

    let nobody = ask(&local, &["why", "415-555-0199"]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.complained.contains("nobody in leads and config"), "{}", nobody.complained);
    let nonsense = ask(&local, &["why", "Jordan"]);
    assert!(
        nonsense.complained.contains("no lead's id, no phone number and no email address"),
        "{}",
        nonsense.complained
    );
}

#[test]
fn a_stage_that_is_well_needs_nobody() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    local.post_lead();
    has_begun(&local);
    assert_eq!(found(&local), (0, vec![]));
    assert_eq!(
        ask(&local, &["doctor"]).told,
        format!("Nothing needs anybody in leads and config at {}.\n", local.endpoint())
    );
    assert_eq!(redriven(&local, &[]), (0, vec![]));
}

#[test]
fn what_users_who_left_have_open_is_told_by_doctor() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    let lead = local.post_lead();
    has_begun(&local);
    let key = json!({ "pk": { "S": "USER#lo-riley" }, "sk": { "S": "CURRENT" } });
    let edit = json!({ "TableName": "config", "Key": key, "UpdateExpression": "SET active = :no",
        "ExpressionAttributeValues": { ":no": { "BOOL": false } } });
    local.aws("dynamodb", "DynamoDB_20120810.UpdateItem", "POST", "/", &edit);
    let told = || ask(&local, &["doctor", "--json"]).json()["findings"].clone();
    local.until("it is told", || told().as_array().is_some_and(|found| !found.is_empty()));
    let left = told().as_array().unwrap().iter().find(|found| found["kind"] == "left_task").cloned().unwrap();
    assert_eq!(left["about"], format!("first-call of lead {lead}"));
    assert_eq!(left["why"], "lo-riley is no longer active");
    assert_eq!(ask(&local, &["doctor"]).code, 1, "somebody else has to take the lead up");
}

#[test]
fn an_item_that_nothing_reads_is_told_by_doctor() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    let item = json!({ "pk": { "S": "CADENCE#spring" }, "sk": { "S": "Current" }, "name": { "S": "Spring" } });
    let put = json!({ "TableName": "config", "Item": item });
    local.aws("dynamodb", "DynamoDB_20120810.PutItem", "POST", "/", &put);
    local.until("it is told", || found(&local).0 == 1);
    assert_eq!(found(&local).1, ["not_read CADENCE#spring with the sort key \"Current\""]);
    let told = ask(&local, &["doctor"]).told;
    assert!(told.contains("Items that nothing reads: 1") && told.contains("Did you mean \"CURRENT\"?"), "{told}");
}

#[test]
fn a_step_that_was_given_up_goes_back_if_it_is_still_due_and_only_once() {
    let data = tempfile::tempdir().unwrap();
    let first = Local::start(data.path(), "1", MORNING);
    let lead = first.post_lead();
    has_begun(&first);
    // The call's timer is lost, and everything is down when it is due.
    let due = step_due(&first, &lead);
    let timer = format!("/schedules/{}-{}?groupName=cadence", due["enrollment"].as_str().unwrap(), due["generation"]);
    first.aws("scheduler", "", "DELETE", &timer, &json!({}));
    first.kill();
    let local = Local::start(data.path(), "1", "2026-12-01T10:25:00-08:00");
    let stale = json!({ "lead": lead, "enrollment": due["enrollment"], "generation": 1 });
    let gone = json!({ "lead": "0".repeat(32), "enrollment": "0".repeat(32), "generation": 1 });
    for (queue, body) in [("sms-dlq", &stale), ("email-dlq", &json!("?")), ("call-dlq", &due), ("timers-dlq", &gone)] {
        give_up(&local, queue, body);
    }
    give_up(&local, "schedule-failures", &json!({ "DDBStreamBatchInfo": {} }));

    let given_up = ["sms-dlq", "email-dlq", "call-dlq", "timers-dlq", "schedule-failures"];
    let mut findings: Vec<String> = given_up.iter().map(|queue| format!("given_up {queue}")).collect();
    findings.insert(0, format!("late_task first-call of lead {lead}"));
    assert_eq!(found(&local), (1, findings));

    let kept = ask(&local, &["redrive", "--json"]).json()["found"].clone();
    let kept = kept.as_array().unwrap().iter().find(|found| found["fate"] == "keep").unwrap()["about"].clone();
    let kept = kept.as_str().unwrap();
    let names = [(lead.as_str(), "[lead]"), (&local.endpoint(), "[cloud]"), (kept, "[email-dlq/id]")];
    insta::assert_snapshot!("doctor", golden(&ask(&local, &["doctor"]).told, &names));
    insta::assert_snapshot!("redrive_dry", golden(&ask(&local, &["redrive"]).told, &names));

    let expected = ["drop sms-dlq", "keep email-dlq", "requeue call-dlq", "drop timers-dlq", "drop schedule-failures"];
    assert_eq!(redriven(&local, &[]), (1, expected.map(str::to_owned).to_vec()), "dry");
    assert_eq!(redriven(&local, &[]), (1, expected.map(str::to_owned).to_vec()), "dry again: nothing was changed");
    assert_eq!(redriven(&local, &["--yes", "--only", "records"]), (0, vec![]));
    let done = ask(&local, &["redrive", "--yes"]);
    assert_eq!(done.code, 1);
    insta::assert_snapshot!("redrive_done", golden(&done.told, &names));
    let calls = || {
        let outbox = local.get("/_local/outbox?json");
        outbox["outbox"].as_array().unwrap().iter().filter(|sent| sent["kind"] == "ai_call").count()
    };
    local.until("the lead is called", || calls() == 1);
    assert_eq!(redriven(&local, &["--yes"]), (1, vec!["keep email-dlq".to_owned()]), "what nobody can read stays");
    assert_eq!(calls(), 1);

    give_up(&local, "email-dlq", &json!("another"));
    let dismiss = ["--dismiss", kept, "--reason", "sent by hand"];
    assert_eq!(redriven(&local, &dismiss), (0, vec!["dismiss email-dlq".to_owned()]), "dry");
    let told = ask(&local, &[&["redrive", "--yes"], &dismiss[..]].concat()).told;
    assert!(told.starts_with(&format!("dismissed email-dlq: {kept}: sent by hand (it names no due step")), "{told}");
    assert_eq!(
        redriven(&local, &[&dismiss[..], &["--yes"]].concat()),
        (0, vec!["leave email-dlq".to_owned()]),
        "twice"
    );
    assert_eq!(redriven(&local, &["--yes"]), (1, vec!["keep email-dlq".to_owned()]), "the other one stays");
    give_up(&local, "sms-dlq", &stale);
    let all = ask(&local, &["redrive", "--json"]).json()["found"].clone();
    let other = all.as_array().unwrap().iter().find(|found| found["fate"] == "keep").unwrap()["about"].clone();
    assert_eq!(redriven(&local, &["--dismiss", other.as_str().unwrap(), "--reason", "a test", "--yes"]).0, 0);
    assert_eq!(redriven(&local, &["--yes"]), (0, vec!["drop sms-dlq".to_owned()]));
    assert!(found(&local).1.iter().all(|found| found.starts_with("late_task")), "nothing needs anybody");
}

#[test]
fn a_queue_that_holds_more_than_one_run_looks_at_is_told_until_a_run_saw_all() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    let gone = json!({ "lead": "0".repeat(32), "enrollment": "0".repeat(32), "generation": 1 });
    let given_up = [("sms-dlq", &gone), ("schedule-failures", &json!({})), ("publish-failures", &json!({}))];
    given_up.iter().for_each(|(queue, body)| (0..3).for_each(|_| give_up(&local, queue, body)));
    let drop = |queue: &str, times| vec![format!("drop {queue}"); times];
    let of_steps = |rest: &[&str], times| {
        let of_queue = |queue: &str| {
            drop(queue, times).into_iter().chain(rest.iter().map(|fate| format!("{fate} {queue}"))).collect::<Vec<_>>()
        };
        ["sms-dlq", "schedule-failures"].map(of_queue).concat()
    };
    let run = |args: &[&str]| redriven(&local, &[&["--only", "steps"], args].concat());
    assert_eq!(run(&["--at-most", "2"]), (1, of_steps(&["keep"], 2)), "dry");
    assert_eq!(run(&["--at-most", "3"]), (0, of_steps(&[], 3)), "dry, and all of it");
    assert_eq!(run(&["--at-most", "2", "--yes"]), (1, of_steps(&["keep"], 2)));
    assert_eq!(run(&["--at-most", "2", "--yes"]), (0, of_steps(&[], 1)));

    let (code, records) = redriven(&local, &["--only", "records", "--at-most", "2", "--yes"]);
    let notes: Vec<&str> = records.iter().map(String::as_str).filter(|told| *told != "check config").collect();
    assert_eq!((code, notes), (1, vec!["drop publish-failures", "drop publish-failures", "keep publish-failures"]));
    let told = ask(&local, &["redrive", "--only", "records", "--at-most", "0"]);
    assert!(told.code == 2 && told.complained.contains("say how many, 1 or more"), "{}", told.complained);
}

#[test]
fn a_webhook_that_could_not_be_used_is_posted_again_once_its_format_reads_it() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    let body = json!({
        "first_name": "Casey", "last_name": "Sample", "phone": "415-555-0187", "email": "casey@example.com", "state": "CA",
        "purpose": "purchase",
    });
    assert_eq!(local.status_of_post("/leads/zillow/local-secret", &body), 422);
    let (code, findings) = found(&local);
    assert_eq!((code, findings.len()), (1, 1), "{findings:?}");
    assert!(findings[0].starts_with("quarantined zillow/"), "{findings:?}");
    assert_eq!(redriven(&local, &["--yes"]), (1, vec!["keep quarantine".to_owned()]), "it still says nobody's name");

    let records = data.path().join("records");
    let folder = records.to_str().unwrap();
    assert_eq!(ask(&local, &["pull", folder]).code, 0);
    let source = records.join("source-zillow.json");
    let text = std::fs::read_to_string(&source).unwrap();
    std::fs::write(&source, text.replace("\"format\": \"zillow\"", "\"format\": \"plain\"")).unwrap();
    let pushed = ask(&local, &["push", folder]);
    assert_eq!(pushed.code, 0, "{}{}", pushed.told, pushed.complained);

    assert_eq!(redriven(&local, &[]), (0, vec!["post quarantine".to_owned()]));
    assert_eq!(local.get("/_local/leads?json")["leads"], json!([]), "nothing was changed");
    local.kill();

    let local = Local::start(data.path(), "1", "2026-12-01T13:00:00-08:00");
    assert_eq!(redriven(&local, &["--yes"]), (0, vec!["post quarantine".to_owned()]));
    assert_eq!(local.get("/_local/leads?json")["leads"][0]["name"], "Casey Sample");
    local.until("its user is asked to text a lead who asked three hours ago", || {
        let told = ask(&local, &["why", "415-555-0187"]).told;
        assert!(!told.contains("SMS "), "{told}");
        told.contains("Open: intro-text for lo-riley")
    });
    assert_eq!(redriven(&local, &["--yes"]), (0, vec![]));
    assert_eq!(found(&local), (0, vec![]));
}

#[test]
fn a_form_that_could_not_be_used_is_posted_as_its_vendor_posts_it() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    let records = data.path().join("records");
    let folder = records.to_str().unwrap();
    assert_eq!(ask(&local, &["pull", folder]).code, 0);
    let publish = |phone: &str| {
        let fields = json!({ "full_name": "name", "phone": phone });
        let consent = json!({ "email": "express", "proof": "I agree." });
        let record = json!({ "pk": "SOURCE#vendor", "sk": "CURRENT", "secret": "plain", "format": "mapped", "fields": fields, "consent": consent });
        std::fs::write(records.join("source-vendor.json"), record.to_string()).unwrap();
        let pushed = ask(&local, &["push", folder]);
        assert_eq!(pushed.code, 0, "{}{}", pushed.told, pushed.complained);
    };
    publish("telephone");
    let sent =
        [("", "name=Casey+Sample&tel=415-555-0187"), ("idempotency-key: k-1\r\n", "name=Blake&tel=415-555-0186")];
    let post = |(head, body): (&str, &str)| local.post_form("/leads/vendor/local-secret", head, body);
    assert_eq!(sent.map(|sent| post(sent).0), [422, 422]);
    assert_eq!(redriven(&local, &["--yes"]), (1, vec!["keep quarantine".to_owned(); 2]));

    publish("tel");
    let dismissed = redriven(&local, &["--dismiss", "vendor", "--reason", "tests", "--yes"]);
    assert_eq!(dismissed, (0, vec!["leave quarantine".to_owned(); 2]), "they are good by now");
    assert_eq!(redriven(&local, &["--yes"]), (0, vec!["post quarantine".to_owned(); 2]));
    let arrivals = |lead: &str| {
        let timeline = ask(&local, &["why", lead, "--json"]).json()["timeline"].clone();
        timeline.as_array().unwrap().iter().filter(|entry| entry["kind"] == "lead_in").count()
    };
    assert_eq!(sent.map(|sent| post(sent).0), [202, 202]);
    assert_eq!(["415-555-0187", "415-555-0186"].map(arrivals), [1, 1], "the vendor's own are known");
    assert_eq!(redriven(&local, &["--yes"]), (0, vec![]));
}

#[test]
fn a_record_that_was_never_looked_at_is_checked_and_a_refused_one_is_told() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    give_up(&local, "publish-failures", &json!({ "DDBStreamBatchInfo": {} }));
    assert_eq!(found(&local), (1, vec!["given_up publish-failures".to_owned()]));
    let (code, all) = redriven(&local, &["--yes"]);
    assert_eq!((code, all.last().map(String::as_str)), (0, Some("drop publish-failures")));
    assert_eq!(all.iter().filter(|found| *found == "check config").count(), all.len() - 1);
    local.until("every record is checked", || found(&local) == (0, vec![]));

    let key = json!({ "pk": { "S": "CADENCE#zillow-purchase" }, "sk": { "S": "CURRENT" } });
    let edit = json!({
        "TableName": "config", "Key": key, "UpdateExpression": "SET priority = :p",
        "ExpressionAttributeValues": { ":p": { "S": "high" } },
    });
    local.aws("dynamodb", "DynamoDB_20120810.UpdateItem", "POST", "/", &edit);
    local.until("the edit is refused", || found(&local) == (1, vec!["refused CADENCE#zillow-purchase".to_owned()]));
    let told = ask(&local, &["doctor"]).told;
    assert!(told.contains("  CADENCE#zillow-purchase: version 1 is at work; priority:"), "{told}");
    assert_eq!(redriven(&local, &["--yes", "--only", "records"]), (1, vec!["keep config".to_owned()]));

    let item = json!({ "pk": { "S": "CADENCE#draft" }, "sk": { "S": "CURRENT" }, "name": { "S": "Draft" } });
    let put = json!({ "TableName": "config", "Item": item });
    local.aws("dynamodb", "DynamoDB_20120810.PutItem", "POST", "/", &put);
    local.until("the new record is refused", || found(&local).1.contains(&"refused CADENCE#draft".to_owned()));
    let told = ask(&local, &["doctor"]).told;
    assert!(told.contains("  CADENCE#draft: nothing of it is at work yet; steps:"), "{told}");
}

#[test]
fn a_webhook_that_will_never_be_of_use_is_dismissed_once_and_with_the_reason() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    assert_eq!(local.status_of_post("/leads/zillow/local-secret", &json!("hello")), 422);
    assert_eq!(local.status_of_post("/leads/zillow/local-secret", &json!({ "first_name": "Casey" })), 422);
    let told = ask(&local, &["doctor"]).told;
    assert!(told.contains(" PST: The body is not a JSON object.") && !told.contains(": :"), "{told}");
    let dry = ask(&local, &["redrive"]).told;
    assert!(dry.contains("quarantine: zillow/") && !dry.contains(": :"), "{dry}");
    let line = dry.lines().find(|line| line.contains("not a JSON object")).unwrap();
    let name = line.split(": ").nth(1).unwrap();

    for (args, words) in [
        (&["--dismiss", name][..], "--reason <WHY>"),
        (&["--dismiss", name, "--reason", " "], "say why"),
        (&["--reason", "a test"], "--dismiss <ID|SOURCE>"),
        (&["--dismiss", "zilow", "--reason", "a test"], "did you mean zillow?"),
        (&["--dismiss", "0000000000", "--reason", "a test"], "there is no webhook 0000000000 that could not be used"),
    ] {
        let ran = ask(&local, &[&["redrive"], args].concat());
        assert!(ran.code == 2 && ran.complained.contains(words), "{}", ran.complained);
    }
    let one = ["--dismiss", name, "--reason", "a test of the vendor"];
    assert_eq!(redriven(&local, &one), (0, vec!["dismiss quarantine".to_owned()]), "dry");
    assert_eq!(
        found(&local).1.iter().filter(|found| found.starts_with("quarantined")).count(),
        2,
        "nothing was changed"
    );
    assert_eq!(redriven(&local, &[&one[..], &["--yes"]].concat()), (0, vec!["dismiss quarantine".to_owned()]));
    let again = ask(&local, &[&["redrive", "--yes"], &["--dismiss", name, "--reason", "another"][..]].concat());
    assert!(
        again.code == 0 && again.told.starts_with("leave ") && again.told.contains("a test of the vendor"),
        "{}",
        again.told
    );
    assert_eq!(redriven(&local, &["--yes"]), (1, vec!["keep quarantine".to_owned()]), "the other one stays");

    assert_eq!(redriven(&local, &["--dismiss", "zillow", "--reason", "tests", "--yes"]).0, 0, "all of the source");
    let (code, findings) = found(&local);
    assert_eq!((code, findings.len()), (0, 2), "{findings:?}");
    assert!(findings.iter().all(|found| found.starts_with("dismissed zillow/")), "{findings:?}");
    let told = ask(&local, &["doctor"]).told;
    assert!(told.contains(": a test of the vendor\n") && told.contains("Nothing needs anybody"), "{told}");
    assert_eq!(local.status_of_post("/leads/zillow/local-secret", &json!("hello")), 422);
    assert_eq!((found(&local).0, redriven(&local, &["--yes"])), (0, (0, vec![])), "the same body is the same webhook");
}

#[test]
fn why_tells_which_variant_a_lead_got() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    let folder = data.path().join("records");
    let folder = folder.to_str().unwrap();
    assert_eq!(ask(&local, &["pull", folder]).code, 0);
    let file = format!("{folder}/cadence-zillow-purchase.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let split = text.replace("\"message\": \"sms/intro\"", "\"message\": {\"sms/intro\": 50, \"sms/follow-up\": 50}");
    std::fs::write(&file, split).unwrap();
    let pushed = ask(&local, &["push", folder]);
    assert_eq!(pushed.code, 0, "{}{}", pushed.told, pushed.complained);
    let lead = local.post_lead();
    has_begun(&local);
    let why = ask(&local, &["why", &lead, "--json"]).json();
    let variant = why["runs"][0]["variants"]["intro-text"].as_str().unwrap();
    let sent = why["timeline"].as_array().unwrap().iter().find(|entry| entry["kind"] == "sent").unwrap();
    assert_eq!(sent["message"], variant);
    let told = ask(&local, &["why", &lead]).told;
    assert_eq!(told.matches(&format!("| (variant {variant})\n")).count(), 1, "{told}");
    assert_eq!(told.matches("(variant ").count(), 1, "only where there are several: {told}");
}

#[test]
fn why_tells_that_a_lead_follows_another_version_and_since_when() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    let lead = local.post_lead();
    has_begun(&local);
    let edit = json!({
        "TableName": "config", "Key": { "pk": { "S": "CADENCE#zillow-purchase" }, "sk": { "S": "CURRENT" } },
        "UpdateExpression": "SET apply_to = :everyone, steps[2].#wait = :wait", "ExpressionAttributeNames": { "#wait": "wait" },
        "ExpressionAttributeValues": { ":everyone": { "S": "everyone" }, ":wait": { "S": "25m" } },
    });
    local.aws("dynamodb", "DynamoDB_20120810.UpdateItem", "POST", "/", &edit);
    let why = |local: &Local| ask(local, &["why", &lead]).told;
    local.until("it is about to move", || why(&local).contains("Follows version 2 from here on"));
    let before = why(&local);
    assert!(before.contains("zillow-purchase, version 1, since Tue Dec 1 10:00"), "{before}");
    assert!(!before.contains("NEW VERSION"), "{before}");
    local.kill();

    let local = Local::start(data.path(), "1", "2026-12-01T10:20:00-08:00");
    local.until("it has moved", || why(&local).contains("NEW VERSION"));
    let told = golden(&why(&local), &[]);
    assert!(told.contains("NEW VERSION   its record applies to everyone  version 1 -> version 2"), "{told}");
    let since = "zillow-purchase, version 2 since Tue Dec 1 10:2";
    assert!(told.contains(since) && told.contains("it began on version 1, Tue Dec 1 10:00"), "{told}");
}

#[test]
fn an_enrollment_whose_record_nobody_can_read_is_told_by_doctor_and_by_why() {
    let data = tempfile::tempdir().unwrap();
    let first = Local::start(data.path(), "1", MORNING);
    let lead = first.post_lead();
    has_begun(&first);
    let enrollment = step_due(&first, &lead)["enrollment"].as_str().unwrap().to_owned();
    let (pk, sk) = (format!("LEAD#{lead}"), format!("OUTCOME#{enrollment}.spoilt"));
    let put =
        json!({ "TableName": "leads", "Item": { "pk": { "S": pk }, "sk": { "S": sk }, "outcome": { "S": "?" } } });
    first.aws("dynamodb", "DynamoDB_20120810.PutItem", "POST", "/", &put);
    first.kill();
    let local = Local::start(data.path(), "1", "2026-12-01T10:25:00-08:00");
    local.until("the call is overdue", || {
        let (code, findings) = found(&local);
        code == 1 && findings.iter().any(|found| found.starts_with("unreadable enrollment"))
    });
    let why = ask(&local, &["why", &lead]);
    assert_eq!(why.code, 0, "{}", why.complained);
    let stuck = format!("Stuck: its functions can't read what they need: the item {pk} {sk} could not be read: ");
    assert!(why.told.contains(&stuck), "{}", why.told);
    assert!(why.told.contains("first-call  -> lo-riley"), "{}", why.told);
}

#[test]
fn what_rests_until_a_person_does_something_needs_somebody_and_why_says_what() {
    let data = tempfile::tempdir().unwrap();
    let local = Local::start(data.path(), "1", MORNING);
    let lead = local.post_lead();
    has_begun(&local);
    let enrollment = step_due(&local, &lead)["enrollment"].as_str().unwrap().to_owned();
    let rests = |why: &str| {
        let edit = json!({
            "TableName": "leads", "Key": { "pk": { "S": format!("LEAD#{lead}") }, "sk": { "S": format!("ENROLLMENT#{enrollment}") } },
            "UpdateExpression": "SET progress.#state = :rests, due_shard = :parked", "ExpressionAttributeNames": { "#state": "state" },
            "ExpressionAttributeValues": {
                ":rests": { "M": { "is": { "S": "parked" }, "why": { "S": why } } }, ":parked": { "S": "parked#0" },
            },
        });
        local.aws("dynamodb", "DynamoDB_20120810.UpdateItem", "POST", "/", &edit);
        let doctor = ask(&local, &["doctor"]);
        (found(&local), doctor.told, ask(&local, &["why", &lead]).told)
    };
    let about = format!("robot-call of lead {lead}");

    let (found, doctor, why) = rests("outcome");
    assert_eq!(found, (1, vec![format!("paused_by_outcome {about}")]));
    assert!(doctor.contains("an outcome asked for a pause, and nobody has a task to let it go on"), "{doctor}");
    assert!(doctor.contains("1 finding needs somebody"), "{doctor}");
    assert!(why.contains("Parked: an outcome asked for a pause, and nobody could be asked"), "{why}");

    // Of a paused cadence nobody needs to do anything.
    let edit = json!({
        "TableName": "config", "Key": { "pk": { "S": "PUBLISHED#CADENCE" }, "sk": { "S": "zillow-purchase" } },
        "UpdateExpression": "SET #record.#status = :paused",
        "ExpressionAttributeNames": { "#record": "record", "#status": "status" },
        "ExpressionAttributeValues": { ":paused": { "S": "paused" } },
    });
    local.aws("dynamodb", "DynamoDB_20120810.UpdateItem", "POST", "/", &edit);
    let (found, doctor, _) = rests("cadence_paused");
    assert_eq!(found, (0, vec![format!("parked {about}")]), "{doctor}");
    assert!(doctor.contains("Nothing needs anybody"), "{doctor}");

    let moves = json!({
        "TableName": "leads", "Key": { "pk": { "S": format!("LEAD#{lead}") }, "sk": { "S": "LEAD" } },
        "UpdateExpression": "SET #state = :guam", "ExpressionAttributeNames": { "#state": "state" },
        "ExpressionAttributeValues": { ":guam": { "S": "GU" } },
    });
    local.aws("dynamodb", "DynamoDB_20120810.UpdateItem", "POST", "/", &moves);
    let (found, doctor, _) = rests("no_licensed_owner");
    assert_eq!(found, (1, vec![format!("no_owner {about}")]), "{doctor}");
    assert!(doctor.contains("add the state to the licences of an active user"), "{doctor}");
}
