//! Who runs: the functions' processes, for people to look at.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

/// A process of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Whose it is.
    pub function: String,
    /// The system's number of it.
    pub pid: u32,
    /// The invocation that it is at, if it is at one.
    pub request_id: Option<String>,
}

/// The processes that run.
#[derive(Default)]
pub(super) struct Roll(Mutex<BTreeMap<u32, Process>>);

/// A process's place in the roll, until it is dropped.
pub(super) struct Listed {
    roll: Arc<Roll>,
    pid: Option<u32>,
}

/// While a process is at an invocation.
pub(super) struct Busy {
    roll: Arc<Roll>,
    pid: Option<u32>,
}

impl Roll {
    /// Lists a process; one that has already ended has no number and no place.
    pub(super) fn list(self: &Arc<Self>, function: &str, pid: Option<u32>) -> Listed {
        if let Some(pid) = pid {
            self.rows().insert(pid, Process { function: function.to_owned(), pid, request_id: None });
        }
        Listed { roll: self.clone(), pid }
    }

    pub(super) fn processes(&self) -> Vec<Process> {
        self.rows().values().cloned().collect()
    }

    fn set(&self, pid: Option<u32>, request_id: Option<String>) {
        let mut rows = self.rows();
        if let Some(process) = pid.and_then(|pid| rows.get_mut(&pid)) {
            process.request_id = request_id;
        }
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<u32, Process>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listed {
    pub(super) fn busy(&self, request_id: &str) -> Busy {
        self.roll.set(self.pid, Some(request_id.to_owned()));
        Busy { roll: self.roll.clone(), pid: self.pid }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            self.roll.rows().remove(&pid);
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.roll.set(self.pid, None);
    }
}
