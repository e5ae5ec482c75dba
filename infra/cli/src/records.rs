//! The records that a command works on, as ops write them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use cadence_core::records::{Problem, Record, parse_record};
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

/// A record that can't be read.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) pk: String,
    pub(crate) place: String,
    pub(crate) problems: Vec<Problem>,
}

impl Records {
    /// The records of a file, or of a folder's `.json` files: one object in each, or a list of them.
    pub(crate) fn of_files(path: &Path) -> anyhow::Result<Self> {
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
        ensure!(
            !records.0.is_empty(),
            "{} holds no records: give a file, or a folder of .json files such as infra/cadences",
            path.display()
        );
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
        self.0.insert(pk, Found { content: Edited::content_of(item), place: place.to_owned() });
        Ok(())
    }

    /// The keys that were found at that place.
    pub(crate) fn keys_in(&self, place: &Path) -> impl Iterator<Item = &str> {
        let place = place.display().to_string();
        self.0.iter().filter(move |(_, found)| found.place == place).map(|(pk, _)| pk.as_str())
    }

    /// Those that can be read, and what is wrong with the others.
    pub(crate) fn read(&self) -> (Vec<Record>, Vec<Broken>) {
        let (mut records, mut broken) = (Vec::new(), Vec::new());
        for (pk, Found { content, place }) in &self.0 {
            match parse_record(pk, content) {
                Ok(record) => records.push(record),
                Err(problems) => broken.push(Broken { pk: pk.clone(), place: place.clone(), problems }),
            }
        }
        (records, broken)
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
        let (read, broken) = records.read();
        assert_eq!((read.len(), broken.len()), (2, 0));
    }

    #[test]
    fn a_record_that_cant_be_read_is_told_with_its_place() {
        let folder = folder(&[("a.json", r#"{"pk": "MESSAGE#sms/a", "txt": "Hi"}"#)]);
        let (read, broken) = Records::of_files(folder.path()).unwrap().read();
        assert_eq!((read.len(), broken.len()), (0, 1));
        assert!(broken[0].place.ends_with("a.json"), "{broken:?}");
        assert!(broken[0].problems.iter().any(|problem| problem.path == "txt"), "{broken:?}");
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
