//! The `schedule` Lambda.

use cadence_boot::{Boot, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = schedule::App::start(&Boot::of_process().await?).await?;
    run(app, schedule::on_event).await
}
