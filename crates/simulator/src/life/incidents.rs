//! What happens: each incident is laid out as a whole when it begins, from its first trap to its last recovery.

use std::time::Duration;

use model::{Cause, Place, Serial, State};

use super::{PER_SECOND_MAX, Script, Truth};
use crate::trap::{OnuAlarm, Trap};

/// Index of the OLT, and of the ONU on it.
type OnuIndex = (usize, usize);

const POWER: Truth = Truth::offline(Cause::Power);
const FIBRE: Truth = Truth::offline(Cause::Fibre);
const UNEXPLAINED: Truth = Truth::offline(Cause::Unknown);
const UP: Truth = Truth {
    state: State::Up,
    cause: None,
};
const DARK: Truth = Truth {
    state: State::Down,
    cause: Some(Cause::Fibre),
};
const NORMAL: Truth = Truth {
    state: State::Normal,
    cause: None,
};
const FAILED: Truth = Truth {
    state: State::Failed,
    cause: None,
};

/// Share of the ONUs that are out at the start.
const OUT_AT_START: f64 = 0.025;

impl Script {
    /// Every board, port and ONU says how it is, in a second or two. Returns when all has been said.
    pub(super) fn introduce(&mut self, resumed: bool) -> Duration {
        let network = self.network.clone();
        let mut up = Vec::new();
        for (o, olt) in network.olts.iter().enumerate() {
            for board in &olt.boards {
                let trap = Trap::Board {
                    slot: board.slot,
                    model: board.model,
                    failed: false,
                };
                self.say(Duration::ZERO, o, trap, Some(NORMAL));
            }
            for (slot, port) in olt.pons() {
                self.say(
                    Duration::ZERO,
                    o,
                    Trap::PortLos {
                        slot,
                        port,
                        raised: None,
                    },
                    Some(UP),
                );
            }
            up.extend((0..olt.onus.len()).map(|onu| (o, onu)));
        }
        self.dice.shuffle(&mut up);
        let apart = Duration::from_secs(1) / PER_SECOND_MAX;
        let mut at = apart * u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        let mut out = Vec::new();
        for onu in up {
            if resumed {
                at = self.forget(at, onu) + apart;
            }
            if self.dice.chance(OUT_AT_START) {
                out.push(onu);
            } else {
                self.run_state(at, onu, true, Truth::ONLINE);
                // Well and known: free for what life brings.
                self.onus[onu.0][onu.1].taken_until = at;
                at += apart;
            }
        }
        for onu in out {
            at += apart;
            let length = self.some(60.0, 900.0);
            match self.dice.below(10) {
                0..=5 => self.power_cut(at, onu, length),
                6..=8 => self.drop_cut(at, onu, length),
                _ => self.unexplained(at, onu, length),
            }
        }
        at
    }

    /// Ends the alarms of an earlier life. A clear without a raise is normal, and changes nothing.
    fn forget(&mut self, at: Duration, onu: OnuIndex) -> Duration {
        let place = self.place(onu);
        for alarm in [OnuAlarm::Los, OnuAlarm::DyingGasp] {
            self.say_of(
                at,
                onu,
                Trap::Onu {
                    place,
                    alarm,
                    raised: false,
                },
                None,
            );
        }
        at + Duration::from_secs(1) / PER_SECOND_MAX
    }

    /// Something small at one ONU.
    pub(super) fn single(&mut self, now: Duration) {
        let roll = self.dice.below(100);
        if roll < 5 {
            return self.autofind(now);
        }
        let Some(onu) = self.free_onu(now) else { return };
        match roll {
            5..40 => {
                let length = self.some(20.0, 180.0);
                self.power_cut(now, onu, length);
            }
            40..55 => {
                let length = self.some(60.0, 600.0);
                self.drop_cut(now, onu, length);
            }
            55..75 => {
                let length = self.some(5.0, 30.0);
                self.unexplained(now, onu, length);
            }
            75..80 => self.flap(now, onu),
            _ => self.degrade(now, onu),
        }
    }

    /// A dying gasp, mostly with a loss of signal behind it: the gasp is the cause of both.
    fn power_cut(&mut self, now: Duration, onu: OnuIndex, length: Duration) {
        let place = self.place(onu);
        let mut at = self.alarm(now, onu, OnuAlarm::DyingGasp, true, POWER);
        let dark = self.dice.chance(0.7);
        if dark {
            let later = self.some(0.5, 3.0).min(Duration::from_secs(3));
            at = self.alarm(at + later, onu, OnuAlarm::Los, true, POWER);
        }
        at = (now + length).max(at);
        if dark {
            at = self.alarm(at, onu, OnuAlarm::Los, false, POWER);
        }
        at = self.alarm(at, onu, OnuAlarm::DyingGasp, false, Truth::ONLINE);
        let later = self.some(0.5, 2.0);
        self.say_of(at + later, onu, Trap::RunState { place, up: true }, Some(Truth::ONLINE));
    }

