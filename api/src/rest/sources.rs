//! What became of every datagram: the ledger, per listener and per sender, as an equation with its numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::queries;
use store::rows::{LedgerEntryRow, LedgerOf};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Query, limit};
use crate::auth::Caller;
use crate::error::ErrorBody;
use crate::live::SILENT_AFTER_US;
use crate::time::{Instant3339, now};
use crate::{ApiError, ApiState};

/// Most senders of a listener in one answer.
const SENDERS_MAX: usize = 5_000;
/// Rows read of them: those of earlier runs are among these.
const ROWS_MAX: usize = 10_000;

/// Every listener's ledger.
#[derive(Serialize, ToSchema)]
pub struct SourceList {
    /// Listeners by name; more than one item of a name where several processes hear under it.
    items: Vec<ListenerItem>,
    /// Always null: there are few listeners.
    next: Option<String>,
}

/// One listener in the present run of its process, or in the last one.
#[derive(Serialize, ToSchema)]
pub struct ListenerItem {
    /// Its name.
    listener: String,
    /// Whether it said so within the last minute.
    current: bool,
    /// What became of its datagrams.
    account: AccountItem,
    /// Of its datagrams, how many were freshness probes of ours: their row among the senders is `probe`.
    own_probes: i64,
    /// Its senders, by address; `others` are those beyond the limit, `earlier` what an earlier run left in the spool,
    /// `probe` our own freshness probes.
    senders: Vec<SenderItem>,
    /// Whether there are more senders than are shown.
    more_senders: bool,
}

/// One sender, as this listener heard it.
#[derive(Serialize, ToSchema)]
pub struct SenderItem {
    /// Its address.
    sender: String,
    /// Root of the device it is.
    root: Option<String>,
    /// What became of its datagrams.
    account: AccountItem,
}

/// What became of datagrams since the process started.
#[derive(Serialize, ToSchema)]
pub struct AccountItem {
    /// Instance and nonce of the run that counted.
    run: String,
    /// When it said so.
    #[schema(value_type = String, format = DateTime)]
    at: Instant3339,
    /// When its first datagram came.
    #[schema(value_type = Option<String>, format = DateTime)]
    first_seen: Option<Instant3339>,
    /// When its last one did.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen: Option<Instant3339>,
    /// Datagrams read.
    received: i64,
    /// That are not SNMP, by reason.
    undecodable: BTreeMap<String, i64>,
    /// That were refused, by reason.
    refused: BTreeMap<String, i64>,
    /// Over the limit of unknown senders.
    over_limit: i64,
    /// That became records.
    accepted: i64,
    /// Records of an earlier run found in the spool.
    recovered: i64,
    /// Records in the log.
    acknowledged: i64,
    /// Records that wait for it, in memory or on disk.
    waiting: i64,
    /// Records given up, by reason.
    dropped: BTreeMap<String, i64>,
    /// Datagrams the kernel dropped for want of buffer: nobody read them.
    kernel_drops: i64,
    /// Kernel drops and records given up.
    lost: i64,
    /// Whether both sums are right.
    balances: bool,
    /// The sums in words.
    equation: String,
    /// `complete`, or what was lost and when.
    verdict: String,
}

/// Which.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SourceQuery {
    /// Only this listener.
    listener: Option<String>,
    /// Senders a listener, 1 to 5000; 100 unless asked.
    limit: Option<usize>,
}

/// Where datagrams come from, and what became of each.
#[utoipa::path(get, path = "/sources", tag = "system", params(SourceQuery), responses(
    (status = 200, description = "Every listener with its senders", body = SourceList),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn list(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
    Query(query): Query<SourceQuery>,
) -> Result<Json<SourceList>, ApiError> {
    let senders_max = limit(query.limit, SENDERS_MAX)?;
    let mut items = Vec::new();
    // Listeners are the installation's: who is of another tenant sees none.
    if caller.tenant == api.config.tenant {
        let rows = read(&api, None, ROWS_MAX).await?;
        let wanted = |row: &LedgerEntryRow| query.listener.as_ref().is_none_or(|l| *l == name_of(row));
        for (row, current) in present(rows.into_iter().filter(wanted).collect(), now().0) {
            items.push(listener_item(&api, row, current, senders_max).await?);
        }
    }
    Ok(Json(SourceList { items, next: None }))
}

async fn read(api: &ApiState, listener: Option<&str>, limit: usize) -> Result<Vec<LedgerEntryRow>, ApiError> {
    let page = queries::ledger(&*api.store, listener, limit).await;
    page.map(|p| p.rows)
        .map_err(|error| ApiError::unavailable("reading the store", &error))
}

async fn listener_item(
    api: &ApiState,
    row: LedgerEntryRow,
    current: bool,
    senders_max: usize,
) -> Result<ListenerItem, ApiError> {
    let listener = name_of(&row);
    let mut senders: Vec<_> = read(api, Some(&listener), ROWS_MAX).await?;
    senders.retain(|s| s.writer == row.writer);
    let own_probes = senders
        .iter()
        .find(|s| name_of(s) == schemas::probe::SENDER)
        .map_or(0, |s| s.received);
    let more_senders = senders.len() > senders_max;
    senders.truncate(senders_max);
    Ok(ListenerItem {
        listener,
        current,
        account: account(&row),
        own_probes,
        senders: senders
            .into_iter()
            .map(|s| SenderItem {
                sender: name_of(&s),
                root: s.root.clone(),
                account: account(&s),
            })
            .collect(),
        more_senders,
    })
}

fn name_of(row: &LedgerEntryRow) -> String {
    match &row.of {
        LedgerOf::Listener(name) | LedgerOf::Sender { sender: name, .. } => name.clone(),
    }
}

