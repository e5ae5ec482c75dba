//! The unsubscribe link of every email. Only a POST unsubscribes: scanners follow links with GET.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use cadence_boot::diagnostic::chain;
use cadence_core::{LeadId, lead::OptOut};

use crate::App;

const ASK: &str = "<p>Stop emails from us?</p><form method=\"post\"><button>Unsubscribe</button></form>";
const DONE: &str = "<p>You are unsubscribed. We will send you no more emails.</p>";
const UNKNOWN: &str = "<p>This link is not complete. Please copy all of it from the email.</p>";
const FAILED: &str = "<p>That did not work just now. Please try again in a minute.</p>";

/// The path's last part; none where it is no text, which is no link of ours either.
type Token = Result<Path<String>, PathRejection>;

/// Asks; changes nothing.
pub(crate) async fn page(State(app): State<App>, token: Token) -> Response {
    match unsubscribing(&app, token) {
        Some(_) => show(StatusCode::OK, ASK),
        None => show(StatusCode::NOT_FOUND, UNKNOWN),
    }
}

/// Unsubscribes, from the page's button or from a mail program's one click (RFC 8058).
pub(crate) async fn confirm(State(app): State<App>, token: Token) -> Response {
    let Some(lead) = unsubscribing(&app, token) else {
        return show(StatusCode::NOT_FOUND, UNKNOWN);
    };
    match app.store.opt_out(&lead, OptOut::Email, app.clock.now()).await {
        // An erased lead, of whom nothing is there to close, gets no more emails either.
        Ok(_) => {
            tracing::info!(lead.id = %lead, "unsubscribed lead");
            show(StatusCode::OK, DONE)
        }
        Err(error) => {
            tracing::error!(lead.id = %lead, error.message = chain(&error), "could not unsubscribe lead");
            show(StatusCode::SERVICE_UNAVAILABLE, FAILED)
        }
    }
}

fn unsubscribing(app: &App, token: Token) -> Option<LeadId> {
    app.links.unsubscribing(&token.ok()?)
}

fn show(status: StatusCode, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Unsubscribe</title><style>body{{font:18px/1.5 system-ui;max-width:30em;margin:4em auto;padding:0 1em}}\
         button{{font:inherit;padding:.5em 1em}}</style>{body}</html>"
    );
    (status, Html(page)).into_response()
}