    /// A cut drop fibre, or a power cut whose gasp was lost: from here they look alike.
    fn drop_cut(&mut self, now: Duration, onu: OnuIndex, length: Duration) {
        let mut at = self.alarm(now, onu, OnuAlarm::Los, true, FIBRE);
        if self.dice.chance(0.6) {
            let later = self.some(0.5, 2.0);
            at = self.run_state(at + later, onu, false, FIBRE);
        }
        at = (now + length).max(at);
        at = self.alarm(at, onu, OnuAlarm::Los, false, Truth::ONLINE);
        let later = self.some(0.5, 2.0);
        self.run_state(at + later, onu, true, Truth::ONLINE);
    }

    /// Down and up again, and nobody says why.
    fn unexplained(&mut self, now: Duration, onu: OnuIndex, length: Duration) {
        let at = self.run_state(now, onu, false, UNEXPLAINED);
        self.run_state((now + length).max(at), onu, true, Truth::ONLINE);
    }

    /// A loose plug.
    fn flap(&mut self, now: Duration, onu: OnuIndex) {
        let mut at = now;
        for _ in 0..4 + self.dice.below(5) {
            at = self.alarm(at, onu, OnuAlarm::DyingGasp, true, POWER) + self.some(2.0, 5.0);
            at = self.alarm(at, onu, OnuAlarm::DyingGasp, false, Truth::ONLINE) + self.some(2.0, 8.0);
        }
    }

    /// A line that gets worse and better: events, no change of state.
    fn degrade(&mut self, now: Duration, onu: OnuIndex) {
        let alarm = *self
            .dice
            .pick(&[OnuAlarm::SignalDegraded, OnuAlarm::SignalFail, OnuAlarm::Lcdg]);
        let place = self.place(onu);
        let at = self.say_of(
            now,
            onu,
            Trap::Onu {
                place,
                alarm,
                raised: true,
            },
            None,
        );
        let length = self.some(10.0, 60.0);
        self.say_of(
            at + length,
            onu,
            Trap::Onu {
                place,
                alarm,
                raised: false,
            },
            None,
        );
    }

    /// A box nobody registered.
    fn autofind(&mut self, now: Duration) {
        let network = self.network.clone();
        let olt = self.dice.below(network.olts.len());
        let pons: Vec<(u8, u8)> = network.olts[olt].pons().collect();
        let (slot, port) = *self.dice.pick(&pons);
        self.found += 1;
        let mut octets = *b"HWTC\xF1\0\0\0";
        octets[5..].copy_from_slice(&self.found.to_be_bytes()[1..]);
        self.say(
            now,
            olt,
            Trap::Autofind {
                slot,
                port,
                serial: Serial::from_octets(octets),
            },
            None,
        );
    }

    /// A cut feeder: the port goes dark with the number of its ONUs, each of them says so within seconds.
    pub(super) fn fibre_cut(&mut self, now: Duration) {
        let network = self.network.clone();
        let Some((olt, slot, port)) = self.free_pon(now) else {
            return;
        };
        let onus: Vec<OnuIndex> = network.olts[olt]
            .onus_on(slot, port)
            .map(|onu| (olt, onu))
            .filter(|&onu| self.is_free(now, onu))
            .collect();
        let affected = i32::try_from(onus.len()).unwrap_or(-1);
        self.say(
            now,
            olt,
            Trap::PortLos {
                slot,
                port,
                raised: Some((affected, 0)),
            },
            Some(DARK),
        );
        let length = self.some(40.0, 120.0);
        let mended = now + length.max(super::APART * 2);
        self.say(
            mended,
            olt,
            Trap::PortLos {
                slot,
                port,
                raised: None,
            },
            Some(UP),
        );
        let mut end = mended;
        for onu in onus {
            let fell = now + self.some(0.1, 3.0);
            let at = self.alarm(fell, onu, OnuAlarm::Los, true, FIBRE);
            let back = mended + self.some(0.5, 8.0);
            let at = self.alarm(back.max(at), onu, OnuAlarm::Los, false, Truth::ONLINE);
            let later = self.some(0.5, 2.0);
            end = end.max(self.run_state(at + later, onu, true, Truth::ONLINE));
        }
        self.pons.insert((olt, slot, port), end + super::REST);
    }

    /// No power in a street: gasps on up to three ports of a board.
    pub(super) fn street_power(&mut self, now: Duration) {
        let network = self.network.clone();
        let Some((olt, slot, port)) = self.free_pon(now) else {
            return;
        };
        let (at, length) = (now, self.some(60.0, 180.0));
        for port in port..port.saturating_add(3) {
            let onus: Vec<OnuIndex> = network.olts[olt].onus_on(slot, port).map(|onu| (olt, onu)).collect();
            for onu in onus {
                if self.is_free(now, onu) && self.dice.chance(0.8) {
                    let (fell, spread) = (at + self.some(0.1, 4.0), self.some(0.0, 20.0));
                    self.power_cut(fell, onu, length + spread);
                }
            }
        }
    }

