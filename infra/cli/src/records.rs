//! The records that a command works on, as ops write them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow, bail, ensure};
use cadence_core::records::{KINDS, Problem, unread_because};
use cadence_store::{
    Edited,
    keys::{is_published_pk, is_read},
};
use serde_json::Value;
use walkdir::{DirEntry, WalkDir};

use crate::json;

/// Records by key, each as it was found.
#[derive(Debug, Default)]
pub(crate) struct Records {
    by_key: BTreeMap<String, Found>,
    /// What keeps a file, or something in it, from being a record, and which file.
    unusable: Vec<(String, Problem)>,
}

/// A record as it was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// What ops wrote, without keys and without what publish wrote back.
    pub(crate) content: Value,
    /// Where: a file, or a table.
    pub(crate) place: String,
    /// Whether only the version at work of it is left: nothing can refer to it any more.
    pub(crate) is_deleted: bool,
}

impl Records {
    /// The records of a file, or of a folder's `.json` files and those of the folders in it: one object in each, or a list of them.
    /// Whatever is none is an error.
    pub(crate) fn of_files(path: &Path) -> anyhow::Result<Self> {
        Self::in_files(path)?.all_usable()
    }

    /// The same, where there need be none.
    pub(crate) fn of_folder(path: &Path) -> anyhow::Result<Self> {
        Self::found(path, usize::MAX)?.all_usable()
    }

    /// The records of a file, or of a folder's files, and what there is besides.
    fn in_files(path: &Path) -> anyhow::Result<Self> {
        let records = Self::found(path, usize::MAX)?;
        ensure!(
            !records.by_key.is_empty() || !records.unusable.is_empty(),
            "{} holds no records: give a file, or a folder of .json files such as infra/cadences",
            path.display()
        );
        Ok(records)
    }

    fn found(path: &Path, depth: usize) -> anyhow::Result<Self> {
        let mut records = Self::default();
        for file in files(path, depth)? {
            let place = file.display().to_string();
            if file != path && !is_json(&file) {
                records.unusable.extend(misnamed(&file).map(|problem| (place, problem)));
                continue;
            }
            let items = match items_of(&file) {
                Ok(items) => items,
                Err(problem) => {
                    records.unusable.push((place, problem));
                    continue;
                }
            };
            for item in items {
                if let Err(problem) = records.add(item, &place) {
                    records.unusable.push((place.clone(), problem));
                }
            }
        }
        Ok(records)
    }

    fn all_usable(self) -> anyhow::Result<Self> {
        match self.unusable.as_slice() {
            [] => Ok(self),
            unusable => {
                let told: Vec<String> = unusable.iter().map(|(place, problem)| format!("{place}: {problem}")).collect();
                bail!("{}", told.join("\n"))
            }
        }
    }

    /// Adds an item of the config table; what publish keeps beside the records is left out.
    fn add(&mut self, item: Value, place: &str) -> Result<(), Problem> {
        let wrong = |sentence: String, remedy: &str| Err(Problem::error("", sentence, remedy));
        let Some(pk) = item.get("pk") else {
            let is_answer = ["Item", "Items"].iter().any(|answer| item.get(answer).is_some());
            let remedy = match is_answer {
                true => "It is an answer of the aws command: `cadence pull` writes records as files.",
                false => "Give it one, such as CADENCE#new-lead; what is no record must lie elsewhere.",
            };
            return wrong("This is no record: it has no pk.".to_owned(), remedy);
        };
        let Some(pk) = pk.as_str().map(str::to_owned) else {
            let remedy = "Is it DynamoDB JSON? In the console, turn \"View DynamoDB JSON\" off; `cadence pull` writes records as files.";
            return wrong("The pk is not text.".to_owned(), remedy);
        };
        match item.get("sk").map(|sk| sk.as_str().unwrap_or_default()) {
            None | Some("CURRENT") => {}
            Some(sk) if is_read(&pk, sk) || is_published_pk(&pk) => return Ok(()),
            Some(sk) => return unread_because(&pk, sk).into_iter().next().map_or(Ok(()), Err),
        }
        if let Some(Found { place: other, .. }) = self.by_key.get(&pk) {
            return wrong(format!("{pk} is in {other} too."), "Remove one of them.");
        }
        self.insert(pk, Edited::content_of(item), place);
        Ok(())
    }

