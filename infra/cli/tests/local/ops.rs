//! Ops at work: a local cloud, and a folder of its records.

use std::{fs, path::PathBuf};

use serde_json::Value;

use crate::running::{Local, MORNING, Ran};

/// The file of the reference cadence.
pub(crate) const CADENCE: &str = "cadence-zillow-purchase.json";

/// A local cloud, and a folder with its records.
pub(crate) struct Ops {
    pub(crate) local: Local,
    pub(crate) data: tempfile::TempDir,
}

impl Ops {
    pub(crate) fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let ops = Self { local: Local::start(&data.path().join("cloud"), "1", MORNING), data };
        let pulled = ops.run("pull", &[]);
        assert_eq!(pulled.code, 0, "{}", pulled.complained);
        ops
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.data.path().join("records")
    }

    /// Runs a command on the folder.
    pub(crate) fn run(&self, command: &str, args: &[&str]) -> Ran {
        self.ask(command, &[&[self.folder().to_str().unwrap()], args].concat())
    }

    /// Runs a command on this cloud's table.
    pub(crate) fn ask(&self, command: &str, args: &[&str]) -> Ran {
        let endpoint = self.local.endpoint();
        let ran = Ran::of(&[&[command, "--endpoint-url", &endpoint], args].concat(), &[]);
        let redacted =
            |text: &str| text.replace(&endpoint, "http://local").replace(self.folder().to_str().unwrap(), "DIR");
        Ran { told: redacted(&ran.told), complained: redacted(&ran.complained), ..ran }
    }

    /// Edits a file of the folder.
    pub(crate) fn edit(&self, file: &str, edit: impl FnOnce(&mut Value)) {
        let path = self.folder().join(file);
        let mut record: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        edit(&mut record);
        fs::write(path, record.to_string()).unwrap();
    }

    pub(crate) fn version(&self, id: &str) -> Value {
        self.ask("show", &[id, "--json"]).json()["published_version"].clone()
    }
}
