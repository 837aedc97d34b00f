//! An ONU as its box knows it: state, times and causes, as traps and operators left them.

use model::{Cause, Serial, State};

use super::optics;
use super::stamp::Stamp;
use crate::dice::Dice;
use crate::life::Truth;
use crate::network::Onu;

/// An ONU as the box knows it.
#[derive(Debug, Clone)]
pub(crate) struct CliOnu {
    pub(crate) serial: Serial,
    pub(crate) description: String,
    pub(crate) model: String,
    pub(crate) up: bool,
    /// Switched off by an operator.
    pub(crate) deactivated: bool,
    pub(crate) last_up: Option<Stamp>,
    pub(crate) last_down: Option<Stamp>,
    pub(crate) last_gasp: Option<Stamp>,
    pub(crate) cause: DownCause,
    pub(crate) distance_m: u32,
    order: u64,
}

/// Why an ONU went down last, in the box's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DownCause {
    None,
    DyingGasp,
    Los,
    ResetByCommand,
    Deactivated,
}

impl DownCause {
    /// The box's words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::None => "-",
            Self::DyingGasp => "dying-gasp",
            Self::Los => "LOSi/LOBi",
            Self::ResetByCommand => "ONT is reset by ONT command",
            Self::Deactivated => "deactivate",
        }
    }

    /// What a board makes of it.
    pub(crate) fn cause(self) -> Cause {
        match self {
            Self::None => Cause::Unknown,
            Self::DyingGasp => Cause::Power,
            Self::Los => Cause::Fibre,
            Self::ResetByCommand => Cause::Reset,
            Self::Deactivated => Cause::Admin,
        }
    }

    fn of(cause: Option<Cause>) -> Self {
        match cause {
            Some(Cause::Power) => Self::DyingGasp,
            Some(Cause::Fibre) => Self::Los,
            Some(Cause::Admin) => Self::Deactivated,
            Some(Cause::Reset) => Self::ResetByCommand,
            _ => Self::None,
        }
    }
}

impl CliOnu {
    pub(crate) fn new(onu: &Onu, now: Stamp) -> Self {
        let mut dice = optics::dice_of(onu.serial, 0);
        let span = |dice: &mut Dice, low: usize, n: usize| i64::try_from(low + dice.below(n)).unwrap_or(0);
        let last_up = now.plus(-span(&mut dice, 3_600, 60 * 86_400));
        let fell = last_up.plus(-span(&mut dice, 10, 1_800));
        let cause = *dice.pick(&[
            DownCause::DyingGasp,
            DownCause::DyingGasp,
            DownCause::Los,
            DownCause::ResetByCommand,
            DownCause::None,
        ]);
        let ever_down = !dice.chance(0.2);
        Self {
            serial: onu.serial,
            description: description(onu),
            model: onu.model.to_owned(),
            up: true,
            deactivated: false,
            last_up: Some(last_up),
            last_down: ever_down.then_some(fell),
            last_gasp: (ever_down && cause == DownCause::DyingGasp).then_some(fell),
            cause: if ever_down { cause } else { DownCause::None },
            distance_m: optics::distance_m(onu.serial),
            order: 0,
        }
    }

    /// One an operator has just configured, and that came up at once.
    pub(crate) fn fresh(serial: Serial, description: &str, model: &str, now: Stamp) -> Self {
        Self {
            serial,
            description: description.to_owned(),
            model: model.to_owned(),
            up: true,
            deactivated: false,
            last_up: Some(now),
            last_down: None,
            last_gasp: None,
            cause: DownCause::None,
            distance_m: optics::distance_m(serial),
            order: 0,
        }
    }

    /// What a board shows of it once it has read all.
    pub(crate) fn truth(&self) -> Truth {
        Truth {
            state: if self.up { State::Online } else { State::Offline },
            cause: (!self.up).then(|| self.cause.cause()),
        }
    }

