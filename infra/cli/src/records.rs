//! The records that a command works on, as ops write them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use cadence_store::Edited;
use serde_json::Value;

/// Records by key, each as it was found.
#[derive(Debug, Default)]
pub(crate) struct Records(BTreeMap<String, Found>);

/// A record as it was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// What ops wrote, without keys and without what publish wrote back.
    pub(crate) content: Value,
    /// Where: a file, or a table.
    pub(crate) place: String,
}

impl Records {
    /// The records of a file, or of a folder's `.json` files: one object in each, or a list of them.
    pub(crate) fn of_files(path: &Path) -> anyhow::Result<Self> {
        let records = Self::of_folder(path)?;
        ensure!(
            !records.0.is_empty(),
            "{} holds no records: give a file, or a folder of .json files such as infra/cadences",
            path.display()
        );
        Ok(records)
    }

    /// The same, where there need be none.
    pub(crate) fn of_folder(path: &Path) -> anyhow::Result<Self> {
        let mut records = Self::default();
        for file in files(path)? {
            let place = file.display().to_string();
            let text = fs::read_to_string(&file).with_context(|| format!("{place} can't be read"))?;
            let item: Value = serde_json::from_str(&text).with_context(|| format!("{place} is not JSON"))?;
            let items = match item {
                Value::Array(items) => items,
                item => vec![item],
            };
            for item in items {
                records.add(item, &place)?;
            }
        }
        Ok(records)
    }

    /// Adds an item of the config table; what publish keeps beside the records is left out.
    pub(crate) fn add(&mut self, item: Value, place: &str) -> anyhow::Result<()> {
        let pk = item.get("pk").with_context(|| format!("{place}: a record has no pk, such as CADENCE#new-lead"))?;
        let Some(pk) = pk.as_str().map(str::to_owned) else {
            bail!("{place}: pk is not text. Is it DynamoDB JSON? In the console, turn \"View DynamoDB JSON\" off");
        };
        if item.get("sk").is_some_and(|sk| sk != "CURRENT") {
            return Ok(());
        }
        if let Some(Found { place: other, .. }) = self.0.get(&pk) {
            bail!("{place}: {pk} is in {other} too. Remove one of them");
        }
        self.insert(pk, Edited::content_of(item), place);
        Ok(())
    }

    /// Adds a record's content, in place of the one of its key.
    pub(crate) fn insert(&mut self, pk: String, content: Value, place: &str) {
        self.0.insert(pk, Found { content, place: place.to_owned() });
    }

    /// The records that an argument means, and the ones that they are held against: of a file, those in its folder too, since what a
    /// record refers to lies beside it.
    pub(crate) fn meant(path: &Path) -> anyhow::Result<(Self, Self)> {
        if path.is_dir() {
            return Ok((Self::of_files(path)?, Self::default()));
        }
        let meant = Self::of_files(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = Self::of_files(folder)?;
        beside.0.retain(|pk, _| !meant.0.contains_key(pk));
        Ok((meant, beside))
    }

    /// These, and of the others those whose keys are not among them.
    pub(crate) fn over(mut self, others: Self) -> Self {
        for (pk, found) in others.0 {
            self.0.entry(pk).or_insert(found);
        }
        self
    }

    /// The record of that key.
    pub(crate) fn get(&self, pk: &str) -> Option<&Found> {
        self.0.get(pk)
    }

    /// All of them, by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Found)> {
        self.0.iter().map(|(pk, found)| (pk.as_str(), found))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The keys that were found at that place.
    pub(crate) fn keys_in(&self, place: &Path) -> impl Iterator<Item = &str> {
        let place = place.display().to_string();
        self.0.iter().filter(move |(_, found)| found.place == place).map(|(pk, _)| pk.as_str())
    }
}

/// The file, or the folder's files by name.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let what = fs::metadata(path).with_context(|| format!("{} can't be read", path.display()))?;
    if what.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for file in fs::read_dir(path).with_context(|| format!("{} can't be read", path.display()))? {
        files.push(file?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn complaint(files: &[(&str, &str)]) -> String {
        let folder = folder(files);
        let error = Records::of_files(folder.path()).unwrap_err();
        format!("{error:#}").replace(&folder.path().display().to_string(), "DIR")
    }

    #[test]
    fn a_folder_is_its_json_files_without_what_publish_wrote() {
        let text = r#"{"pk": "MESSAGE#sms/a", "sk": "CURRENT", "text": "Hi", "check": "ok"}"#;
        let list = r#"[{"pk": "MESSAGE#sms/b", "text": "Ho"}, {"pk": "MESSAGE#sms/b", "sk": "VERSION#0001"}]"#;
        let folder = folder(&[("a.json", text), ("list.json", list), ("README.md", "no record")]);
        let records = Records::of_files(folder.path()).unwrap();
        let keys: Vec<&str> = records.0.keys().map(String::as_str).collect();
        assert_eq!(keys, ["MESSAGE#sms/a", "MESSAGE#sms/b"]);
        assert_eq!(records.0["MESSAGE#sms/a"].content, json!({"text": "Hi"}));
        assert_eq!(records.keys_in(&folder.path().join("list.json")).collect::<Vec<_>>(), ["MESSAGE#sms/b"]);
    }

    #[test]
    fn files_that_are_no_records_are_complained_of_by_name() {
        for (files, expected) in [
            (&[][..], "DIR holds no records"),
            (&[("a.json", "{")], "DIR/a.json is not JSON: EOF while parsing an object at line 1 column 1"),
            (&[("a.json", "{}")], "DIR/a.json: a record has no pk"),
            (&[("a.json", r#"{"pk": {"S": "MESSAGE#a"}}"#)], "DIR/a.json: pk is not text. Is it DynamoDB JSON?"),
            (
                &[("a.json", r#"{"pk": "MESSAGE#a"}"#), ("b.json", r#"{"pk": "MESSAGE#a"}"#)],
                "DIR/b.json: MESSAGE#a is in DIR/a.json too",
            ),
        ] {
            let told = complaint(files);
            assert!(told.starts_with(expected), "{told}");
        }
        let error = Records::of_files(Path::new("no-such-folder")).unwrap_err();
        assert!(error.to_string().contains("no-such-folder can't be read"), "{error}");
    }
}
