//! Reads a lead source.

use super::{fields::Fields, mapping};
use crate::{
    SourceId,
    lead::Consent,
    records::{Format, Source, source::SourceConsent},
};

/// How webhooks may read.
const FORMATS: [&str; 4] = ["zillow", "gizmo", "plain", "mapped"];

pub(super) fn read(id: SourceId, fields: Fields<'_>) -> Option<Source> {
    let format = format(&fields);
    let secret = fields.text("secret").unwrap_or_else(|| id.to_string());
    let consent = fields.map("consent").map(consent).unwrap_or_default();
    fields.finish();
    Some(Source { id, format: format?, secret, consent })
}

fn format(fields: &Fields<'_>) -> Option<Format> {
    if fields.value("format").is_none() {
        fields.missing("format", "Say how its webhooks read: \"zillow\", \"gizmo\", \"plain\" or \"mapped\".");
    }
    let named = fields.choice("format", &FORMATS.map(|name| (name, name)));
    let mapping = fields.map("fields").map(|fields| mapping::read(&fields));
    if named.is_some_and(|named| named != "mapped") && mapping.is_some() {
        let sentence = "\"fields\" does nothing here: only webhooks of the format \"mapped\" are read by it.";
        fields.wrong("fields", sentence, "Write \"format\": \"mapped\", or remove it.");
    }
    match named? {
        "zillow" => Some(Format::Zillow),
        "gizmo" => Some(Format::Gizmo),
        "plain" => Some(Format::Plain),
        _ if mapping.is_none() && fields.value("fields").is_none() => {
            fields.missing("fields", "Say where its webhooks hold what: {\"phone\": \"lead.contact.phone\"}.");
            None
        }
        _ => mapping.map(Format::Mapped),
    }
}

fn consent(fields: Fields<'_>) -> SourceConsent {
    let channel = |name| {
        let consent = fields.choice(
            name,
            &[
                ("none", Consent::None),
                ("express", Consent::Express),
                ("express_written", Consent::ExpressWritten),
                ("revoked", Consent::Revoked),
            ],
        );
        consent.unwrap_or_default()
    };
    let (call, sms, email) = (channel("call"), channel("sms"), channel("email"));
    let proof = fields.text("proof").unwrap_or_default();
    if proof.is_empty() && [call, sms, email].contains(&Consent::ExpressWritten) {
        let sentence = "The source says \"express_written\", but not what its leads agreed to.";
        fields.wrong("proof", sentence, "Write down the words that its leads agree to, as they read them.");
    }
    fields.finish();
    SourceConsent { call, sms, email, proof }
}
