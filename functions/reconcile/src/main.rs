//! The `reconcile` Lambda.

use cadence_boot::{Boot, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let app = reconcile::App::start(&Boot::of_process().await?).await?;
    run(app, reconcile::on_event).await
}
