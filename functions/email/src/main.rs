//! The `email` Lambda.

use cadence_boot::{Boot, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = email::App::start(&Boot::of_process().await?).await?;
    run(app, email::on_event).await
}
