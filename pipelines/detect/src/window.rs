//! The last values of one measure, in sixtieths of a window: what rate and slope are computed of, in bounded room.
//!
//! A slot is copied with every sample, so what is kept is what can still decide: of a rate the highest and lowest values that none after
//! them is beyond (a handful, unless the values only fall), of a slope the sums of each sixtieth, the complete ones shared by the copies.

use std::sync::Arc;

use model::Micros;
use schemas::rules::Condition;
use serde::{Deserialize, Serialize};

/// Parts of a window.
pub const PARTS: i64 = 60;
/// Complete parts with samples that a slope needs.
const SLOPE_PARTS_MIN: usize = 10;
/// Microseconds of a day.
const DAY: f64 = 86_400e6;

/// Samples of a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Window {
    /// Of a rate.
    Moved(Extremes),
    /// Of a slope.
    Line(Line),
}

/// Highest and lowest values of the newest sample's part and the 59 before it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Extremes {
    /// Microseconds of a part.
    width: i64,
    /// (Part, value), each value higher than all after it.
    highs: Vec<(i64, f64)>,
    /// (Part, value), each value lower than all after it.
    lows: Vec<(i64, f64)>,
}

/// Sums of the 60 parts before the newest sample's, and of that one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Line {
    /// Microseconds of a part.
    width: i64,
    /// Complete parts that have samples, oldest first.
    complete: Arc<Vec<Part>>,
    /// The newest sample's part.
    open: Option<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Part {
    /// Its number since 1970.
    number: i64,
    samples: u32,
    /// Sum of the values.
    values: f64,
    /// Sum of the microseconds since the part's beginning.
    times: f64,
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        let same_parts = Arc::ptr_eq(&self.complete, &other.complete) || self.complete == other.complete;
        (self.width, self.open) == (other.width, other.open) && same_parts
    }
}

impl Window {
    /// An empty one for a condition that looks at a window of so many microseconds.
    pub fn new(condition: &Condition, window: i64) -> Self {
        let width = (window / PARTS).max(1);
        match condition {
            Condition::Slope { .. } => Self::Line(Line {
                width,
                ..Line::default()
            }),
            _ => Self::Moved(Extremes {
                width,
                ..Extremes::default()
            }),
        }
    }

    /// Whether it is of a window of so many microseconds.
    pub fn is_of(&self, window: i64) -> bool {
        let (Self::Moved(Extremes { width, .. }) | Self::Line(Line { width, .. })) = self;
        *width == (window / PARTS).max(1)
    }

    /// Bytes in a slot, at most.
    pub fn bytes_max(&self) -> usize {
        const VALUE: usize = 10 + 8;
        const PART: usize = 10 + 5 + 8 + 8;
        16 + match self {
            Self::Moved(moved) => (moved.highs.len() + moved.lows.len()) * VALUE,
            Self::Line(line) => (line.complete.len() + 1) * PART,
        }
    }

    /// Takes a sample that is newer than all before. How far it is below the highest and above the lowest of the window (0 or less, 0 or
    /// more); or twice the slope, if a part is complete with this sample. `None`: nothing new can be said.
    pub fn add(&mut self, at: Micros, value: f64) -> Option<(f64, f64)> {
        match self {
            Self::Moved(moved) => Some(moved.add(at, value)),
            Self::Line(line) => line.add(at, value).then(|| self.says(value))?,
        }
    }

    /// What can be said of the newest sample's value.
    pub fn says(&self, value: f64) -> Option<(f64, f64)> {
        match self {
            Self::Moved(moved) => Some(moved.moved(value)),
            Self::Line(line) => line.slope().map(|slope| (slope, slope)),
        }
    }
}

impl Extremes {
    fn add(&mut self, at: Micros, value: f64) -> (f64, f64) {
        let number = at.0.div_euclid(self.width);
        keep(&mut self.highs, number, value, |old, new| old > new);
        keep(&mut self.lows, number, value, |old, new| old < new);
        self.moved(value)
    }

    fn moved(&self, value: f64) -> (f64, f64) {
        let first = |values: &[(i64, f64)]| values.first().map_or(value, |&(_, value)| value);
        (value - first(&self.highs), value - first(&self.lows))
    }
}

/// Drops what is out of the window and what the new value makes needless; what is of its own part and beyond it makes it needless.
fn keep(values: &mut Vec<(i64, f64)>, number: i64, value: f64, is_beyond: fn(f64, f64) -> bool) {
    let gone = values.iter().take_while(|(part, _)| *part <= number - PARTS).count();
    values.drain(..gone);
    while values.last().is_some_and(|&(_, old)| !is_beyond(old, value)) {
        values.pop();
    }
    if values.last().is_none_or(|&(part, _)| part != number) {
        values.push((number, value));
    }
}

