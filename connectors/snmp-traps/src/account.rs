//! Every datagram counted exactly once, and the equations that must hold at any moment:
//!
//! ```text
//! received = undecodable + over_limit + refused + accepted
//! accepted + recovered = acknowledged + in_window + dropped
//! ```

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_kit::{DropReason, Ticket};
use metrics::{Counter, counter};
use model::Micros;
use schemas::{LedgerRow, LedgerScope};
use snmp_pdu::Reason;

use crate::metric;
use crate::refusal::{Limit, Refusal};

/// Senders with a row of their own; the rest share one. Spoofed addresses must not fill the memory.
const SENDERS_MAX: usize = 4_096;
/// How often at most a person hears of drops that go on.
const SAY_DROPS_EVERY: Duration = Duration::from_secs(10);
/// The shared row's name.
const OTHERS: &str = "others";
/// The row of records that an earlier run took.
const EARLIER: &str = "earlier";

/// What a datagram came to, at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted(Result<(), DropReason>),
    Refused(Refusal),
    OverLimit(Limit),
    Undecodable(Reason),
}

/// Counts since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams read.
    pub received: u64,
    /// Datagrams that became records.
    pub accepted: u64,
    /// Records that are durable.
    pub acknowledged: u64,
    /// Records of an earlier run that were found in the spool.
    pub recovered: u64,
    /// Records that wait for the log, in memory or on disk.
    pub in_window: u64,
    /// Records given up, in the order of [`DropReason::ALL`].
    pub dropped: [u64; DropReason::ALL.len()],
    /// In the order of [`Refusal::ALL`].
    pub refused: [u64; Refusal::ALL.len()],
    /// In the order of [`Limit::ALL`].
    pub over_limit: [u64; Limit::ALL.len()],
    /// In the order of [`Reason::ALL`].
    pub undecodable: [u64; Reason::ALL.len()],
}

impl Counts {
    /// Whether both equations hold.
    pub fn balance(&self) -> bool {
        let sum = |counts: &[u64]| counts.iter().sum::<u64>();
        self.received == sum(&self.undecodable) + sum(&self.over_limit) + sum(&self.refused) + self.accepted
            && self.accepted + self.recovered == self.acknowledged + self.in_window + sum(&self.dropped)
    }

    fn any(&self) -> bool {
        self.received > 0 || self.recovered > 0
    }

    /// How many were refused for this reason.
    pub fn refused_for(&self, refusal: Refusal) -> u64 {
        self.refused[refusal.index()]
    }

    /// How many were undecodable for this reason.
    pub fn undecodable_for(&self, reason: Reason) -> u64 {
        self.undecodable[reason as usize]
    }

    fn add(&mut self, outcome: Outcome) {
        self.received += 1;
        match outcome {
            Outcome::Undecodable(reason) => self.undecodable[reason as usize] += 1,
            Outcome::OverLimit(limit) => self.over_limit[limit as usize] += 1,
            Outcome::Refused(refusal) => self.refused[refusal.index()] += 1,
            Outcome::Accepted(fate) => {
                self.accepted += 1;
                match fate {
                    Ok(()) => self.in_window += 1,
                    Err(reason) => self.dropped[reason as usize] += 1,
                }
            }
        }
    }

    fn settle(&mut self, fate: Result<(), DropReason>) {
        self.in_window -= 1;
        match fate {
            Ok(()) => self.acknowledged += 1,
            Err(reason) => self.dropped[reason as usize] += 1,
        }
    }
}

/// Where a sender's counts are; goes with its records until their fate is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(usize);

impl Ticket for Slot {
    fn to_tag(&self) -> u64 {
        self.0 as u64
    }
    fn from_tag(tag: u64) -> Self {
        Self(usize::try_from(tag).unwrap_or(OTHERS_SLOT.0))
    }
    fn earlier() -> Self {
        EARLIER_SLOT
    }
}

