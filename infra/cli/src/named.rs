//! A record that somebody names on the command line: by its key, or by its id where that is enough.

use anyhow::{Context, bail};
use cadence_core::records::{KINDS, closest};
use cadence_store::Kept;

use crate::table::Table;

/// The key that is meant: a whole key, whether there is a record of it or not, or that of the one record with that id, or else of the one
/// that was deleted.
pub(crate) async fn key_of(table: &Table, name: &str) -> anyhow::Result<String> {
    if let Some(pk) = whole_key(name) {
        return Ok(pk);
    }
    let mut keys = keys(table).await?;
    if !keys.iter().any(|pk| id_of(pk) == name) {
        keys.extend(table.deleted().await?);
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    by_id(&keys, name, &table.place().flags).map(str::to_owned).with_context(|| format!("in {}", table.place()))
}

/// What versions, and the leads of a simulation, are named by.
pub(crate) fn number(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "write a whole number such as 3".to_owned())
}

/// A version of the record of that key, which must be there.
pub(crate) async fn version(table: &Table, pk: &str, number: u32) -> anyhow::Result<Kept> {
    let mut versions = table.versions(pk).await?;
    if let Some(place) = versions.iter().position(|kept| kept.version == number) {
        return Ok(versions.swap_remove(place));
    }
    if versions.is_empty() && !keys(table).await?.iter().any(|key| key == pk) {
        return unknown(table, pk).await.and_then(Err);
    }
    let numbers: Vec<String> = versions.iter().map(|kept| kept.version.to_string()).collect();
    let has = if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") };
    bail!("{pk} has no version {number}; it has {has}")
}

/// That there is no record of that key, and which may be meant; of one that was deleted, how to have it back.
pub(crate) async fn no_record(table: &Table, pk: &str, versions: &[Kept]) -> anyhow::Result<anyhow::Error> {
    let Some(newest) = versions.iter().map(|kept| kept.version).max() else {
        return unknown(table, pk).await;
    };
    let (place, flags) = (table.place(), &table.place().flags);
    Ok(anyhow::anyhow!(
        "{pk} was deleted from {place}: `cadence show {pk} --version {newest}{flags}` tells what it said last, \
         `cadence rollback {pk} --to {newest}{flags}` brings it back"
    ))
}

async fn unknown(table: &Table, pk: &str) -> anyhow::Result<anyhow::Error> {
    let (there, deleted) = (keys(table).await?, table.deleted().await?);
    let keys: Vec<&str> = there.iter().chain(&deleted).map(String::as_str).collect();
    Ok(anyhow::anyhow!("there is no record {pk} in {}: {}", table.place(), hint(&keys, pk, &table.place().flags)))
}

async fn keys(table: &Table) -> anyhow::Result<Vec<String>> {
    Ok(table.edited().await?.into_iter().map(|edited| edited.pk).collect())
}

/// `CADENCE#spring` of itself and of `cadence/spring`.
pub(crate) fn whole_key(name: &str) -> Option<String> {
    let (kind, id) = name.split_once(['#', '/'])?;
    let kind = KINDS.into_iter().find(|known| known.eq_ignore_ascii_case(kind))?;
    Some(format!("{kind}#{id}"))
}

/// The key of the one record with that id.
pub(crate) fn by_id<'a>(keys: &[&'a str], id: &str, flags: &str) -> anyhow::Result<&'a str> {
    let is_it = |pk: &&str| id_of(pk) == id;
    let found: Vec<&str> = keys.iter().copied().filter(is_it).collect();
    match found.as_slice() {
        [pk] => Ok(pk),
        [] => bail!("there is no record {id}: {}", hint(keys, id, flags)),
        several => bail!("{id} may be any of {}: name the whole key", several.join(", ")),
    }
}

fn id_of(pk: &str) -> &str {
    pk.split_once('#').map_or(pk, |(_, id)| id)
}

/// What somebody may have meant by a name that is no record's.
fn hint(keys: &[&str], name: &str, flags: &str) -> String {
    let meant = closest(name, keys.iter().map(|pk| id_of(pk))).or_else(|| closest(name, keys.iter().copied()));
    let meant: Vec<&str> = keys.iter().copied().filter(|pk| Some(*pk) == meant || Some(id_of(pk)) == meant).collect();
    let near: Vec<&str> = keys.iter().copied().filter(|pk| pk.contains(name)).take(5).collect();
    match (meant.as_slice(), near.as_slice()) {
        ([], []) => format!("`cadence list{flags}` lists them"),
        ([], near) => format!("there is {}", near.join(", ")),
        (meant, _) => format!("did you mean {}?", meant.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_that_counts() {
        assert_eq!(number("3"), Ok(3));
        for text in ["x", "0", "-1", "3.0", ""] {
            assert_eq!(number(text), Err("write a whole number such as 3".to_owned()), "{text}");
        }
    }

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
            let found = whole_key(name).unwrap_or_else(|| by_id(&keys, name, "").unwrap().to_owned());
            assert_eq!(found, chosen, "{name}");
        }
        for (name, why) in [
            ("zillow", "zillow may be any of CADENCE#zillow, SOURCE#zillow: name the whole key"),
            ("intro", "there is no record intro: there is MESSAGE#sms/intro"),
            ("zilow", "there is no record zilow: did you mean CADENCE#zillow or SOURCE#zillow?"),
            ("sms/intr", "there is no record sms/intr: did you mean MESSAGE#sms/intro?"),
            ("cadense/spring", "there is no record cadense/spring: did you mean CADENCE#spring?"),
            ("nothing", "there is no record nothing: `cadence list --local` lists them"),
        ] {
            assert_eq!(by_id(&keys, name, " --local").unwrap_err().to_string(), why);
        }
        assert_eq!(hint(&keys, "SOURCE#zilow", ""), "did you mean SOURCE#zillow?");
    }
}
