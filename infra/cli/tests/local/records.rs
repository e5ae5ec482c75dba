//! The commands that ops work with: check, list, show, pull, diff, push, rollback.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    ops::{CADENCE, Ops},
    running::Ran,
};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cadences");

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

#[test]
fn what_is_pulled_is_what_ships_and_pulling_again_changes_nothing() {
    let ops = Ops::start();
    assert_eq!(names(&ops.folder()), names(Path::new(SHIPPED)));
    for name in names(Path::new(SHIPPED)) {
        let read = |folder: &Path| -> Value {
            serde_json::from_str(&fs::read_to_string(folder.join(&name)).unwrap()).unwrap()
        };
        assert_eq!(read(&ops.folder()), read(Path::new(SHIPPED)), "{name}");
    }
    insta::assert_snapshot!("pulled_cadence", fs::read_to_string(ops.folder().join(CADENCE)).unwrap());
    let again = ops.run("pull", &["--json"]).json();
    assert_eq!(
        again,
        json!({ "new": [], "updated": [], "overwritten": [], "same": 14, "only_here": [], "not_at_work": {} })
    );
    assert_eq!((ops.run("diff", &[]).code, ops.run("push", &["--json"]).json()["pushed"].clone()), (0, json!([])));

    // Another spelling of the same is the same, and stays as somebody made it.
    ops.edit(CADENCE, |_| {});
    let before = fs::read_to_string(ops.folder().join(CADENCE)).unwrap();
    assert_eq!(ops.run("pull", &[]).code, 0);
    assert_eq!(fs::read_to_string(ops.folder().join(CADENCE)).unwrap(), before);
}

#[test]
fn an_edit_is_diffed_pushed_and_rolled_back() {
    let ops = Ops::start();
    ops.local.post_lead();
    ops.edit(CADENCE, |record| record["steps"][2]["wait"] = json!("40m"));
    ops.edit("message-sms-intro.json", |record| {
        record["text"] = json!("{{ lo_first_name }} {{ lo_last_name }} (NMLS {{ lo_nmls_id }}) of {{ company }} here. Reply STOP to opt out.");
    });
    let mut told = Vec::new();
    let mut tell = |command: &str, ran: Ran| {
        told.push(format!("$ cadence {command} -> {}\n{}{}", ran.code, ran.complained, ran.told));
    };
    tell("diff DIR", ops.run("diff", &[]));
    tell("pull DIR", ops.run("pull", &[]));
    tell("push DIR --dry-run", ops.run("push", &["--dry-run"]));
    assert_eq!(ops.version("zillow-purchase"), 1, "nothing was written");
    tell("push DIR", ops.run("push", &[]));
    tell("push DIR", ops.run("push", &[]));
    tell("list cadence", ops.ask("list", &["cadence"]));
    tell(
        "rollback zillow-purchase --to 1 --dry-run",
        ops.ask("rollback", &["zillow-purchase", "--to", "1", "--dry-run"]),
    );
    tell("rollback zillow-purchase --to 1", ops.ask("rollback", &["zillow-purchase", "--to", "1"]));
    tell("rollback zillow-purchase --to 1", ops.ask("rollback", &["zillow-purchase", "--to", "1"]));
    tell("rollback zillow-purchase --to 7", ops.ask("rollback", &["zillow-purchase", "--to", "7"]));
    tell("show zillow", ops.ask("show", &["zillow"]));
    // The cloud's clock goes on meanwhile.
    let told =
        told.join("\n").replace("2026-12-01 18:00 UTC", "[instant]").replace("2026-12-01 18:01 UTC", "[instant]");
    insta::assert_snapshot!("edited", told);

    let shown = ops.ask("show", &["CADENCE#zillow-purchase", "--json"]).json();
    assert_eq!((&shown["published_version"], &shown["leads"]), (&json!(3), &json!("1 on version 1")));
    let versions: Vec<&Value> = shown["versions"].as_array().unwrap().iter().map(|kept| &kept["version"]).collect();
    assert_eq!(versions, [3, 2, 1]);
    assert!(shown["versions"][0]["published_at"].as_str().unwrap().starts_with("2026-12-01T18:0"), "{shown}");
}

