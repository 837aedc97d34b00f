//! The ledger's present rows, one for each listener and run: what the board needs to say in words whether all is accounted for.

use std::collections::BTreeMap;

use model::Micros;
use schemas::{LedgerRow, LedgerScope};
use serde::Serialize;

use super::notice::{Notice, Word};
use crate::time::Instant3339;

/// A listener that said nothing for so long has ended, or cannot reach the log: its rows come every 10 s.
pub const SILENT_AFTER_US: i64 = 60 * Micros::SECOND;
/// Runs kept: far more than listeners.
const RUNS_MAX: usize = 256;

/// One listener in one run, as clients get it.
#[derive(Debug, Serialize)]
pub struct LedgerItem<'a> {
    listener: &'a str,
    run: &'a str,
    /// Whether it said so within the last minute.
    current: bool,
    at: Instant3339,
    received: i64,
    undecodable: i64,
    refused: i64,
    over_limit: i64,
    accepted: i64,
    recovered: i64,
    acknowledged: i64,
    waiting: i64,
    dropped: i64,
    kernel_drops: i64,
    /// Kernel drops and records given up.
    lost: i64,
    lost_first_at: Option<Instant3339>,
    lost_last_at: Option<Instant3339>,
    /// Of those received: freshness probes of ours.
    own_probes: i64,
    /// Whether both sums are right.
    balances: bool,
}

#[derive(Debug)]
struct Run {
    row: LedgerRow,
    current: bool,
}

/// Every listener's present run, and of the silent ones the last.
#[derive(Debug, Default)]
pub struct Ledger {
    runs: BTreeMap<(String, String), Run>,
    /// Probes received, by listener and run: their row may come before the listener's.
    own_probes: BTreeMap<(String, String), i64>,
}

/// What came of a row.
#[derive(Debug, Default)]
pub struct Said {
    pub changed: bool,
    pub notices: Vec<Notice>,
}

impl Ledger {
    /// Takes a row. What is read again is no news.
    pub fn count(&mut self, row: LedgerRow, replaying: bool) -> Said {
        let key = (row.listener.clone(), row.writer.clone());
        if row.scope == LedgerScope::Sender {
            let own = row.sender.as_deref() == Some(schemas::probe::SENDER);
            if own && (self.own_probes.len() < RUNS_MAX || self.own_probes.contains_key(&key)) {
                self.own_probes.insert(key, row.received);
            }
            return Said {
                changed: own,
                notices: Vec::new(),
            };
        }
        if self.runs.len() >= RUNS_MAX && !self.runs.contains_key(&key) {
            self.forget_oldest();
        }
        let before = self.runs.get(&key).map(|run| &run.row);
        if before.is_some_and(|before| before.at > row.at) {
            return Said::default();
        }
        let notices = if replaying { Vec::new() } else { notices(before, &row) };
        self.runs.insert(key, Run { row, current: true });
        Said { changed: true, notices }
    }

    /// Finds out who is silent; answers whether that changed anything. Of a listener that others speak for, silent runs go.
    pub fn tick(&mut self, now: Micros) -> bool {
        let mut changed = false;
        for run in self.runs.values_mut() {
            let current = now.since(run.row.at) < SILENT_AFTER_US;
            changed |= run.current != current;
            run.current = current;
        }
        if self.runs.len() > 1 {
            let runs = self.runs.len();
            self.forget_silent();
            changed |= self.runs.len() != runs;
        }
        changed
    }

    fn forget_silent(&mut self) {
        // What stands for a listener: those that speak, or else the last that did.
        let mut stands: BTreeMap<String, (bool, Micros)> = BTreeMap::new();
        for run in self.runs.values() {
            let known = stands.entry(run.row.listener.clone()).or_default();
            *known = (*known).max((run.current, run.row.at));
        }
        self.runs
            .retain(|(listener, _), run| run.current || stands.get(listener) == Some(&(false, run.row.at)));
        self.own_probes
            .retain(|key, _| self.runs.contains_key(key) || !stands.contains_key(&key.0));
    }

    fn forget_oldest(&mut self) {
        let oldest = self
            .runs
            .iter()
            .min_by_key(|(_, run)| run.row.at)
            .map(|(key, _)| key.clone());
        if let Some(key) = oldest {
            self.runs.remove(&key);
            self.own_probes.remove(&key);
        }
    }

    /// By listener and run.
    pub fn items(&self) -> Vec<LedgerItem<'_>> {
        let own_probes = |key| self.own_probes.get(key).copied().unwrap_or(0);
        self.runs.iter().map(|(key, run)| item(run, own_probes(key))).collect()
    }
}

fn sum(counts: &BTreeMap<String, i64>) -> i64 {
    counts.values().sum()
}

fn lost(row: &LedgerRow) -> i64 {
    row.kernel_drops + sum(&row.dropped)
}

fn balances(row: &LedgerRow) -> bool {
    row.received == sum(&row.undecodable) + sum(&row.refused) + row.over_limit + row.accepted
        && row.accepted + row.recovered == row.acknowledged + row.in_spool + sum(&row.dropped)
}

/// What a row says that the one before did not.
fn notices(before: Option<&LedgerRow>, row: &LedgerRow) -> Vec<Notice> {
    let more = lost(row) - before.map_or(0, lost);
    let is_new = |at: &Micros| before.is_none_or(|before| *at > before.at);
    let between = row.lost_last_at.map(|last| {
        let first = row.lost_first_at.filter(is_new);
        (first.or(before.map(|b| b.at)).unwrap_or(last).min(last), last)
    });
    let losing = (more > 0).then(|| Notice {
        lost: Some(more),
        between,
        ..Notice::new(Word::DatagramsLost, &row.listener, row.at)
    });
    let unbalanced = (!balances(row) && before.is_none_or(balances))
        .then(|| Notice::new(Word::LedgerUnbalanced, &row.listener, row.at));
    losing.into_iter().chain(unbalanced).collect()
}

fn item(run: &Run, own_probes: i64) -> LedgerItem<'_> {
    let row = &run.row;
    LedgerItem {
        listener: &row.listener,
        run: &row.writer,
        current: run.current,
        at: Instant3339(row.at),
        received: row.received,
        undecodable: sum(&row.undecodable),
        refused: sum(&row.refused),
        over_limit: row.over_limit,
        accepted: row.accepted,
        recovered: row.recovered,
        acknowledged: row.acknowledged,
        waiting: row.in_spool,
        dropped: sum(&row.dropped),
        kernel_drops: row.kernel_drops,
        lost: lost(row),
        lost_first_at: row.lost_first_at.map(Instant3339),
        lost_last_at: row.lost_last_at.map(Instant3339),
        own_probes,
        balances: balances(row),
    }
}
