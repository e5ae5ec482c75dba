//! The one SQLite database under the whole cloud: dynoxide's tables, and those that the other services keep beside them.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dynoxide::{DynoxideError, storage::Storage, storage_backend::Clock};
use rusqlite::{Connection, config::DbConfig};

use crate::{clock::LocalClock, dynamo, streams};

/// Without it each write of a table with a stream reads all of the table's stream records, to find the last one's number.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS stream_records_in_order \
     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// More than the services have, so that none is read by SQLite a second time.
const STATEMENTS_KEPT: usize = 128;

/// Everything that the cloud keeps. Clones are the same database.
#[derive(Clone)]
pub struct Database(Arc<Opened>);

struct Opened {
    storage: Mutex<Storage>,
    /// Held while the database is open. It comes after the storage, so it is let go of last.
    _only_process: Option<File>,
}

/// A copy of all that a database held at an instant. Clones are the same copy.
#[derive(Clone)]
pub struct Image(Arc<Mutex<Connection>>);

/// Why the database cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Another local cloud has the file open.
    #[error("{} is in use by another local cloud: stop that one, or give this one another directory", path.display())]
    InUse {
        /// The database's file.
        path: PathBuf,
    },
    /// Its folder or its lock cannot be made.
    #[error("cannot make {}", path.display())]
    Make {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// dynoxide failed.
    #[error("the embedded DynamoDB failed")]
    Dynoxide(#[from] DynoxideError),
    /// SQLite failed.
    #[error("the database failed")]
    Sqlite(#[from] rusqlite::Error),
    /// There is no such table, or it has no stream.
    #[error("table {table} has no stream")]
    NoStream {
        /// The table.
        table: String,
    },
}

impl Database {
    /// An empty database in memory.
    pub fn memory(clock: LocalClock) -> Result<Self, DatabaseError> {
        Self::prepared(Storage::memory()?, clock, None)
    }

    /// The database in that file, which is made if there is none. One process has it open at a time.
    pub fn open(path: &Path, clock: LocalClock) -> Result<Self, DatabaseError> {
        let only_process = lock(path)?;
        let storage = Storage::new(&path.to_string_lossy())?;
        // What was answered must outlive the machine's power, not only the process.
        storage.conn().pragma_update(None, "synchronous", "FULL")?;
        Self::prepared(storage, clock, Some(only_process))
    }

    /// A copy of all that is in it now.
    pub(crate) fn image(&self) -> Result<Image, DatabaseError> {
        let copy = self.storage(Storage::backup_to_memory)?;
        Ok(Image(Arc::new(Mutex::new(copy))))
    }

    /// A database in memory that begins with all that is in the image.
    pub(crate) fn of_image(image: &Image, clock: LocalClock) -> Result<Self, DatabaseError> {
        let mut storage = Storage::memory()?;
        storage.restore_from_connection(&image.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Self::prepared(storage, clock, None)
    }

    fn prepared(storage: Storage, clock: LocalClock, only_process: Option<File>) -> Result<Self, DatabaseError> {
        let storage = storage.with_clock(Arc::new(CloudClock(clock)));
        let conn = storage.conn();
        conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        // Else SQLite plans a statement anew whenever it is given other values.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        conn.execute_batch(STREAM_INDEX)?;
        conn.execute_batch(dynamo::TOKENS_SCHEMA)?;
        conn.execute_batch(streams::SCHEMA)?;
        Ok(Self(Arc::new(Opened { storage: Mutex::new(storage), _only_process: only_process })))
    }

    /// Lends the connection, alone. A service keeps its own tables there, and its own transactions.
    pub fn with<R>(&self, work: impl FnOnce(&Connection) -> R) -> R {
        work(self.storage_alone().conn())
    }

    /// Lends dynoxide's storage, alone.
    pub fn storage<R>(&self, work: impl FnOnce(&Storage) -> R) -> R {
        work(&self.storage_alone())
    }

    fn storage_alone(&self) -> MutexGuard<'_, Storage> {
        self.0.storage.lock().unwrap_or_else(|poisoned| {
            self.0.storage.clear_poison();
            let storage = poisoned.into_inner();
            // Whoever panicked may have left a transaction open, which would swallow all that comes after it.
            if !storage.conn().is_autocommit()
                && let Err(error) = storage.conn().execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "kept a transaction open after a panic");
            }
            storage
        })
    }
}

