//! A function that does as its event says, for tests of how processes are run: it answers, fails, panics, hangs or ends.

#![expect(clippy::panic, reason = "that is one of the things that it is told to do")]

use cadence_boot::{Boot, run};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::of_process().await?;
    if boot.env.optional("ODDITY").as_deref() == Some("does not start") {
        return Err("it was told not to start".into());
    }
    run(boot, on_event).await
}

async fn on_event(boot: &Boot, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
    match event.payload.as_str().unwrap_or_default() {
        "fail" => Err(Diagnostic { error_type: "Permanent".to_owned(), error_message: "as it was told".to_owned() }),
        "panic" => panic!("as it was told"),
        "hang" => std::future::pending().await,
        "end" => std::process::exit(3),
        _ => Ok(json!({
            "event": event.payload, "request_id": event.context.request_id, "deadline": event.context.deadline,
            "process": std::process::id(), "now": boot.clock.now(), "variables": boot.env.variables().map(|(name, _)| name).collect::<Vec<_>>(),
        })),
    }
}
