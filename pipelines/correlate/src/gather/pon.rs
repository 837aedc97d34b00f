//! One PON port: its ONUs, its losses.

use model::{Cause, Micros, State};
use runtime::Now;
use schemas::network::StatusNews;
use serde::{Deserialize, Serialize};

use super::episode::Episode;
use super::{CEILING_MICROS, QUIET_MICROS, is_loss};
use crate::Bits;

/// Most rounds of losses that are kept while something of them is lost; the oldest go first, those of one ONU before others.
pub const EPISODES_MAX: usize = 48;
/// Most sets of ONUs that were lost together and are remembered.
const SPLITTERS_MAX: usize = 16;
/// Fewest ONUs lost together that tell of a splitter.
const SPLITTER_ONUS_MIN: u16 = 2;

/// A set of ONUs that were lost together in darkness while others of their port went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Splitter {
    /// Which.
    onus: Bits,
    /// How often.
    times: u16,
}

/// What is known of one port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pon {
    /// ONUs that exist.
    pub known: Bits,
    /// ONUs that work; while they cannot be seen, as last seen.
    pub up: Bits,
    /// The port itself.
    pub port: (State, Option<Cause>),
    /// Losses that are not over, oldest first.
    episodes: Vec<Episode>,
    next: u32,
    splitters: Vec<Splitter>,
    /// When what became of earlier losses is told, in observed time.
    tells_at: Option<Micros>,
}

impl Default for Pon {
    fn default() -> Self {
        Self {
            known: Bits::default(),
            up: Bits::default(),
            port: (State::Unknown, None),
            episodes: Vec::new(),
            next: 0,
            splitters: Vec::new(),
            tells_at: None,
        }
    }
}

/// What an input did to a port.
#[derive(Debug, Clone, Copy, Default)]
pub struct Did {
    /// A round of losses with this number begins.
    pub began: Option<u32>,
    /// An earlier one is to be told of again.
    pub changed: bool,
    /// In a word.
    pub word: &'static str,
}

impl Pon {
    /// Something works on it, or did until losses began that took everything.
    pub fn is_populated(&self) -> bool {
        !self.up.is_empty() || self.episodes.last().is_some_and(Episode::is_whole)
    }

    /// One of its rounds of losses.
    pub fn episode(&self, number: u32) -> Option<&Episode> {
        self.episodes.iter().find(|e| e.number == number)
    }

    /// An ONU's status is another one.
    pub fn onu(&mut self, id: u16, news: &StatusNews, now: &Now) -> Did {
        match news.state {
            Some(State::Online) => {
                self.known.set(id);
                let changed = self.came_back(id);
                self.up.set(id);
                Did {
                    changed,
                    word: "works",
                    ..Did::default()
                }
            }
            Some(state) if is_loss(state, news.cause) => self.offline(id, news, now),
            Some(State::Offline) => {
                self.known.set(id);
                self.no_loss(id, "on_purpose")
            }
            // What cannot be seen is as it was.
            Some(State::Unknown) => {
                self.known.set(id);
                Did {
                    word: "not_seen",
                    ..Did::default()
                }
            }
            _ => {
                self.known.clear(id);
                self.no_loss(id, "gone")
            }
        }
    }

    /// The port's own status is another one.
    pub fn port(&mut self, news: &StatusNews, now: &Now) -> Did {
        let (was, state) = (self.port.0, news.state.unwrap_or(State::Unknown));
        if state == State::Unknown {
            return Did {
                word: "not_seen",
                ..Did::default()
            };
        }
        self.port = (state, news.cause);
        let mut did = Did {
            word: "port",
            ..Did::default()
        };
        if state == State::Down && was != State::Down && !self.up.is_empty() {
            // Its ONUs will follow, unless the device does not tell of them.
            did.began = self.open(news.since, now);
        }
        for episode in self.episodes.iter_mut().filter(|e| e.open.is_none()) {
            episode.changed = true;
            did.changed = true;
        }
        did
    }

    /// It does not work, and nobody wanted that.
    fn offline(&mut self, id: u16, news: &StatusNews, now: &Now) -> Did {
        let gasped = news.cause == Some(Cause::Power);
        let is_new = self.known.set(id);
        let mut did = Did {
            word: "lost",
            ..Did::default()
        };
        // A trap is of the moment it came in; what a reading shows of an ONU that we never saw work may be years old.
        let just_now = news.observed_at == news.received_at && news.since == news.observed_at;
        let was_out = news.was.is_some_and(State::is_out);
        if self.up.has(id) || (just_now && !was_out && (is_new || !self.is_lost(id))) {
            did.began = self.open(news.since, now);
            self.up.clear(id);
            let episode = self.episodes.last_mut().expect("one was opened");
            episode.lost.set(id);
            episode.still.set(id);
            episode.before = episode.before.max(self.up.count() + episode.lost.count());
            episode.open = episode.open.map(|(first, _)| (first, now.observed));
        } else if !self.is_lost(id) {
            did.word = "was_out";
            return did;
        }
        did.changed = self.cause(id, gasped);
        did
    }

