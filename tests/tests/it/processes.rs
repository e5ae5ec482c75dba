//! Functions in processes of their own, as Lambda runs them.

use std::{path::Path, time::Duration};

use cadence_boot::Env;
use cadence_tests::{
    Tested,
    local::{
        Cloud, Options, Pace,
        function::{Function, FunctionError},
        processes::{Processes, ProcessesError},
    },
    tuesday_morning,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// A cloud whose minute is a second.
fn cloud() -> Tested<Cloud> {
    Ok(Cloud::open(Options {
        endpoint: "http://127.0.0.1:7878".to_owned(),
        start: tuesday_morning(),
        pace: Pace::Times(60.0),
        data: None,
        faults: None,
    })?)
}

/// The function that does as its event says, and the processes that it runs in.
fn oddity(cloud: &Cloud, timeout: Duration, variables: Env) -> Tested<(Processes, Function)> {
    let binary = Path::new(env!("CARGO_BIN_EXE_oddity"));
    let processes = Processes::in_folder(binary.parent().ok_or("the binary lies nowhere")?);
    let variables = Box::new(move |_: &_| variables.clone());
    let function = processes.function(cloud, "oddity", timeout, variables)?;
    Ok((processes, function))
}

async fn invoke(function: &Function, cloud: &Cloud, event: &str) -> Result<Value, FunctionError> {
    function.invoke(json!(event), format!("request-{event}"), cloud.now()).await
}

async fn failure(function: &Function, cloud: &Cloud, event: &str) -> Tested<FunctionError> {
    match invoke(function, cloud, event).await {
        Ok(answer) => Err(format!("{event}: it answered {answer}").into()),
        Err(failure) => Ok(failure),
    }
}

#[tokio::test]
async fn a_process_gets_its_event_its_deadline_its_variables_and_the_clouds_time() -> Tested {
    let cloud = cloud()?;
    let (_, function) = oddity(&cloud, Duration::from_secs(600), Env::of([("LEADS_TABLE", "leads")]))?;
    let before = cloud.now();
    let answer = invoke(&function, &cloud, "hello").await?;
    let after = cloud.now();
    assert_eq!((&answer["event"], &answer["request_id"]), (&json!("hello"), &json!("request-hello")));

    let now: DateTime<Utc> = serde_json::from_value(answer["now"].clone())?;
    let slack = TimeDelta::seconds(6);
    assert!(before - slack <= now && now <= after + slack, "{before} <= {now} <= {after}");
    let deadline = DateTime::from_timestamp_millis(answer["deadline"].as_i64().unwrap_or(0)).unwrap_or_default();
    let limit = TimeDelta::seconds(600);
    assert!(before + limit <= deadline && deadline <= after + limit, "{deadline}");

    let variables: Vec<String> = serde_json::from_value(answer["variables"].clone())?;
    let of_deployment = |name: &&String| !name.starts_with("AWS_") && !name.starts_with("LAMBDA_");
    assert_eq!(variables.iter().filter(of_deployment).collect::<Vec<_>>(), ["LEADS_TABLE", "LOCAL_CLOCK", "TZ"]);
    Ok(())
}

#[tokio::test]
async fn a_failure_is_the_functions_own_and_its_process_goes_on() -> Tested {
    let cloud = cloud()?;
    let (processes, function) = oddity(&cloud, Duration::from_secs(600), Env::default())?;
    let first = invoke(&function, &cloud, "hello").await?["process"].clone();
    let failed = failure(&function, &cloud, "fail").await?;
    assert_eq!((failed.error_type.as_str(), failed.message.as_str()), ("Permanent", "as it was told"));
    let panicked = failure(&function, &cloud, "panic").await?;
    assert!(panicked.message.contains("as it was told"), "{panicked}");
    assert_eq!(invoke(&function, &cloud, "hello").await?["process"], first);
    let running = processes.running();
    assert_eq!(running.iter().map(|process| json!(process.pid)).collect::<Vec<_>>(), [first]);
    Ok(())
}

#[tokio::test]
async fn an_invocation_whose_process_ends_has_failed_and_the_next_one_gets_another() -> Tested {
    let cloud = cloud()?;
    let (_, function) = oddity(&cloud, Duration::from_secs(600), Env::default())?;
    let first = invoke(&function, &cloud, "hello").await?["process"].clone();
    let ended = failure(&function, &cloud, "end").await?;
    assert_eq!(ended.error_type, "Runtime.ExitError");
    assert!(ended.message.contains("request-end") && ended.message.contains("exit status: 3"), "{ended}");
    assert_ne!(invoke(&function, &cloud, "hello").await?["process"], first);
    Ok(())
}

#[tokio::test]
async fn an_invocation_that_takes_too_long_is_killed_by_the_clouds_clock() -> Tested {
    let cloud = cloud()?;
    let (processes, function) = oddity(&cloud, Duration::from_secs(60), Env::default())?;
    let before = cloud.now();
    let killed = failure(&function, &cloud, "hang").await?;
    assert_eq!(killed.error_type, "Sandbox.Timedout");
    assert!(cloud.now() - before >= TimeDelta::seconds(60), "its time was cut short");
    assert_eq!(processes.running(), []);
    Ok(())
}

#[tokio::test]
async fn invocations_at_the_same_time_have_a_process_each() -> Tested {
    let cloud = cloud()?;
    let (processes, function) = oddity(&cloud, Duration::from_secs(600), Env::default())?;
    let (one, other) = tokio::join!(invoke(&function, &cloud, "one"), invoke(&function, &cloud, "other"));
    assert_ne!(one?["process"], other?["process"]);
    assert_eq!(processes.running().len(), 2);
    processes.stop();
    assert_eq!(processes.running(), []);
    Ok(())
}

#[tokio::test]
async fn a_process_that_does_not_start_fails_its_invocation() -> Tested {
    let cloud = cloud()?;
    let (_, function) = oddity(&cloud, Duration::from_secs(600), Env::of([("ODDITY", "does not start")]))?;
    let failed = failure(&function, &cloud, "hello").await?;
    assert_eq!(failed.error_type, "Runtime.ExitError");
    assert!(failed.message.contains("exit status: 1"), "{failed}");
    Ok(())
}

#[tokio::test]
async fn a_binary_that_is_not_there_is_named_with_how_to_build_it() -> Tested {
    let cloud = cloud()?;
    let folder = tempfile::tempdir()?;
    let missing = Processes::in_folder(folder.path()).function(
        &cloud,
        "sms",
        Duration::from_secs(60),
        Box::new(|_: &_| Env::default()),
    );
    let Err(ProcessesError::Missing { .. }) = &missing else { return Err("it was found".into()) };
    let told = missing.err().map(|error| error.to_string()).unwrap_or_default();
    for part in [&folder.path().display().to_string(), "sms/bootstrap", "cargo build --workspace --bins"] {
        assert!(told.contains(part), "{told}");
    }
    Ok(())
}
