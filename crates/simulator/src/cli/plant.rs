//! All boxes of a network, and what their operators do to them.
//!
//! The script knows the network as it was made. Where an operator moved or removed an ONU, [`Plant::redirect`] gives what
//! the script says of it another place, or silence.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{EntityId, Place, Serial, State};
use thiserror::Error;

use super::chassis::{Chassis, place, seat};
use super::onu::CliOnu;
use super::optics::{self, Optics};
use super::stamp::Stamp;
use crate::life::{Happening, Truth};
use crate::network::Network;
use crate::trap::Trap;

/// Why an operator could not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LifeError {
    /// No box has it.
    #[error("no OLT of the network has an ONU with this serial")]
    NoSuchOnu,
    /// Some box has it already.
    #[error("an OLT of the network has an ONU with this serial already")]
    SerialTaken,
    /// No such OLT or port, or the port is full.
    #[error("the OLT has no such PON port, or its 128 ONU ids are taken")]
    NoRoom,
}

/// A PON port of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PonAddress {
    /// Index into [`Network::olts`].
    pub olt: usize,
    /// Slot.
    pub slot: u8,
    /// Port.
    pub port: u8,
}

/// What a command line shows of an ONU.
#[derive(Debug, Clone, PartialEq)]
pub struct OnuShown {
    /// Index into [`Network::olts`].
    pub olt: usize,
    /// Where.
    pub place: Place,
    /// Its serial.
    pub serial: Serial,
    /// Its description.
    pub description: String,
    /// Its equipment id.
    pub model: String,
    /// State and cause.
    pub truth: Truth,
    /// When it came up last, in seconds since 1970 by the box's clock.
    pub last_up_s: Option<i64>,
    /// When it went down last, by the same.
    pub last_down_s: Option<i64>,
    /// Why, in the box's words.
    pub last_down_cause: &'static str,
    /// What it measures now; a box shows it only of an ONU that is online.
    pub optics: Optics,
}

/// The boxes.
#[derive(Debug)]
pub(crate) struct Plant {
    network: Arc<Network>,
    boxes: Vec<Mutex<Chassis>>,
    /// Where each serial is now.
    seats: Mutex<HashMap<Serial, (usize, Place)>>,
    /// Entities an operator changed.
    touched: Mutex<BTreeSet<EntityId>>,
    is_touched: AtomicBool,
    behind_s: i64,
}

impl Plant {
    pub(crate) fn new(network: Arc<Network>, behind_s: i64) -> Self {
        let now = Stamp::now().plus(-behind_s);
        let chassis = |(i, olt)| Mutex::new(Chassis::new(olt, i, now));
        let boxes = network.olts.iter().enumerate().map(chassis).collect();
        let of_olt = |(i, olt): (usize, &crate::network::Olt)| {
            let seats: Vec<_> = olt.onus.iter().map(|onu| (onu.serial, (i, onu.place))).collect();
            seats
        };
        let seats = network.olts.iter().enumerate().flat_map(of_olt).collect();
        Self {
            network,
            boxes,
            seats: Mutex::new(seats),
            touched: Mutex::default(),
            is_touched: AtomicBool::new(false),
            behind_s,
        }
    }

    /// What there was at first.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// The moment on the boxes' clocks.
    pub(crate) fn now(&self) -> Stamp {
        Stamp::now().plus(-self.behind_s)
    }