/// The runs that speak now; of a listener that is silent, the last one.
fn present(rows: Vec<LedgerEntryRow>, now_us: i64) -> Vec<(LedgerEntryRow, bool)> {
    let is_current = |row: &LedgerEntryRow| now_us - row.at.0 < SILENT_AFTER_US;
    let speaking: BTreeSet<_> = rows.iter().filter(|r| is_current(r)).map(name_of).collect();
    let mut last: BTreeMap<String, LedgerEntryRow> = BTreeMap::new();
    let mut out = Vec::new();
    for row in rows {
        let name = name_of(&row);
        if is_current(&row) {
            out.push((row, true));
        } else if !speaking.contains(&name) && last.get(&name).is_none_or(|l| l.at < row.at) {
            last.insert(name, row);
        }
    }
    out.extend(last.into_values().map(|row| (row, false)));
    out.sort_by_cached_key(|(row, _)| (name_of(row), row.writer.clone()));
    out
}

fn account(row: &LedgerEntryRow) -> AccountItem {
    AccountItem {
        run: row.writer.clone(),
        at: Instant3339(row.at),
        first_seen: row.first_at.map(Instant3339),
        last_seen: row.last_at.map(Instant3339),
        received: row.received,
        undecodable: row.undecodable.clone(),
        refused: row.refused.clone(),
        over_limit: row.over_limit,
        accepted: row.accepted,
        recovered: row.recovered,
        acknowledged: row.acknowledged,
        waiting: row.waiting,
        dropped: row.dropped.clone(),
        kernel_drops: row.kernel_drops,
        lost: row.lost(),
        balances: row.balances(),
        equation: equation(row),
        verdict: verdict(row),
    }
}

fn equation(row: &LedgerEntryRow) -> String {
    let sum = |counts: &BTreeMap<String, i64>| counts.values().sum::<i64>();
    let mut text = format!(
        "{} received = {} undecodable + {} refused + {} over limit + {} accepted; ",
        row.received,
        sum(&row.undecodable),
        sum(&row.refused),
        row.over_limit,
        row.accepted
    );
    if row.recovered > 0 {
        text += &format!("{} accepted + {} left by an earlier run", row.accepted, row.recovered);
    } else {
        text += &format!("{} accepted", row.accepted);
    }
    text += &format!(
        " = {} in the log + {} waiting + {} dropped",
        row.acknowledged,
        row.waiting,
        sum(&row.dropped)
    );
    text
}

fn verdict(row: &LedgerEntryRow) -> String {
    if !row.balances() {
        return "the counts contradict each other: do not trust them".to_owned();
    }
    match (row.lost(), row.lost_first_at, row.lost_last_at) {
        (0, _, _) => "complete".to_owned(),
        (lost, Some(first), Some(last)) if first != last => {
            format!("{lost} lost between {} and {}", Instant3339(first), Instant3339(last))
        }
        (lost, Some(at), _) => format!("{lost} lost at {}", Instant3339(at)),
        (lost, None, _) => format!("{lost} lost"),
    }
}

#[cfg(test)]
mod tests {
    use model::Micros;

    use super::*;

    fn row(listener: &str, writer: &str, at_s: i64) -> LedgerEntryRow {
        LedgerEntryRow {
            of: LedgerOf::Listener(listener.to_owned()),
            writer: writer.to_owned(),
            root: None,
            at: Micros(at_s * 1_000_000),
            received: 10,
            accepted: 7,
            recovered: 0,
            acknowledged: 5,
            waiting: 1,
            over_limit: 1,
            kernel_drops: 0,
            dropped: BTreeMap::from([("spool_full".to_owned(), 1)]),
            refused: BTreeMap::from([("community".to_owned(), 1)]),
            undecodable: BTreeMap::from([("truncated".to_owned(), 1)]),
            first_at: None,
            last_at: None,
            lost_first_at: Some(Micros(0)),
            lost_last_at: Some(Micros(1_000_000)),
        }
    }

    #[test]
    fn the_runs_that_speak_and_of_the_silent_the_last() {
        let rows = vec![
            row("a", "old", 10),
            row("a", "new", 990),
            row("a", "twin", 995),
            row("b", "older", 100),
            row("b", "last", 200),
        ];
        let shown = present(rows, 1_000_000_000);
        let shown: Vec<_> = shown.iter().map(|(r, current)| (r.writer.as_str(), *current)).collect();
        assert_eq!(shown, [("new", true), ("twin", true), ("last", false)]);
    }

    #[test]
    fn a_verdict_says_how_many_were_lost_and_when() {
        let check = |change: fn(&mut LedgerEntryRow), expected: &str| {
            let mut row = row("a", "w", 1);
            change(&mut row);
            assert_eq!(verdict(&row), expected);
        };
        check(
            |_| (),
            "1 lost between 1970-01-01T00:00:00.000Z and 1970-01-01T00:00:01.000Z",
        );
        check(
            |r| r.lost_last_at = r.lost_first_at,
            "1 lost at 1970-01-01T00:00:00.000Z",
        );
        check(|r| (r.dropped, r.acknowledged) = (BTreeMap::new(), 6), "complete");
        check(|r| r.waiting = 9, "the counts contradict each other: do not trust them");
    }

    #[test]
    fn the_equation_is_in_words_with_its_numbers() {
        let mut row = row("a", "w", 1);
        assert_eq!(
            equation(&row),
            "10 received = 1 undecodable + 1 refused + 1 over limit + 7 accepted; 7 accepted = 5 in the log + 1 waiting + 1 dropped"
        );
        (row.recovered, row.waiting) = (4, 5);
        assert!(
            equation(&row).ends_with("; 7 accepted + 4 left by an earlier run = 5 in the log + 5 waiting + 1 dropped")
        );
    }
}
