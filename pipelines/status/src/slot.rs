//! The state of one entity, and the rows made of it.

use std::sync::Arc;

use model::{Cause, EntityId, Micros, State};
use runtime::Now;
use schemas::network::{Fingerprint, Seen};
use schemas::{DeviceStatusView, InventoryEntryView};
use serde::{Deserialize, Serialize};

use crate::carded::Newest;
use crate::facts::{Facts, text};
use crate::health::Health;
use crate::levels::{LastRead, Shown};
use crate::signs::{Noted, Signs, Verdict};

/// A PDU is remembered this long, if there is room. Microseconds.
pub const RESENT_MICROS: i64 = Fingerprint::RESENT;
/// Most PDUs remembered of an ONU: several minutes of one that flaps as fast as an OLT tells (some eight traps a cycle), far longer than an
/// agent goes on repeating an inform.
const RECENT_OF_ONU_MAX: usize = 64;
/// Most PDUs remembered of anything else: a board or an OLT speaks for more.
const RECENT_MAX: usize = 256;

/// A PDU that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recent {
    fingerprint: u64,
    received_at: Micros,
}

/// Everything known of one entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// What was seen of its state.
    pub signs: Signs,
    /// What follows from it, as last told.
    pub told: Verdict,
    /// What was known, while it is told that it cannot be seen.
    pub hidden: Option<Verdict>,
    /// When the newest observation of the state was made, and when we received it.
    pub observed_at: Micros,
    /// See `observed_at`.
    pub received_at: Micros,
    /// When its first trap came (roots only).
    pub first_trap_at: Option<Micros>,
    /// What inventory says. Shared, because it is large and most of what happens says nothing about it.
    pub facts: Arc<Facts>,
    /// Optical levels (ONUs only).
    pub levels: Option<Arc<Shown>>,
    /// How reading it goes (roots only).
    pub health: Option<Arc<Health>>,
    pub(crate) recent: Vec<Recent>,
    /// The newest values of its measures (cards only).
    pub newest: Option<Arc<Newest>>,
    /// When each of its measures was read last (ONUs only).
    pub last_read: Option<Arc<LastRead>>,
}

impl Slot {
    /// Of an entity that was never seen before.
    pub fn new(seen: &Seen) -> Self {
        Self {
            signs: Signs::default(),
            told: Verdict {
                state: State::Unknown,
                cause: None,
                by: None,
                words: None,
                since: seen.observed_at,
            },
            hidden: None,
            observed_at: seen.observed_at,
            received_at: seen.received_at,
            first_trap_at: None,
            facts: Arc::new(Facts::seen(seen)),
            levels: None,
            health: None,
            recent: Vec::new(),
            newest: None,
            last_read: None,
        }
    }

    /// Whether this PDU was taken before.
    pub fn has_taken(&self, fingerprint: Fingerprint, received_at: Micros) -> bool {
        self.recent.iter().any(|r| {
            r.fingerprint == fingerprint.hash && received_at.since(r.received_at).saturating_abs() <= fingerprint.within
        })
    }

    /// Remembers a PDU, and forgets the oldest ones.
    pub fn take(&mut self, fingerprint: Fingerprint, received_at: Micros, entity: &EntityId) {
        let max = if entity.kind() == model::Kind::Onu {
            RECENT_OF_ONU_MAX
        } else {
            RECENT_MAX
        };
        self.recent
            .retain(|r| received_at.since(r.received_at) <= RESENT_MICROS);
        let surplus = (self.recent.len() + 1).saturating_sub(max);
        self.recent.drain(..surplus);
        self.recent.push(Recent {
            fingerprint: fingerprint.hash,
            received_at,
        });
    }

    /// Draws the conclusion from the signs, after this one was added.
    pub fn conclude(&mut self, entity: &EntityId, added: &Noted) {
        let (verdict, newest) = self.signs.verdict(entity.kind());
        let known = self.known();
        let since = if verdict.state == known.state {
            // Since when is kept through what does not change the state.
            known.since
        } else if newest.as_ref() == Some(added) {
            // The signs between, of which only the newest are kept, had led to what was told: so it is this one.
            added.seen.observed_at
        } else {
            verdict.since
        };
        let verdict = Verdict { since, ..verdict };
        (self.told, self.hidden) = match self.signs.unseen() {
            Some(unseen) => (unseen_since(unseen.seen.observed_at), Some(verdict)),
            None => (verdict, None),
        };
        if let Some(Noted { seen, .. }) = newest {
            (self.observed_at, self.received_at) = (seen.observed_at, seen.received_at);
        }
    }

