//! One input: the tree being changed, and what is said of it.

use std::collections::{BTreeMap, BTreeSet};

use model::{EntityId, Micros, Position, Root};
use runtime::{Now, Out};
use schemas::network::NetworkEvent;
use topology::Topic;
use xxhash_rust::xxh3::xxh3_128;

use super::judge::{Judged, Sum, judge};
use super::part::{Part, Totals};
use super::tree::{CLOSED_MAX, INCIDENTS_MAX, Incident, PonPlace, Scattered, Stage, Tree, Verdict, Where, onu_at};
use super::{life, words};

/// Losses that come this much later may still be of an incident that is as young as that. Observed microseconds.
pub const JOIN_MICROS: i64 = 60 * Micros::SECOND;
/// A closed incident's row is kept this long. Log time, microseconds.
pub const KEPT_MICROS: i64 = 365 * 86_400 * Micros::SECOND;
/// Confidence of what an OLT says of its own board.
pub const SAID: u8 = 95;

/// One input.
pub struct Turn<'a> {
    pub(super) root: Root,
    pub(super) before: Option<&'a Tree>,
    pub tree: Tree,
    pub now: &'a Now,
    pub(super) out: &'a mut Out<NetworkEvent>,
    /// Incidents whose rows are another; true: at once.
    pub(super) touched: BTreeMap<u32, bool>,
    pub(super) takes: BTreeMap<u32, Vec<EntityId>>,
    pub(super) releases: BTreeMap<u32, Vec<EntityId>>,
}

impl<'a> Turn<'a> {
    /// Begins. `None` if the key is no root.
    pub fn new(key: &str, before: Option<&'a Tree>, now: &'a Now, out: &'a mut Out<NetworkEvent>) -> Option<Self> {
        Some(Self {
            root: Root::parse(key).ok()?,
            before,
            tree: before.cloned().unwrap_or_default(),
            now,
            out,
            touched: BTreeMap::new(),
            takes: BTreeMap::new(),
            releases: BTreeMap::new(),
        })
    }

    /// Says what the losses are that no more are waited for.
    pub fn decide(&mut self) {
        let (ready, waiting) = std::mem::take(&mut self.tree.waiting)
            .into_iter()
            .partition(|p: &Part| p.settled);
        self.tree.waiting = waiting;
        let now = self.now.observed;
        // Nobody waits for ever, whatever becomes of the port.
        self.tree.waiting.retain(|part| now.since(part.opened) <= JOIN_MICROS);
        // What is back already was no more than a moment.
        let lasting = |p: &Part| p.still_count > 0 || p.is_port_out();
        let mut rest: Vec<Part> = Vec::new();
        let mut joined = BTreeSet::new();
        for part in Vec::into_iter(ready).filter(lasting) {
            match self.joins(&part) {
                Some(number) if self.tree.add(part.clone(), number) => drop(joined.insert(number)),
                Some(_) => {}
                None => rest.push(part),
            }
        }
        let scattered = self.scattered();
        for judged in judge(&Sum::all(rest.iter()), &self.tree, scattered) {
            let (parts, others) = rest.into_iter().partition(|p| judged.pons.contains(&p.place));
            rest = others;
            self.begin(judged, parts);
        }
        rest.iter().for_each(|part| self.none_of(part));
        if !rest.is_empty() {
            self.tree.scattered = (self.recently_scattered().and(rest.iter()), self.now.observed);
        }
        for number in joined {
            self.begins_again(number);
            self.judge_again(number);
            self.evaluate(number);
            self.touch(number, true);
        }
    }

    /// ONUs lost lately without a common cause, and those of which it cannot be said yet.
    fn scattered(&self) -> Scattered {
        self.recently_scattered().and(self.tree.waiting.iter())
    }

    fn recently_scattered(&self) -> Scattered {
        let (scattered, last) = self.tree.scattered;
        let is_recent = self.now.observed.since(last) <= JOIN_MICROS;
        if is_recent { scattered } else { Scattered::default() }
    }

