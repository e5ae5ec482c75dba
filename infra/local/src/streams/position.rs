//! How far each function has read each stream, and where it stands with a batch that failed.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, params};

use super::StreamMapping;

/// One row for each function and table.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS stream_positions (
        function TEXT NOT NULL,
        table_name TEXT NOT NULL,
        after INTEGER NOT NULL,
        ends TEXT NOT NULL,
        failures INTEGER NOT NULL,
        not_before INTEGER,
        invocations INTEGER NOT NULL,
        PRIMARY KEY (function, table_name)
    ) STRICT, WITHOUT ROWID";

/// Where a function stands with a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The last record that is done with.
    pub(super) after: i64,
    /// The last record of each batch that is to be tried again in just that size, the next one first.
    pub(super) ends: Vec<i64>,
    /// How often the next batch has failed.
    pub(super) failures: u32,
    /// When the next batch may be tried, at the earliest.
    pub(super) not_before: Option<DateTime<Utc>>,
    /// How many invocations were started. Each has its own number, and only the last one's end counts.
    pub(super) invocations: i64,
}

impl Position {
    /// Reads where the function stands; one that is new starts before the oldest record.
    pub(super) fn load(conn: &Connection, mapping: &StreamMapping) -> rusqlite::Result<Self> {
        let mut select = conn.prepare_cached(
            "SELECT after, ends, failures, not_before, invocations FROM stream_positions WHERE function = ?1 AND table_name = ?2",
        )?;
        let stored = select.query_row([&mapping.function.name, &mapping.table], |row| {
            let ends: String = row.get(1)?;
            let not_before: Option<i64> = row.get(3)?;
            Ok(Self {
                after: row.get(0)?,
                ends: ends.split(',').filter_map(|end| end.parse().ok()).collect(),
                failures: row.get(2)?,
                not_before: not_before.and_then(DateTime::from_timestamp_millis),
                invocations: row.get(4)?,
            })
        });
        Ok(stored.optional()?.unwrap_or_default())
    }

    /// Writes it.
    pub(super) fn store(&self, conn: &Connection, mapping: &StreamMapping) -> rusqlite::Result<()> {
        let ends: Vec<_> = self.ends.iter().map(i64::to_string).collect();
        conn.prepare_cached("INSERT OR REPLACE INTO stream_positions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(
            params![
                mapping.function.name,
                mapping.table,
                self.after,
                ends.join(","),
                self.failures,
                self.not_before.map(|at| at.timestamp_millis()),
                self.invocations,
            ],
        )?;
        Ok(())
    }

    /// Is done with all records up to that one.
    pub(super) fn pass(&mut self, end: i64) {
        self.after = end;
        self.ends.retain(|later| *later > end);
        self.failures = 0;
        self.not_before = None;
    }
}

/// The next instant at which a batch that failed is retried.
pub fn next_retry_at(conn: &Connection) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let at: Option<i64> =
        conn.prepare_cached("SELECT MIN(not_before) FROM stream_positions")?.query_row([], |row| row.get(0))?;
    Ok(at.and_then(DateTime::from_timestamp_millis))
}

/// Deletes records that every function is done with, except the last `kept` of the table.
pub(super) fn trim(conn: &Connection, table: &str, kept: u32) -> rusqlite::Result<usize> {
    // With fewer records than that the second minimum is null, and so is the whole: nothing is deleted.
    conn.prepare_cached(
        "DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= min(
            (SELECT MIN(after) FROM stream_positions WHERE table_name = ?1),
            (SELECT CAST(sequence_number AS INTEGER) FROM _stream_records WHERE table_name = ?1
             ORDER BY CAST(sequence_number AS INTEGER) DESC LIMIT 1 OFFSET max(?2, 1)))",
    )?
    .execute(params![table, kept])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{LocalClock, Pace},
        database::Database,
    };

    #[test]
    fn old_records_go_when_all_have_read_them_but_the_last_ones_stay() {
        let clock = LocalClock::new(DateTime::from_timestamp(1_800_000_000, 0).unwrap(), Pace::Jumps);
        let db = Database::memory(clock).unwrap();
        for table in ["leads", "config"] {
            for number in 1..=10 {
                let number = number.to_string();
                db.storage(|s| s.insert_stream_record(table, "INSERT", "{}", None, None, &number, "shard", 0)).unwrap();
            }
        }
        let read = |function: &str, after: i64| {
            let insert = "INSERT OR REPLACE INTO stream_positions VALUES (?1, 'leads', ?2, '', 0, NULL, 1)";
            db.with(|conn| conn.execute(insert, params![function, after])).unwrap();
        };
        let left = |table: &str| -> i64 {
            let count = "SELECT count(*) FROM _stream_records WHERE table_name = ?1";
            db.with(|conn| conn.query_row(count, [table], |row| row.get(0))).unwrap()
        };
        let trim = |kept| db.with(|conn| trim(conn, "leads", kept)).unwrap();
        assert_eq!(trim(3), 0, "nobody has read any");
        read("fast", 10);
        read("slow", 4);
        assert_eq!((trim(3), left("leads")), (4, 6), "one has read only four");
        read("slow", 10);
        assert_eq!((trim(20), left("leads")), (0, 6));
        assert_eq!((trim(3), left("leads")), (3, 3));
        assert_eq!((trim(0), left("leads")), (2, 1), "the last one always stays");
        assert_eq!(left("config"), 10);
    }
}