    /// One box.
    pub(crate) fn chassis(&self, olt: usize) -> MutexGuard<'_, Chassis> {
        lock(&self.boxes[olt])
    }

    /// Takes what an OLT says, whether it arrives or not.
    pub(crate) fn hear(&self, order: u64, olt: usize, trap: &Trap, truth: Option<Truth>) {
        let now = self.now();
        self.chassis(olt).hear(order, trap, truth, now);
    }

    /// What is said of the place an ONU had at first, said of the place it has; `None` when it is gone or switched off.
    pub(crate) fn redirect(&self, mut happening: Happening) -> Option<Happening> {
        if !self.is_touched.load(Ordering::Acquire) {
            return Some(happening);
        }
        let (Trap::Onu { place: at, .. } | Trap::RunState { place: at, .. }) = &mut happening.trap else {
            return Some(happening);
        };
        let onus = &self.network.olts[happening.olt].onus;
        let serial = onus[onus.binary_search_by_key(at, |o| o.place).ok()?].serial;
        let (olt, place) = lock(&self.seats).get(&serial).copied()?;
        if self.chassis(olt).onus.get(&seat(place))?.deactivated {
            return None;
        }
        (*at, happening.olt) = (place, olt);
        if let Some((entity, _)) = &mut happening.expect {
            *entity = self.network.olts[olt].root.onu(place);
        }
        Some(happening)
    }

    /// What a right board shows of the entities that operators changed, once it has read the command lines.
    pub(crate) fn overlay(&self, truth: &mut BTreeMap<EntityId, Truth>) {
        let touched = lock(&self.touched).clone();
        for (i, olt) in self.network.olts.iter().enumerate() {
            let chassis = self.chassis(i);
            let of_olt = touched.iter().filter(|e| e.root() == olt.root);
            for (entity, place) in of_olt.filter_map(|e| Some((e, e.place()?))) {
                let gone = Truth {
                    state: State::Absent,
                    cause: None,
                };
                let shown = chassis.onus.get(&seat(place)).map_or(gone, CliOnu::truth);
                truth.insert(entity.clone(), shown);
            }
        }
    }

    pub(crate) fn shown(&self, olt: usize) -> Vec<OnuShown> {
        let (now, chassis) = (self.now(), self.chassis(olt));
        let shown = |(&seat, onu): (&_, &CliOnu)| OnuShown {
            olt,
            place: place(seat),
            serial: onu.serial,
            description: onu.description.clone(),
            model: onu.model.clone(),
            truth: onu.truth(),
            last_up_s: onu.last_up.map(|s| s.0),
            last_down_s: onu.last_down.map(|s| s.0),
            last_down_cause: onu.cause.text(),
            optics: optics::measure(onu.serial, onu.distance_m, chassis.alarms.is_degraded(seat), now),
        };
        chassis.onus.iter().map(shown).collect()
    }

    pub(crate) fn remove(&self, serial: Serial) -> Result<(), LifeError> {
        let (olt, place) = lock(&self.seats).remove(&serial).ok_or(LifeError::NoSuchOnu)?;
        self.touch(olt, place);
        self.chassis(olt).take(seat(place));
        // It is still lit: it reports itself as a stranger.
        let now = self.now();
        self.chassis(olt).find(place.slot, place.port, serial, now);
        Ok(())
    }

    pub(crate) fn move_to(&self, serial: Serial, to: PonAddress) -> Result<Place, LifeError> {
        let mut seats = lock(&self.seats);
        let (olt, from) = *seats.get(&serial).ok_or(LifeError::NoSuchOnu)?;
        if to.olt >= self.boxes.len() {
            return Err(LifeError::NoRoom);
        }
        let id = self
            .chassis(to.olt)
            .free_id(to.slot, to.port)
            .ok_or(LifeError::NoRoom)?;
        let place = place((to.slot, to.port, id));
        let now = self.now();
        let onu = self.chassis(olt).take(seat(from)).ok_or(LifeError::NoSuchOnu)?;
        let moved = CliOnu::fresh(serial, &onu.description, &onu.model, now);
        self.chassis(to.olt).onus.insert(seat(place), moved);
        seats.insert(serial, (to.olt, place));
        self.touch(olt, from);
        self.touch(to.olt, place);
        Ok(place)
    }

    pub(crate) fn add(&self, to: PonAddress, serial: Serial, text: &str, model: &str) -> Result<Place, LifeError> {
        let mut seats = lock(&self.seats);
        if seats.contains_key(&serial) {
            return Err(LifeError::SerialTaken);
        }
        if to.olt >= self.boxes.len() {
            return Err(LifeError::NoRoom);
        }
        let now = self.now();
        let mut chassis = self.chassis(to.olt);
        let id = chassis.free_id(to.slot, to.port).ok_or(LifeError::NoRoom)?;
        let place = place((to.slot, to.port, id));
        chassis.strangers.retain(|s| s.serial != serial);
        chassis
            .onus
            .insert(seat(place), CliOnu::fresh(serial, text, model, now));
        seats.insert(serial, (to.olt, place));
        self.touch(to.olt, place);
        Ok(place)
    }

    pub(crate) fn find_stranger(&self, at: PonAddress, serial: Serial) -> Result<(), LifeError> {
        if lock(&self.seats).contains_key(&serial) {
            return Err(LifeError::SerialTaken);
        }
        if at.olt >= self.boxes.len() || !self.chassis(at.olt).ports.contains_key(&(at.slot, at.port)) {
            return Err(LifeError::NoRoom);
        }
        let now = self.now();
        self.chassis(at.olt).find(at.slot, at.port, serial, now);
        Ok(())
    }

    /// Does something to an ONU of the command line.
    pub(crate) fn change(&self, serial: Serial, change: impl FnOnce(&mut CliOnu, Stamp)) -> Result<(), LifeError> {
        let (olt, place) = lock(&self.seats).get(&serial).copied().ok_or(LifeError::NoSuchOnu)?;
        let now = self.now();
        let mut chassis = self.chassis(olt);
        let onu = chassis.onus.get_mut(&seat(place)).ok_or(LifeError::NoSuchOnu)?;
        change(onu, now);
        drop(chassis);
        self.touch(olt, place);
        Ok(())
    }

    fn touch(&self, olt: usize, place: Place) {
        lock(&self.touched).insert(self.network.olts[olt].root.onu(place));
        self.is_touched.store(true, Ordering::Release);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain data, whole after every statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
