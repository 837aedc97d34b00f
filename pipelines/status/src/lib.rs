//! One current truth of every entity: its state and why, and what inventory says of it.
//!
//! - reads: sightings, happenings, registrations and readings of `normalize`
//! - writes: `device-events` (fast), `device-status`, `inventory` and `measurements` (exact)
//! - key: entity
//! - state: newest signs of its state, what was last told, facts with their times, levels, newest values of a card's measures, PDUs taken
//!   within 10 minutes; an index over it: how many cards of a site are in which state
//! - time: observation times and `sysUpTime` as data; no timers
//! - guarantee: what happened once is told once; the state does not depend on the order of arrival within a boot

mod carded;
mod core;
mod earlier;
mod facts;
mod fold;
mod health;
mod levels;
mod polled;
mod signs;
mod sites;
mod slot;

pub use carded::{FROZEN_MICROS, MEASURES_MAX};
pub use facts::{Facts, News, Told};
pub use health::GOOD_MICROS;
pub use levels::SHOWN_MICROS;
pub use signs::{GASP_NEAR_MICROS, Noted, ReadState, Signs, Taken, Verdict};
pub use slot::{RESENT_MICROS, Slot};

use model::Kind;
use runtime::{Input, Now, Out, Reason, StateKey, Step, StepDescription};
use schemas::network::NetworkEvent;
use topology::Topic;

/// Its place in the chain, as in `topology`.
pub const DESCRIPTION: StepDescription = StepDescription {
    number: 2,
    name: "status",
    reads: "sightings, happenings, registrations and readings of normalize",
    writes: &[
        Topic::DeviceEvents,
        Topic::DeviceStatus,
        Topic::Inventory,
        Topic::Measurements,
    ],
    key: "entity",
    state: "newest signs of the state, what was last told, facts with their times, levels, newest values of a card, PDUs taken within 10 minutes",
    time: "observation times and sysUpTime as data; no timers",
    guarantee: "what happened once is told once; within a boot the order of arrival does not matter",
    format: 3,
};

/// The step.
#[derive(Debug, Clone, Default)]
pub struct Status {
    sites: sites::Sites,
}

impl Step for Status {
    type Event = NetworkEvent;
    type State = Slot;

    fn describe(&self) -> StepDescription {
        DESCRIPTION
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        if let NetworkEvent::Measured(measured) = event {
            keys.push(measured.entity.shared().clone());
        }
        let Some(entity) = event.entity() else { return };
        keys.push(entity.shared().clone());
        if sites::card_of(event).is_some() {
            // Where it was, and where it is now.
            keys.extend(self.sites.of_card(entity));
            if let NetworkEvent::Registered(said) = event
                && let Some(site) = said.site.as_deref()
            {
                keys.extend(sites::site_of(&entity.root(), site));
            }
        }
    }

    const REMEMBERS: bool = true;

    fn remember(&mut self, key: &StateKey, before: Option<&Slot>, after: Option<&Slot>) {
        self.sites.remember(key, before, after);
    }

    fn bytes_max(&self, state: &Slot) -> Option<usize> {
        Some(state.bytes_max())
    }

    fn upgrade(&self, format: u8, bytes: &[u8]) -> Option<Slot> {
        earlier::slot(format, bytes)
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Slot>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> runtime::Verdict<Slot> {
        if let Input::Event(event) = input
            && let Some((card, seen)) = sites::card_of(event)
            && card.shared() != key
        {
            return sites::site((key, &self.sites), state, seen, now, out);
        }
        match input {
            Input::Event(NetworkEvent::Measured(row)) => carded::measured(state, row, now, out),
            Input::Event(NetworkEvent::Heard(sighting)) => core::heard(state, sighting, now, out),
            Input::Event(NetworkEvent::Exists(sighting)) => core::exists(state, sighting, now, out),
            Input::Event(NetworkEvent::Happened(probe)) if probe.entity.kind() == Kind::Probe => {
                core::probed(probe, now, out)
            }
            Input::Event(NetworkEvent::Happened(happening)) => core::happened(state, happening, now, out),
            Input::Event(NetworkEvent::Registered(registration)) => core::registered(state, registration, now, out),
            Input::Event(NetworkEvent::Polled(row)) => polled::polled(state, row, now, out),
            Input::Event(NetworkEvent::Polling(polling)) => polled::polling(state, polling, now, out),
            Input::Event(NetworkEvent::Unseen(sighting)) => core::unseen(state, sighting, now, out),
            Input::Event(
                NetworkEvent::Observed(_)
                | NetworkEvent::Status(_)
                | NetworkEvent::Listed(_)
                | NetworkEvent::Alarm(_)
                | NetworkEvent::Losses(_)
                | NetworkEvent::Incident(_)
                | NetworkEvent::Rule(_)
                | NetworkEvent::Silence(_)
                | NetworkEvent::Acted(_)
                | NetworkEvent::Recomputed(_),
            )
            | Input::Timer { .. } => runtime::Verdict::keep(Reason::Absorbed("not_mine")),
        }
    }
}
