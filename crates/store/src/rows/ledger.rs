//! What became of every datagram, as it stood when a connector last said so.

use std::collections::BTreeMap;
use std::time::Duration;

use ColumnType::{Bigint, Map, Text, Timestamp};
use model::Micros;

use super::fields::{Fields, column, counts, instant, optional_text, text};
use crate::{ColumnType, Order, Row, StoreError, TableDef, Value};

/// Kept as long as the topic it comes from, from the last time it was said.
const RETENTION: Duration = Duration::from_secs(90 * 86_400);
/// Read group of the listeners' own rows.
const LISTENERS: &str = "listeners";

/// Counts of a listener, or of one of its senders, in one run of its process: the last row of each.
pub static LEDGER: TableDef = TableDef {
    name: "ledger",
    partition_key: &[column("read_group", Text)],
    clustering_key: &[(column("name", Text), Order::Asc), (column("writer", Text), Order::Asc)],
    columns: &[
        column("root", Text),
        column("at", Timestamp),
        column("received", Bigint),
        column("accepted", Bigint),
        column("recovered", Bigint),
        column("acknowledged", Bigint),
        column("waiting", Bigint),
        column("over_limit", Bigint),
        column("kernel_drops", Bigint),
        column("dropped", Map),
        column("refused", Map),
        column("undecodable", Map),
        column("first_at", Timestamp),
        column("last_at", Timestamp),
        column("lost_first_at", Timestamp),
        column("lost_last_at", Timestamp),
    ],
    retention: Some(RETENTION),
    mutable: true,
};

/// Of what a [`LedgerEntryRow`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerOf {
    /// A listener.
    Listener(String),
    /// A sender, as one listener heard it.
    Sender {
        /// The listener.
        listener: String,
        /// Its address, `others` or `earlier`.
        sender: String,
    },
}

impl LedgerOf {
    /// The partition of the listeners, or of the senders of one.
    pub fn read_group(listener: Option<&str>) -> String {
        listener.map_or_else(|| LISTENERS.to_owned(), |l| format!("senders/{l}"))
    }

    fn key(&self) -> (String, &str) {
        match self {
            Self::Listener(name) => (Self::read_group(None), name),
            Self::Sender { listener, sender } => (Self::read_group(Some(listener)), sender),
        }
    }
}

/// One row of [`LEDGER`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `LedgerRow`, documented in its schema"
)]
pub struct LedgerEntryRow {
    pub of: LedgerOf,
    pub writer: String,
    pub root: Option<String>,
    pub at: Micros,
    pub received: i64,
    pub accepted: i64,
    pub recovered: i64,
    pub acknowledged: i64,
    pub waiting: i64,
    pub over_limit: i64,
    pub kernel_drops: i64,
    pub dropped: BTreeMap<String, i64>,
    pub refused: BTreeMap<String, i64>,
    pub undecodable: BTreeMap<String, i64>,
    pub first_at: Option<Micros>,
    pub last_at: Option<Micros>,
    pub lost_first_at: Option<Micros>,
    pub lost_last_at: Option<Micros>,
}

impl LedgerEntryRow {
    /// The row of [`LEDGER`]: of one writer, the one said last wins.
    pub fn to_row(&self) -> Row {
        let retention_ms = i64::try_from(RETENTION.as_millis()).expect("90 days");
        let (read_group, name) = self.of.key();
        Row {
            table: &LEDGER,
            key: vec![Value::Text(read_group), text(name), text(&self.writer)],
            columns: vec![
                optional_text(self.root.as_ref()),
                Some(instant(self.at)),
                Some(Value::Bigint(self.received)),
                Some(Value::Bigint(self.accepted)),
                Some(Value::Bigint(self.recovered)),
                Some(Value::Bigint(self.acknowledged)),
                Some(Value::Bigint(self.waiting)),
                Some(Value::Bigint(self.over_limit)),
                Some(Value::Bigint(self.kernel_drops)),
                counts(&self.dropped),
                counts(&self.refused),
                counts(&self.undecodable),
                self.first_at.map(instant),
                self.last_at.map(instant),
                self.lost_first_at.map(instant),
                self.lost_last_at.map(instant),
            ],
            wts_us: self.at.0,
            expires_at_ms: Some(self.at.millis().saturating_add(retention_ms)),
        }
    }

