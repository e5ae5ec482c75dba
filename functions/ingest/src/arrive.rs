//! One webhook, from bytes to a lead.

use axum::http::HeaderMap;
use cadence_core::{
    arrival::{self, Addresses, Known, Read, Webhook},
    intake,
    records::Source,
    sources::{self, Inbound},
};
use cadence_store::{Committed, Quarantined, StoreError};

use crate::{App, BODY_LIMIT, Refusal, text};

/// How often a webhook is decided again when another one for the same person is written first.
const ROUNDS: u32 = 8;

/// Makes a lead of the body, or keeps what can't be used.
pub(crate) async fn take(
    app: &App,
    source: &Source,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(Webhook, Source), Refusal> {
    if body.len() > BODY_LIMIT {
        return Err(Refusal::TooLarge);
    }
    let (content_type, own_key) = (text(headers, "content-type"), text(headers, "idempotency-key"));
    let inbound = match sources::parse(&source.format, content_type, body) {
        Ok(inbound) => inbound.that_came_at(text(headers, sources::CAME_AT_HEADER), app.clock.now()),
        Err(problems) => {
            let kept = Quarantined {
                source: source.id.to_string(),
                at: app.clock.now(),
                problems: problems.iter().map(ToString::to_string).collect(),
                body: kept(body),
                content_type: content_type.map(str::to_owned),
                idempotency_key: own_key.map(str::to_owned),
                dismissed: None,
            };
            app.store.quarantine(&kept).await.map_err(Refusal::Store)?;
            tracing::warn!(source = %source.id, problems = problems.len(), "quarantined webhook");
            return Err(Refusal::Unusable(problems));
        }
    };
    let key = intake::idempotency_key(&source.id, &inbound, own_key, body);
    let read = Read { source, inbound: &inbound, key: &key };
    for _ in 0..ROUNDS {
        if let Some(webhook) = once(app, read).await? {
            return Ok((webhook, source.clone()));
        }
    }
    Err(Refusal::Busy)
}

/// Loads, decides, writes; `None` if another webhook for the same person was written meanwhile.
async fn once(app: &App, read: Read<'_>) -> Result<Option<Webhook>, Refusal> {
    let now = app.clock.now();
    let (repeated, addresses, catalogue) = tokio::try_join!(
        app.store.load_webhook(&read.key.text, now),
        load_addresses(app, read.inbound),
        app.store.load_catalogue(),
    )
    .map_err(Refusal::Store)?;
    if let Some(webhook) = repeated {
        tracing::info!(lead.id = %webhook.lead, source = %read.source.id, "repeated webhook");
        return Ok(Some(webhook));
    }
    let known = load_known(app, &addresses).await?;

    let arrival = arrival::arrive(read, known.as_ref(), &addresses, &catalogue, now);

    match app.store.enroll(&arrival).await.map_err(Refusal::Store)? {
        Committed::Yes => {
            let enrollment = arrival.webhook.enrollment.as_ref().map(ToString::to_string);
            tracing::info!(lead.id = %arrival.webhook.lead, enrollment.id = enrollment, status = ?arrival.webhook.status, "took lead");
            Ok(Some(arrival.webhook))
        }
        Committed::Stale => Ok(None),
    }
}

async fn load_addresses(app: &App, inbound: &Inbound) -> Result<Addresses, StoreError> {
    let load = async |address: Option<&String>| match address {
        Some(address) => {
            let hash = intake::address_hash(&app.address_key, address);
            let stored = app.store.load_address(&hash).await?;
            Ok::<_, StoreError>(Some((hash, stored.unwrap_or_default())))
        }
        None => Ok(None),
    };
    let (phone, email) = tokio::try_join!(load(inbound.phone.as_ref()), load(inbound.email.as_ref()))?;
    Ok(Addresses { phone, email })
}

async fn load_known(app: &App, addresses: &Addresses) -> Result<Option<Known>, Refusal> {
    match arrival::whose(addresses) {
        Some(lead) => app.store.load_lead(lead).await.map_err(Refusal::Store),
        None => Ok(None),
    }
}

/// What is kept of a body as text: an item of DynamoDB holds 400 KB, and a byte that is no text takes three.
fn kept(body: &[u8]) -> String {
    const MOST: usize = 300 * 1024;
    let mut text = String::from_utf8_lossy(body).into_owned();
    let end = (0..=MOST.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_body_that_is_let_in_is_kept_within_an_items_size() {
        assert_eq!(kept(b"{}"), "{}");
        let noise = kept(&vec![0xff; BODY_LIMIT]);
        assert!((299 * 1024..=300 * 1024).contains(&noise.len()), "{}", noise.len());
    }
}
