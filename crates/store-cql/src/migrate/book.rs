//! What has been applied, as the keyspace's own tables say.

use std::collections::BTreeMap;

use scylla::client::session::Session;
use scylla::statement::Consistency;
use scylla::statement::unprepared::Statement;
use scylla::value::{CqlTimestamp, CqlValue, Row as Values};

use super::{Migration, PendingStatement, text};
use crate::CqlError;

/// Makes the tables that migrations themselves need.
pub(super) const OWN_TABLES: &[(&str, &str)] = &[
    (
        "schema_migrations",
        "CREATE TABLE IF NOT EXISTS schema_migrations (id text, version int, step int, checksum text, compatible_from int, \
         applied_at timestamp, PRIMARY KEY ((id), version, step))",
    ),
    (
        "schema_lock",
        "CREATE TABLE IF NOT EXISTS schema_lock (id text PRIMARY KEY, owner text, at timestamp)",
    ),
];
/// The one partition of either.
pub(super) const ID: &str = "atalaia";
const WHAT: &str = "reading which migrations were applied";

/// Checksums of applied statements by (version, step), and since which version builds can work with them.
#[derive(Debug, Default)]
pub(super) struct Book {
    applied: BTreeMap<(u32, u32), String>,
    compatible_from: BTreeMap<u32, u32>,
}

impl Book {
    /// Reads it; `None` if there is no keyspace. One without tables has applied nothing.
    pub(super) async fn read(session: &Session, keyspace: &str) -> Result<Option<Self>, CqlError> {
        let text = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
        if rows(session, text, &[keyspace]).await?.is_empty() {
            return Ok(None);
        }
        if !table_exists(session, keyspace, OWN_TABLES[0].0).await? {
            return Ok(Some(Self::default()));
        }
        let text =
            format!("SELECT version, step, checksum, compatible_from FROM {keyspace}.schema_migrations WHERE id = ?");
        let mut book = Self::default();
        for row in rows(session, &text, &[ID]).await? {
            let (version, step, checksum, from) = match row.columns.as_slice() {
                [
                    Some(CqlValue::Int(version)),
                    Some(CqlValue::Int(step)),
                    Some(CqlValue::Text(checksum)),
                    Some(CqlValue::Int(from)),
                ] => (*version, *step, checksum.clone(), *from),
                _ => return Err(CqlError::answer(WHAT, "a row of schema_migrations is not whole")),
            };
            let number = |n: i32| u32::try_from(n).unwrap_or(0);
            book.applied.insert((number(version), number(step)), checksum);
            book.compatible_from.insert(number(version), number(from));
        }
        Ok(Some(book))
    }

