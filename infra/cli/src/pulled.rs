//! What a folder's files were pulled as: by that a push tells what somebody else has edited since.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{pull::text_of, table::Place};

/// It lies beside the files, and may be kept with them.
const FILE: &str = ".pulled.json";

/// What records said in a table when their files last said the same.
#[derive(Debug, Default)]
pub(crate) struct Pulled {
    /// Where it is kept; `None` if nothing was pulled there.
    file: Option<PathBuf>,
    noted: Noted,
}

/// By the table and the record's key, a digest of what it said.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Noted(BTreeMap<String, BTreeMap<String, String>>);

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

    /// Whether somebody has edited the record since.
    pub(crate) fn is_edited_since(&self, place: &Place, pk: &str, there: &Value) -> bool {
        let noted = self.noted.0.get(&place.to_string()).and_then(|records| records.get(pk));
        noted.is_some_and(|noted| *noted != digest(pk, there))
    }

    /// Notes what a record says there, which its file says too.
    pub(crate) fn note(&mut self, place: &Place, pk: &str, there: &Value) {
        let records = self.noted.0.entry(place.to_string()).or_default();
        records.insert(pk.to_owned(), digest(pk, there));
    }

    /// Keeps what was noted, beside what was pulled.
    pub(crate) fn keep(&self) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let text = serde_json::to_string_pretty(&self.noted)?;
        fs::write(file, text + "\n").with_context(|| format!("{} can't be written", file.display()))
    }
}

fn digest(pk: &str, content: &Value) -> String {
    let digest = Sha256::digest(text_of(pk, content));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
