//! The state of one entity. Every list in it is bounded, so that the slot stays under 64 KiB whatever comes.

use std::sync::Arc;

use model::rollup::{SAMPLE_KEPT, Summary, Window};
use model::{Micros, Position};
use serde::{Deserialize, Serialize};

use crate::ASK_AGAIN_MICROS;

/// Measures of one entity that are added up. The store is laid out for 69 (a sample a minute each); samples of more are counted
/// as `too_many_measures` and kept raw.
pub const MEASURES_MAX: usize = 72;
/// Longest name of a measure, in bytes.
pub const NAME_BYTES_MAX: usize = 48;
/// Longest unit, in bytes.
pub const UNIT_BYTES_MAX: usize = 16;
/// Hours of one measure that are open at one time; when another one begins, the oldest is closed.
pub const OPEN_MAX: usize = 3;
/// Windows of one entity that wait to be added up again. More are counted as `too_many_windows`; `atalaia rebuild rollups` mends
/// what they should have corrected.
pub const WANTED_MAX: usize = 300;

/// A series without samples for this long after its last window is forgotten: what comes for that time is refused anyway.
const IDLE_MICROS: i64 = SAMPLE_KEPT + 2 * 86_400 * Micros::SECOND;

/// Names a record that this input made: with the step and the key, it is that record's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// The input.
    pub position: Position,
    /// The how-manieth of its step and key.
    pub n: u32,
}

/// Everything that is being added up of one entity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// By name of the measure.
    pub series: Vec<Series>,
    /// The newest of its `measurements` records: whoever has read it has read all before.
    pub newest: Option<Mark>,
}

/// One measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its name.
    pub measure: Arc<str>,
    /// Its unit, as last told.
    pub unit: Arc<str>,
    /// Hours that are open, in order; all of them begin at `told_to` or later.
    pub hours: Vec<Open>,
    /// Everything before this instant is closed.
    pub told_to: Micros,
    /// The day being made of closed hours.
    pub day: Option<Running>,
    /// The month being made of closed days.
    pub month: Option<Running>,
    /// The last of its days that was told.
    pub newest_day: Option<Mark>,
    /// What has to be added up again.
    pub wanted: Vec<Wanted>,
}

/// An open hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// When it begins.
    pub start: Micros,
    /// When it is closed, in log time.
    pub due: Micros,
    /// What it adds up to so far.
    pub sum: Summary,
    /// A sample came that may or may not be in the sum.
    pub is_dirty: bool,
}

/// A day or a month that is being made of what is closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// When it begins.
    pub start: Micros,
    /// When it is closed, in log time, if nothing in it is open then.
    pub due: Micros,
    /// What it adds up to so far.
    pub sum: Option<Summary>,
    /// A part of it has been corrected, or is missing.
    pub is_dirty: bool,
}

/// A window to be added up again: a day, hour by hour, or a month, day by day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// Day or month.
    pub window: Window,
    /// When it begins.
    pub start: Micros,
    /// Which of its hours are to be told, as bits, and with [`Wanted::ROW`] the day or month itself.
    pub rows: u32,
    /// Of these rows, those that were never told.
    pub untold: u32,
    /// Rows that became wrong after the window was asked for.
    pub newer: u32,
    /// What the answer has to contain, and when that was asked for (log time).
    pub asked: Option<(Mark, Micros)>,
}

impl Wanted {
    /// The bit of the day's or the month's own row.
    pub const ROW: u32 = 1 << 24;

    /// The bit of an hour of its day.
    pub(crate) fn hour_bit(hour: Micros) -> u32 {
        let of_day = hour.since(Window::Day.start(hour)) / (3_600 * Micros::SECOND);
        1 << u32::try_from(of_day).unwrap_or(0).min(23)
    }

    /// The hour of a bit.
    pub(crate) fn hour(&self, bit: u32) -> Micros {
        self.start.plus(i64::from(bit) * 3_600 * Micros::SECOND)
    }
}

impl Slot {
    /// When something is to be closed, asked again or forgotten next, in log time.
    pub(crate) fn due(&self) -> Option<Micros> {
        self.series.iter().filter_map(Series::due).min()
    }

    /// Windows that wait to be added up again.
    pub(crate) fn wanted(&self) -> usize {
        self.series.iter().map(|series| series.wanted.len()).sum()
    }

    /// Whether something is to be asked for that was not.
    pub(crate) fn has_unasked(&self) -> bool {
        self.series
            .iter()
            .any(|series| series.wanted.iter().any(|wanted| series.can_ask(wanted)))
    }

    /// The series of a measure.
    pub(crate) fn place(&self, measure: &str) -> Result<usize, usize> {
        self.series.binary_search_by(|series| (*series.measure).cmp(measure))
    }

    /// At least the bytes it takes in the changelog, where a number has at most ten.
    pub(crate) fn bytes_max(&self) -> usize {
        let series: usize = self.series.iter().map(Series::bytes_max).sum();
        1 + MARK_BYTES + 3 + series
    }
}

