//! What is said at the end of a turn: rows, whose alarms are symptoms, timers.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::Micros;
use runtime::{Deadline, Reason};
use schemas::network::{IncidentNews, NetworkEvent};
use topology::Topic;

use super::tree::{Incident, Stage, Tree, Verdict, Where, onu_at};
use super::turn::{KEPT_MICROS, Turn};
use super::{WAIT_MICROS, timer, words};

/// Between two rows of an incident that differ in numbers alone. Observed microseconds.
const ROW_MICROS: i64 = 2 * Micros::SECOND;
/// Entities taken or released with one record; the rest with the next ones.
const ENTITIES_MAX: usize = 4_096;

impl Turn<'_> {
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
        // Not what is due already: that would be a call for each record of the same instant.
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