/// Edits a field of the cadence, and its priority, as somebody in the console does.
fn edit_there(ops: &Ops, field: &str, text: &str, priority: &str) {
    let key = json!({ "pk": { "S": "CADENCE#zillow-purchase" }, "sk": { "S": "CURRENT" } });
    let edit = json!({
        "TableName": "config", "Key": key, "UpdateExpression": "SET #f = :f, priority = :p", "ExpressionAttributeNames": { "#f": field },
        "ExpressionAttributeValues": { ":f": { "S": text }, ":p": { "S": priority } },
    });
    ops.local.aws("dynamodb", "DynamoDB_20120810.UpdateItem", "POST", "/", &edit);
}

#[test]
fn what_somebody_has_edited_since_it_was_pulled_is_undone_only_if_that_is_meant() {
    let ops = Ops::start();
    edit_there(&ops, "name", "Theirs", "11");
    ops.local.until("it is published", || ops.version("zillow-purchase") == 2);
    let edit = |name: &str, priority: u32| {
        ops.edit(CADENCE, |record| (record["name"], record["priority"]) = (json!(name), json!(priority)));
    };

    // A file that nobody touched undoes nothing.
    ops.edit("message-script-intro.json", |record| record["text"] = json!("Hello."));
    let pushed = ops.run("push", &[]);
    let left = "CADENCE#zillow-purchase: left as somebody has edited it; `cadence pull` brings the file up to date";
    assert!(pushed.code == 0 && pushed.complained.contains(left), "{}", pushed.complained);
    assert!(pushed.told.contains("1 record written") && ops.version("zillow-purchase") == 2, "{}", pushed.told);

    edit("Mine", 10);
    let diff = ops.run("diff", &[]).told;
    assert!(
        diff.contains("\n  somebody has edited it there since it was pulled, and the file would undo that\n"),
        "{diff}"
    );
    for args in [&[][..], &["--dry-run"]] {
        let refused = ops.run("push", args);
        assert!(refused.code == 1 && refused.told.ends_with("nothing was written\n"), "{}", refused.told);
        assert!(refused.complained.starts_with("What somebody has edited since it was pulled would be undone"));
    }
    let refused = ops.run("push", &["--json"]).json();
    assert_eq!((&refused["diff"]["changed"][0]["edited_since_pulled"], &refused["pushed"]), (&json!(true), &json!([])));
    assert_eq!(ops.version("zillow-purchase"), 2);

    // What they did is in the file as well.
    ops.edit(CADENCE, |record| record["steps"][2]["wait"] = json!("40m"));
    edit("Theirs", 11);
    assert_eq!((ops.run("push", &[]).code, ops.version("zillow-purchase")), (0, json!(3)));
    edit_there(&ops, "name", "Theirs again", "11");
    ops.local.until("it is published", || ops.version("zillow-purchase") == 4);
    edit("Mine", 11);
    assert_eq!((ops.run("push", &["--force"]).code, ops.version("zillow-purchase")), (0, json!(5)));
    edit("Mine again", 11);
    let file = ops.folder().join(CADENCE);
    let pushed = ops.ask("push", &[file.to_str().unwrap()]);
    assert_eq!((pushed.code, ops.version("zillow-purchase")), (0, json!(6)), "{}", pushed.complained);

    // A pull brings up to date what nobody touched here.
    edit_there(&ops, "name", "Theirs", "11");
    ops.local.until("it is published", || ops.version("zillow-purchase") == 7);
    let pulled = ops.run("pull", &[]);
    assert!(
        pulled.code == 0 && pulled.told.contains("updated      DIR/cadence-zillow-purchase.json"),
        "{}",
        pulled.told
    );
    assert_eq!(ops.run("diff", &[]).code, 0);

    fs::write(ops.folder().join(".pulled.json"), "?").unwrap();
    let spoilt = ops.run("push", &[]);
    assert!(spoilt.code == 2 && spoilt.complained.contains("delete it, and pull again"), "{}", spoilt.complained);
    fs::remove_file(ops.folder().join(".pulled.json")).unwrap();
    edit("Mine", 11);
    let pushed = ops.run("push", &[]);
    assert!(
        pushed.code == 0 && pushed.complained.starts_with("note: not pulled from config at"),
        "{}",
        pushed.complained
    );
}

