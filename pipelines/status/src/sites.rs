//! The state of a site: what its cards are, added up for each (root, site).
//!
//! **down** while one of its cards is down, or gone from a whole inventory; **up** while at least one works and none is down; **absent** when
//! all of them are gone; else **unknown**: cards whose system says nothing of their state, or does not answer. A card that a person removes
//! is no longer counted.

use std::collections::HashMap;

use model::{EntityId, Kind, Root, State};
use runtime::{Now, Out, Reason, StateKey, Verdict};
use schemas::Phase;
use schemas::network::{Effect, NetworkEvent, Seen};

use crate::core::{Said, Turn};
use crate::facts::text;
use crate::slot::Slot;

/// Our name of a site that has come into another state.
const SITE_STATE: &str = "state_read";

/// How many cards of each site are in which state: an index over the slots of cards.
#[derive(Debug, Clone, Default)]
pub struct Sites {
    counts: HashMap<StateKey, Counts>,
    /// The site of each card.
    of_cards: HashMap<StateKey, StateKey>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    up: u32,
    down: u32,
    absent: u32,
    unknown: u32,
}

impl Counts {
    fn of(&mut self, state: State) -> &mut u32 {
        match state {
            State::Up => &mut self.up,
            State::Down => &mut self.down,
            State::Absent => &mut self.absent,
            _ => &mut self.unknown,
        }
    }

    fn state(self) -> State {
        match self {
            Self {
                down: 0,
                absent: 0,
                up: 1..,
                ..
            } => State::Up,
            Self {
                up: 0,
                down: 0,
                unknown: 0,
                absent: 1..,
            } => State::Absent,
            Self { down: 0, absent: 0, .. } => State::Unknown,
            _ => State::Down,
        }
    }
}

impl Sites {
    /// The slot of a key became another one.
    pub fn remember(&mut self, key: &StateKey, before: Option<&Slot>, after: Option<&Slot>) {
        if !key.contains("/card/") {
            return;
        }
        let root_of = || Root::parse(key.split("/card/").next()?).ok();
        let place = |slot: Option<&Slot>| {
            let slot = slot?;
            Some((site_of(&root_of()?, text(&slot.facts.site)?)?, slot.told.state))
        };
        let (before, after) = (place(before), place(after));
        if before == after {
            return;
        }
        if let Some((site, state)) = before
            && let Some(counts) = self.counts.get_mut(&*site)
        {
            let count = counts.of(state);
            *count = count.saturating_sub(1);
            if *counts == Counts::default() {
                self.counts.remove(&*site);
            }
        }
        match after {
            Some((site, state)) => {
                self.of_cards.insert(key.clone(), site.clone());
                *self.counts.entry(site).or_default().of(state) += 1;
            }
            None => drop(self.of_cards.remove(key)),
        }
    }

    /// The site of a card, if it is known.
    pub fn of_card(&self, card: &EntityId) -> Option<StateKey> {
        self.of_cards.get(card.as_str()).cloned()
    }

    fn state(&self, site: &str) -> State {
        self.counts.get(site).map_or(State::Unknown, |counts| counts.state())
    }
}

/// The site of this name.
pub fn site_of(root: &Root, name: &str) -> Option<StateKey> {
    root.site(name).ok().map(|site| site.shared().clone())
}

/// The card that an event is about, and when.
pub fn card_of(event: &NetworkEvent) -> Option<(&EntityId, &Seen)> {
    let (entity, seen) = match event {
        NetworkEvent::Polled(polled) => (&polled.entity, &polled.seen),
        NetworkEvent::Registered(said) => (&said.entity, &said.seen),
        NetworkEvent::Unseen(sighting) => (&sighting.entity, &sighting.seen),
        _ => return None,
    };
    (entity.kind() == Kind::Card).then_some((entity, seen))
}

/// One of its cards may be in another state than before.
pub fn site(
    (key, sites): (&StateKey, &Sites),
    before: Option<&Slot>,
    seen: &Seen,
    now: &Now,
    out: &mut Out<NetworkEvent>,
) -> Verdict<Slot> {
    let state = sites.state(key);
    let Ok(entity) = EntityId::parse(key) else {
        return Verdict::keep(Reason::Absorbed("not_mine"));
    };
    match before {
        None if state == State::Unknown => return Verdict::keep(Reason::Absorbed("known")),
        Some(slot) if slot.told.state == state => return Verdict::keep(Reason::Absorbed("known")),
        _ => {}
    }
    // What follows from all cards is as new as the newest thing that was seen of one.
    let observed_at = before.map_or(seen.observed_at, |slot| slot.observed_at.max(seen.observed_at));
    let seen = Seen { observed_at, ..*seen };
    let mut turn = Turn::new(before, &entity, &seen, now, out);
    turn.note(Effect::State(state), Phase::Event, &seen);
    let is_edge = before.is_some_and(|slot| slot.told.state != State::Unknown);
    turn.end(is_edge.then(|| Said::of(SITE_STATE, &seen)), SITE_STATE)
}
