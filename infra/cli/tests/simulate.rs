//! What `cadence simulate` prints.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that can't go on stops")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cadences");

/// The records that ship, and these.
fn records(more: &[Value]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(SHIPPED).unwrap().map(|file| file.unwrap().path()) {
        fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
    }
    fs::write(folder.path().join("more.json"), json!(more).to_string()).unwrap();
    folder
}

fn cadence(id: &str, steps: Value) -> Value {
    let hours = json!({"call": "daily 09:00-20:00", "sms": "daily 09:00-20:00", "email": "any time"});
    json!({"pk": format!("CADENCE#{id}"), "sk": "CURRENT", "name": format!("Test of {id}"), "hours": hours,
        "skip_holidays": false, "for_leads": {"source": ["zillow"]}, "steps": steps})
}

fn ran(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cadence")).arg("simulate").arg(folder).args(args).output().unwrap()
}

/// What a simulation prints that complains of nothing.
fn told(folder: &Path, args: &[&str]) -> String {
    let done = ran(folder, args);
    let complaints = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && complaints.is_empty(), "{complaints}");
    String::from_utf8(done.stdout).unwrap()
}

/// The story, which stays short enough to be read.
fn story(folder: &Path, args: &[&str]) -> String {
    let told = told(folder, args);
    assert!(told.lines().count() < 60, "{told}");
    told
}

fn shipped(args: &[&str]) -> String {
    story(Path::new(SHIPPED), args)
}

#[test]
fn the_reference_cadence_runs_to_its_end() {
    insta::assert_snapshot!(shipped(&["zillow-purchase", "--at", "2026-12-01T10:00:00-08:00"]));
}

#[test]
fn a_connected_call_ends_it() {
    let connected = ["--outcome", "+5m first-call=connected \"wants a quote by tomorrow\""];
    let at = ["zillow-purchase", "--at", "2026-12-01T10:00:00-08:00"];
    insta::assert_snapshot!(shipped(&[&at[..], &connected[..]].concat()));
}

/// Emails that a user writes, which count for no cap.
fn written(id: &str, wait: &str) -> Value {
    json!({"id": id, "do": "custom_email", "wait": wait, "due": "1d"})
}

#[test]
fn clocks_go_forward_in_the_night() {
    // At 02:00 it becomes 03:00, so there is no 02:30, and from one night to the next it is 23 hours.
    let steps = [written("tomorrow", "1d"), written("half-past-two", "0d at 02:30"), written("monday", "1d at 01:50")];
    let folder = records(&[cadence("spring", json!(steps))]);
    insta::assert_snapshot!(story(folder.path(), &["spring", "--at", "2027-03-13 01:50"]));
}

#[test]
fn clocks_go_back_in_the_night() {
    // At 02:00 it becomes 01:00 again, so there are two 01:30, and from one night to the next it is 25 hours.
    let steps = [written("once", "2h"), written("again", "1h"), written("tonight", "0d at 23:30")];
    let folder = records(&[cadence("autumn", json!(steps))]);
    insta::assert_snapshot!(story(folder.path(), &["autumn", "--at", "2026-10-31 23:30"]));
}

#[test]
fn arizona_has_one_time_but_for_navajo_land() {
    let at = ["zillow-purchase", "--at", "2026-07-01T08:30:00-07:00"];
    let phoenix = shipped(&[&at[..], &["--zip", "85001"]].concat());
    let somewhere = shipped(&[&at[..], &["--state", "Arizona"]].concat());
    insta::assert_snapshot!(format!("{phoenix}\n\n{somewhere}"));
}

#[test]
fn a_lead_of_a_saturday_night_before_a_holiday_waits_for_tuesday() {
    insta::assert_snapshot!(shipped(&["zillow-purchase", "--at", "2027-01-16 23:50"]));
}

#[test]
fn a_stale_lead_gets_a_task_instead_of_its_first_text() {
    insta::assert_snapshot!(shipped(&["zillow-purchase", "--at", "2026-12-01 10:00", "--stale"]));
}

#[test]
fn without_consent_in_writing_users_do_what_machines_may_not() {
    insta::assert_snapshot!(shipped(&["zillow-purchase", "--at", "2026-12-01 10:00", "--consent", "express"]));
}