    /// The incident that these losses belong to, if there is one already.
    fn joins(&self, part: &Part) -> Option<u32> {
        let newest_first = self.tree.incidents.iter().rev();
        let mut open = newest_first.filter(|i| !matches!(i.stage, Stage::Closed(_)));
        open.find(|i| self.is_of(part, i)).map(|i| i.number)
    }

    fn is_of(&self, part: &Part, incident: &Incident) -> bool {
        let is_young = part.opened.since(incident.made) <= JOIN_MICROS;
        let gasped = part.gasps > 0 && part.gasps >= part.dark();
        let same_port = || self.tree.parts_of(incident.number).filter(|p| p.place == part.place);
        let is_there = same_port().next().is_some();
        let again = || same_port().map(|p| p.lost.common(&part.lost)).sum::<u16>() * 2 >= part.lost_count;
        let comes_again = is_there && part.lost_count > 0 && again();
        match incident.verdict {
            Verdict::MonitoringLoss => false,
            Verdict::Board => incident.at == Where::Board(part.place[0], part.place[1]),
            Verdict::Feeder | Verdict::Port => {
                let is_whole = part.up == 0 && !gasped && part.lost_count >= 2;
                is_there || (is_young && is_whole)
            }
            Verdict::PowerArea => comes_again || (is_young && gasped && (is_there || part.gasps >= 3)),
            _ => comes_again || (is_young && is_there && !gasped),
        }
    }

    /// A new incident.
    fn begin(&mut self, judged: Judged, parts: Vec<Part>) {
        let Judged {
            verdict,
            confidence,
            at,
            ..
        } = judged;
        let first = parts.iter().min_by_key(|p| p.began);
        let began = first.map_or(self.now.position, |p| p.began);
        let began_at = parts.iter().map(|p| p.began_at).min().unwrap_or(self.now.log_time);
        let at = match (verdict, &parts[..]) {
            (Verdict::SingleDrop, [one]) => one.lost.iter().next().map_or(at, |onu| Where::Onu(one.place, onu)),
            _ => at,
        };
        let Some(number) = self.new_incident(verdict, confidence, at, began_at, began) else {
            return;
        };
        for part in parts {
            self.tree.add(part, number);
        }
    }

    pub(super) fn new_incident(
        &mut self,
        verdict: Verdict,
        confidence: u8,
        at: Where,
        began_at: Micros,
        began: Position,
    ) -> Option<u32> {
        if self.tree.incidents.len() >= INCIDENTS_MAX {
            self.tree.refused = self.tree.refused.saturating_add(1);
            return None;
        }
        self.tree.made = self.tree.made.wrapping_add(1).max(1);
        let number = self.tree.made;
        let place = at.entity(&self.root);
        let named = format!("{}\n{place}\n{began}", self.root);
        self.tree.incidents.push(Incident {
            number,
            id: xxh3_128(named.as_bytes()),
            verdict,
            confidence,
            at,
            stage: Stage::Open,
            began_at,
            made: self.now.observed,
            told: self.now.observed,
            stale: false,
            place_taken: None,
        });
        self.touch(number, true);
        Some(number)
    }

    /// More was lost of it: that its port or board came back before says nothing any more.
    fn begins_again(&mut self, number: u32) {
        for part in self.tree.parts.iter_mut().filter(|p| p.incident == number) {
            part.port_was_out = part.is_port_out();
        }
        let boards = &self.tree.boards;
        if let Some(incident) = self.tree.incidents.iter_mut().find(|i| i.number == number)
            && matches!(incident.at, Where::Board(frame, slot) if !boards.contains_key(&(frame, slot)))
        {
            incident.confidence = incident.confidence.min(SAID - 5);
        }
    }

