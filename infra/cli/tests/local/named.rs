//! Records as they are named on the command line, and those that are gone.

use serde_json::{Value, json};

use crate::ops::{CADENCE, Ops};

#[test]
fn a_record_that_was_deleted_is_there_again() {
    let ops = Ops::start();
    ops.edit(CADENCE, |record| record["status"] = json!("archived"));
    assert_eq!(ops.run("push", &[]).code, 0);
    ops.local.delete_record("CADENCE#zillow-purchase");
    let shown = ops.ask("show", &["zillow-purchase"]);
    assert_eq!(shown.code, 2, "what is archived can be deleted");
    for words in
        ["CADENCE#zillow-purchase was deleted", "`cadence rollback CADENCE#zillow-purchase --to 2 --endpoint-url"]
    {
        assert!(shown.complained.contains(words), "{}", shown.complained);
    }
    let misspelt = ops.ask("show", &["zillow-purchas"]);
    assert!(misspelt.complained.contains("did you mean CADENCE#zillow-purchase?"), "{}", misspelt.complained);
    let listed = ops.ask("list", &["cadence", "--deleted"]);
    assert!(listed.told.starts_with("CADENCE#zillow-purchase\n1 deleted record in config"), "{}", listed.told);
    assert!(ops.ask("list", &["user", "--deleted"]).told.starts_with("0 deleted records"));
    assert!(ops.ask("show", &["zillow-purchase", "--version", "1"]).told.contains("\"status\": \"live\""));
    let ran = ops.ask("rollback", &["zillow-purchase", "--to", "1", "--json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.told, ran.complained);
    assert_eq!(ran.json()["pushed"][0]["check"], "ok: published as version 3");
    assert_eq!(ops.ask("list", &["--deleted", "--json"]).json(), json!([]));
}

#[test]
fn a_name_that_is_none_or_several_s_is_told_so() {
    let ops = Ops::start();
    for (name, words) in [
        ("zilow", "there is no record zilow: did you mean SOURCE#zillow?"),
        ("cadence/zillow-purchas", "at http://local: did you mean CADENCE#zillow-purchase?"),
        ("intro", "MESSAGE#email/intro"),
        ("source/zilow", "there is no record SOURCE#zilow in config at http://local"),
    ] {
        let ran = ops.ask("show", &[name]);
        assert!(ran.code == 2 && ran.complained.contains(words), "{}", ran.complained);
    }
    for (command, args) in
        [("rollback", ["cadence/zillow-purchas", "--to", "1"]), ("simulate", ["zillow-purchas", "--draw", "1"])]
    {
        let told = ops.ask(command, &args).complained;
        assert!(told.contains("did you mean") && told.contains("zillow-purchase?"), "{told}");
    }
    ops.edit(CADENCE, |record| record["pk"] = json!("CADENSE#zillow-purchase"));
    let told = ops.run("diff", &[]).complained;
    assert!(
        told.contains("CADENSE#zillow-purchase, which is the key of no kind of record: did you mean CADENCE?"),
        "{told}"
    );
    assert!(
        ops.ask("show", &["source/zillow"]).told.starts_with("SOURCE#zillow\n  check     ok: published as version 1\n")
    );
    let first = ops.ask("show", &["sms/intro", "--version", "1"]).told;
    assert_eq!(serde_json::from_str::<Value>(&first).unwrap()["pk"], "MESSAGE#sms/intro");
}