#[test]
fn a_lead_whom_nobody_can_place_is_reached_in_the_eastern_afternoon() {
    let folder = records(&[]);
    let lead = folder.path().join("lead.txt");
    let body = json!({"first_name": "Sam", "phone": "800-555-0123", "email": "sam@example.com", "loan_officer_email": "riley@example.com"});
    fs::write(&lead, body.to_string()).unwrap();
    let args = ["zillow-purchase", "--at", "2026-12-01T10:00:00-05:00", "--lead", lead.to_str().unwrap()];
    let done = ran(folder.path(), &args);
    assert_eq!(
        String::from_utf8_lossy(&done.stderr),
        "note: zillow-purchase is not for such a lead; it is simulated as if it were\n"
    );
    insta::assert_snapshot!(String::from_utf8_lossy(&done.stdout));
}

#[test]
fn a_cap_defers_the_third_text_of_a_day() {
    let texts = ["first", "second", "third"]
        .map(|id| json!({"id": id, "do": "canned_sms", "wait": "2h", "message": "sms/intro"}));
    let folder = records(&[cadence("texts", json!(texts))]);
    insta::assert_snapshot!(story(folder.path(), &["texts", "--at", "2026-12-01 15:00"]));
}

#[test]
fn an_opt_out_in_mid_cadence_leaves_only_the_email() {
    let stop = ["--outcome", "+10m lead=opted_out \"STOP\""];
    insta::assert_snapshot!(shipped(&[&["zillow-purchase", "--at", "2026-12-01 10:00"], &stop[..]].concat()));
}

#[test]
fn a_step_with_attempts_is_tried_again() {
    let folder = records(&[cadence(
        "calls",
        json!([
            {"id": "call", "do": "dial", "wait": "0m", "attempts": 3, "every": "2h", "due": "30m"},
            {"id": "email", "do": "canned_email", "wait": "1h", "message": "email/intro"},
        ]),
    )]);
    let script = ["--outcome", "call=no_answer", "--outcome", "call#3=voicemail \"left a message\""];
    insta::assert_snapshot!(story(folder.path(), &[&["calls", "--at", "2026-12-01 14:00"], &script[..]].concat()));
}

#[test]
fn an_outcome_moves_the_lead_to_another_cadence() {
    let steps = json!([{"id": "ask", "do": "canned_sms", "wait": "0m", "message": "sms/intro", "on": {"replied": {"cadence": "answer"}}},
        {"id": "again", "do": "canned_sms", "wait": "1d", "message": "sms/follow-up"}]);
    let other = json!([{"id": "ring", "do": "dial", "wait": "10m", "message": "script/intro", "due": "1h"}]);
    let folder = records(&[cadence("ask", steps), cadence("answer", other)]);
    let script = ["--outcome", "+30m ask=replied \"please call\"", "--outcome", "ring=appointment_set"];
    insta::assert_snapshot!(story(folder.path(), &[&["ask", "--at", "2026-12-01 10:00"], &script[..]].concat()));
}

#[test]
fn a_vendor_that_is_busy_is_asked_again_and_one_that_refuses_fails_the_step() {
    let answers =
        ["--outcome", "intro-text=later", "--outcome", "intro-email=rejected", "--outcome", "robot-call=unknown"];
    insta::assert_snapshot!(shipped(&[&["zillow-purchase", "--at", "2026-12-01 10:00"], &answers[..]].concat()));
}