    /// More is known of a young one.
    fn judge_again(&mut self, number: u32) {
        let Some(incident) = self.tree.incident(number) else {
            return;
        };
        let is_said = incident.verdict == Verdict::Board && incident.confidence == SAID;
        if is_said || self.now.observed.since(incident.made) > 2 * JOIN_MICROS {
            return;
        }
        let sums = Sum::all(self.tree.parts_of(number));
        let Some(judged) = judge(&sums, &self.tree, Scattered::default())
            .into_iter()
            .max_by_key(|j| j.pons.len())
        else {
            return;
        };
        let Some(incident) = self.tree.incident_mut(number) else {
            return;
        };
        if judged.verdict == Verdict::SingleDrop {
            return;
        }
        if (incident.verdict, incident.at) != (judged.verdict, judged.at) {
            // Other entities are symptoms of it.
            self.tree
                .parts
                .iter_mut()
                .filter(|p| p.incident == number)
                .for_each(|p| p.taken = false);
        }
        if let Some(incident) = self.tree.incident_mut(number) {
            (incident.verdict, incident.at, incident.confidence) = (judged.verdict, judged.at, judged.confidence);
        }
    }

    /// These losses have no common cause: their ONUs are no longer anybody's symptoms.
    fn none_of(&mut self, part: &Part) {
        let taken = self
            .tree
            .parts
            .iter()
            .filter(|p| p.place == part.place && p.taken && p.lost.common(&part.lost) > 0);
        let numbers: BTreeSet<u32> = taken.map(|p| p.incident).collect();
        for number in numbers {
            self.release(number, part.place, part.lost.ids());
        }
    }

    /// These ONUs are no longer symptoms of it.
    pub fn release(&mut self, number: u32, place: PonPlace, onus: Vec<u16>) {
        if !onus.is_empty() {
            let onus = onus.into_iter().map(|onu| onu_at(&self.root, place, onu));
            self.releases.entry(number).or_default().extend(onus);
        }
    }

    /// Looks whether an incident goes on to the next stage of its life.
    pub fn evaluate(&mut self, number: u32) {
        let Some(incident) = self.tree.incident(number) else {
            return;
        };
        if matches!(incident.stage, Stage::Closed(_)) {
            return;
        }
        let totals = |tree: &Tree| Totals::of(tree.parts_of(number));
        let back_before = self.before.map_or(0, |before| totals(before).back());
        let came_back = totals(&self.tree).back() > back_before;
        let stage = life::stage(incident, &self.tree, self.now.observed, came_back);
        let is_other = std::mem::discriminant(&stage) != std::mem::discriminant(&incident.stage);
        if let Some(incident) = self.tree.incident_mut(number) {
            incident.stage = stage;
        }
        self.touch(number, is_other);
    }

    /// Settle windows that are over.
    pub fn settle(&mut self) {
        let now = self.now.observed;
        let is_blind = self.tree.is_blind();
        let mut closing = Vec::new();
        for incident in &mut self.tree.incidents {
            match &mut incident.stage {
                // Nobody can say what is back while nothing can be seen.
                Stage::Settling { until, .. } if *until <= now && is_blind => *until = now.plus(JOIN_MICROS),
                Stage::Settling { until, .. } if *until <= now => {
                    incident.stage = Stage::Closed(self.now.log_time);
                    closing.push((incident.number, incident.id));
                }
                _ => {}
            }
        }
        for (number, id) in closing {
            self.touch(number, true);
            // Whatever was taken at some time is released.
            self.tree
                .parts
                .iter_mut()
                .filter(|p| p.incident == number)
                .for_each(|p| p.taken = true);
            self.tree.closed.push((id, self.now.log_time));
        }
        while self.tree.closed.len() > CLOSED_MAX {
            self.forget_oldest();
        }
    }

    /// Rows that are a year old.
    pub fn forget_closed(&mut self) {
        let is_old = |tree: &Tree, now: &Now| {
            tree.closed
                .first()
                .is_some_and(|c| now.log_time.since(c.1) >= KEPT_MICROS)
        };
        while is_old(&self.tree, self.now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let (id, _) = self.tree.closed.remove(0);
        self.out.tombstone(Topic::Incidents, words::id(id));
    }

    /// Its row is another one; at once, or with the next ones.
    pub(super) fn touch(&mut self, number: u32, at_once: bool) {
        *self.touched.entry(number).or_default() |= at_once;
    }
}