/// A lock beside the file, which the system drops with the process however it ends. SQLite's own would make a second
/// cloud wait for half a minute before it fails, and would let it in between two writes.
fn lock(path: &Path) -> Result<File, DatabaseError> {
    let make = |path: &Path, source| DatabaseError::Make { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| make(folder, source))?;
    }
    let beside = path.with_extension("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&beside)
        .map_err(|source| make(&beside, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DatabaseError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(make(&beside, source)),
    }
}

/// The cloud's clock as dynoxide reads it.
struct CloudClock(LocalClock);

impl Clock for CloudClock {
    fn now_unix_secs(&self) -> u64 {
        self.0.now().timestamp().unsigned_abs()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        // Microseconds since 1970 fit into the 53 bits of a double until the year 2255.
        self.0.now().timestamp_micros() as f64 / 1_000_000.0
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::clock::Pace;

    fn clock() -> LocalClock {
        LocalClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap(), Pace::Jumps)
    }

    #[test]
    fn a_file_that_is_opened_again_has_all_that_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state").join("cloud.sqlite");
        let first = Database::open(&path, clock()).unwrap();
        first.with(|conn| conn.execute_batch("CREATE TABLE kept (x); INSERT INTO kept VALUES (7)")).unwrap();
        drop(first);
        let again = Database::open(&path, clock()).unwrap();
        let kept: i64 = again.with(|conn| conn.query_row("SELECT x FROM kept", [], |row| row.get(0))).unwrap();
        assert_eq!(kept, 7);
        let synchronous: i64 = again.with(|conn| conn.query_row("PRAGMA synchronous", [], |row| row.get(0))).unwrap();
        assert_eq!(synchronous, 2, "2 is FULL");
    }

    #[test]
    fn a_second_cloud_on_the_same_file_is_refused_at_once_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cloud.sqlite");
        let first = Database::open(&path, clock()).unwrap();
        let refused = Database::open(&path, clock()).err().unwrap();
        assert!(matches!(refused, DatabaseError::InUse { .. }), "{refused:?}");
        assert!(refused.to_string().contains("in use by another local cloud"));
        drop(first);
        assert!(Database::open(&path, clock()).is_ok());
    }

    #[test]
    fn the_next_stream_record_is_numbered_without_reading_all_of_them() {
        let database = Database::memory(clock()).unwrap();
        let next = "EXPLAIN QUERY PLAN SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = 'leads'";
        let plan: String = database.with(|conn| conn.query_row(next, [], |row| row.get(3))).unwrap();
        assert!(plan.contains("stream_records_in_order"), "{plan}");
    }

    #[test]
    fn a_panic_while_the_connection_is_lent_leaves_no_transaction_open() {
        let database = Database::memory(clock()).unwrap();
        database.with(|conn| conn.execute_batch("CREATE TABLE kept (x)")).unwrap();
        let lent = database.clone();
        std::thread::spawn(move || {
            lent.with(|conn| {
                conn.execute_batch("BEGIN; INSERT INTO kept VALUES (1)").unwrap();
                panic!("in the middle of a transaction");
            })
        })
        .join()
        .unwrap_err();
        let rows: i64 =
            database.with(|conn| conn.query_row("SELECT count(*) FROM kept", [], |row| row.get(0))).unwrap();
        assert_eq!(rows, 0);
        assert!(database.with(|conn| conn.is_autocommit()));
    }
}
