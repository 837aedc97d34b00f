//! One input: the tree being changed, and what is said of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{EntityId, Micros, Position, Root, State};
use runtime::{Deadline, Now, Out, Reason};
use schemas::network::{IncidentNews, NetworkEvent, StatusNews};
use topology::Topic;
use xxhash_rust::xxh3::xxh3_128;

use super::judge::{Judged, Sum, judge};
use super::tree::{
    CLOSED_MAX, INCIDENTS_MAX, Incident, Part, Stage, Totals, Tree, Verdict, Where, board_place, onu_at,
};
use super::{WAIT_MICROS, life, timer, words};

/// Losses that come this much later may still be of an incident that is as young as that. Observed microseconds.
const JOIN_MICROS: i64 = 60 * Micros::SECOND;
/// Between two rows of an incident that differ in numbers alone. Observed microseconds.
const ROW_MICROS: i64 = 2 * Micros::SECOND;
/// Entities taken or released with one record; the rest with the next ones.
const ENTITIES_MAX: usize = 4_096;
/// A closed incident's row is kept this long. Log time, microseconds.
const KEPT_MICROS: i64 = 365 * 86_400 * Micros::SECOND;
/// Confidence of what an OLT says of its own board.
pub const SAID: u8 = 95;

/// One input.
pub struct Turn<'a> {
    root: Root,
    before: Option<&'a Tree>,
    pub tree: Tree,
    pub now: &'a Now,
    out: &'a mut Out<NetworkEvent>,
    /// Incidents whose rows are another; true: at once.
    touched: BTreeMap<u32, bool>,
    takes: BTreeMap<u32, Vec<EntityId>>,
    releases: BTreeMap<u32, Vec<EntityId>>,
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
        let lost: u32 = rest.iter().map(|part| u32::from(part.lost_count)).sum();
        if lost > 0 {
            let before = self.recently_scattered();
            self.tree.scattered = (before.saturating_add(lost), self.now.observed);
        }
        for number in joined {
            self.begins_again(number);
            self.judge_again(number);
            self.evaluate(number);
            self.touch(number, true);
        }
    }

    /// ONUs lost lately without a common cause, and those of which it cannot be said yet.
    fn scattered(&self) -> u32 {
        let waiting = self.tree.waiting.iter().map(|p| u32::from(p.lost_count));
        self.recently_scattered().saturating_add(waiting.sum())
    }

    fn recently_scattered(&self) -> u32 {
        let (count, last) = self.tree.scattered;
        if self.now.observed.since(last) <= JOIN_MICROS {
            count
        } else {
            0
        }
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

    fn new_incident(
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
        let Some(judged) = judge(&sums, &self.tree, 0).into_iter().max_by_key(|j| j.pons.len()) else {
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
            let onus = part.lost.iter().map(|onu| onu_at(&self.root, part.place, onu));
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

    /// A board's status is another one.
    pub fn board(&mut self, news: &StatusNews) -> &'static str {
        let Some(board) = board_place(&news.entity) else {
            return "not_mine";
        };
        let state = news.state.unwrap_or(State::Normal);
        let at = Where::Board(board.0, board.1);
        match state {
            State::Unknown => return "not_seen",
            _ if !state.is_out() => {
                self.tree.board(board, None);
                let there = self
                    .tree
                    .incidents
                    .iter()
                    .filter(|i| i.at == at && i.verdict == Verdict::Board);
                let numbers: Vec<u32> = there.map(|i| i.number).collect();
                numbers.into_iter().for_each(|number| self.evaluate(number));
                return "board_works";
            }
            _ => {}
        }
        let was_known = self.tree.boards.contains_key(&board);
        self.tree.board(board, Some(state));
        // What is out of service when it is first seen may have been so for years.
        if was_known || news.was.is_none_or(|was| was == State::Unknown) {
            return "board_out";
        }
        self.board_fails(board, at, news);
        "board_fails"
    }

    fn board_fails(&mut self, (frame, slot): (u8, u8), at: Where, news: &StatusNews) {
        let on_board = |i: &Incident, tree: &Tree| {
            let mut parts = tree.parts_of(i.number).peekable();
            parts.peek().is_some() && parts.all(|p| p.place[..2] == [frame, slot])
        };
        let is_young =
            |i: &Incident| self.now.observed.since(i.made) <= JOIN_MICROS && !matches!(i.stage, Stage::Closed(_));
        let of_board = |i: &Incident| i.at == at && i.verdict == Verdict::Board && !matches!(i.stage, Stage::Closed(_));
        let tree = &self.tree;
        let known = tree
            .incidents
            .iter()
            .find(|i| of_board(i) || (is_young(i) && on_board(i, tree)));
        let Some(number) = known.map(|i| i.number) else {
            self.new_incident(Verdict::Board, SAID, at, news.since, self.now.position);
            return;
        };
        if let Some(incident) = self.tree.incident_mut(number) {
            (incident.verdict, incident.at, incident.confidence) = (Verdict::Board, at, SAID);
            incident.stage = Stage::Open;
        }
        self.touch(number, true);
    }

    /// The root does not answer.
    pub fn blind(&mut self, news: &StatusNews) -> &'static str {
        let is_it = |i: &&mut Incident| i.verdict == Verdict::MonitoringLoss && !matches!(i.stage, Stage::Closed(_));
        match self.tree.incidents.iter_mut().find(is_it) {
            Some(incident) => {
                incident.stage = Stage::Open;
                let number = incident.number;
                self.touch(number, true);
            }
            None => {
                let at = Where::Root;
                self.new_incident(Verdict::MonitoringLoss, SAID, at, news.since, self.now.position);
            }
        }
        "blind"
    }

    /// The root answers, or is no more.
    pub fn sees_again(&mut self) -> &'static str {
        let now = self.now.observed;
        let is_it = |i: &&mut Incident| i.verdict == Verdict::MonitoringLoss && i.stage == Stage::Open;
        let Some(incident) = self.tree.incidents.iter_mut().find(is_it) else {
            return "known";
        };
        let window = life::window(Verdict::MonitoringLoss, &Totals::default());
        incident.stage = Stage::Settling {
            began: now,
            until: now.plus(window),
        };
        let number = incident.number;
        self.touch(number, true);
        "sees_again"
    }

    fn touch(&mut self, number: u32, at_once: bool) {
        *self.touched.entry(number).or_default() |= at_once;
    }

    /// Says what changed.
    pub fn end(mut self, word: &'static str) -> runtime::Verdict<Tree> {
        self.give_and_take();
        self.write_rows();
        self.drop_closed();
        self.set_timers();
        if self.before.is_none() && self.tree == Tree::default() {
            return runtime::Verdict::keep(Reason::Absorbed(word));
        }
        if self.before == Some(&self.tree) {
            return runtime::Verdict::keep(Reason::Absorbed(word));
        }
        runtime::Verdict::put(self.tree, Reason::Did(word))
    }

    /// Whose alarms are symptoms from now on, and whose no longer; as many as one record may.
    fn give_and_take(&mut self) {
        let mut room = ENTITIES_MAX;
        let Self { tree, root, .. } = self;
        for incident in &mut tree.incidents {
            let takes = !matches!(incident.stage, Stage::Closed(_));
            // Of a board and of an OLT that does not answer the own alarms are symptoms too; those of ports come with their losses.
            let place = match (takes, incident.verdict) {
                (true, Verdict::Board | Verdict::MonitoringLoss) => Some(incident.at),
                _ => None,
            };
            if incident.place_taken != place {
                if let Some(at) = incident.place_taken.take() {
                    self.releases.entry(incident.number).or_default().push(at.entity(root));
                }
                if let Some(at) = place {
                    self.takes.entry(incident.number).or_default().push(at.entity(root));
                }
                incident.place_taken = place;
            }
            let with_port = !matches!(
                incident.verdict,
                Verdict::Branch | Verdict::SingleDrop | Verdict::Unexplained
            );
            let parts = tree
                .parts
                .iter_mut()
                .filter(|p| p.incident == incident.number && p.taken != takes);
            for part in parts {
                if room == 0 {
                    break;
                }
                part.taken = takes;
                let list = if takes { &mut self.takes } else { &mut self.releases };
                let list = list.entry(incident.number).or_default();
                if with_port || !takes {
                    list.push(Where::Pon(part.place).entity(root));
                }
                list.extend(part.lost.iter().map(|onu| onu_at(root, part.place, onu)));
                room = room.saturating_sub(usize::from(part.lost.count()) + 1);
            }
        }
    }

    fn write_rows(&mut self) {
        let now = self.now.observed;
        let mut said: BTreeSet<u32> = self.touched.keys().copied().collect();
        said.extend(self.takes.keys().chain(self.releases.keys()));
        said.extend(self.tree.incidents.iter().filter(|i| i.stale).map(|i| i.number));
        for number in said {
            let at_once = self.touched.get(&number).copied();
            let Some(incident) = self.tree.incident_mut(number) else {
                continue;
            };
            let is_due = now.since(incident.told) >= ROW_MICROS && (incident.stale || at_once.is_some());
            let writes = at_once == Some(true) || is_due;
            if writes {
                (incident.told, incident.stale) = (now, false);
            } else {
                incident.stale |= at_once.is_some();
            }
            let (takes, releases) = (self.takes.remove(&number), self.releases.remove(&number));
            if !writes && takes.is_none() && releases.is_none() {
                continue;
            }
            let wts = self.out.write_time();
            let Some(incident) = self.tree.incident(number) else {
                continue;
            };
            let row = words::row(incident, &self.tree, &self.root, self.now, wts);
            if writes {
                self.out.record(Topic::Incidents, &row.incident_id, row.view());
            }
            self.out.event(NetworkEvent::Incident(Box::new(IncidentNews {
                incident: Arc::new(row),
                takes: takes.unwrap_or_default(),
                releases: releases.unwrap_or_default(),
            })));
        }
    }

    /// Lets go of closed incidents whose entities are all released.
    fn drop_closed(&mut self) {
        let Tree { incidents, parts, .. } = &mut self.tree;
        let is_closed = |i: &Incident| matches!(i.stage, Stage::Closed(_));
        let closed: BTreeSet<u32> = incidents.iter().filter(|i| is_closed(i)).map(|i| i.number).collect();
        if closed.is_empty() {
            return;
        }
        // They are counted in rows until the last one is released.
        let waits: BTreeSet<u32> = parts
            .iter()
            .filter(|p| p.taken && closed.contains(&p.incident))
            .map(|p| p.incident)
            .collect();
        let is_done = |number: u32| closed.contains(&number) && !waits.contains(&number);
        parts.retain(|p| !is_done(p.incident));
        incidents.retain(|i| !is_done(i.number));
    }

    fn set_timers(&mut self) {
        let tree = &self.tree;
        // Never what is due already: a timer set anew in its own call to the time it had would not be armed until a restore.
        let next = self.now.observed.plus(1);
        let observed = |at: Option<Micros>| at.map(|at| Deadline::Observed(at.max(next)));
        let verdict = tree.waiting.iter().map(|p| p.opened.plus(WAIT_MICROS)).min();
        let settle = tree.incidents.iter().filter_map(|i| match i.stage {
            Stage::Settling { until, .. } => Some(until),
            _ => None,
        });
        let row = tree
            .incidents
            .iter()
            .filter(|i| i.stale)
            .map(|i| i.told.plus(ROW_MICROS))
            .min();
        let closed: BTreeSet<u32> = tree
            .incidents
            .iter()
            .filter(|i| matches!(i.stage, Stage::Closed(_)))
            .map(|i| i.number)
            .collect();
        let more = tree.parts.iter().any(|p| p.taken == closed.contains(&p.incident));
        let year = tree.closed.first().map(|c| Deadline::LogTime(c.1.plus(KEPT_MICROS)));
        let timers = [
            (timer::VERDICT, observed(verdict)),
            (timer::SETTLE, observed(settle.min())),
            (timer::ROW, observed(row)),
            (timer::MORE, observed(more.then_some(next))),
            (timer::YEAR, year),
        ];
        for (id, deadline) in timers {
            match deadline {
                Some(deadline) => self.out.set_timer(id, deadline),
                None => self.out.cancel_timer(id),
            }
        }
    }
}