#[test]
fn machines_get_one_object_a_line() {
    let told = told(
        Path::new(SHIPPED),
        &["zillow-purchase", "--at", "2027-01-16 23:50", "--json", "--outcome", "first-call#2=busy"],
    );
    let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, events) = events.split_last().unwrap();
    assert!(events.iter().all(|event| event["at"].is_string() && event["kind"].is_string()), "{told}");
    let waits = events.iter().find(|event| event["kind"] == "waits").unwrap();
    let hours = json!({"whose": "cadence", "hours": "Mon-Sat 09:00-19:30",
        "holidays": ["Mon Jan 18 (Martin Luther King Jr. Day)"], "until": "2027-01-19T17:00:00Z"});
    assert_eq!(
        *waits,
        json!({"kind": "waits", "at": "2027-01-17T07:50:00Z", "step": "first-call", "round": 1, "act": "run",
        "ready_at": "2027-01-17T07:50:00Z", "until": "2027-01-19T17:00:00Z", "because": [{"hours": hours}]})
    );
    let unheard = events.last().unwrap();
    assert_eq!(
        *unheard,
        json!({"kind": "unheard", "at": "2027-01-19T17:40:00Z", "line": "first-call#2=busy", "why": "first-call had no round 2"})
    );
    assert_eq!(
        *summary,
        json!({"kind": "summary", "at": "2027-01-19T17:40:00Z", "began_at": "2027-01-17T07:50:00Z",
        "first_touch_at": "2027-01-19T17:00:00Z", "ending": {"over": "completed"}, "tasks": 1, "sms": 1, "ai_calls": 1, "emails": 1})
    );
}

#[test]
fn without_a_name_the_cadence_that_takes_the_lead_is_run() {
    let told = told(Path::new(SHIPPED), &["--source", "gizmo", "--at", "2026-12-01 10:00"]);
    assert!(told.starts_with("Any new lead, first week (new-lead)\n"), "{told}");
    let file = format!("{SHIPPED}/cadence-zillow-purchase.json");
    let told = ran(Path::new(&file), &["--at", "2026-12-01 10:00"]);
    assert!(told.stdout.starts_with(b"Zillow purchase leads, first week (zillow-purchase)\n"), "{told:?}");
}

#[test]
fn what_is_no_record_is_left_out_and_the_others_are_simulated() {
    let folder = records(&[json!({"pk": "MESSAGE#sms/odd", "txt": "Hi"}), json!({"pk": "CADENCE#x", "sk": "Current"})]);
    fs::write(folder.path().join("torn.json"), "{").unwrap();
    let file = folder.path().join("cadence-new-lead.json");
    for folder_or_file in [folder.path(), &file] {
        let done = ran(folder_or_file, &["--source", "gizmo", "--at", "2026-12-01 10:00"]);
        assert!(done.stdout.starts_with(b"Any new lead, first week (new-lead)\n"), "{done:?}");
        let told = String::from_utf8_lossy(&done.stderr).replace(&folder.path().display().to_string(), "DIR");
        let mut left_out: Vec<&str> = told.lines().filter(|line| line.starts_with("left out ")).collect();
        left_out.sort_unstable();
        assert_eq!(left_out.len(), 3, "{told}");
        assert!(left_out[0].starts_with("left out DIR/more.json: sk: The sort key is \"Current\""), "{told}");
        assert!(left_out[1].starts_with("left out DIR/torn.json: The file is not JSON"), "{told}");
        assert_eq!(left_out[2], "left out MESSAGE#sms/odd (DIR/more.json), which can't be read:");
    }
}

#[test]
fn messages_are_whole_if_all_is_asked_for() {
    let told = told(Path::new(SHIPPED), &["zillow-purchase", "--at", "2026-12-01 10:00", "--full"]);
    assert!(told.contains("Reply STOP to opt out.") && told.contains("100 Example Street"), "{told}");
}

