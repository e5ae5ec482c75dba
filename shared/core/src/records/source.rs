//! A lead source: how its webhooks read and what consent its leads arrive with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    SourceId,
    lead::{ChannelConsent, Consent},
    sources::{self, Path, Values},
};

/// One published source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The path's last part: `zillow` for `POST /leads/zillow`.
    pub id: SourceId,
    /// How its webhooks read.
    pub format: Format,
    /// The name under which the deployment's secret holds this source's secret.
    pub secret: String,
    /// What the source's leads have agreed to, for leads whose own fields don't say.
    pub consent: SourceConsent,
}

impl Source {
    /// The attributes that its leads are known to come with; any may come besides.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        let mapping = match &self.format {
            Format::Zillow | Format::Gizmo | Format::Plain => None,
            Format::Mapped(mapping) => Some(mapping),
        };
        let mapped = mapping.into_iter().flat_map(|mapping| mapping.keys());
        let fixed = self.fixed().iter().map(|(name, _)| *name);
        fixed.chain(mapped.filter_map(|name| name.strip_prefix("attributes.")))
    }

    /// What that attribute of its leads is known to be.
    pub(crate) fn values_of(&self, attribute: &str) -> Values {
        let known = self.fixed().iter().find(|(name, _)| *name == attribute);
        known.map_or(Values::Any, |(_, values)| *values)
    }

    fn fixed(&self) -> &'static [(&'static str, Values)] {
        match &self.format {
            Format::Zillow => &sources::ZILLOW_ATTRIBUTES,
            Format::Gizmo | Format::Plain | Format::Mapped(_) => &[],
        }
    }
}

/// The body that a source sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Zillow Mortgages' contact notification.
    Zillow,
    /// Gizmo-compatible ingest.
    Gizmo,
    /// Cadence's own plain JSON lead.
    Plain,
    /// Any JSON or form, whose fields stand where the record says.
    Mapped(Mapping),
}

/// Where a body holds the fields of a plain lead, by their names: `phone`, `attributes.loan_amount`.
pub type Mapping = BTreeMap<String, Path>;

/// What leads of a source have agreed to, with the words they agreed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceConsent {
    /// For calls with an artificial voice.
    pub call: Consent,
    /// For texts.
    pub sms: Consent,
    /// For emails.
    pub email: Consent,
    /// The words that the lead agreed to.
    pub proof: String,
}

impl SourceConsent {
    /// The same without the words.
    pub(crate) fn channels(&self) -> ChannelConsent {
        ChannelConsent { call: self.call, sms: self.sms, email: self.email }
    }
}