#[test]
fn a_table_is_checked_as_it_stands_and_files_are_listed_and_shown_as_a_table_is() {
    let ops = Ops::start();
    edit_badly(&ops);
    let checked = ops.ask("check", &["--json"]).json();
    assert_eq!((&checked["errors"], checked["records"].as_array().unwrap().len()), (&json!(2), 14), "{checked}");
    let nothing = Ran::of(&["check"], &[]);
    assert!(nothing.code == 2 && nothing.complained.contains("say what to check"), "{}", nothing.complained);

    let folder = ops.folder();
    let files = ["--files", folder.to_str().unwrap()];
    let named = |ran: &Ran| ran.told.replace(folder.to_str().unwrap(), "DIR");
    let listed = Ran::of(&[&["list", "cadence"][..], &files].concat(), &[]);
    let row = "CADENCE#zillow-purchase  live    ok     DIR/cadence-zillow-purchase.json\n";
    assert!(listed.code == 0 && named(&listed).contains(row), "{}{}", listed.told, listed.complained);
    let shown = Ran::of(&[&["show", "zillow-purchase"][..], &files].concat(), &[]);
    let told = named(&shown);
    assert!(
        told.starts_with("CADENCE#zillow-purchase  (DIR/cadence-zillow-purchase.json)\n  check     ok\n  summary   "),
        "{told}"
    );
    let unknown = Ran::of(&[&["show", "zilow-purchase"][..], &files].concat(), &[]);
    assert!(unknown.complained.contains("did you mean CADENCE#zillow-purchase?"), "{}", unknown.complained);
    let both = Ran::of(&[&["list", "--local"][..], &files].concat(), &[]);
    assert!(both.code == 2 && both.complained.contains("cannot be used with"), "{}", both.complained);
}

/// Edits the cadence so that it is refused.
fn edit_badly(ops: &Ops) {
    edit_there(ops, "status", "paused", "high");
    let check = || ops.ask("show", &["zillow-purchase", "--json"]).json()["check"].clone();
    ops.local.until("the edit is refused", || check().as_str().unwrap().starts_with("NOT PUBLISHED"));
}