    /// What is known of its state, whether it can be seen at present or not.
    pub fn known(&self) -> &Verdict {
        self.hidden.as_ref().unwrap_or(&self.told)
    }

    /// At least the bytes it takes in the changelog, where a number has at most ten and an enum one.
    pub fn bytes_max(&self) -> usize {
        const NUMBER: usize = 10;
        let verdict = |verdict: &Verdict| 6 + 2 * NUMBER + verdict.words.as_ref().map_or(0, |words| words.len());
        let verdicts = verdict(&self.told) + 1 + self.hidden.as_ref().map_or(0, verdict);
        let levels = 1 + self.levels.as_ref().map_or(0, |_| Shown::BYTES_MAX);
        let last_read = 1 + self.last_read.as_ref().map_or(0, |_| LastRead::BYTES_MAX);
        let health = 1 + self.health.as_ref().map_or(0, |health| health.bytes_max());
        let newest = 1 + self.newest.as_ref().map_or(0, |newest| newest.bytes_max());
        let own = 2 * NUMBER + (1 + NUMBER) + NUMBER;
        self.signs.bytes_max()
            + verdicts
            + own
            + levels
            + last_read
            + health
            + newest
            + self.facts.bytes_max()
            + self.recent.len() * 2 * NUMBER
    }

    /// Whether a reader of the status could tell the two apart; observation times alone are not told.
    pub fn status_reads_like(&self, other: &Self) -> bool {
        self.told == other.told
            && self.first_trap_at == other.first_trap_at
            && self.levels == other.levels
            && self.health_reads_like(other)
            && self.facts.reads_like(&other.facts)
    }

    fn health_reads_like(&self, other: &Self) -> bool {
        match (&self.health, &other.health) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs) || mine.row() == theirs.row(),
            (None, None) => true,
            _ => false,
        }
    }

    /// The row of `device-status`. `above` is what the entity hangs on.
    pub fn status<'a>(
        &'a self,
        entity: &'a EntityId,
        above: Option<&'a EntityId>,
        now: &Now,
        wts: Micros,
    ) -> DeviceStatusView<'a> {
        let facts = &self.facts;
        DeviceStatusView {
            entity: entity.as_str(),
            root: entity.root_str(),
            kind: entity.kind().as_str(),
            site: text(&facts.site),
            parent: above.map(EntityId::as_str),
            name: text(&facts.name),
            description: text(&facts.description),
            vendor: text(&facts.vendor),
            model: text(&facts.model),
            serial: text(&facts.serial),
            state: self.told.state.as_str(),
            cause: self.told.cause.map(Cause::as_str),
            cause_raw: self.told.cause_raw(),
            since: self.told.since,
            observed_at: self.observed_at,
            received_at: self.received_at,
            first_trap_at: self.first_trap_at,
            optics: self.levels.as_ref().map(|shown| shown.row()),
            poll: self.health.as_ref().map(|health| health.row()),
            position: now.position.into(),
            wts,
        }
    }

    /// The row of `inventory`.
    pub fn inventory<'a>(
        &'a self,
        entity: &'a EntityId,
        above: Option<&'a EntityId>,
        now: &Now,
        wts: Micros,
    ) -> InventoryEntryView<'a> {
        let facts = &self.facts;
        InventoryEntryView {
            entity: entity.as_str(),
            root: entity.root_str(),
            kind: entity.kind().as_str(),
            site: text(&facts.site),
            parent: above.map(EntityId::as_str),
            name: text(&facts.name),
            description: text(&facts.description),
            vendor: text(&facts.vendor),
            model: text(&facts.model),
            serial: text(&facts.serial),
            address: text(&facts.address),
            attributes: &facts.attributes,
            origin: &facts.origin,
            installed_at: facts.installed_at,
            seen_at: facts.seen_at,
            serial_since: facts.serial_since,
            position: now.position.into(),
            wts,
        }
    }
}

/// What is told of what cannot be seen.
fn unseen_since(since: Micros) -> Verdict {
    Verdict {
        state: State::Unknown,
        cause: None,
        by: None,
        words: None,
        since,
    }
}