impl Slot {
    /// Whether several senders are counted there.
    pub fn is_shared(self) -> bool {
        self == OTHERS_SLOT
    }
}

const OTHERS_SLOT: Slot = Slot(0);
const EARLIER_SLOT: Slot = Slot(1);
/// Of our own freshness probes: no stranger, and no device either.
pub(crate) const PROBE_SLOT: Slot = Slot(2);

/// A datagram to be counted.
#[derive(Debug)]
pub(crate) struct Counted {
    pub outcome: Outcome,
    pub slot: Slot,
    pub source: IpAddr,
    /// Of its sender's row.
    pub root: Option<Arc<str>>,
}

/// From when to when, by our clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    first: Option<Micros>,
    last: Option<Micros>,
}

impl Span {
    fn note(&mut self, at: Micros) {
        self.first.get_or_insert(at);
        self.last = Some(at);
    }
}

#[derive(Debug, Default)]
struct Sender {
    name: String,
    root: Option<Arc<str>>,
    counts: Counts,
    heard: Span,
    lost: Span,
    /// As the last ledger row had them.
    written: Option<Counts>,
    /// Something remarkable of it was refused, and said.
    refused: bool,
}

/// One listener's counts, in total and by sender (the UDP source address).
#[derive(Debug)]
pub(crate) struct Account {
    listener: String,
    total: Counts,
    heard: Span,
    lost: Span,
    slots: HashMap<IpAddr, Slot>,
    senders: Vec<Sender>,
    meters: Meters,
    /// When the kernel's drops were last said.
    drops_said: Option<Instant>,
}

impl Account {
    /// `recovered`: records that an earlier run left, and that are this one's to see through.
    pub fn new(listener: &str, recovered: u64) -> Self {
        let sender = |name: &str| Sender {
            name: name.to_owned(),
            ..Sender::default()
        };
        let counts = Counts {
            recovered,
            in_window: recovered,
            ..Counts::default()
        };
        let earlier = Sender {
            counts: counts.clone(),
            ..sender(EARLIER)
        };
        Self {
            listener: listener.to_owned(),
            total: counts,
            heard: Span::default(),
            lost: Span::default(),
            slots: HashMap::new(),
            senders: vec![sender(OTHERS), earlier, sender(schemas::probe::SENDER)],
            meters: Meters::new(listener),
            drops_said: None,
        }
    }

    pub fn total(&self) -> &Counts {
        &self.total
    }

    /// Counts of each sender that has any.
    pub fn senders(&self) -> impl Iterator<Item = (&str, &Counts)> {
        self.senders
            .iter()
            .filter(|s| s.counts.any())
            .map(|s| (s.name.as_str(), &s.counts))
    }

    /// The slot of a sender.
    pub fn slot(&mut self, source: IpAddr) -> Slot {
        if let Some(slot) = self.slots.get(&source) {
            return *slot;
        }
        if self.senders.len() > SENDERS_MAX + PROBE_SLOT.0 {
            return OTHERS_SLOT;
        }
        let slot = Slot(self.senders.len());
        self.senders.push(Sender {
            name: source.to_string(),
            ..Sender::default()
        });
        self.slots.insert(source, slot);
        slot
    }

    /// Counts a datagram. Only what was refused or accepted is also its sender's: of the rest nobody knows who sent it,
    /// or too many did. Answers whether it is the first refusal of its sender that a person should hear of.
    pub fn count(&mut self, outcome: Outcome, slot: Slot, root: Option<&Arc<str>>, at: Micros) -> bool {
        self.total.add(outcome);
        self.heard.note(at);
        let lost = matches!(outcome, Outcome::Accepted(Err(_)));
        if lost {
            self.lost.note(at);
        }
        self.meters.count(outcome);
        if !matches!(outcome, Outcome::Accepted(_) | Outcome::Refused(_)) {
            return false;
        }
        let sender = &mut self.senders[slot.0];
        sender.counts.add(outcome);
        sender.heard.note(at);
        if lost {
            sender.lost.note(at);
        }
        if sender.root.is_none() && slot != OTHERS_SLOT {
            sender.root = root.cloned();
        }
        let remarkable = matches!(outcome, Outcome::Refused(refusal) if refusal.is_remarkable());
        remarkable && slot != OTHERS_SLOT && !std::mem::replace(&mut sender.refused, true)
    }