impl Line {
    /// True if a part is complete with this.
    fn add(&mut self, at: Micros, value: f64) -> bool {
        let number = at.0.div_euclid(self.width);
        #[allow(clippy::cast_precision_loss, reason = "less than a part's microseconds")]
        let into = at.0.rem_euclid(self.width) as f64;
        if let Some(part) = self.open.as_mut().filter(|part| part.number == number) {
            part.samples = part.samples.saturating_add(1);
            part.values += value;
            part.times += into;
            return false;
        }
        let complete = self.open.replace(Part {
            number,
            samples: 1,
            values: value,
            times: into,
        });
        let parts = Arc::make_mut(&mut self.complete);
        parts.extend(complete);
        let gone = parts.iter().take_while(|part| part.number < number - PARTS).count();
        parts.drain(..gone);
        true
    }

    /// Rise in a day of the line with the least squares through the complete parts' means; `None` as long as fewer than ten of them have
    /// samples, or those lie within less than half of the window.
    fn slope(&self) -> Option<f64> {
        let (first, last) = (self.complete.first()?, self.complete.last()?);
        if self.complete.len() < SLOPE_PARTS_MIN || last.number - first.number < PARTS / 2 {
            return None;
        }
        #[allow(clippy::cast_precision_loss, reason = "60 parts of at most half a day")]
        let points = || {
            self.complete.iter().map(|part| {
                let samples = f64::from(part.samples);
                let begins = ((part.number - first.number) * self.width) as f64;
                ((begins + part.times / samples) / DAY, part.values / samples)
            })
        };
        #[allow(clippy::cast_precision_loss, reason = "60 parts")]
        let count = self.complete.len() as f64;
        let (days, values) = points().fold((0.0, 0.0), |(days, values), (day, value)| (days + day, values + value));
        let (day_mean, value_mean) = (days / count, values / count);
        let (together, spread) = points().fold((0.0, 0.0), |(together, spread), (day, value)| {
            let off = day - day_mean;
            (together + off * (value - value_mean), spread + off * off)
        });
        Some(together / spread).filter(|slope| slope.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * Micros::SECOND;
    const HOUR: i64 = 60 * MINUTE;

    fn moved(window: i64) -> Window {
        Window::Moved(Extremes {
            width: window / PARTS,
            ..Extremes::default()
        })
    }

    fn line(window: i64) -> Window {
        Window::Line(Line {
            width: window / PARTS,
            ..Line::default()
        })
    }

    #[test]
    fn what_moved_is_within_the_window() {
        let mut window = moved(HOUR);
        assert_eq!(window.add(Micros(0), -20.0), Some((0.0, 0.0)));
        assert_eq!(window.add(Micros(30 * MINUTE), -21.0), Some((-1.0, 0.0)));
        assert_eq!(window.add(Micros(59 * MINUTE), -23.5), Some((-3.5, 0.0)));
        assert_eq!(window.says(-19.0), Some((1.0, 4.5)));
        let hour_old = window.add(Micros(60 * MINUTE), -23.0);
        assert_eq!(hour_old, Some((-2.0, 0.5)), "the first is an hour old");
    }

    #[test]
    fn it_takes_little_room_whatever_comes() {
        for step in [1.0, -1.0, 0.0] {
            let (mut moves, mut slopes) = (moved(HOUR), line(HOUR));
            let mut value = 0.0;
            for second in 0..20_000 {
                value += step;
                moves.add(Micros(second * Micros::SECOND), value);
                slopes.add(Micros(second * Micros::SECOND), value);
            }
            assert!(moves.bytes_max() < 1_300, "{}", moves.bytes_max());
            assert!(slopes.bytes_max() < 2_000, "{}", slopes.bytes_max());
        }
    }

    #[test]
    fn a_line_has_its_slope() {
        let mut window = line(24 * HOUR);
        let mut said = Vec::new();
        for minute in 0..=14 * 60 {
            #[allow(clippy::cast_precision_loss)]
            let value = -20.0 - 2.0 * minute as f64 / 1_440.0;
            said.extend(window.add(Micros(minute * MINUTE), value).map(|says| (minute, says.0)));
        }
        assert_eq!(said[0].0, 31 * 24, "half of the window is complete");
        assert_eq!(said.len(), 5, "once a part");
        assert!(said.iter().all(|(_, slope)| (slope + 2.0).abs() < 1e-9), "{said:?}");
    }

    #[test]
    fn numbers_at_the_end_of_what_can_be_do_not_panic() {
        for mut window in [moved(60 * Micros::SECOND), line(60 * Micros::SECOND)] {
            for (at, value) in [(i64::MIN, f64::MAX), (0, f64::MIN), (i64::MAX, f64::MAX)] {
                window.add(Micros(at), value);
                window.says(value);
            }
        }
    }
}
