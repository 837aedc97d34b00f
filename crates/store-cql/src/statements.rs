//! The texts of all statements on rows, prepared once. Columns are always named: a table may have got more of them since.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{PoisonError, RwLock};

use scylla::client::session::Session;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;
use store::{Column, Order, Scan, StoreError, TableDef};

use crate::CqlError;
use crate::ddl::{ENDS_AT, WTS};

/// Rows of one page of an answer: at the largest row, 512 MB; at the usual one, 200 KB.
const PAGE_ROWS: i32 = 1_000;

/// What is prepared when the store is opened: a table that does not fit shows there.
pub(crate) struct OfTable {
    /// Key, columns, write time, end, then TTL and the servers' write time.
    pub(crate) insert: PreparedStatement,
    /// The servers' write time, then the key.
    pub(crate) delete: PreparedStatement,
}

pub(crate) struct Statements {
    keyspace: String,
    /// A table to ask when it is only about an answer.
    first: &'static TableDef,
    tables: HashMap<&'static str, OfTable>,
    others: RwLock<HashMap<String, PreparedStatement>>,
}

impl Statements {
    pub(crate) async fn prepare(
        session: &Session,
        keyspace: &str,
        tables: &[&'static TableDef],
    ) -> Result<Self, CqlError> {
        let mut prepared = HashMap::new();
        for table in tables {
            let of_table = OfTable {
                insert: prepare(session, &insert(keyspace, table)).await?,
                delete: prepare(session, &delete(keyspace, table)).await?,
            };
            prepared.insert(table.name, of_table);
        }
        Ok(Self {
            keyspace: keyspace.to_owned(),
            first: tables.first().copied().unwrap_or(&store::rows::STATUS),
            tables: prepared,
            others: RwLock::default(),
        })
    }

    pub(crate) fn of(&self, table: &'static TableDef) -> Result<&OfTable, StoreError> {
        self.tables.get(table.name).ok_or_else(|| StoreError::Invalid {
            table: table.name,
            problem: "the store was not opened with this table".to_owned(),
        })
    }

    /// The statement of a scan.
    pub(crate) async fn scan(
        &self,
        session: &Session,
        scan: &Scan,
        goes_on: bool,
    ) -> Result<PreparedStatement, CqlError> {
        let mut statement = self.other(session, select(&self.keyspace, scan, goes_on)).await?;
        statement.set_page_size(PAGE_ROWS);
        Ok(statement)
    }

    /// One whole row by its key, at the serial consistency: what conditional writes have settled.
    pub(crate) async fn settled_row(
        &self,
        session: &Session,
        table: &'static TableDef,
    ) -> Result<PreparedStatement, CqlError> {
        let names = joined(all_columns(table), ", ");
        let text = format!(
            "SELECT {names} FROM {}.{} WHERE {}",
            self.keyspace,
            table.name,
            key_is(table)
        );
        let mut statement = self.other(session, text).await?;
        statement.set_consistency(Consistency::Serial);
        Ok(statement)
    }

    /// TTL, columns, write time, end; key; then the write time and the columns that have to stand there.
    pub(crate) async fn conditional_update(
        &self,
        session: &Session,
        table: &'static TableDef,
    ) -> Result<PreparedStatement, CqlError> {
        let names = || table.columns.iter().map(|c| c.name);
        let set: Vec<_> = names()
            .chain([WTS, ENDS_AT])
            .map(|name| format!("{name} = ?"))
            .collect();
        let condition: Vec<_> = [WTS]
            .into_iter()
            .chain(names())
            .map(|name| format!("{name} = ?"))
            .collect();
        let text = format!(
            "UPDATE {}.{} USING TTL ? SET {} WHERE {} IF {}",
            self.keyspace,
            table.name,
            set.join(", "),
            key_is(table),
            condition.join(" AND ")
        );
        let mut statement = self.other(session, text).await?;
        // Made twice it would refuse itself; whether it counted is found out by reading.
        statement.set_is_idempotent(false);
        Ok(statement)
    }

    /// Key, then the write time up to which it goes.
    pub(crate) async fn conditional_delete(
        &self,
        session: &Session,
        table: &'static TableDef,
    ) -> Result<PreparedStatement, CqlError> {
        let text = format!(
            "DELETE FROM {}.{} WHERE {} IF {WTS} <= ?",
            self.keyspace,
            table.name,
            key_is(table)
        );
        self.other(session, text).await
    }

    /// All rows between two tokens, both included.
    pub(crate) async fn token_range(
        &self,
        session: &Session,
        table: &'static TableDef,
    ) -> Result<PreparedStatement, CqlError> {
        let partition = joined(table.partition_key.iter().map(|c| c.name), ", ");
        let text = format!(
            "SELECT {} FROM {}.{} WHERE token({partition}) >= ? AND token({partition}) <= ?",
            joined(all_columns(table), ", "),
            self.keyspace,
            table.name
        );
        let mut statement = self.other(session, text).await?;
        statement.set_page_size(PAGE_ROWS);
        Ok(statement)
    }

    /// Nothing in particular, of a table that is there.
    pub(crate) async fn health(&self, session: &Session) -> Result<PreparedStatement, CqlError> {
        let text = format!(
            "SELECT {WTS} FROM {}.{} WHERE {} LIMIT 1",
            self.keyspace,
            self.first.name,
            self.one_token()
        );
        self.other(session, text).await
    }

    fn one_token(&self) -> String {
        format!(
            "token({}) = 0",
            joined(self.first.partition_key.iter().map(|c| c.name), ", ")
        )
    }

    async fn other(&self, session: &Session, text: String) -> Result<PreparedStatement, CqlError> {
        let known = self
            .others
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&text)
            .cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = prepare(session, &text).await?;
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        Ok(others.entry(text).or_insert(statement).clone())
    }
}

