//! What a person looks at: the outbox and the leads' timelines, as plain text or, where it is asked for, as JSON.

use std::fmt::Write;

use bytes::Bytes;
use cadence_core::{
    LeadId,
    lead::Lead,
    time::{Zone, local_text},
};
use cadence_store::{Store, StoreError};
use http::{Request, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::{
    cloud::{Cloud, CloudError},
    deployment::{CONFIG, LEADS, sdk_config},
    processes::Process,
    services::outbox::Sent,
    words::{standing::standing, words},
};

/// Why a page can't be shown.
#[derive(Debug, thiserror::Error)]
enum PageError {
    #[error("the local cloud failed")]
    Cloud(#[from] CloudError),
    #[error("the tables could not be read")]
    Store(#[from] StoreError),
    #[error("the page could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// The page at `/_local...`; `None` for any other path.
pub(crate) async fn answer(cloud: &Cloud, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let path = request.uri().path().strip_prefix("/_local")?;
    let wants_json = request.uri().query().is_some_and(|query| query.contains("json"))
        || request.headers().get("accept").is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    let shown = match path.trim_matches('/').split('/').collect::<Vec<_>>().as_slice() {
        [""] if wants_json => json_page(&json!({ "now": cloud.now() })).map(Some),
        [""] => Ok(Some(plain(index(cloud)))),
        ["functions"] => functions(cloud, wants_json).map(Some),
        ["outbox"] => outbox(cloud, wants_json).map(Some),
        ["leads"] => leads(cloud, wants_json).await.map(Some),
        ["leads", id] => timeline(cloud, &LeadId::new(*id), wants_json).await,
        _ => Ok(None),
    };
    Some(shown.map(|page| page.unwrap_or_else(not_found)).unwrap_or_else(|error| {
        tracing::error!(error = %cadence_boot::diagnostic::chain(&error), "could not show a page");
        built(
            StatusCode::INTERNAL_SERVER_ERROR,
            "text/plain; charset=utf-8",
            "That could not be shown; the log says why.\n".to_owned(),
        )
    }))
}

fn index(cloud: &Cloud) -> String {
    let at = &cloud.account().endpoint;
    let zone = Zone::utc();
    format!(
        "Cadence, on this machine. The clock says {}.\n\n  {at}/_local/leads         every lead\n  {at}/_local/leads/<id>    what happened to a lead\n  \
         {at}/_local/outbox        everything that was sent\n  {at}/_local/functions     the functions' processes\n\nAdd ?json for JSON.\n",
        local_text(cloud.now(), &zone)
    )
}

fn outbox(cloud: &Cloud, wants_json: bool) -> Result<Response<Bytes>, PageError> {
    let sent = cloud.outbox(0)?;
    if wants_json {
        return json_page(&json!({ "outbox": sent }));
    }
    let mut page = String::new();
    for Sent { at, kind, from, to, subject, text, .. } in &sent {
        let _ = writeln!(page, "{}  {kind}  {from} -> {to}", local_text(*at, &Zone::utc()));
        let subject = subject.iter().map(|subject| format!("Subject: {subject}\n\n")).collect::<String>();
        let _ = writeln!(page, "{}\n", indented(&format!("{subject}{text}")));
    }
    if sent.is_empty() {
        page.push_str("Nothing was sent yet.\n");
    }
    Ok(plain(page))
}

fn functions(cloud: &Cloud, wants_json: bool) -> Result<Response<Bytes>, PageError> {
    let processes = cloud.processes();
    if wants_json {
        return json_page(&json!({ "functions": processes }));
    }
    let mut page = String::new();
    for Process { function, pid, request_id } in &processes {
        let at = request_id.as_ref().map_or("waits".to_owned(), |id| format!("is at {id}"));
        let _ = writeln!(page, "{function}  process {pid}  {at}");
    }
    if processes.is_empty() {
        page.push_str("No function has a process of its own: they run in the cloud's, or none was needed yet.\n");
    }
    Ok(plain(page))
}

async fn leads(cloud: &Cloud, wants_json: bool) -> Result<Response<Bytes>, PageError> {
    let leads = store(cloud).load_leads().await?;
    if wants_json {
        return json_page(
            &json!({ "leads": leads.iter().map(|(lead, name)| json!({ "id": lead.id, "name": name })).collect::<Vec<_>>() }),
        );
    }
    let mut page = String::new();
    for (lead, name) in &leads {
        let _ = writeln!(page, "{}/_local/leads/{}  {name}", cloud.account().endpoint, lead.id);
    }
    if leads.is_empty() {
        page.push_str("No lead came in yet.\n");
    }
    Ok(plain(page))
}

async fn timeline(cloud: &Cloud, id: &LeadId, wants_json: bool) -> Result<Option<Response<Bytes>>, PageError> {
    let store = store(cloud);
    let Some(known) = store.load_lead(id).await? else { return Ok(None) };
    let entries = store.load_timeline(id).await?;
    if wants_json {
        return json_page(&json!({ "lead": id, "timeline": entries })).map(Some);
    }
    let zone = zone_of(&known.lead);
    let mut page = format!("{}, in the lead's time ({zone})\n\n", known.facts.full_name());
    for entry in &entries {
        let _ = writeln!(page, "{}", words(entry, &zone));
    }
    for enrollment in &known.enrollments {
        let context = store.load_step(id, &enrollment.id).await?;
        let _ = writeln!(page, "\n{}", standing(&context, &zone, cloud.now()).join("\n"));
    }
    Ok(Some(plain(page)))
}

fn zone_of(lead: &Lead) -> Zone {
    lead.zones.as_ref().map_or_else(Zone::utc, |zones| zones.first().clone())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn store(cloud: &Cloud) -> Store {
    Store::new(&sdk_config(cloud), LEADS, CONFIG)
}

fn plain(page: String) -> Response<Bytes> {
    built(StatusCode::OK, "text/plain; charset=utf-8", page)
}

fn json_page(value: &impl Serialize) -> Result<Response<Bytes>, PageError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(built(StatusCode::OK, "application/json", text))
}

fn not_found() -> Response<Bytes> {
    built(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "There is no such page. /_local lists them.\n".to_owned())
}

fn built(status: StatusCode, content_type: &str, body: String) -> Response<Bytes> {
    let response = Response::builder().status(status).header("content-type", content_type);
    response.body(Bytes::from(body)).unwrap_or_default()
}