    /// Becomes what a trap's truth says. `restarted`: when its OLT last started, within this life.
    pub(crate) fn become_true(&mut self, order: u64, truth: Truth, restarted: Option<Stamp>, now: Stamp) {
        if order < self.order || self.deactivated {
            return;
        }
        self.order = order;
        let up = truth.state == State::Online;
        match (self.up, up) {
            (true, true) if self.last_up < restarted => self.last_up = Some(now),
            (true, true) => {}
            (false, true) => self.last_up = Some(now),
            (was_up, false) => {
                if was_up {
                    self.last_down = Some(now);
                }
                let cause = DownCause::of(truth.cause);
                if cause == DownCause::DyingGasp && (was_up || self.cause != cause) {
                    self.last_gasp = Some(now);
                }
                self.cause = cause;
            }
        }
        self.up = up;
    }

    /// Goes down or comes back by an operator's word.
    pub(crate) fn activate(&mut self, active: bool, now: Stamp) {
        if active == self.deactivated {
            self.deactivated = !active;
            self.up = active;
            match active {
                true => self.last_up = Some(now),
                false => (self.last_down, self.cause) = (Some(now), DownCause::Deactivated),
            }
        }
    }
}

/// What an installer typed: letters of ASCII, mostly without blanks, sometimes long enough to be wrapped.
fn description(onu: &Onu) -> String {
    let name = ascii(&onu.name).replace(' ', "_");
    match onu.serial.octets()[7] % 4 {
        0 => format!("{} {}", ascii(&onu.name), ascii(&onu.description))
            .chars()
            .take(64)
            .collect(),
        1 => format!("{name} {}", onu.plan),
        _ => name,
    }
}

/// The same without accents: the command line takes ASCII alone.
fn ascii(text: &str) -> String {
    let plain = |c: char| match c {
        'á' | 'à' | 'â' | 'ã' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' => 'u',
        'ç' => 'c',
        c if c.is_ascii() => c,
        _ => '?',
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn onu() -> CliOnu {
        CliOnu::fresh(Serial::from_octets(*b"HWTC\0\0\0\x01"), "", "", Stamp(100))
    }

    fn truth(state: State, cause: Option<Cause>) -> Truth {
        Truth { state, cause }
    }

    #[test]
    fn times_and_causes_follow_what_is_said() {
        let mut onu = onu();
        let (up, power) = (truth(State::Online, None), truth(State::Offline, Some(Cause::Power)));
        let fibre = truth(State::Offline, Some(Cause::Fibre));
        // Place in the script, what is said, when; then: up, last up, last down, last gasp, cause.
        let steps = [
            (1, up, 110, (true, 100, None, None, "-")),
            (2, power, 120, (false, 100, Some(120), Some(120), "dying-gasp")),
            (3, power, 121, (false, 100, Some(120), Some(120), "dying-gasp")),
            (4, up, 130, (true, 130, Some(120), Some(120), "dying-gasp")),
            (5, fibre, 140, (false, 130, Some(140), Some(120), "LOSi/LOBi")),
            // Late: a newer word stands.
            (4, up, 141, (false, 130, Some(140), Some(120), "LOSi/LOBi")),
            (6, up, 150, (true, 150, Some(140), Some(120), "LOSi/LOBi")),
        ];
        for (order, said, at, expected) in steps {
            onu.become_true(order, said, None, Stamp(at));
            let seconds = |stamp: Option<Stamp>| stamp.map(|s| s.0);
            let shown = (
                onu.up,
                seconds(onu.last_up).unwrap_or(0),
                seconds(onu.last_down),
                seconds(onu.last_gasp),
                onu.cause.text(),
            );
            assert_eq!(shown, expected, "{order} at {at}");
        }
        // Its OLT started again: it has come up since.
        onu.become_true(7, up, Some(Stamp(160)), Stamp(165));
        assert_eq!(onu.last_up, Some(Stamp(165)));
        onu.become_true(8, up, Some(Stamp(160)), Stamp(170));
        assert_eq!(onu.last_up, Some(Stamp(165)));
    }

    #[test]
    fn what_is_switched_off_stays_off() {
        let mut onu = onu();
        onu.activate(false, Stamp(110));
        onu.become_true(1, truth(State::Online, None), None, Stamp(120));
        assert_eq!(
            (onu.up, onu.cause.text(), onu.last_down),
            (false, "deactivate", Some(Stamp(110)))
        );
        onu.activate(true, Stamp(130));
        assert_eq!((onu.up, onu.last_up), (true, Some(Stamp(130))));
    }
}