const INSTANT_BYTES: usize = 10;
const MARK_BYTES: usize = 1 + 5 + 5 + 10 + 5;
const SUMMARY_BYTES: usize = 10 + 6 * 8 + 2 * INSTANT_BYTES;
const OPEN_BYTES: usize = 2 * INSTANT_BYTES + SUMMARY_BYTES + 1;
const RUNNING_BYTES: usize = 1 + 2 * INSTANT_BYTES + 1 + SUMMARY_BYTES + 1;
const WANTED_BYTES: usize = 1 + 1 + INSTANT_BYTES + 3 * 5 + MARK_BYTES + INSTANT_BYTES;

impl Series {
    /// One that has no samples yet.
    pub(crate) fn new(measure: &str) -> Self {
        Self {
            measure: measure.into(),
            unit: "".into(),
            hours: Vec::new(),
            told_to: Micros(i64::MIN),
            day: None,
            month: None,
            newest_day: None,
            wanted: Vec::new(),
        }
    }

    /// Whether a window is to be asked for now: it was not, and no day of a month is still to be told.
    pub(crate) fn can_ask(&self, wanted: &Wanted) -> bool {
        let in_it = |day: &Wanted| {
            day.window == Window::Day
                && wanted.window == Window::Month
                && Window::Month.start(day.start) == wanted.start
        };
        wanted.asked.is_none() && !self.wanted.iter().any(in_it)
    }

    /// When something of it is to be closed or forgotten next, in log time.
    fn due(&self) -> Option<Micros> {
        let hour = self.hours.iter().map(|open| open.due).min();
        let first_open = self.hours.first().map_or(Micros(i64::MAX), |open| open.start);
        // A day waits for its hours, a month for its days.
        let day = self.day.as_ref();
        let day_due = day
            .filter(|day| first_open >= Window::Day.end(day.start))
            .map(|day| day.due);
        let month = self.month.as_ref();
        let first_day = day.map_or(first_open, |day| day.start.min(first_open));
        let month_due = month
            .filter(|month| first_day >= Window::Month.end(month.start))
            .map(|month| month.due);
        let asked = self.wanted.iter().filter_map(|wanted| wanted.asked);
        let again = asked.map(|(_, at)| at.plus(ASK_AGAIN_MICROS)).min();
        let next = [hour, day_due, month_due, again].into_iter().flatten().min();
        next.or_else(|| self.is_empty().then(|| self.told_to.plus(IDLE_MICROS)))
    }

    /// Whether nothing of it is open.
    fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.day.is_none() && self.month.is_none() && self.wanted.is_empty()
    }

    /// Whether it can be forgotten.
    pub(crate) fn is_over(&self, log_time: Micros) -> bool {
        self.is_empty() && log_time >= self.told_to.plus(IDLE_MICROS)
    }

    fn bytes_max(&self) -> usize {
        let running = |running: &Option<Running>| running.as_ref().map_or(1, |_| RUNNING_BYTES);
        2 + self.measure.len()
            + 2
            + self.unit.len()
            + 1
            + self.hours.len() * OPEN_BYTES
            + INSTANT_BYTES
            + running(&self.day)
            + running(&self.month)
            + self.newest_day.map_or(1, |_| MARK_BYTES)
            + 2
            + self.wanted.len() * WANTED_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: Micros = Micros(i64::MIN);

    fn full() -> Slot {
        let mark = Mark {
            position: Position {
                generation: u32::MAX,
                partition: u32::MAX,
                offset: u64::MAX,
            },
            n: u32::MAX,
        };
        let mut sum = Summary::of(FAR, f64::MIN);
        (sum.n, sum.first_at, sum.last_at) = (u64::MAX, FAR, FAR);
        let running = Running {
            start: FAR,
            due: FAR,
            sum: Some(sum),
            is_dirty: true,
        };
        let open = Open {
            start: FAR,
            due: FAR,
            sum,
            is_dirty: true,
        };
        let series = Series {
            measure: "m".repeat(NAME_BYTES_MAX).into(),
            unit: "u".repeat(UNIT_BYTES_MAX).into(),
            hours: vec![open; OPEN_MAX],
            told_to: FAR,
            day: Some(running.clone()),
            month: Some(running),
            newest_day: Some(mark),
            wanted: Vec::new(),
        };
        let wanted = Wanted {
            window: Window::Month,
            start: FAR,
            rows: u32::MAX,
            untold: u32::MAX,
            newer: u32::MAX,
            asked: Some((mark, FAR)),
        };
        let mut series = vec![series; MEASURES_MAX];
        series[0].wanted = vec![wanted; WANTED_MAX];
        Slot {
            series,
            newest: Some(mark),
        }
    }

    #[test]
    fn the_fullest_slot_fits() {
        let slot = full();
        let bytes = postcard::to_allocvec(&slot).unwrap();
        let told = slot.bytes_max();
        assert!(bytes.len() <= told, "{} bytes, told {told}", bytes.len());
        // Head and two timers are under 64 bytes.
        assert!(told + 64 <= topology::SLOT_BYTES_MAX, "{told} bytes");
        assert_eq!(postcard::from_bytes::<Slot>(&bytes).unwrap(), slot);
    }
}
