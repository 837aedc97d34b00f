//! The active alarms of a box, by what its traps raised and cleared.

use std::collections::BTreeMap;

use super::stamp::Stamp;
use crate::trap::{OnuAlarm, Trap};

/// What an alarm is about, in the order of a list: one of a kind stands at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Onu { slot: u8, port: u8, onu: u16, alarm: Line },
    PortLos { slot: u8, port: u8 },
    Board { slot: u8 },
    Uplink { slot: u8 },
}

/// [`OnuAlarm`], ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Line {
    Gasp,
    Los,
    Lof,
    Lcdg,
    Degraded,
    Fail,
}

/// A standing alarm.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) number: u32,
    pub(crate) at: Stamp,
    pub(crate) severity: &'static str,
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) parameters: String,
    pub(crate) explained: &'static Explained,
}

/// What the box knows about a kind of alarm. Further causes and advice follow on lines of their own.
#[derive(Debug)]
pub(crate) struct Explained {
    pub(crate) description: &'static str,
    pub(crate) cause: &'static str,
    pub(crate) advice: &'static str,
}

/// The alarms of one box.
#[derive(Debug)]
pub(crate) struct Alarms {
    /// With the place in the script of the last word on each: a reordered older one does not undo it.
    last: BTreeMap<Subject, (u64, Option<Alarm>)>,
    next: u32,
}

impl Alarms {
    /// With one that has stood for long: the list of a real box is never empty.
    pub(crate) fn new(first: u32, control: u8, now: Stamp) -> Self {
        let (severity, id, name, explained) = kind(Subject::Uplink { slot: control });
        let old = Alarm {
            number: first - 148_000,
            at: now.plus(-700 * 86_400),
            severity,
            id,
            name,
            parameters: parameters(Subject::Uplink { slot: control }, &Trap::ColdStart, ""),
            explained,
        };
        Self {
            last: BTreeMap::from([(Subject::Uplink { slot: control }, (0, Some(old)))]),
            next: first,
        }
    }

    /// Takes what a trap raises or clears. `model` is the equipment of the ONU it is about.
    pub(crate) fn hear(&mut self, order: u64, trap: &Trap, model: &str, now: Stamp) {
        let Some((subject, raised)) = subject(trap) else { return };
        let alarm = raised.then(|| self.alarm(subject, trap, model, now));
        let slot = self.last.entry(subject).or_insert((order, None));
        if order >= slot.0 {
            *slot = (order, alarm);
        }
    }

    /// Those that stand, newest first.
    pub(crate) fn standing(&self) -> Vec<&Alarm> {
        let mut all: Vec<&Alarm> = self.last.values().filter_map(|(_, a)| a.as_ref()).collect();
        all.sort_by_key(|a| std::cmp::Reverse(a.number));
        all
    }

    /// Whether the line of an ONU is bad now.
    pub(crate) fn is_degraded(&self, (slot, port, onu): (u8, u8, u16)) -> bool {
        [Line::Lcdg, Line::Degraded, Line::Fail].into_iter().any(|alarm| {
            let subject = Subject::Onu { slot, port, onu, alarm };
            self.last.get(&subject).is_some_and(|(_, a)| a.is_some())
        })
    }

    /// Forgets an ONU that left.
    pub(crate) fn forget(&mut self, left: (u8, u8, u16)) {
        self.last.retain(|subject, _| match *subject {
            Subject::Onu { slot, port, onu, .. } => (slot, port, onu) != left,
            _ => true,
        });
    }

    fn alarm(&mut self, subject: Subject, trap: &Trap, model: &str, at: Stamp) -> Alarm {
        self.next += 1;
        let (severity, id, name, explained) = kind(subject);
        Alarm {
            number: self.next,
            at,
            severity,
            id,
            name,
            parameters: parameters(subject, trap, model),
            explained,
        }
    }
}

/// What a trap is about, and whether it raises.
fn subject(trap: &Trap) -> Option<(Subject, bool)> {
    match *trap {
        Trap::Onu { place, alarm, raised } => {
            let alarm = match alarm {
                OnuAlarm::DyingGasp => Line::Gasp,
                OnuAlarm::Los => Line::Los,
                OnuAlarm::Lof => Line::Lof,
                OnuAlarm::Lcdg => Line::Lcdg,
                OnuAlarm::SignalDegraded => Line::Degraded,
                OnuAlarm::SignalFail => Line::Fail,
            };
            let (slot, port, onu) = (place.slot, place.port, place.onu);
            Some((Subject::Onu { slot, port, onu, alarm }, raised))
        }
        Trap::PortLos { slot, port, raised } => Some((Subject::PortLos { slot, port }, raised.is_some())),
        Trap::Board { slot, failed, .. } => Some((Subject::Board { slot }, failed)),
        Trap::RunState { .. } | Trap::Autofind { .. } | Trap::ColdStart => None,
    }
}