async fn prepare(session: &Session, text: &str) -> Result<PreparedStatement, CqlError> {
    let prepared = session.prepare(text).await.map_err(|error| CqlError::Request {
        what: "preparing a statement",
        source: Box::new(error.into()),
    });
    let mut statement = prepared?;
    statement.set_is_idempotent(true);
    Ok(statement)
}

/// The names of a whole row: key, columns, write time, end. [`crate::values::row_of`] reads them in this order.
pub(crate) fn all_columns(table: &'static TableDef) -> impl Iterator<Item = &'static str> {
    let columns = table.columns.iter().map(|c| c.name);
    key_columns(table).map(|c| c.name).chain(columns).chain([WTS, ENDS_AT])
}

fn key_columns(table: &'static TableDef) -> impl Iterator<Item = &'static Column> {
    table
        .partition_key
        .iter()
        .chain(table.clustering_key.iter().map(|(column, _)| column))
}

fn key_is(table: &'static TableDef) -> String {
    let parts: Vec<_> = key_columns(table).map(|c| format!("{} = ?", c.name)).collect();
    parts.join(" AND ")
}

fn joined(names: impl Iterator<Item = &'static str>, by: &str) -> String {
    names.collect::<Vec<_>>().join(by)
}

fn insert(keyspace: &str, table: &'static TableDef) -> String {
    let names: Vec<_> = all_columns(table).collect();
    let marks = vec!["?"; names.len()].join(", ");
    let names = names.join(", ");
    format!(
        "INSERT INTO {keyspace}.{} ({names}) VALUES ({marks}) USING TTL ? AND TIMESTAMP ?",
        table.name
    )
}

fn delete(keyspace: &str, table: &'static TableDef) -> String {
    format!(
        "DELETE FROM {keyspace}.{} USING TIMESTAMP ? WHERE {}",
        table.name,
        key_is(table)
    )
}

/// Whether a page that goes on is between two tuples: a prefix and several columns behind it cannot be compared apart, for both
/// servers refuse to mix conditions on single clustering columns with those on several.
pub(crate) fn is_between(scan: &Scan) -> bool {
    !scan.prefix.is_empty() && scan.table.clustering_key.len() > scan.prefix.len() + 1
}

/// Partition key, prefix, what the page goes on behind; between two tuples, partition key, the whole clustering key that it goes on
/// behind, prefix. No limit: pages are taken until there is enough.
fn select(keyspace: &str, scan: &Scan, goes_on: bool) -> String {
    let table = scan.table;
    let mut text = format!(
        "SELECT {} FROM {keyspace}.{} WHERE ",
        joined(all_columns(table), ", "),
        table.name
    );
    let is_between = goes_on && is_between(scan);
    let fixed = if is_between { 0 } else { scan.prefix.len() };
    let equal = table.partition_key.len() + fixed;
    let conditions: Vec<_> = key_columns(table)
        .take(equal)
        .map(|c| format!("{} = ?", c.name))
        .collect();
    text.push_str(&conditions.join(" AND "));
    let rest = &table.clustering_key[fixed..];
    if let (true, [(_, order), ..]) = (goes_on, rest) {
        let names = joined(rest.iter().map(|(column, _)| column.name), ", ");
        let marks = vec!["?"; rest.len()].join(", ");
        let sign = if (*order == Order::Asc) == scan.reverse {
            '<'
        } else {
            '>'
        };
        write!(text, " AND ({names}) {sign} ({marks})").expect("writing to a string cannot fail");
        if is_between {
            let prefix = &table.clustering_key[..scan.prefix.len()];
            let names = joined(prefix.iter().map(|(column, _)| column.name), ", ");
            let marks = vec!["?"; prefix.len()].join(", ");
            let sign = if sign == '<' { ">=" } else { "<=" };
            write!(text, " AND ({names}) {sign} ({marks})").expect("writing to a string cannot fail");
        }
    }
    if scan.reverse && !table.clustering_key.is_empty() {
        let order = |order| if order == Order::Asc { "DESC" } else { "ASC" };
        let columns: Vec<_> = table
            .clustering_key
            .iter()
            .map(|(c, o)| format!("{} {}", c.name, order(*o)))
            .collect();
        write!(text, " ORDER BY {}", columns.join(", ")).expect("writing to a string cannot fail");
    }
    text
}

/// Whether pages of this scan can be asked for: the columns that are compared together have one direction.
pub(crate) fn check_pages(scan: &Scan) -> Result<(), StoreError> {
    let from = if is_between(scan) { 0 } else { scan.prefix.len() };
    let compared = &scan.table.clustering_key[from..];
    if compared.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        return Ok(());
    }
    Err(StoreError::Invalid {
        table: scan.table.name,
        problem: "pages over clustering columns of two directions are not built".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use store::conformance::{EVENTS, STATES, events, states, text};
    use store::rows::TABLES;

    use super::*;

    #[test]
    fn each_scan_is_one_partition_in_the_tables_order() {
        let check = |scan: Scan, goes_on: bool, expected: &str| {
            let statement = select("k", &scan, goes_on);
            assert_eq!(statement.split_once(" WHERE ").unwrap().1, expected);
        };
        check(states("x"), false, "p = ?");
        check(states("x"), true, "p = ? AND (n) > (?)");
        check(events("x"), true, "p = ? AND year = ? AND (at, id) < (?, ?)");
        let reverse = Scan {
            reverse: true,
            ..events("x")
        };
        check(
            reverse,
            true,
            "p = ? AND year = ? AND (at, id) > (?, ?) ORDER BY at ASC, id ASC",
        );
        let prefix = Scan {
            prefix: vec![store::Value::Timestamp(1)],
            ..events("x")
        };
        check(prefix, true, "p = ? AND year = ? AND at = ? AND (id) < (?)");
        let samples = Scan {
            table: &store::rows::SAMPLES_RAW,
            prefix: vec![text("rx")],
            ..events("x")
        };
        check(samples.clone(), false, "entity = ? AND day = ? AND measure = ?");
        let between = "entity = ? AND day = ? AND (measure, ts, quality, value) < (?, ?, ?, ?) AND (measure) >= (?)";
        check(samples, true, between);
    }

    #[test]
    fn rows_are_written_whole_with_their_own_times() {
        assert_eq!(
            insert("k", &STATES),
            "INSERT INTO k.suite_states (p, n, word, number, attrs, wts, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?) USING TTL ? AND TIMESTAMP ?"
        );
        assert_eq!(
            delete("k", &EVENTS),
            "DELETE FROM k.suite_events USING TIMESTAMP ? WHERE p = ? AND year = ? AND at = ? AND id = ?"
        );
    }

    #[test]
    fn every_table_can_be_paged_with_every_prefix() {
        for table in TABLES {
            for prefix in 0..=table.clustering_key.len() {
                let scan = Scan {
                    table,
                    partition: vec![],
                    prefix: vec![text("x"); prefix],
                    limit: 1,
                    cursor: None,
                    reverse: false,
                };
                check_pages(&scan).unwrap();
            }
        }
    }
}
