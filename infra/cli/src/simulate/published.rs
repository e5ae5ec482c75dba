//! What would be published of some records, and by that what a simulated lead meets.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use cadence_core::{
    CadenceId, SourceId,
    arrival::Catalogue,
    records::{Cadence, Known, Record, Severity, Source, Status, check, parse_record},
    simulation,
};

use super::lead::or_else;
use crate::{records::Records, told::complain};

/// Records as they would be published.
pub(crate) struct Published {
    pub(crate) records: simulation::Published,
    pub(crate) sources: BTreeMap<SourceId, Source>,
    known: Known,
}

impl Published {
    /// What can be read of the records. What can't is complained of, since it would not be published either.
    pub(crate) fn of(found: &Records) -> anyhow::Result<Self> {
        let (mut records, mut known) = (Vec::new(), Known::default());
        for (pk, found) in found.iter() {
            match parse_record(pk, &found.content) {
                Ok(record) => records.push(record),
                Err(problems) => {
                    complain(&format!("left out {pk} ({}), which can't be read:", found.place));
                    problems.iter().for_each(|problem| complain(&format!("  {problem}")));
                    known.refused.insert(pk.to_owned());
                }
            }
        }
        let (mut cadences, mut users, mut settings) = (Vec::new(), Vec::new(), None);
        let (mut messages, mut sources) = (BTreeMap::new(), BTreeMap::new());
        for record in records {
            known.insert(record.clone());
            match record {
                Record::Cadence(cadence) => cadences.push((cadence, 1)),
                Record::Message(message) => drop(messages.insert(message.id.clone(), message)),
                Record::User(user) => users.push(user),
                Record::Source(source) => drop(sources.insert(source.id.clone(), source)),
                Record::Settings(company) => settings = Some(company),
            }
        }
        let settings = settings.context("there are no settings: add the record SETTINGS#company to the others")?;
        let catalogue = Catalogue { cadences, users, settings };
        Ok(Self { records: simulation::Published { catalogue, messages }, sources, known })
    }

    pub(crate) fn cadence(&self, id: &CadenceId) -> Option<&Cadence> {
        self.records.catalogue.cadences.iter().map(|(cadence, _)| cadence).find(|cadence| cadence.id == *id)
    }

    /// The cadence of that id, by its id or its key, which must be one that would be published.
    pub(crate) fn chosen(&self, name: &str) -> anyhow::Result<CadenceId> {
        let id = CadenceId::new(name.strip_prefix("CADENCE#").or(name.strip_prefix("cadence/")).unwrap_or(name));
        let Some(cadence) = self.cadence(&id) else {
            let known = self.records.catalogue.cadences.iter().map(|(cadence, _)| cadence.id.as_str());
            bail!("there is no cadence {id}{}", or_else(id.as_str(), known));
        };
        let problems = check(&Record::Cadence(cadence.clone()), &self.known);
        let errors: Vec<String> =
            problems.iter().filter(|problem| problem.severity == Severity::Error).map(|p| format!("\n  {p}")).collect();
        match errors.is_empty() {
            true => Ok(id),
            false => bail!("the cadence {id} would not be published:{}", errors.concat()),
        }
    }

    /// Makes a cadence live, whatever its record says. True if it was not.
    pub(crate) fn make_live(&mut self, id: &CadenceId) -> bool {
        let cadences = self.records.catalogue.cadences.iter_mut().map(|(cadence, _)| cadence);
        let mut chosen = cadences.filter(|cadence| cadence.id == *id);
        chosen.any(|cadence| std::mem::replace(&mut cadence.status, Status::Live) != Status::Live)
    }
}
