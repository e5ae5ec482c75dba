//! Reads a lead source.

use super::fields::Fields;
use crate::{
    SourceId,
    lead::Consent,
    records::{Format, Source, source::SourceConsent},
};

pub(super) fn read(id: SourceId, fields: Fields<'_>) -> Option<Source> {
    if fields.value("format").is_none() {
        fields.missing("format", "Say how its webhooks read: \"zillow\", \"gizmo\" or \"plain\".");
    }
    let format =
        fields.choice("format", &[("zillow", Format::Zillow), ("gizmo", Format::Gizmo), ("plain", Format::Plain)]);
    let secret = fields.text("secret").unwrap_or_else(|| id.to_string());
    let consent = fields.map("consent").map(consent).unwrap_or_default();
    fields.finish();
    Some(Source { id, format: format?, secret, consent })
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
