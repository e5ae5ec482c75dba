//! What a folder's files said when they were pulled: by that a push tells what somebody else has edited since.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{difference::meant, table::Place};

/// It lies beside the files, and may be kept with them.
const FILE: &str = ".pulled.json";

/// What records said in a table when their files last said the same.
#[derive(Debug, Default)]
pub(crate) struct Pulled {
    /// Where it is kept; `None` if nothing was pulled there.
    file: Option<PathBuf>,
    noted: Noted,
}

/// By the table and the record's key.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Noted(BTreeMap<String, BTreeMap<String, Value>>);

/// How a file stands to what it was pulled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// Nobody has edited the record there, or the file says what they did.
    Current,
    /// Somebody has, and the file is as it was pulled.
    Behind,
    /// Somebody has, and so has somebody in the file: one would undo the other.
    Apart,
    /// It wasn't pulled from there, so nobody knows.
    Unknown,
}

impl Pulled {
    /// What was pulled into that folder, the one of that file, or one around it; nothing if it wasn't.
    pub(crate) fn into(records: &Path) -> anyhow::Result<Self> {
        let folder = if records.is_dir() { Some(records) } else { records.parent() };
        let kept = folder.into_iter().flat_map(Path::ancestors).map(|folder| folder.join(FILE));
        let Some(file) = kept.into_iter().find(|file| file.is_file()) else { return Ok(Self::default()) };
        let read = || anyhow::Ok(serde_json::from_str(&fs::read_to_string(&file)?)?);
        let noted = read().with_context(|| format!("{} can't be read; delete it, and pull again", file.display()))?;
        Ok(Self { file: Some(file), noted })
    }

    /// The same for a folder that is pulled into now.
    pub(crate) fn anew(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join(FILE);
        let before = if file.is_file() { Self::into(folder)? } else { Self::default() };
        Ok(Self { file: Some(file), ..before })
    }

    /// How what a file says of a record stands to what is there now.
    pub(crate) fn since(&self, place: &Place, pk: &str, file: &Value, there: &Value) -> Since {
        let Some(records) = self.noted.0.get(&name(place)) else { return Since::Unknown };
        let pulled = records.get(pk).unwrap_or(&Value::Null);
        // However it is spelled, if all of it can be read.
        let meant = |content: &Value| meant(pk, content);
        let (pulled, there, file) = match (meant(pulled), meant(there), meant(file)) {
            (Some(pulled), Some(there), Some(file)) => (pulled, there, file),
            _ => (pulled.clone(), there.clone(), file.clone()),
        };
        match undoes(&pulled, &there, &file) {
            false => Since::Current,
            true if file == pulled => Since::Behind,
            true => Since::Apart,
        }
    }

    /// Notes what a record says there, which its file says too.
    pub(crate) fn note(&mut self, place: &Place, pk: &str, there: &Value) {
        self.noted.0.entry(name(place)).or_default().insert(pk.to_owned(), there.clone());
    }

    /// Keeps what was noted, beside what was pulled.
    pub(crate) fn keep(&self) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = serde_json::to_string_pretty(&self.noted)?;
        fs::write(file, text + "\n").with_context(|| format!("{} can't be written", file.display()))
    }
}

/// The table's name: this machine has several.
fn name(place: &Place) -> String {
    place.to_string().replace("://localhost", "://127.0.0.1").replace("://[::1]", "://127.0.0.1")
}

/// Whether what a file says would undo something that became different there since it was pulled.
fn undoes(pulled: &Value, there: &Value, file: &Value) -> bool {
    if there == pulled || there == file {
        return false;
    }
    match (pulled, there, file) {
        (Value::Object(pulled), Value::Object(there), Value::Object(file)) => {
            let of = |map: &serde_json::Map<String, Value>, name: &String| map.get(name).cloned().unwrap_or_default();
            let mut names = pulled.keys().chain(there.keys());
            names.any(|name| undoes(&of(pulled, name), &of(there, name), &of(file, name)))
        }
        (Value::Array(pulled), Value::Array(there), Value::Array(file))
            if pulled.len() == there.len() && there.len() == file.len() =>
        {
            pulled.iter().zip(there).zip(file).any(|((pulled, there), file)| undoes(pulled, there, file))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_undoes_what_it_does_not_say_of_what_others_did() {
        let pulled = json!({"name": "A", "steps": [{"id": "a", "wait": "1h"}, {"id": "b", "wait": "2h"}]});
        let steps = |one: &str, other: &str| json!({"name": "A", "steps": [{"id": "a", "wait": one}, {"id": "b", "wait": other}]});
        for (there, file, expected) in [
            (steps("1h", "2h"), steps("5h", "2h"), false),
            (steps("1h", "3h"), steps("1h", "2h"), true),
            (steps("1h", "3h"), steps("5h", "2h"), true),
            (steps("1h", "3h"), steps("5h", "4h"), true),
            (steps("1h", "3h"), steps("5h", "3h"), false),
            (steps("1h", "3h"), steps("1h", "3h"), false),
            (json!({"name": "A", "note": "x", "steps": pulled["steps"]}), steps("5h", "2h"), true),
            (json!({"name": "A", "steps": []}), steps("5h", "2h"), true),
            (json!({"name": "A"}), json!({"name": "B"}), false),
        ] {
            assert_eq!(undoes(&pulled, &there, &file), expected, "{there} and {file}");
        }
    }
}