    /// A record's fate is known.
    pub fn settle(&mut self, slot: Slot, fate: Result<(), DropReason>, at: Micros) {
        let sender = &mut self.senders[slot.0];
        self.total.settle(fate);
        sender.counts.settle(fate);
        if fate.is_err() {
            self.lost.note(at);
            sender.lost.note(at);
        }
    }

    /// The kernel dropped so many more for want of buffer. Answers whether a person should hear of it again.
    pub fn kernel_dropped(&mut self, more: u64, at: Micros) -> bool {
        self.lost.note(at);
        self.meters.kernel_drop.increment(more);
        let due = self.drops_said.is_none_or(|at| at.elapsed() >= SAY_DROPS_EVERY);
        if due {
            self.drops_said = Some(Instant::now());
        }
        due
    }

    /// A sum that is wrong is a bug of ours, and the one thing a ledger may not hide.
    fn check_balance(&self) {
        let wrong = |counts: &Counts| !counts.balance();
        if wrong(&self.total) || self.senders.iter().any(|s| wrong(&s.counts)) {
            self.meters.unbalanced.increment(1);
            tracing::error!(listener = %self.listener, counts = ?self.total, "the ledger does not balance: its counts cannot be trusted, report this");
        }
    }

    /// The ledger's rows: the listener's, and of each sender that changed since the last time.
    pub fn rows(&mut self, writer: &str, kernel_drops: u64, at: Micros) -> Vec<LedgerRow> {
        self.check_balance();
        let row = |scope, counts: &Counts, heard: Span, lost: Span| LedgerRow {
            scope,
            listener: self.listener.clone(),
            sender: None,
            root: None,
            writer: writer.to_owned(),
            at,
            received: signed(counts.received),
            accepted: signed(counts.accepted),
            recovered: signed(counts.recovered),
            acknowledged: signed(counts.acknowledged),
            in_spool: signed(counts.in_window),
            dropped: named(DropReason::ALL.iter().map(|r| r.as_str()), &counts.dropped),
            refused: named(Refusal::ALL.iter().map(|r| r.as_str()), &counts.refused),
            undecodable: named(Reason::ALL.iter().map(|r| r.as_str()), &counts.undecodable),
            over_limit: signed(counts.over_limit.iter().sum()),
            kernel_drops: 0,
            first_at: heard.first,
            last_at: heard.last,
            lost_first_at: lost.first,
            lost_last_at: lost.last,
        };
        let mut rows = vec![LedgerRow {
            kernel_drops: signed(kernel_drops),
            ..row(LedgerScope::Listener, &self.total, self.heard, self.lost)
        }];
        for sender in &mut self.senders {
            if sender.counts.any() && sender.written.as_ref() != Some(&sender.counts) {
                rows.push(LedgerRow {
                    sender: Some(sender.name.clone()),
                    root: sender.root.as_deref().map(str::to_owned),
                    ..row(LedgerScope::Sender, &sender.counts, sender.heard, sender.lost)
                });
                sender.written = Some(sender.counts.clone());
            }
        }
        rows
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Counts above zero under their words.
fn named<'a>(words: impl Iterator<Item = &'a str>, counts: &[u64]) -> BTreeMap<String, i64> {
    words
        .zip(counts)
        .filter(|(_, n)| **n > 0)
        .map(|(word, n)| (word.to_owned(), signed(*n)))
        .collect()
}

/// The same counts as metrics, one handle for each word.
#[derive(Debug)]
struct Meters {
    accepted: Counter,
    kernel_drop: Counter,
    unbalanced: Counter,
    refused: Vec<Counter>,
    over_limit: Vec<Counter>,
    undecodable: Vec<Counter>,
}

impl Meters {
    fn new(listener: &str) -> Self {
        let meter = |outcome: &'static str, reason: &'static str| counter!(metric::DATAGRAMS, "listener" => listener.to_owned(), "outcome" => outcome, "reason" => reason);
        Self {
            accepted: meter("accepted", ""),
            unbalanced: counter!(metric::UNBALANCED, "listener" => listener.to_owned()),
            kernel_drop: meter("kernel_drop", "receive_buffer"),
            refused: Refusal::ALL.iter().map(|r| meter("refused", r.as_str())).collect(),
            over_limit: Limit::ALL.iter().map(|l| meter("over_limit", l.as_str())).collect(),
            undecodable: Reason::ALL.iter().map(|r| meter("undecodable", r.as_str())).collect(),
        }
    }

