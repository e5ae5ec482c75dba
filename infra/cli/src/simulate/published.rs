//! What would be published of some records, and by that what a simulated lead meets.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use cadence_core::{
    CadenceId, SourceId,
    arrival::Catalogue,
    records::{Cadence, Draft, Known, Problem, Record, Source, Status, check, parse_record},
    simulation,
};

use super::lead::or_else;
use crate::{records::Records, told::complain};

/// Records as they would be published.
pub(crate) struct Published {
    pub(crate) records: simulation::Published,
    pub(crate) sources: BTreeMap<SourceId, Source>,
    known: Known,
    /// What can't be read, and so would not be published either: why, in words, by key.
    left_out: BTreeMap<String, String>,
    /// What is no record at all, in words.
    unusable: Vec<String>,
}

impl Published {
    /// What can be read of the records.
    pub(crate) fn of(found: &Records) -> anyhow::Result<Self> {
        let (mut records, mut known) = (Vec::new(), Known::default());
        for (pk, found) in found.iter() {
            match parse_record(pk, &found.content) {
                Ok(record) => {
                    if !found.is_deleted {
                        known.insert(record.clone());
                    }
                    records.push(record);
                }
                Err(_) => drop(known.refused.insert(pk.to_owned())),
            }
        }
        let mut left_out = BTreeMap::new();
        for (pk, found) in found.iter().filter(|(pk, _)| known.refused.contains(*pk)) {
            let (_, problems) = Draft::read(pk, &found.content).check(&known);
            left_out
                .insert(pk.to_owned(), format!("{pk} ({}), which can't be read:{}", found.place, listed(&problems)));
        }
        let (mut cadences, mut users, mut settings) = (Vec::new(), Vec::new(), None);
        let (mut messages, mut sources) = (BTreeMap::new(), BTreeMap::new());
        for record in records {
            match record {
                Record::Cadence(cadence) => cadences.push((cadence, 1)),
                Record::Message(message) => drop(messages.insert(message.id.clone(), message)),
                Record::User(user) => users.push(user),
                Record::Source(source) => drop(sources.insert(source.id.clone(), source)),
                Record::Settings(company) => settings = Some(company),
            }
        }
        let settings = settings.with_context(|| match left_out.get("SETTINGS#company") {
            Some(why) => format!("nothing can be simulated without {why}"),
            None => "there are no settings: add the record SETTINGS#company to the others".to_owned(),
        })?;
        let unusable = found.unusable().iter().map(|(place, problem)| format!("{place}: {problem}")).collect();
        let catalogue = Catalogue { cadences, users, settings };
        Ok(Self { records: simulation::Published { catalogue, messages }, sources, known, left_out, unusable })
    }

    /// Tells what was left out.
    pub(crate) fn complain(&self) {
        self.unusable.iter().chain(self.left_out.values()).for_each(|why| complain(&format!("left out {why}")));
    }

    /// Why there is no record of that key: it was left out, or what `otherwise` says.
    pub(crate) fn absent(&self, pk: &str, otherwise: impl FnOnce() -> String) -> String {
        self.left_out.get(pk).map_or_else(otherwise, |why| format!("it would take {why}"))
    }

    pub(crate) fn cadence(&self, id: &CadenceId) -> Option<&Cadence> {
        self.records.catalogue.cadences.iter().map(|(cadence, _)| cadence).find(|cadence| cadence.id == *id)
    }

    /// The cadence of that id, by its id or its key, which must be one that would be published.
    pub(crate) fn chosen(&self, name: &str) -> anyhow::Result<CadenceId> {
        let id = CadenceId::new(name.strip_prefix("CADENCE#").or(name.strip_prefix("cadence/")).unwrap_or(name));
        let Some(cadence) = self.cadence(&id) else {
            if let Some(why) = self.left_out.get(&format!("CADENCE#{id}")) {
                bail!("there is no simulating {why}");
            }
            self.complain();
            let known = self.records.catalogue.cadences.iter().map(|(cadence, _)| cadence.id.as_str());
            bail!("there is no cadence {id}{}", or_else(id.as_str(), known));
        };
        let problems = check(&Record::Cadence(cadence.clone()), &self.known);
        let errors: Vec<Problem> = problems.into_iter().filter(Problem::is_error).collect();
        match errors.is_empty() {
            true => Ok(id),
            false => bail!("the cadence {id} would not be published:{}", listed(&errors)),
        }
    }

    /// Makes a cadence live, whatever its record says. True if it was not.
    pub(crate) fn make_live(&mut self, id: &CadenceId) -> bool {
        let cadences = self.records.catalogue.cadences.iter_mut().map(|(cadence, _)| cadence);
        let mut chosen = cadences.filter(|cadence| cadence.id == *id);
        chosen.any(|cadence| std::mem::replace(&mut cadence.status, Status::Live) != Status::Live)
    }
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