#[test]
fn what_cant_be_simulated_is_refused_with_the_remedy() {
    let folder = records(&[
        json!({"pk": "CADENCE#broken", "name": "b", "status": "live", "for_leads": {}, "steps": [{"id": "a", "do": "canned_sms", "wait": "0m", "message": "sms/none"}]}),
        json!({"pk": "MESSAGE#sms/odd", "txt": "Hi"}),
        json!({"pk": "CADENCE#unreadable", "name": "u", "status": "live", "for_leads": {}, "steps": [{"id": "a", "do": "canned_sms", "wait": "soon", "message": "sms/none"}]}),
        json!({"pk": "CADENCE#elsewhere", "name": "e", "status": "live", "for_leads": {"source": "Gizmoo"}, "steps": [{"id": "a", "do": "dial", "wait": "0m"}]}),
    ]);
    let misspelt = folder.path().join("misspelt.txt");
    fs::write(&misspelt, json!({"fist_name": "Sam", "phone": "415-555-0123", "consent": {"smss": "none"}}).to_string())
        .unwrap();
    let misspelt = misspelt.to_str().unwrap();
    let lead = folder.path().join("lead.txt");
    fs::write(&lead, json!({"first_name": "Sam"}).to_string()).unwrap();
    let script = folder.path().join("script.txt");
    fs::write(&script, "first-call=busy\nfirst-call=bussy").unwrap();
    let (lead, script) = (lead.to_str().unwrap(), script.to_str().unwrap());
    let mut complaints = String::new();
    for args in [
        &["none"][..],
        &["broken"],
        &["unreadable"],
        &["elsewhere"],
        &["new-lead", "--lead", misspelt],
        &["new-lead", "--at", "soon"],
        &["new-lead", "--source", "yelp"],
        &["new-lead", "--lead", lead],
        &["new-lead", "--lead", "no-such-file"],
        &["new-lead", "--script", script],
        &["new-lead", "--outcome", "soon first-call=busy"],
        &["new-lead", "--outcome", "first-cal=busy"],
        &["new-led"],
        &["new-lead", "--owner", "lo-rily"],
        &["new-lead", "--state", "ZZ"],
        &["new-lead", "--zip", "abc"],
        &["new-lead", "--zip", "00000"],
        &["new-lead", "--phone", "12"],
        &["new-lead", "--time-zone", "America/Denvr"],
    ] {
        let done = ran(folder.path(), args);
        assert!(!done.status.success() && done.stdout.is_empty(), "{args:?}");
        let told = String::from_utf8_lossy(&done.stderr).replace(&folder.path().display().to_string(), "DIR");
        complaints
            .push_str(&format!("$ {}\n{told}\n", args.join(" ").replace(&folder.path().display().to_string(), "DIR")));
    }
    insta::assert_snapshot!(complaints);
}

#[test]
fn another_lead_may_get_another_variant_and_the_same_one_gets_the_same() {
    let halves = json!({"email/intro": 50, "email/follow-up": 50});
    let folder =
        records(&[cadence("split", json!([{"id": "hello", "do": "canned_email", "wait": "0m", "message": halves}]))]);
    let variant = |draw: u32| {
        let story = told(folder.path(), &["split", "--at", "2026-12-01 10:00", "--draw", &draw.to_string()]);
        let line = story.lines().find(|line| line.contains("(variant ")).unwrap_or_else(|| panic!("{story}"));
        line.trim().to_owned()
    };
    let first: Vec<String> = (1..=8).map(variant).collect();
    assert!(first.iter().any(|variant| *variant != first[0]), "{first:?}");
    assert_eq!(first, (1..=8).map(variant).collect::<Vec<_>>());
}

#[test]
fn a_lead_that_is_held_out_is_said_to_be_and_another_one_is_not() {
    let mut record =
        cadence("half", json!([{"id": "hello", "do": "canned_email", "wait": "0m", "message": "email/intro"}]));
    record["for_leads"]["hold_out"] = json!("50%");
    let folder = records(&[record]);
    let said = |draw: u32| {
        let done = ran(folder.path(), &["half", "--at", "2026-12-01 10:00", "--draw", &draw.to_string()]);
        assert!(done.status.success() && !done.stdout.is_empty());
        String::from_utf8(done.stderr).unwrap()
    };
    let said: Vec<String> = (1..=8).map(said).collect();
    let held_out = said.iter().position(|said| !said.is_empty()).unwrap();
    let next = held_out + 2;
    assert_eq!(
        said[held_out],
        format!(
            "note: this lead is held out of half, which leaves 50% of its leads to others; it is simulated as if it were not held out. --draw {next} is another lead\n"
        )
    );
    assert!(said.iter().any(String::is_empty), "{said:?}");
}

#[test]
fn emails_need_no_consent_and_the_head_says_so() {
    let told = shipped(&["zillow-purchase", "--at", "2026-12-01 10:00", "--consent", "none"]);
    let head =
        "has agreed to: calls not, texts not, emails not (they go out all the same, until the lead unsubscribes)\n";
    assert!(told.contains(head) && told.contains("EMAIL         intro-email"), "{told}");
}