    /// A board fails with all behind it, and comes back.
    pub(super) fn board_failure(&mut self, now: Duration) {
        let network = self.network.clone();
        let Some((olt, slot, _)) = self.free_pon(now) else {
            return;
        };
        let Some(board) = network.olts[olt].boards.iter().find(|b| b.slot == slot) else {
            return;
        };
        if (0..board.ports).any(|port| self.pons.get(&(olt, slot, port)).is_some_and(|&until| until > now)) {
            return;
        }
        let trap = |failed| Trap::Board {
            slot,
            model: board.model,
            failed,
        };
        self.say(now, olt, trap(true), Some(FAILED));
        let length = self.some(30.0, 60.0);
        let back = now + length.max(super::APART * 2);
        self.say(back, olt, trap(false), Some(NORMAL));
        let mut end = back;
        for onu in (0..network.olts[olt].onus.len()).map(|onu| (olt, onu)) {
            if network.olts[olt].onus[onu.1].place.slot == slot && self.is_free(now, onu) {
                let at = now + self.some(0.1, 3.0);
                let at = self.run_state(at, onu, false, UNEXPLAINED);
                let up = back + self.some(5.0, 20.0);
                end = end.max(self.run_state(up.max(at), onu, true, Truth::ONLINE));
            }
        }
        self.boards.insert((olt, slot), end + super::REST);
    }

    /// The OLT starts again; what is well says so.
    pub(super) fn restart(&mut self, now: Duration) {
        let network = self.network.clone();
        let olt = self.dice.below(network.olts.len());
        if self
            .restarted
            .get(&olt)
            .is_some_and(|&last| now < last + super::BETWEEN_RESTARTS)
        {
            return;
        }
        self.restarted.insert(olt, now);
        self.say(now, olt, Trap::ColdStart, None);
        for onu in (0..network.olts[olt].onus.len()).map(|onu| (olt, onu)) {
            if self.is_free(now, onu) {
                let at = now + self.some(0.2, 6.0);
                self.run_state(at, onu, true, Truth::ONLINE);
            }
        }
    }

    /// A thunderstorm: two of five ONUs of an OLT lose power in moments and get it back soon.
    pub(super) fn storm(&mut self, now: Duration) {
        let network = self.network.clone();
        let olt = self.dice.below(network.olts.len());
        for onu in (0..network.olts[olt].onus.len()).map(|onu| (olt, onu)) {
            if self.is_free(now, onu) && self.dice.chance(0.4) {
                let (fell, length) = (now + self.some(0.0, 5.0), self.some(10.0, 40.0));
                self.power_cut(fell, onu, length);
            }
        }
    }

    fn alarm(&mut self, at: Duration, onu: OnuIndex, alarm: OnuAlarm, raised: bool, truth: Truth) -> Duration {
        let place = self.place(onu);
        self.say_of(at, onu, Trap::Onu { place, alarm, raised }, Some(truth))
    }

    fn run_state(&mut self, at: Duration, onu: OnuIndex, up: bool, truth: Truth) -> Duration {
        let place = self.place(onu);
        self.say_of(at, onu, Trap::RunState { place, up }, Some(truth))
    }

    fn place(&self, (olt, onu): OnuIndex) -> Place {
        self.network.olts[olt].onus[onu].place
    }

    fn is_free(&self, now: Duration, (olt, onu): OnuIndex) -> bool {
        let Place { slot, port, .. } = self.place((olt, onu));
        let free = |until: Option<&Duration>| until.is_none_or(|&until| until <= now);
        self.onus[olt][onu].taken_until <= now
            && free(self.pons.get(&(olt, slot, port)))
            && free(self.boards.get(&(olt, slot)))
    }

    /// An ONU that takes part in nothing. Gives up after a few tries: in a storm nobody is free.
    fn free_onu(&mut self, now: Duration) -> Option<OnuIndex> {
        let count: usize = self.onus.iter().map(Vec::len).sum();
        for _ in 0..20 {
            let mut index = self.dice.below(count);
            for (olt, onus) in self.onus.iter().enumerate() {
                if index < onus.len() {
                    if self.is_free(now, (olt, index)) {
                        return Some((olt, index));
                    }
                    break;
                }
                index -= onus.len();
            }
        }
        None
    }

    /// A port that takes part in nothing, found by one of its ONUs.
    fn free_pon(&mut self, now: Duration) -> Option<(usize, u8, u8)> {
        let onu = self.free_onu(now)?;
        let Place { slot, port, .. } = self.place(onu);
        Some((onu.0, slot, port))
    }
}