    /// Reads a row of [`LEDGER`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&LEDGER])?;
        let name = fields.text("name")?;
        let of = match fields.text("read_group")?.strip_prefix("senders/") {
            Some(listener) => LedgerOf::Sender {
                listener: listener.to_owned(),
                sender: name,
            },
            None => LedgerOf::Listener(name),
        };
        Ok(Self {
            of,
            writer: fields.text("writer")?,
            root: fields.optional_text("root")?,
            at: fields.instant("at")?,
            received: fields.bigint("received")?,
            accepted: fields.bigint("accepted")?,
            recovered: fields.bigint("recovered")?,
            acknowledged: fields.bigint("acknowledged")?,
            waiting: fields.bigint("waiting")?,
            over_limit: fields.bigint("over_limit")?,
            kernel_drops: fields.bigint("kernel_drops")?,
            dropped: fields.counts("dropped")?,
            refused: fields.counts("refused")?,
            undecodable: fields.counts("undecodable")?,
            first_at: fields.optional_instant("first_at")?,
            last_at: fields.optional_instant("last_at")?,
            lost_first_at: fields.optional_instant("lost_first_at")?,
            lost_last_at: fields.optional_instant("lost_last_at")?,
        })
    }

    /// Whether every datagram is in exactly one count, and every record too.
    pub fn balances(&self) -> bool {
        let sum = |counts: &BTreeMap<String, i64>| counts.values().sum::<i64>();
        self.received == sum(&self.undecodable) + sum(&self.refused) + self.over_limit + self.accepted
            && self.accepted + self.recovered == self.acknowledged + self.waiting + sum(&self.dropped)
    }

    /// What did not and will not reach the log: the kernel's drops, and accepted records given up.
    pub fn lost(&self) -> i64 {
        self.kernel_drops + self.dropped.values().sum::<i64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(of: LedgerOf) -> LedgerEntryRow {
        LedgerEntryRow {
            of,
            writer: "up-1-main-0".into(),
            root: Some("default/olt/a".into()),
            at: Micros(1_700_000_000_123_000),
            received: 20,
            accepted: 12,
            recovered: 3,
            acknowledged: 10,
            waiting: 4,
            over_limit: 1,
            kernel_drops: 7,
            dropped: BTreeMap::from([("spool_full".into(), 1)]),
            refused: BTreeMap::from([("community".into(), 5)]),
            undecodable: BTreeMap::from([("truncated".into(), 2)]),
            first_at: Some(Micros(1_000)),
            last_at: Some(Micros(2_000)),
            lost_first_at: None,
            lost_last_at: None,
        }
    }

    #[test]
    fn a_row_comes_back_as_it_was() {
        for of in [
            LedgerOf::Listener("0.0.0.0:162".into()),
            LedgerOf::Sender {
                listener: "main".into(),
                sender: "192.0.2.1".into(),
            },
        ] {
            let entry = entry(of);
            assert_eq!(LedgerEntryRow::from_row(&entry.to_row()).unwrap(), entry);
        }
    }

    #[test]
    fn one_too_many_anywhere_is_seen() {
        let good = entry(LedgerOf::Listener("main".into()));
        assert!(good.balances());
        assert_eq!(good.lost(), 8);
        let check = |spoil: fn(&mut LedgerEntryRow)| {
            let mut bad = good.clone();
            spoil(&mut bad);
            assert!(!bad.balances(), "{bad:?}");
        };
        check(|r| r.received += 1);
        check(|r| r.accepted += 1);
        check(|r| r.recovered += 1);
        check(|r| r.acknowledged += 1);
        check(|r| r.waiting += 1);
        check(|r| r.over_limit += 1);
        check(|r| *r.dropped.get_mut("spool_full").unwrap() += 1);
        check(|r| r.refused.clear());
        check(|r| r.undecodable.clear());
    }
}
