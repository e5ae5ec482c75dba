//! A record that somebody names on the command line: by its key, or by its id where that is enough.

use anyhow::{Context, bail};
use cadence_core::records::KINDS;
use cadence_store::Edited;

use crate::table::Table;

/// The key that is meant: a whole key, whether there is a record of it or not, or that of the one record with that id.
pub(crate) async fn key_of(table: &Table, name: &str) -> anyhow::Result<String> {
    if let Some(pk) = whole_key(name) {
        return Ok(pk);
    }
    let all = table.edited().await?;
    let keys: Vec<&str> = all.iter().map(|edited: &Edited| edited.pk.as_str()).collect();
    by_id(&keys, name).map(str::to_owned).with_context(|| format!("in {}", table.place()))
}

/// `CADENCE#spring` of itself and of `cadence/spring`.
fn whole_key(name: &str) -> Option<String> {
    let (kind, id) = name.split_once(['#', '/'])?;
    let kind = KINDS.into_iter().find(|known| known.eq_ignore_ascii_case(kind))?;
    Some(format!("{kind}#{id}"))
}

fn by_id<'a>(keys: &[&'a str], id: &str) -> anyhow::Result<&'a str> {
    let is_it = |pk: &&str| pk.split_once('#').is_some_and(|(_, found)| found == id);
    let found: Vec<&str> = keys.iter().copied().filter(is_it).collect();
    match found.as_slice() {
        [pk] => Ok(pk),
        [] => {
            let near: Vec<&str> = keys.iter().copied().filter(|pk| pk.contains(id)).take(5).collect();
            let hint = match near.as_slice() {
                [] => "`cadence list` lists them".to_owned(),
                near => format!("there is {}", near.join(", ")),
            };
            bail!("there is no record {id}: {hint}")
        }
        several => bail!("{id} may be any of {}: name the whole key", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_named_by_its_key_or_by_an_id_that_is_its_own() {
        let keys = ["CADENCE#zillow", "CADENCE#spring", "MESSAGE#sms/intro", "SOURCE#zillow"];
        for (name, chosen) in [
            ("CADENCE#zillow", "CADENCE#zillow"),
            ("cadence/gone", "CADENCE#gone"),
            ("source#zillow", "SOURCE#zillow"),
            ("message/sms/intro", "MESSAGE#sms/intro"),
            ("spring", "CADENCE#spring"),
            ("sms/intro", "MESSAGE#sms/intro"),
        ] {
            let found = whole_key(name).unwrap_or_else(|| by_id(&keys, name).unwrap().to_owned());
            assert_eq!(found, chosen, "{name}");
        }
        for (name, why) in [
            ("zillow", "zillow may be any of CADENCE#zillow, SOURCE#zillow: name the whole key"),
            ("intro", "there is no record intro: there is MESSAGE#sms/intro"),
            ("nothing", "there is no record nothing: `cadence list` lists them"),
        ] {
            assert_eq!(by_id(&keys, name).unwrap_err().to_string(), why);
        }
    }
}