#[test]
fn what_is_at_work_is_told_and_held_against_while_an_edit_is_refused() {
    let ops = Ops::start();
    let mut at_work = Value::Null;
    ops.edit(CADENCE, |record| at_work = record.clone());
    edit_badly(&ops);
    let listed = ops.ask("list", &["cadence"]).told;
    assert!(
        listed.contains("CADENCE#zillow-purchase  1        live    none   NOT PUBLISHED (2 problems)\n"),
        "{listed}"
    );
    assert_eq!(ops.ask("list", &["cadence", "--json"]).json()[1]["status"], "live");
    let shown = ops.ask("show", &["zillow-purchase"]).told;
    assert!(shown.contains("  status    live, by version 1; the edit below was refused\n"), "{shown}");
    assert!(shown.contains("\"status\": \"paused\""), "the edit is there to be mended: {shown}");
    let shown = ops.ask("show", &["zillow-purchase", "--json"]).json();
    assert_eq!((&shown["status"], &shown["edit_not_at_work"]), (&json!("live"), &json!("refused")));

    let pulled = ops.run("pull", &["--force"]);
    assert_eq!(pulled.complained, "note: CADENCE#zillow-purchase is the edit that stands there, which was refused\n");
    let pulled = ops.run("pull", &["--json"]).json();
    assert_eq!(pulled["not_at_work"], json!({ "CADENCE#zillow-purchase": "refused" }));
    ops.edit(CADENCE, |record| *record = at_work);

    // The files say what is at work.
    let stays = "CADENCE#zillow-purchase\n  nothing becomes different from what is at work\n  it overwrites an edit that was refused\n\n";
    let diff = ops.run("diff", &[]);
    assert_eq!((diff.code, diff.told), (1, format!("{stays}1 changed record, 0 new, 13 the same\n")));
    let back = ops.ask("rollback", &["zillow-purchase", "--to", "1", "--dry-run"]);
    assert!(back.code == 0 && back.told.starts_with(stays), "{}{}", back.told, back.complained);
    ops.edit(CADENCE, |record| record["steps"][2]["wait"] = json!("40m"));
    let told = ops.run("diff", &[]).told;
    assert!(told.contains("\n  step robot-call waits 40m instead of 20m\n  ->") && !told.contains("paused"), "{told}");
    let simulated = ops.ask("simulate", &["zillow-purchase", "--at", "2026-12-01 10:00"]);
    let note = "note: of CADENCE#zillow-purchase, version 1 in config at http://local counts: the edit that stands there is not at work\n";
    assert_eq!((simulated.code, simulated.complained.as_str()), (0, note));

    let back = ops.ask("rollback", &["zillow-purchase", "--to", "1", "--json"]);
    assert_eq!(back.json()["pushed"][0]["check"], "ok: published as version 1", "{}", back.complained);
    ops.edit(CADENCE, |record| record["steps"][2]["wait"] = json!("20m"));
    assert_eq!((ops.run("diff", &[]).code, ops.run("pull", &[]).code), (0, 0));
    ops.edit(CADENCE, |record| record["for_leads"]["source"] = json!(["zillow", "yelp"]));
    assert_eq!(ops.run("push", &[]).code, 0);
    let listed = ops.ask("list", &["cadence"]).told;
    assert!(listed.contains("CADENCE#zillow-purchase  2        live    none   ok, 1 warning\n"), "{listed}");
}

#[test]
fn of_a_record_that_never_was_published_nothing_is_at_work() {
    let ops = Ops::start();
    let item = json!({ "pk": { "S": "CADENCE#draft" }, "sk": { "S": "CURRENT" }, "name": { "S": "Draft" }, "status": { "S": "live" } });
    ops.local.aws(
        "dynamodb",
        "DynamoDB_20120810.PutItem",
        "POST",
        "/",
        &json!({ "TableName": "config", "Item": item }),
    );
    let shown = || ops.ask("show", &["draft"]).told;
    ops.local.until("it is refused", || shown().contains("NOT PUBLISHED"));
    assert!(shown().contains("  status    nothing is at work; the edit below was refused\n"), "{}", shown());
    let listed = ops.ask("list", &["cadence", "--json"]).json();
    assert_eq!((&listed[0]["record"], &listed[0]["status"]), (&json!("CADENCE#draft"), &Value::Null));
}

#[test]
fn a_snippet_comes_and_goes_and_takes_anothers_place_in_one_push() {
    let ops = Ops::start();
    let text =
        "{{ lo_first_name }} {{ lo_last_name }} (NMLS {{ lo_nmls_id }}) of {{ company }} here. Reply STOP to opt out.";
    let pushed = |snippets: Value, used: &str| {
        ops.edit("settings-company.json", |record| record["snippets"] = snippets);
        ops.edit("message-sms-intro.json", |record| record["text"] = json!(format!("{text}{used}")));
        let ran = ops.run("push", &["--json"]);
        assert_eq!(ran.code, 0, "{}{}", ran.told, ran.complained);
        let order: Vec<String> =
            ran.json()["pushed"].as_array().unwrap().iter().map(|one| one["record"].to_string()).collect();
        order.concat()
    };
    let (settings, message) = ("\"SETTINGS#company\"", "\"MESSAGE#sms/intro\"");
    assert_eq!(pushed(json!({ "bye": "Thanks." }), " {{ snippets.bye }}"), format!("{settings}{message}"));
    assert_eq!(pushed(json!({ "ciao": "Thanks." }), " {{ snippets.ciao }}"), format!("{settings}{message}{settings}"));
    assert_eq!(pushed(json!({}), ""), format!("{message}{settings}"));
    assert_eq!(ops.run("diff", &[]).code, 0);
}