    /// What is no record, and in which file.
    pub(crate) fn unusable(&self) -> &[(String, Problem)] {
        &self.unusable
    }

    /// Adds a record's content, in place of the one of its key.
    pub(crate) fn insert(&mut self, pk: String, content: Value, place: &str) {
        self.by_key.insert(pk, Found { content, place: place.to_owned(), is_deleted: false });
    }

    /// Adds what is left of a record that was deleted.
    pub(crate) fn insert_deleted(&mut self, pk: String, content: Value, place: &str) {
        self.by_key.insert(pk, Found { content, place: place.to_owned(), is_deleted: true });
    }

    /// The records that an argument means, and the ones that they are held against: of a file, those in its folder too, since what a
    /// record refers to lies beside it.
    pub(crate) fn meant(path: &Path) -> anyhow::Result<(Self, Self)> {
        if path.is_dir() {
            return Ok((Self::in_files(path)?, Self::default()));
        }
        let meant = Self::in_files(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut beside = Self::found(folder, 1)?;
        beside.by_key.retain(|pk, _| !meant.by_key.contains_key(pk));
        // What is none itself, or no second record of its key, is told of once.
        let is_meant = |place: &str| Path::new(place).file_name() == path.file_name();
        beside.unusable.retain(|(place, _)| !is_meant(place));
        Ok((meant, beside))
    }

    /// These, and of the others those whose keys are not among them.
    pub(crate) fn over(mut self, others: Self) -> Self {
        self.unusable.extend(others.unusable);
        for (pk, found) in others.by_key {
            self.by_key.entry(pk).or_insert(found);
        }
        self
    }

    /// The record of that key.
    pub(crate) fn get(&self, pk: &str) -> Option<&Found> {
        self.by_key.get(pk)
    }

    /// All of them, by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Found)> {
        self.by_key.iter().map(|(pk, found)| (pk.as_str(), found))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// The keys that were found at that place.
    pub(crate) fn keys_in(&self, place: &Path) -> impl Iterator<Item = &str> {
        let place = place.display().to_string();
        self.by_key.iter().filter(move |(_, found)| found.place == place).map(|(pk, _)| pk.as_str())
    }
}

/// The items of a file.
fn items_of(file: &Path) -> Result<Vec<Value>, Problem> {
    let text = fs::read_to_string(file).map_err(|error| {
        Problem::error("", format!("The file can't be read: {error}."), "See to it, or move it away.")
    })?;
    match json::read(&text) {
        Ok(Value::Array(items)) => Ok(items),
        Ok(item) => Ok(vec![item]),
        Err(error) if error.is_data() => {
            let remedy = "Remove all but one: only the last would count.";
            Err(Problem::error("", format!("In this file {error}."), remedy))
        }
        Err(error) => {
            let (what, remedy) = json::explained(&error);
            Err(Problem::error("", format!("The file is not JSON. {what}"), remedy))
        }
    }
}

fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// Why a file that holds a record all the same isn't read as one.
fn misnamed(file: &Path) -> Option<Problem> {
    let text = fs::read_to_string(file).ok()?;
    let is_record = text.contains("pk") && KINDS.iter().any(|kind| text.contains(&format!("{kind}#")));
    let is_told_of = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md"));
    (is_record && !is_told_of).then(|| {
        let sentence = "This looks like a record, but it isn't read: its name doesn't end in .json.";
        Problem::error("", sentence, "Make it JSON by that name, or move it away.")
    })
}

/// The file, or the folder's files by name, so many folders deep. What is hidden, such as `.git`, is left out, and so are schemas.
fn files(path: &Path, depth: usize) -> anyhow::Result<Vec<PathBuf>> {
    let is_hidden = |entry: &DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
    let is_schema = |entry: &DirEntry| entry.file_name().to_string_lossy().to_lowercase().ends_with(".schema.json");
    let mut files = Vec::new();
    let entries = WalkDir::new(path).max_depth(depth).follow_links(true).sort_by_file_name();
    for entry in entries.into_iter().filter_entry(|entry| !is_hidden(entry)) {
        // Its own words repeat what they are the cause of.
        let entry = entry.map_err(|error| error.into_io_error().map_or_else(|| anyhow!("it holds itself"), Into::into));
        let entry = entry.with_context(|| format!("{} can't be read", path.display()))?;
        if entry.file_type().is_file() && (entry.depth() == 0 || !is_schema(&entry)) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        folder
    }

    fn complaint(files: &[(&str, &str)]) -> String {
        let folder = folder(files);
        let error = Records::of_files(folder.path()).unwrap_err();
        format!("{error:#}").replace(&folder.path().display().to_string(), "DIR")
    }

    #[test]
    fn schemas_beside_records_are_left_out_and_a_name_in_capitals_is_read() {
        let files = [
            ("schema/user.schema.json", r#"{"$schema": "x"}"#),
            ("USER-A.JSON", r#"{"pk": "USER#a", "sk": "CURRENT", "first_name": "A"}"#),
        ];
        let records = Records::of_files(folder(&files).path()).unwrap();
        assert_eq!(records.iter().map(|(pk, _)| pk).collect::<Vec<_>>(), ["USER#a"]);
    }

    #[test]
    fn a_folder_is_its_json_files_without_what_publish_wrote() {
        let text = r#"{"pk": "MESSAGE#sms/a", "sk": "CURRENT", "text": "Hi", "check": "ok"}"#;
        let list = r#"[{"pk": "MESSAGE#sms/b", "text": "Ho"}, {"pk": "MESSAGE#sms/b", "sk": "VERSION#0001"}]"#;
        let marked = format!("\u{feff}{list}");
        let deeper = r#"{"pk": "MESSAGE#sms/c", "text": "He"}"#;
        let folder = folder(&[
            ("a.json", text),
            ("list.json", &marked),
            ("README.md", "no record"),
            ("sms/more/c.json", deeper),
            (".git/d.json", "no record"),
        ]);
        let records = Records::of_files(folder.path()).unwrap();
        let keys: Vec<&str> = records.by_key.keys().map(String::as_str).collect();
        assert_eq!(keys, ["MESSAGE#sms/a", "MESSAGE#sms/b", "MESSAGE#sms/c"]);
        let (_, beside) = Records::meant(&folder.path().join("a.json")).unwrap();
        assert_eq!(beside.by_key.keys().collect::<Vec<_>>(), ["MESSAGE#sms/b"], "only what lies beside it");
        assert_eq!(records.by_key["MESSAGE#sms/a"].content, json!({"text": "Hi"}));
        assert_eq!(records.keys_in(&folder.path().join("list.json")).collect::<Vec<_>>(), ["MESSAGE#sms/b"]);
    }

    #[test]
    fn files_that_are_no_records_are_complained_of_by_name() {
        for (files, expected) in [
            (&[][..], "DIR holds no records"),
            (
                &[("a.json", "{")],
                "DIR/a.json: The file is not JSON. Line 1, column 1: the file ends before everything in it is closed. Close",
            ),
            (
                &[("a.json", r#"{"pk": "MESSAGE#a", "text": "Hi", "text": "Ho"}"#)],
                "DIR/a.json: In this file the field \"text\" stands twice in one object at line 1 column 40. Remove all but one",
            ),
            (&[("a.json", "{}"), ("b.json", "7")], "DIR/a.json: This is no record: it has no pk."),
            (
                &[("a.yaml", "pk: MESSAGE#a\ntext: Hi")],
                "DIR/a.yaml: This looks like a record, but it isn't read: its name",
            ),
            (
                &[("a.json", r#"{"Item": {"pk": {"S": "MESSAGE#a"}}}"#)],
                "DIR/a.json: This is no record: it has no pk. It is an answer of the aws",
            ),
            (&[("a.json", r#"{"pk": {"S": "MESSAGE#a"}}"#)], "DIR/a.json: The pk is not text. Is it DynamoDB JSON?"),
            (
                &[("a.json", r#"{"pk": "MESSAGE#a", "sk": "Current"}"#)],
                "DIR/a.json: sk: The sort key is \"Current\", so nothing reads this item. Did you mean \"CURRENT\"?",
            ),
            (
                &[("a.json", r#"{"pk": "MESSAGE#a"}"#), ("b.json", r#"{"pk": "MESSAGE#a"}"#)],
                "DIR/b.json: MESSAGE#a is in DIR/a.json too",
            ),
        ] {
            let told = complaint(files);
            assert!(told.starts_with(expected), "{told}");
        }
        let error = Records::of_files(Path::new("no-such-folder")).unwrap_err();
        let told = format!("{error:#}");
        assert!(told.starts_with("no-such-folder can't be read: ") && told.matches("os error").count() == 1, "{told}");
    }
}