    fn count(&self, outcome: Outcome) {
        match outcome {
            Outcome::Accepted(_) => &self.accepted,
            Outcome::Refused(refusal) => &self.refused[refusal.index()],
            Outcome::OverLimit(limit) => &self.over_limit[limit as usize],
            Outcome::Undecodable(reason) => &self.undecodable[reason as usize],
        }
        .increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_where_their_counts_do() {
        assert!(DropReason::ALL.iter().enumerate().all(|(i, r)| *r as usize == i));
        assert!(Refusal::ALL.iter().enumerate().all(|(i, r)| r.index() == i));
        assert!(Limit::ALL.iter().enumerate().all(|(i, r)| *r as usize == i));
        assert!(Reason::ALL.iter().enumerate().all(|(i, r)| *r as usize == i));
    }

    #[test]
    fn equations_hold_and_senders_add_up_to_the_listener() {
        let mut account = Account::new("main", 3);
        let outcomes = [
            Outcome::Accepted(Ok(())),
            Outcome::Accepted(Err(DropReason::WindowFull)),
            Outcome::Refused(Refusal::Community),
            Outcome::OverLimit(Limit::UnknownRate),
            Outcome::Undecodable(Reason::Truncated),
        ];
        let mut in_window = Vec::new();
        for n in 0..SENDERS_MAX + 100 {
            let source = IpAddr::from([10, 0, (n >> 8) as u8, n as u8]);
            let slot = account.slot(source);
            let outcome = outcomes[n % outcomes.len()];
            account.count(outcome, slot, None, Micros(n as i64));
            if outcome == Outcome::Accepted(Ok(())) {
                in_window.push(slot);
            }
            assert!(account.total().balance());
        }
        for (n, slot) in in_window.into_iter().enumerate() {
            account.settle(
                slot,
                if n % 10 == 0 {
                    Err(DropReason::DrainOverdue)
                } else {
                    Ok(())
                },
                Micros(1_000_000),
            );
            assert!(account.total().balance());
        }
        let rows = account.rows("w", 7, Micros(1));
        let (listener, senders) = rows.split_first().unwrap();
        let sum = |field: fn(&LedgerRow) -> i64| senders.iter().map(field).sum::<i64>();
        assert_eq!(sum(|r| r.accepted), listener.accepted);
        assert_eq!(sum(|r| r.acknowledged), listener.acknowledged);
        assert_eq!(
            sum(|r| r.refused.values().sum()),
            listener.refused.values().sum::<i64>()
        );
        assert_eq!(
            sum(|r| r.received),
            listener.received - listener.over_limit - listener.undecodable.values().sum::<i64>()
        );
        assert_eq!(listener.kernel_drops, 7);
        assert!(senders.iter().any(|r| r.sender.as_deref() == Some(OTHERS)));
        assert_eq!(
            account.rows("w", 7, Micros(2)).len(),
            1,
            "nothing changed: only the listener's row"
        );
    }
}