    /// Statements that are not applied yet, in their order.
    pub(super) fn pending(&self, migrations: &[Migration]) -> Result<Vec<PendingStatement>, CqlError> {
        self.check_newest(migrations)?;
        let mut pending = Vec::new();
        for migration in migrations {
            let version = migration.version;
            for (step, text) in (1..).zip(text::statements(migration.text)) {
                match self.applied.get(&(version, step)) {
                    None => pending.push(PendingStatement { version, step, text }),
                    Some(checksum) if *checksum != text::checksum(&text) => {
                        return Err(CqlError::OtherText { version, step });
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(pending)
    }

    /// A newer version is fine as long as it says that it is.
    fn check_newest(&self, migrations: &[Migration]) -> Result<(), CqlError> {
        let ours = migrations.iter().map(|m| m.version).max().unwrap_or(0);
        let mut newer = self.compatible_from.range(ours + 1..);
        match newer.rfind(|(_, from)| **from > ours) {
            None => Ok(()),
            Some((found, _)) => Err(CqlError::TooNew { found: *found, ours }),
        }
    }

    /// Newest version of which anything is applied.
    pub(super) fn version(&self) -> u32 {
        self.compatible_from.keys().next_back().copied().unwrap_or(0)
    }
}

/// Writes down that a statement was executed.
pub(super) async fn write_down(
    session: &Session,
    keyspace: &str,
    done: &PendingStatement,
    compatible_from: u32,
    now_ms: i64,
) -> Result<(), CqlError> {
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let text = format!(
        "INSERT INTO {keyspace}.schema_migrations (id, version, step, checksum, compatible_from, applied_at) VALUES (?, ?, ?, ?, ?, ?)"
    );
    let values = (
        ID,
        number(done.version),
        number(done.step),
        text::checksum(&done.text),
        number(compatible_from),
        CqlTimestamp(now_ms),
    );
    let written = session.query_unpaged(statement(&text), values).await;
    written.map(drop).map_err(|error| CqlError::Request {
        what: "writing down what was applied",
        source: Box::new(error),
    })
}

pub(super) async fn table_exists(session: &Session, keyspace: &str, table: &str) -> Result<bool, CqlError> {
    let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";
    Ok(!rows(session, text, &[keyspace, table]).await?.is_empty())
}

pub(super) async fn column_exists(
    session: &Session,
    keyspace: &str,
    table: &str,
    column: &str,
) -> Result<bool, CqlError> {
    let text =
        "SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ? AND column_name = ?";
    Ok(!rows(session, text, &[keyspace, table, column]).await?.is_empty())
}

async fn rows(session: &Session, text: &str, values: &[&str]) -> Result<Vec<Values>, CqlError> {
    let answer = session
        .query_unpaged(statement(text), values)
        .await
        .map_err(|error| CqlError::Request {
            what: WHAT,
            source: Box::new(error),
        })?;
    let answer = answer
        .into_rows_result()
        .map_err(|error| CqlError::answer(WHAT, error))?;
    let rows = answer.rows::<Values>().map_err(|error| CqlError::answer(WHAT, error))?;
    rows.collect::<Result<_, _>>()
        .map_err(|error| CqlError::answer(WHAT, error))
}

/// A quorum of all data centres: what one wrote down, every other one sees.
fn statement(text: &str) -> Statement {
    let mut statement = Statement::new(text);
    statement.set_consistency(Consistency::Quorum);
    statement.set_is_idempotent(true);
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: &[Migration] = &[
        Migration {
            version: 1,
            compatible_from: 1,
            text: "A;\nB;",
        },
        Migration {
            version: 2,
            compatible_from: 1,
            text: "C;",
        },
    ];

    fn book(applied: &[(u32, u32, &str)], compatible_from: &[(u32, u32)]) -> Book {
        Book {
            applied: applied
                .iter()
                .map(|(v, s, text)| ((*v, *s), text::checksum(text)))
                .collect(),
            compatible_from: compatible_from.iter().copied().collect(),
        }
    }

    #[test]
    fn what_is_missing_is_pending_in_order() {
        let check = |book: Book, expected: &[(u32, u32)]| {
            let pending = book.pending(VERSIONS).unwrap();
            assert_eq!(
                pending.iter().map(|p| (p.version, p.step)).collect::<Vec<_>>(),
                expected
            );
        };
        check(Book::default(), &[(1, 1), (1, 2), (2, 1)]);
        check(book(&[(1, 1, "A")], &[(1, 1)]), &[(1, 2), (2, 1)]);
        check(book(&[(1, 1, " A"), (1, 2, "B"), (2, 1, "C")], &[(1, 1), (2, 1)]), &[]);
    }

    #[test]
    fn another_text_and_a_newer_version_are_refused() {
        let changed = book(&[(1, 1, "A2")], &[(1, 1)]).pending(VERSIONS);
        assert!(matches!(changed, Err(CqlError::OtherText { version: 1, step: 1 })));
        let newer = book(&[], &[(3, 2), (4, 3), (5, 3)]).pending(VERSIONS);
        assert!(matches!(newer, Err(CqlError::TooNew { found: 5, ours: 2 })));
        // One that says we can work with it is none of our business.
        assert!(book(&[], &[(3, 2)]).pending(VERSIONS).is_ok());
    }
}