#[test]
fn somebody_who_is_away_gets_a_stand_in_as_the_page_for_ops_says() {
    let page = include_str!("../../../../OPERATIONS.md");
    let recipe = page.lines().find(|line| line.starts_with("**Somebody is away.**")).unwrap();
    let list = recipe.split('`').nth(1).unwrap().strip_prefix("\"out_of_office\": ").unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in names(Path::new(SHIPPED)) {
        fs::copy(Path::new(SHIPPED).join(&name), folder.path().join(&name)).unwrap();
    }
    let file = folder.path().join("user-lo-riley.json");
    let mut user: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    user["out_of_office"] = serde_json::from_str(list).unwrap();
    user["time_zone"] = json!("America/Los_Angeles");
    fs::write(&file, user.to_string()).unwrap();
    let ran = Ran::of(&["check", folder.path().to_str().unwrap(), "--strict"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.told);
}

#[test]
fn pull_takes_the_table_s_word_if_it_is_told_to() {
    let ops = Ops::start();
    ops.edit(CADENCE, |record| record["name"] = json!("Mine"));
    fs::rename(ops.folder().join("user-lo-riley.json"), ops.folder().join("riley.json")).unwrap();
    let refused = ops.run("pull", &[]);
    assert_eq!((refused.code, refused.told.as_str()), (1, ""));
    assert!(refused.complained.contains("DIR/cadence-zillow-purchase.json") && refused.complained.contains("--force"));
    assert!(
        refused.complained.contains("`cadence diff DIR --endpoint-url http://local` shows"),
        "{}",
        refused.complained
    );
    let forced = ops.run("pull", &["--force", "--json"]).json();
    assert_eq!((&forced["overwritten"], &forced["new"]), (&json!(["DIR/cadence-zillow-purchase.json"]), &json!([])));
    assert!(!ops.folder().join("user-lo-riley.json").exists(), "a record stays in the file that it has");
    assert_eq!(ops.run("diff", &[]).code, 0);
}

#[test]
fn what_would_be_refused_is_not_written() {
    let ops = Ops::start();
    ops.edit(CADENCE, |record| {
        record["steps"][2]["wait"] = json!("soon");
        record["steps"][1]["message"] = json!("sms/intr");
    });
    let broken = ops.run("push", &[]);
    assert_eq!(broken.code, 1);
    for word in ["CADENCE#zillow-purchase", "steps[2].wait", "error", "1 changed record", "nothing was written"] {
        assert!(broken.told.contains(word), "{word}: {}", broken.told);
    }
    assert_eq!(ops.version("zillow-purchase"), 1);
    assert_eq!(ops.ask("show", &["zillow-purchase", "--json"]).json()["check"], "ok: published as version 1");
    let diff = ops.run("diff", &[]);
    assert!(diff.code == 1 && diff.told.contains("steps[2].wait"), "{}", diff.told);
    let refused = "1 changed record, 0 new, 13 the same; a push would be refused, and write nothing\n";
    assert!(diff.told.ends_with(refused), "{}", diff.told);
    assert!(ops.run("diff", &["--json"]).json()["check"]["errors"].as_u64().unwrap() > 0);
}

#[test]
fn a_message_is_refused_in_a_kind_that_a_cadence_can_not_use_wherever_it_is_looked_at() {
    let ops = Ops::start();
    ops.edit("message-sms-intro.json", |record| {
        let body = "{{ lo_first_name }} (NMLS {{ lo_nmls_id }})\n{{ postal_address }}\n{{ unsubscribe_url }}";
        *record = json!({ "pk": record["pk"], "sk": "CURRENT", "subject": "Hi", "body": body });
    });
    let folder = ops.folder();
    let file = folder.join("message-sms-intro.json");
    let (folder, file) = (folder.to_str().unwrap(), file.to_str().unwrap());
    for ran in [
        Ran::of(&["check", folder], &[]),
        Ran::of(&["check", file], &[]),
        ops.ask("push", &[file]),
        ops.ask("push", &[folder]),
        ops.ask("diff", &[file]),
    ] {
        let uses = "the step \"intro-text\" of the cadence \"zillow-purchase\" uses it and sends a text.\n";
        assert!(ran.code == 1 && ran.told.contains(uses), "{}{}", ran.told, ran.complained);
    }
    assert_eq!(ops.version("sms/intro"), 1);
}

#[test]
fn new_records_are_written_before_those_that_refer_to_them() {
    let ops = Ops::start();
    let text =
        "{{ lo_first_name }} {{ lo_last_name }} (NMLS {{ lo_nmls_id }}) of {{ company }} here. Reply STOP to opt out.";
    let cadence = |id: &str, to: &str| {
        json!({ "pk": format!("CADENCE#{id}"), "sk": "CURRENT", "name": id, "status": "live", "priority": 1, "for_leads": { "source": ["plain"] },
            "anytime": { "replied": { "cadence": to } },
            "steps": [{ "id": "a", "do": "canned_sms", "wait": "0m", "message": "sms/spring" }] })
    };
    let all = [
        cadence("april", "may"),
        cadence("may", "new-lead"),
        json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "text": text }),
    ];
    let file = ops.data.path().join("spring.json");
    fs::write(&file, Value::from(all.to_vec()).to_string()).unwrap();
    let pushed = ops.ask("push", &[file.to_str().unwrap(), "--json"]);
    assert_eq!(pushed.code, 0, "{}{}", pushed.told, pushed.complained);
    let pushed = pushed.json()["pushed"].clone();
    let order: Vec<&Value> = pushed.as_array().unwrap().iter().map(|record| &record["record"]).collect();
    assert_eq!(order, ["MESSAGE#sms/spring", "CADENCE#may", "CADENCE#april"]);
    assert!(pushed.as_array().unwrap().iter().all(|record| record["is_published"] == true), "{pushed}");
    assert!(pushed[2]["summary"].as_str().unwrap().contains("moves to may on replied"), "{pushed}");

    // Of two that lead to each other neither can be first.
    fs::write(&file, json!([cadence("june", "july"), cadence("july", "june")]).to_string()).unwrap();
    let ran = ops.ask("push", &[file.to_str().unwrap()]);
    assert!(
        ran.code == 1 && ran.told.ends_with("0 changed records, 2 new, 0 the same; nothing was written\n"),
        "{}",
        ran.told
    );
    assert!(
        ran.complained.contains("  CADENCE#july: anytime.replied: There is no cadence \"june\"."),
        "{}",
        ran.complained
    );
    assert_eq!(ops.ask("show", &["cadence/july"]).code, 2);
}