type Words = (&'static str, &'static str, &'static str, &'static Explained);

const FIBRE: Explained = Explained {
    description: "The expected optical signals from the ONT are lost",
    cause: "(1) A fiber is broken\n(2) The ONT is faulty",
    advice: "(1) Check the fiber connection\n(2) Replace the ONT",
};
const POWER: Explained = Explained {
    description: "The ONT is power off",
    cause: "The power supply of the ONT is abnormal",
    advice: "Check the power supply of the ONT and ensure that the power supply works in the normal state",
};
const QUALITY: Explained = Explained {
    description: "The quality of the upstream line of the ONT is poor",
    cause: "(1) The quality of the optical path is poor\n(2) The ONT is faulty",
    advice: "(1) Check the fiber connection, ensure that the optical fiber is connected correctly and securely\n(2) Clean the fiber connector",
};
const FEEDER: Explained = Explained {
    description: "The feeder fiber is broken or the OLT can not receive any expected optical signals",
    cause: "(1) The feeder fiber is broken\n(2) All the ONTs of the port are power off",
    advice: "(1) Check the feeder fiber\n(2) Check the power supply of the ONTs",
};
const BOARD: Explained = Explained {
    description: "The board can not communicate with the control board",
    cause: "(1) The board is faulty\n(2) The board is being reset",
    advice: "Check the board, and replace it if the alarm does not clear",
};

const UPLINK: Explained = Explained {
    description: "The optical transceiver of the port is absent",
    cause: "The optical transceiver is not inserted",
    advice: "Insert the optical transceiver",
};

fn kind(subject: Subject) -> Words {
    match subject {
        Subject::Onu { alarm, .. } => match alarm {
            Line::Gasp => (
                "MINOR",
                "0x2e11a00b",
                "The dying-gasp of GPON ONTi (DGi) is generated",
                &POWER,
            ),
            Line::Los => (
                "MAJOR",
                "0x2e112007",
                "The loss of signal for ONTi (LOSi/LOBi) occurs",
                &FIBRE,
            ),
            Line::Lof => ("MAJOR", "0x2e112006", "The loss of frame of ONTi (LOFi) occurs", &FIBRE),
            Line::Lcdg => (
                "WARNING",
                "0x2e112002",
                "The loss of GEM channel delineation (LCDGi) occurs",
                &QUALITY,
            ),
            Line::Degraded => (
                "WARNING",
                "0x2e112003",
                "The signal degrade of ONTi (SDi) occurs",
                &QUALITY,
            ),
            Line::Fail => ("MINOR", "0x2e112004", "The signal fail of ONTi (SFi) occurs", &QUALITY),
        },
        Subject::PortLos { .. } => (
            "CRITICAL",
            "0x2e11a001",
            "The feed fiber is broken or OLT can not receive any expected optical signals(LOS)",
            &FEEDER,
        ),
        Subject::Uplink { .. } => ("MAJOR", "0x0a31a0de", "The optical transceiver is absence", &UPLINK),
        Subject::Board { .. } => ("MAJOR", "0x02310000", "The communication of the board fails", &BOARD),
    }
}

fn parameters(subject: Subject, trap: &Trap, model: &str) -> String {
    match subject {
        Subject::Onu { slot, port, onu, alarm } => {
            let equipment = match alarm {
                Line::Gasp => format!(", Equipment ID: {model}"),
                _ => String::new(),
            };
            format!("FrameID: 0, SlotID: {slot}, PortID: {port}, ONT ID: {onu}{equipment}")
        }
        Subject::PortLos { slot, port } => {
            let (affected, gasps) = match *trap {
                Trap::PortLos {
                    raised: Some(counts), ..
                } => counts,
                _ => (-1, -1),
            };
            format!(
                "FrameID: 0, SlotID: {slot}, PortID: {port},The number of affected ONTs: {affected}, The number of DGi ONTs: {gasps}"
            )
        }
        // No trap of ours speaks of it.
        Subject::Uplink { slot } => format!("FrameID: 0, SlotID: {slot}, PortID: 0"),
        Subject::Board { slot } => {
            let name = match *trap {
                Trap::Board { model, .. } => model,
                _ => "",
            };
            format!("FrameID: 0, SlotID: {slot}, Board Name: {name}")
        }
    }
}
