//! What readings say: the records of `observations` with it, and what `normalize` makes of them.

use std::sync::Arc;

use model::{Cause, EntityId, Measure, Micros, PollFailure, Serial, State};

use super::Seen;
use crate::{
    AlarmTableRead, AnyRecord, AutofindRead, AutofindRow, BoardsRead, CardsRead, ForeignAlarmsRead, MeasuresRead,
    OnuTableRead, OpticsRead, PollFailed, SystemRead,
};

/// A record of a poll.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each record is documented")]
pub enum Reading {
    OnuTable(OnuTableRead),
    Optics(OpticsRead),
    Boards(BoardsRead),
    System(SystemRead),
    Autofind(AutofindRead),
    Alarms(AlarmTableRead),
    Cards(CardsRead),
    Measures(MeasuresRead),
    ForeignAlarms(ForeignAlarmsRead),
    Failed(PollFailed),
}

impl Reading {
    /// The reading in a record; `None` if it is none.
    pub fn of(record: AnyRecord) -> Option<Self> {
        Some(match record {
            AnyRecord::OnuTableRead(record) => Self::OnuTable(record),
            AnyRecord::OpticsRead(record) => Self::Optics(record),
            AnyRecord::BoardsRead(record) => Self::Boards(record),
            AnyRecord::SystemRead(record) => Self::System(record),
            AnyRecord::AutofindRead(record) => Self::Autofind(record),
            AnyRecord::AlarmTableRead(record) => Self::Alarms(record),
            AnyRecord::CardsRead(record) => Self::Cards(record),
            AnyRecord::MeasuresRead(record) => Self::Measures(record),
            AnyRecord::ForeignAlarmsRead(record) => Self::ForeignAlarms(record),
            AnyRecord::PollFailed(record) => Self::Failed(record),
            _ => return None,
        })
    }

    /// The root it says it is of.
    pub fn root(&self) -> &str {
        match self {
            Self::OnuTable(record) => &record.root,
            Self::Optics(record) => &record.root,
            Self::Boards(record) => &record.root,
            Self::System(record) => &record.root,
            Self::Autofind(record) => &record.root,
            Self::Alarms(record) => &record.root,
            Self::Cards(record) => &record.root,
            Self::Measures(record) => &record.root,
            Self::ForeignAlarms(record) => &record.root,
            Self::Failed(record) => &record.root,
        }
    }

    /// The answer was whole.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::OnuTable(record) => record.complete,
            Self::Optics(record) => record.complete,
            Self::Boards(record) => record.complete,
            Self::System(record) => record.complete,
            Self::Autofind(record) => record.complete,
            Self::Alarms(record) => record.complete,
            Self::Cards(record) => record.complete,
            Self::Measures(record) => record.complete,
            Self::ForeignAlarms(record) => record.complete,
            Self::Failed(_) => false,
        }
    }

    /// When it was asked for, and when it was there or had failed.
    pub fn times(&self) -> (Micros, Micros) {
        match self {
            Self::OnuTable(record) => (record.started_at, record.received_at),
            Self::Optics(record) => (record.started_at, record.received_at),
            Self::Boards(record) => (record.started_at, record.received_at),
            Self::System(record) => (record.started_at, record.received_at),
            Self::Autofind(record) => (record.started_at, record.received_at),
            Self::Alarms(record) => (record.started_at, record.received_at),
            Self::Cards(record) => (record.started_at, record.received_at),
            Self::Measures(record) => (record.started_at, record.received_at),
            Self::ForeignAlarms(record) => (record.started_at, record.received_at),
            Self::Failed(record) => (record.started_at, record.received_at),
        }
    }
}

/// What one row of a reading says about its entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Polled {
    /// Which.
    pub entity: EntityId,
    /// When: it was asked for.
    pub seen: Seen,
    /// About its state.
    pub state: PolledState,
    /// When its port was read before, if that named it: what is known of that reading held until then.
    pub read_at: Option<Micros>,
    /// Its serial number.
    pub serial: Option<Serial>,
    /// Its model.
    pub model: Option<String>,
    /// Its description.
    pub description: Option<Description>,
    /// What was measured; `None` if the reading measures nothing.
    pub levels: Option<Box<Levels>>,
}

/// What a reading says about the state of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolledState {
    /// It exists, and that is all.
    There,
    /// An ONU is read, and its state is neither up nor down: one that never came up.
    Unclear,
    /// An ONU works.
    Up,
    /// An ONU does not.
    Down(DownCause),
    /// It is in this state.
    State(State),
}

/// Why an ONU went down last, as its OLT says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DownCause {
    /// Our word; `None` if the OLT says nothing.
    pub cause: Option<Cause>,
    /// The vendor's words.
    pub words: Option<Arc<str>>,
}

/// A description as a device has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The text.
    pub text: String,
    /// A longer one may begin like it.
    pub is_cut: bool,
}

/// One value for each measure that a reading has, all of them finite numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Levels([Option<f64>; Measure::ALL.len()]);

impl Levels {
    /// Sets a measure; what is not a finite number is not set.
    pub fn set(&mut self, measure: Measure, value: Option<f64>) {
        self.0[measure as usize] = value.filter(|value| value.is_finite());
    }

    /// The value of a measure.
    pub fn get(&self, measure: Measure) -> Option<f64> {
        self.0[measure as usize]
    }

    /// Every measure that has a value.
    pub fn each(&self) -> impl Iterator<Item = (Measure, f64)> + '_ {
        Measure::ALL
            .iter()
            .filter_map(|&measure| Some((measure, self.get(measure)?)))
    }
}

/// How it went to read a root.
#[derive(Debug, Clone, PartialEq)]
pub struct Polling {
    /// The root.
    pub entity: EntityId,
    /// When it was asked.
    pub seen: Seen,
    /// Why it failed; `None` if it was read.
    pub failed: Option<Failure>,
    /// The answer was whole.
    pub is_whole: bool,
    /// It read every ONU's state: how long that takes is what a person asks for.
    pub is_table: bool,
    /// Rows that no device of its kind can have.
    pub rows_refused: u32,
    /// What it says of itself.
    pub system: Option<System>,
    /// The ONUs that wait to be provisioned, if all of them were read.
    pub pending: Option<Pending>,
}

/// ONUs that wait to be provisioned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// At most [`Pending::MAX`], with bounded texts.
    pub onus: Vec<AutofindRow>,
    /// There are more.
    pub more: bool,
}

impl Pending {
    /// ONUs kept: a technician provisions some a day, and a row of status holds them all.
    pub const MAX: usize = 64;
    /// Longest text of one, in bytes.
    pub const TEXT_BYTES_MAX: usize = 32;
}

/// A reading that did not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub class: PollFailure,
    /// More for people.
    pub detail: String,
    /// How many have failed without a good one between.
    pub in_a_row: u32,
    /// When the first of these failed.
    pub since: Micros,
    /// The root counts as not reachable since then.
    pub is_unreachable: bool,
}

/// What an OLT says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Product.
    pub product: Option<String>,
    /// Firmware and patch.
    pub firmware: Option<String>,
    /// Algorithms agreed on with it, in words.
    pub security: Option<String>,
    /// These are no longer held to be safe.
    pub is_legacy: bool,
}