#[test]
fn files_are_checked_without_a_table() {
    let ran = Ran::of(&["check", SHIPPED, "--strict"], &[]);
    assert_eq!((ran.code, ran.told.as_str()), (0, "14 records: 0 errors, 0 warnings\n"), "{}", ran.complained);
    // One file, with what lies beside it.
    assert_eq!(Ran::of(&["check", &format!("{SHIPPED}/{CADENCE}")], &[]).told, "1 record: 0 errors, 0 warnings\n");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spring.json");
    let record = json!({ "pk": "CADENCE#spring", "name": "Spring", "status": "live", "for_leads": {}, "steps": [
        { "id": "a", "do": "canned_sms", "wait": "soon", "message": "sms/intro" }] });
    fs::write(&file, record.to_string()).unwrap();
    let ran = Ran::of(&["check", file.to_str().unwrap()], &[]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!("checked", ran.told.replace(folder.path().to_str().unwrap(), "DIR"));
    let findings = Ran::of(&["check", file.to_str().unwrap(), "--json"], &[]).json();
    assert_eq!(
        (&findings["errors"], &findings["records"][0]["findings"][0]["path"]),
        (&json!(2), &json!("steps[0].wait"))
    );

    fs::write(&file, record.to_string().replace("soon", "0m")).unwrap();
    let ran = Ran::of(&["check", file.to_str().unwrap()], &[]);
    assert!(ran.code == 1 && ran.told.contains("no message"), "nothing lies beside it: {}", ran.told);
    fs::write(&file, "{").unwrap();
    fs::write(folder.path().join("notes.json"), "{\"todo\": 1}").unwrap();
    fs::write(folder.path().join("sound.json"), r#"{"pk": "SOURCE#plain", "format": "plain"}"#).unwrap();
    let ran = Ran::of(&["check", folder.path().to_str().unwrap()], &[]);
    assert_eq!(ran.code, 1, "{}", ran.complained);
    insta::assert_snapshot!("checked_with_what_is_no_record", ran.told.replace(folder.path().to_str().unwrap(), "DIR"));
    let findings = Ran::of(&["check", folder.path().to_str().unwrap(), "--json"], &[]).json();
    assert_eq!((&findings["errors"], &findings["records"][1]["record"]), (&json!(2), &Value::Null), "{findings}");
    let alone = Ran::of(&["check", folder.path().join("sound.json").to_str().unwrap()], &[]);
    assert!(
        alone.code == 0 && alone.complained.contains("left out") && alone.complained.contains("spring.json"),
        "{}",
        alone.complained
    );
}

#[test]
fn a_file_is_checked_against_a_table() {
    let ops = Ops::start();
    let file = ops.data.path().join("spring.json");
    let record = json!({ "pk": "CADENCE#spring", "name": "Spring", "status": "live", "for_leads": {}, "steps": [
        { "id": "a", "do": "canned_sms", "wait": "0m", "message": "sms/intro" }] });
    fs::write(&file, record.to_string()).unwrap();
    assert_eq!(Ran::of(&["check", file.to_str().unwrap()], &[]).code, 1, "the message is in the table");
    let checked = ops.ask("check", &[file.to_str().unwrap()]);
    assert_eq!(checked.code, 0, "{}", checked.told);
}

#[test]
fn what_was_deleted_from_a_table_is_missing_for_a_file_that_names_it() {
    let ops = Ops::start();
    let text =
        "{{ lo_first_name }} {{ lo_last_name }} (NMLS {{ lo_nmls_id }}) of {{ company }}. Reply STOP to opt out.";
    let message = json!({ "pk": "MESSAGE#sms/spring", "sk": "CURRENT", "text": text });
    fs::write(ops.folder().join("message-sms-spring.json"), message.to_string()).unwrap();
    assert_eq!(ops.run("push", &[]).code, 0);
    fs::remove_file(ops.folder().join("message-sms-spring.json")).unwrap();
    ops.edit(CADENCE, |record| record["steps"][1]["message"] = json!("sms/spring"));
    assert_eq!(ops.run("push", &["--dry-run"]).code, 0);

    let key = json!({ "pk": { "S": "MESSAGE#sms/spring" }, "sk": { "S": "CURRENT" } });
    let delete = json!({ "TableName": "config", "Key": key });
    ops.local.aws("dynamodb", "DynamoDB_20120810.DeleteItem", "POST", "/", &delete);
    for command in ["check", "push"] {
        let ran = ops.run(command, &[]);
        assert_eq!(ran.code, 1, "{command}");
        assert!(ran.told.contains("There is no message \"sms/spring\"."), "{command}: {}", ran.told);
    }
    assert_eq!(ops.version("zillow-purchase"), 1);
    assert_eq!(ops.ask("list", &["--deleted"]).told.lines().next(), Some("MESSAGE#sms/spring"));
}

#[test]
fn what_is_in_a_table_is_simulated_and_a_file_over_it() {
    let ops = Ops::start();
    let ran = ops.ask("simulate", &["zillow-purchase", "--at", "2026-12-01 10:00"]);
    assert!(
        ran.code == 0 && ran.told.contains("intro-text") && ran.told.contains("ENDED"),
        "{}{}",
        ran.told,
        ran.complained
    );

    let file = ops.data.path().join("spring.json");
    let record = json!({ "pk": "CADENCE#spring", "name": "Spring", "status": "live", "for_leads": {}, "steps": [
        { "id": "hello", "do": "canned_email", "wait": "5m", "message": "email/intro" }] });
    fs::write(&file, record.to_string()).unwrap();
    let ran = ops.ask("simulate", &[file.to_str().unwrap(), "--at", "2026-12-01 10:00"]);
    assert!(
        ran.code == 0 && ran.told.contains("10:05:00") && ran.told.contains("hello"),
        "{}{}",
        ran.told,
        ran.complained
    );
    let ran = ops.ask("simulate", &["no-such-cadence"]);
    assert!(ran.code == 2 && ran.complained.contains("there is no cadence no-such-cadence"), "{}", ran.complained);
}

#[test]
fn a_status_that_got_lost_sets_nothing_live_and_a_version_without_one_can_come_back() {
    let ops = Ops::start();
    let push = |edit: &dyn Fn(&mut Value)| {
        ops.edit(CADENCE, edit);
        ops.run("push", &["--json"])
    };
    let silent = |cadence: &mut Value| drop(cadence.as_object_mut().unwrap().remove("status"));
    let renamed = push(&|cadence| {
        silent(cadence);
        cadence["name"] = json!("Spring");
    });
    assert_eq!(renamed.code, 0, "{}", renamed.told);
    assert_eq!(push(&|cadence| cadence["status"] = json!("paused")).code, 0);
    let refused = push(&silent);
    assert_eq!((refused.code, ops.version("zillow-purchase")), (1, json!(3)), "{}", refused.told);
    assert!(refused.told.contains("though the cadence is paused"), "{}", refused.told);
    let back = ops.ask("rollback", &["zillow-purchase", "--to", "2", "--json"]);
    assert_eq!((back.code, ops.version("zillow-purchase")), (0, json!(4)), "{}", back.told);
}

#[test]
fn editors_are_told_of_fields() {
    let cadence = Ran::of(&["schema", "cadence"], &[]).json();
    assert!(cadence["properties"]["steps"].is_object(), "{cadence}");
    let all = Ran::of(&["schema"], &[]).json();
    assert_eq!((all["cadence"].clone(), all.as_object().unwrap().len()), (cadence, 5));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let settings = Ran::of(&["schema", "--into", path], &[]).json();
    let first = &settings["json.schemas"][0];
    assert_eq!(first["fileMatch"], json!(["cadence-*.json"]));
    assert_eq!(first["url"], json!(format!("file://{path}/cadence.schema.json")));
    assert_eq!(names(folder.path()).len(), 5);
    assert_eq!(Ran::of(&["schema", "cadnce"], &[]).code, 2);
}

#[test]
fn every_command_says_how_it_is_used() {
    for command in ["check", "simulate", "list", "show", "pull", "diff", "push", "rollback", "schema"] {
        let help = Ran::of(&[command, "--help"], &[]);
        assert_eq!(help.code, 0);
        assert!(help.told.contains(&format!("cadence {command} ")) && help.told.contains("Examples:"), "{}", help.told);
    }
}