/// Whom a sweep can place in two zones that lie an hour apart, and whose state opens late.
fn sweepable() -> tempfile::TempDir {
    let steps = json!([
        {"id": "hello", "do": "canned_email", "wait": "0m", "message": "email/intro"},
        {"id": "text", "do": "canned_sms", "wait": "1d at 10:30", "message": "sms/intro"},
        {"id": "call", "do": "dial", "wait": "1d at 09:00", "message": "script/follow-up", "on": {"bad_number": "last"}, "attempts": 2,
            "every": "1d"},
        {"id": "last", "do": "custom_email", "wait": "30d"},
    ]);
    let mut record = cadence("swept", steps);
    record["for_leads"] = json!({"state": ["AK", "KY", "GU"]});
    record["hours"] = json!({"call": "daily 09:00-20:00", "sms": "daily 10:00-11:00", "email": "any time"});
    records(&[record])
}

#[test]
fn a_sweep_tells_what_is_odd_and_how_to_see_it() {
    let folder = sweepable();
    let done = ran(folder.path(), &["swept", "--matrix", "--at", "2026-12-07T00:00:00Z"]);
    assert_eq!(done.status.code(), Some(1), "{}", String::from_utf8_lossy(&done.stderr));
    let told = String::from_utf8(done.stdout).unwrap().replace(&folder.path().display().to_string(), "DIR");
    insta::assert_snapshot!(told);

    // The command that is told shows it.
    let command = told.lines().rfind(|line| line.contains("cadence simulate")).unwrap();
    let args: Vec<&str> = command.split_whitespace().skip(3).collect();
    let story = self::told(folder.path(), &args);
    assert!(story.contains("the hours that the lead's state allows are daily 10:00-21:00"), "{story}");
}

#[test]
fn a_step_that_runs_for_no_lead_is_told() {
    let folder = sweepable();
    let file = folder.path().join("settings-company.json");
    let mut settings: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    settings["caps"]["sms_per_day"] = json!(0);
    fs::write(&file, settings.to_string()).unwrap();
    let sweep = ["swept", "--matrix", "--at", "2026-12-07T00:00:00Z", "--consent", "express_written"];
    let told = String::from_utf8(ran(folder.path(), &sweep).stdout).unwrap();
    assert!(told.contains("\n! text never runs, whatever comes of the other steps\n"), "{told}");
}

#[test]
fn machines_get_each_oddity_as_an_object() {
    let folder = sweepable();
    let done = ran(folder.path(), &["swept", "--matrix", "--at", "2026-12-07T00:00:00Z", "--longest", "9", "--json"]);
    let told = String::from_utf8(done.stdout).unwrap();
    let objects: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["unreached", "lost", "always_shifted", "summary"], "{told}");
    assert_eq!(objects[0]["places"], json!(["GU"]));
    assert_eq!([&objects[3]["places"], &objects[3]["arrivals"], &objects[3]["odd"]], [7, 168, 3]);
}

#[test]
fn a_sweep_without_oddities_ends_well() {
    let steps = json!([{"id": "hello", "do": "custom_email", "wait": "0m"}]);
    let mut record = cadence("plain", steps);
    record["for_leads"] = json!({"state": ["CA"]});
    let told = told(
        records(&[record]).path(),
        &["plain", "--matrix", "--at", "2026-12-07T00:00:00Z", "--weeks", "next,clocks,holiday"],
    );
    insta::assert_snapshot!(told);
}

#[test]
fn a_sweep_needs_one_cadence_and_takes_no_place() {
    for (args, complaint) in [
        (&["--matrix"][..], "error: --matrix sweeps one cadence: name it"),
        (
            &["new-lead", "--matrix", "--state", "CA"],
            "error: the argument '--matrix' cannot be used with '--state <STATE>'",
        ),
        (&["new-lead", "--weeks", "clocks"], "error: the following required arguments were not provided:\n  --matrix"),
    ] {
        let done = ran(Path::new(SHIPPED), args);
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.code() == Some(2) && told.starts_with(complaint), "{told}");
    }
}
