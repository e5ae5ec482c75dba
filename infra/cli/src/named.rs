//! A record that somebody names on the command line: by its key, or by its id where that is enough.

use anyhow::bail;
use cadence_store::Edited;

use crate::table::Table;

/// The key of the record that is meant.
pub(crate) async fn key_of(table: &Table, name: &str) -> anyhow::Result<String> {
    let all = table.edited().await?;
    let keys: Vec<&str> = all.iter().map(|edited: &Edited| edited.pk.as_str()).collect();
    choose(&keys, name).map(str::to_owned).map_err(|why| anyhow::anyhow!("{why} (in {})", table.place()))
}

fn choose<'a>(keys: &[&'a str], name: &str) -> anyhow::Result<&'a str> {
    let is_key = |pk: &&&str| {
        let (kind, id) = pk.split_once('#').unwrap_or((pk, ""));
        **pk == name || name.split_once(['#', '/']).is_some_and(|(k, i)| k.eq_ignore_ascii_case(kind) && i == id)
    };
    if let Some(pk) = keys.iter().find(is_key) {
        return Ok(pk);
    }
    let by_id: Vec<&str> =
        keys.iter().copied().filter(|pk| pk.split_once('#').is_some_and(|(_, id)| id == name)).collect();
    match by_id.as_slice() {
        [pk] => Ok(pk),
        [] => {
            let near: Vec<&str> = keys.iter().copied().filter(|pk| pk.contains(name)).take(5).collect();
            let hint = match near.as_slice() {
                [] => "`cadence list` lists them".to_owned(),
                near => format!("there is {}", near.join(", ")),
            };
            bail!("there is no record {name}: {hint}")
        }
        several => bail!("{name} may be any of {}: name the whole key", several.join(", ")),
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
            ("cadence/zillow", "CADENCE#zillow"),
            ("source#zillow", "SOURCE#zillow"),
            ("spring", "CADENCE#spring"),
            ("sms/intro", "MESSAGE#sms/intro"),
            ("message/sms/intro", "MESSAGE#sms/intro"),
        ] {
            assert_eq!(choose(&keys, name).unwrap(), chosen, "{name}");
        }
        for (name, why) in [
            ("zillow", "zillow may be any of CADENCE#zillow, SOURCE#zillow: name the whole key"),
            ("intro", "there is no record intro: there is MESSAGE#sms/intro"),
            ("nothing", "there is no record nothing: `cadence list` lists them"),
        ] {
            assert_eq!(choose(&keys, name).unwrap_err().to_string(), why);
        }
    }
}
