//! What one box holds: boards, ports, ONUs, strangers and alarms, as its traps and its operators left them.

use std::collections::BTreeMap;

use model::{Place, Serial};

use super::alarms::Alarms;
use super::onu::CliOnu;
use super::personality::Firmware;
use super::stamp::{DateForm, Stamp};
use crate::dice::Dice;
use crate::life::Truth;
use crate::network::Olt;
use crate::trap::Trap;

/// Slot, port and ONU id; every simulated box has one frame.
pub(crate) type Seat = (u8, u8, u16);

/// All ONUs, those of a slot, or of a port.
pub(crate) type At = Option<(u8, Option<u8>)>;

/// Strangers a box remembers; the oldest leaves.
const STRANGERS_MAX: usize = 64;
/// ONU ids of a port.
const IDS: u16 = 128;

/// One box.
#[derive(Debug)]
pub(crate) struct Chassis {
    /// The name in its prompt.
    pub(crate) host: String,
    pub(crate) firmware: Firmware,
    pub(crate) boards: BTreeMap<u8, Board>,
    pub(crate) ports: BTreeMap<(u8, u8), Port>,
    pub(crate) onus: BTreeMap<Seat, CliOnu>,
    pub(crate) strangers: Vec<Stranger>,
    pub(crate) alarms: Alarms,
    /// When it started.
    pub(crate) started: Stamp,
    /// When the simulation did.
    born: Stamp,
}

/// A PON board.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) failed: bool,
    order: u64,
}

/// A PON port.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub(crate) dark: bool,
    pub(crate) last_up: Stamp,
    pub(crate) last_down: Option<Stamp>,
    order: u64,
}

/// An ONU nobody configured.
#[derive(Debug, Clone)]
pub(crate) struct Stranger {
    pub(crate) slot: u8,
    pub(crate) port: u8,
    pub(crate) serial: Serial,
    pub(crate) found: Stamp,
}

impl Chassis {
    pub(crate) fn new(olt: &Olt, index: usize, now: Stamp) -> Self {
        let mut dice = Dice::fork(index as u64, 4);
        let days = |dice: &mut Dice, n: usize| {
            let seconds = i64::try_from(dice.below(n * 86_400)).unwrap_or(0);
            now.plus(-3_600 - seconds)
        };
        let started = days(&mut dice, 200);
        let board = |b: &crate::network::Board| Board {
            name: b.model,
            failed: false,
            order: 0,
        };
        let boards = olt.boards.iter().map(|b| (b.slot, board(b))).collect();
        let port = Port {
            dark: false,
            last_up: started,
            last_down: None,
            order: 0,
        };
        let ports = olt.pons().map(|pon| (pon, port.clone())).collect();
        let onus = olt
            .onus
            .iter()
            .map(|onu| (seat(onu.place), CliOnu::new(onu, now)))
            .collect();
        Self {
            host: olt.root.name().to_ascii_uppercase(),
            firmware: Firmware::of(olt, index),
            boards,
            ports,
            onus,
            strangers: Vec::new(),
            alarms: Alarms::new(2_431_000, control_slot(olt.boards.last().map(|b| b.slot)), now),
            started,
            born: now,
        }
    }

    /// How it writes dates.
    pub(crate) fn dates(&self) -> DateForm {
        if self.firmware.is_old() {
            DateForm::DayFirst
        } else {
            DateForm::YearFirst
        }
    }

    /// The ONUs of the frame, of a slot, or of one port of it, in the order of their places.
    pub(crate) fn onus_at(&self, at: At) -> impl Iterator<Item = (&Seat, &CliOnu)> {
        let (low, high) = match at {
            None => ((0, 0), (u8::MAX, u8::MAX)),
            Some((slot, None)) => ((slot, 0), (slot, u8::MAX)),
            Some((slot, Some(port))) => ((slot, port), (slot, port)),
        };
        self.onus.range((low.0, low.1, 0)..=(high.0, high.1, u16::MAX))
    }

    /// The lowest ONU id that is free on a port; `None` when the port is full or not there.
    pub(crate) fn free_id(&self, slot: u8, port: u8) -> Option<u16> {
        self.ports.get(&(slot, port))?;
        (0..IDS).find(|&id| !self.onus.contains_key(&(slot, port, id)))
    }

    /// Takes what a trap says, whether it arrives or not.
    pub(crate) fn hear(&mut self, order: u64, trap: &Trap, truth: Option<Truth>, now: Stamp) {
        match *trap {
            Trap::Onu { place, .. } | Trap::RunState { place, .. } => {
                let model = self.onus.get(&seat(place)).map(|o| o.model.clone()).unwrap_or_default();
                self.alarms.hear(order, trap, &model, now);
                let restarted = (self.started >= self.born).then_some(self.started);
                if let (Some(onu), Some(truth)) = (self.onus.get_mut(&seat(place)), truth) {
                    onu.become_true(order, truth, restarted, now);
                }
            }
            Trap::PortLos { slot, port, raised } => {
                self.alarms.hear(order, trap, "", now);
                if let Some(port) = self.ports.get_mut(&(slot, port)) {
                    port.hear(order, raised.is_some(), now);
                }
            }
            Trap::Board { slot, failed, .. } => {
                self.alarms.hear(order, trap, "", now);
                if let Some(board) = self.boards.get_mut(&slot).filter(|b| b.order <= order) {
                    (board.failed, board.order) = (failed, order);
                }
            }
            Trap::Autofind { slot, port, serial } => self.find(slot, port, serial, now),
            Trap::ColdStart => self.started = now,
        }
    }

    /// An ONU nobody configured reports itself.
    pub(crate) fn find(&mut self, slot: u8, port: u8, serial: Serial, found: Stamp) {
        self.strangers.retain(|s| s.serial != serial);
        if self.strangers.len() == STRANGERS_MAX {
            self.strangers.remove(0);
        }
        self.strangers.push(Stranger {
            slot,
            port,
            serial,
            found,
        });
    }

    /// Takes an ONU out.
    pub(crate) fn take(&mut self, seat: Seat) -> Option<CliOnu> {
        self.alarms.forget(seat);
        self.onus.remove(&seat)
    }
}

impl Port {
    fn hear(&mut self, order: u64, dark: bool, now: Stamp) {
        if order < self.order {
            return;
        }
        self.order = order;
        match (self.dark, dark) {
            (false, true) => self.last_down = Some(now),
            (true, false) => self.last_up = now,
            _ => {}
        }
        self.dark = dark;
    }
}

/// The first slot behind the PON boards, and never one of the first eight.
pub(crate) fn control_slot(last: Option<u8>) -> u8 {
    last.map_or(8, |last| last.max(7) + 1)
}

/// Where an ONU sits on its box.
pub(crate) fn seat(place: Place) -> Seat {
    (place.slot, place.port, place.onu)
}

/// And back.
pub(crate) fn place((slot, port, onu): Seat) -> Place {
    Place {
        frame: 0,
        slot,
        port,
        onu,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_few_and_the_oldest_leaves() {
        let network = crate::Network::generate(1, 1, 4).unwrap();
        let mut chassis = Chassis::new(&network.olts[0], 0, Stamp(0));
        for i in 0..=STRANGERS_MAX {
            let serial = Serial::from_octets((i as u64).to_be_bytes());
            chassis.find(1, 0, serial, Stamp(0));
        }
        assert_eq!(chassis.strangers.len(), STRANGERS_MAX);
        assert_eq!(chassis.strangers[0].serial.octets()[7], 1);
    }
}