    /// What it said last may come after its light went out.
    fn cause(&mut self, id: u16, gasped: bool) -> bool {
        let mut changed = false;
        for episode in self.episodes.iter_mut().filter(|e| e.still.has(id)) {
            let moved = if gasped {
                episode.gasped.set(id)
            } else {
                episode.gasped.clear(id)
            };
            if moved && episode.open.is_none() {
                episode.changed = true;
                changed = true;
            }
        }
        changed
    }

    fn is_lost(&self, id: u16) -> bool {
        self.episodes.iter().any(|e| e.still.has(id))
    }

    /// Begins a round of losses if none is open.
    fn open(&mut self, began_at: Micros, now: &Now) -> Option<u32> {
        if self.episodes.last().is_some_and(|e| e.open.is_some()) {
            return None;
        }
        self.make_room();
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.episodes.push(Episode {
            number,
            open: Some((now.observed, now.observed)),
            began_at,
            began: now.position,
            lost: Bits::default(),
            still: Bits::default(),
            gasped: Bits::default(),
            before: self.up.count(),
            together: 0,
            changed: false,
            forgotten: false,
        });
        Some(number)
    }

    fn make_room(&mut self) {
        if self.episodes.len() < EPISODES_MAX {
            return;
        }
        let single = self.episodes.iter().position(|e| e.lost.count() <= 1);
        self.episodes[single.unwrap_or(0)].forgotten = true;
    }

    /// Rounds of losses there is no room for.
    pub fn take_forgotten(&self) -> Vec<u32> {
        let forgotten = self.episodes.iter().filter(|e| e.forgotten);
        forgotten.map(|e| e.number).collect()
    }

    /// Forgets one.
    pub fn drop_episode(&mut self, number: u32) {
        self.episodes.retain(|e| e.number != number);
    }

    fn came_back(&mut self, id: u16) -> bool {
        let mut changed = false;
        for episode in &mut self.episodes {
            if episode.still.clear(id) && episode.open.is_none() {
                episode.changed = true;
                changed = true;
            }
        }
        changed
    }

    /// It is out of service on purpose, or gone: then it never was a loss.
    fn no_loss(&mut self, id: u16, word: &'static str) -> Did {
        self.up.clear(id);
        let mut changed = false;
        for episode in &mut self.episodes {
            let was_lost = episode.lost.clear(id);
            episode.still.clear(id);
            episode.gasped.clear(id);
            if was_lost && episode.open.is_none() {
                episode.changed = true;
                changed = true;
            }
        }
        Did {
            changed,
            word,
            ..Did::default()
        }
    }

    /// When the open round is over, if nothing else comes.
    pub fn settles_at(&self) -> Option<Micros> {
        let (first, last) = self.episodes.last()?.open?;
        Some(last.plus(QUIET_MICROS).min(first.plus(CEILING_MICROS)))
    }

    /// Ends the open round, if it is time.
    pub fn settle(&mut self, now: &Now) -> Option<u32> {
        if self.settles_at().is_none_or(|at| at > now.observed) {
            return None;
        }
        let together = self.episodes.last().and_then(|e| self.splitter_of(&e.lost));
        let times = together.map_or(0, |at| self.splitters[at].times);
        let episode = self.episodes.last_mut()?;
        episode.open = None;
        episode.together = times;
        Some(episode.number)
    }

    /// Remembers which ONUs were lost together in darkness while others went on.
    pub fn learn(&mut self, number: u32) {
        let Some(episode) = self.episode(number) else { return };
        let lost = episode.lost.clone();
        let is_part = lost.count() >= SPLITTER_ONUS_MIN && lost.count() < episode.before;
        if !is_part || !episode.gasped.is_empty() {
            return;
        }
        match self.splitter_of(&lost) {
            Some(at) => {
                let mut known = self.splitters.remove(at);
                known.times = known.times.saturating_add(1);
                if lost.count() > known.onus.count() {
                    known.onus = lost;
                }
                self.splitters.push(known);
            }
            None => {
                // The one not met for longest makes room.
                if self.splitters.len() == SPLITTERS_MAX {
                    self.splitters.remove(0);
                }
                self.splitters.push(Splitter { onus: lost, times: 1 });
            }
        }
    }

    /// A remembered set of which these are the most part, and the other way round (three quarters of all that are in either).
    fn splitter_of(&self, lost: &Bits) -> Option<usize> {
        let alike = |splitter: &Splitter| {
            let common = splitter.onus.common(lost);
            let either = splitter.onus.count() + lost.count() - common;
            common > 0 && u32::from(common) * 4 >= u32::from(either) * 3
        };
        self.splitters.iter().position(alike)
    }

    /// When to tell of changes, if that is not set already.
    pub fn tell_at(&mut self, at: Micros) -> Option<Micros> {
        if self.tells_at.is_some() {
            return None;
        }
        self.tells_at = Some(at);
        self.tells_at
    }

    /// Rounds of losses that are to be told of again.
    pub fn take_changed(&mut self) -> Vec<u32> {
        self.tells_at = None;
        let changed = self.episodes.iter_mut().filter(|e| e.changed);
        changed
            .map(|episode| {
                episode.changed = false;
                episode.number
            })
            .collect()
    }

    /// Lets go of losses that are over.
    pub fn forget_over(&mut self) {
        self.episodes.retain(|e| !e.is_over());
    }
}

#[cfg(test)]
#[path = "pon_tests.rs"]
mod tests;
