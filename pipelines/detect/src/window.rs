//! The last values of one measure, in sixtieths of a window: what rate and slope are computed of, in bounded room.

use std::collections::VecDeque;

use model::Micros;
use serde::{Deserialize, Serialize};

/// Parts of a window.
pub const PARTS: i64 = 60;
/// Parts with samples that a slope needs.
const SLOPE_PARTS_MIN: usize = 10;
/// Microseconds of a day.
const DAY: f64 = 86_400e6;

/// Samples of a window. The newest sample's sixtieth and the 59 before it are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Microseconds of a part.
    width: i64,
    /// Parts with samples, oldest first.
    parts: VecDeque<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Part {
    /// Its number since 1970.
    number: i64,
    samples: u32,
    low: f64,
    high: f64,
    /// Sum of the values.
    values: f64,
    /// Sum of the microseconds since the part's beginning.
    times: f64,
}

impl Window {
    /// Bytes at most in a slot.
    pub const BYTES_MAX: usize = 12 + PARTS as usize * (10 + 5 + 4 * 8);

    /// An empty one.
    pub fn new(window: i64) -> Self {
        Self {
            width: (window / PARTS).max(1),
            parts: VecDeque::new(),
        }
    }

    /// Whether it is of this window.
    pub fn is_of(&self, window: i64) -> bool {
        self.width == (window / PARTS).max(1)
    }

    /// Bytes in a slot, at most.
    pub fn bytes_max(&self) -> usize {
        12 + self.parts.len() * (10 + 5 + 4 * 8)
    }

    /// Takes a sample that is newer than all before.
    pub fn add(&mut self, at: Micros, value: f64) {
        let number = at.0.div_euclid(self.width);
        while self.parts.front().is_some_and(|part| part.number <= number - PARTS) {
            self.parts.pop_front();
        }
        #[allow(clippy::cast_precision_loss, reason = "less than a part's microseconds")]
        let into = at.0.rem_euclid(self.width) as f64;
        match self.parts.back_mut().filter(|part| part.number == number) {
            Some(part) => {
                part.samples = part.samples.saturating_add(1);
                part.low = part.low.min(value);
                part.high = part.high.max(value);
                part.values += value;
                part.times += into;
            }
            None => self.parts.push_back(Part {
                number,
                samples: 1,
                low: value,
                high: value,
                values: value,
                times: into,
            }),
        }
    }

    /// How far a value is below the highest and above the lowest of the window: (0 or less, 0 or more).
    pub fn moved(&self, value: f64) -> (f64, f64) {
        let low = self.parts.iter().map(|part| part.low).fold(value, f64::min);
        let high = self.parts.iter().map(|part| part.high).fold(value, f64::max);
        (value - high, value - low)
    }

    /// Rise in a day of the line with the least squares through the parts' means; `None` as long as fewer than ten parts have samples, or
    /// those lie within less than half of the window.
    pub fn slope(&self) -> Option<f64> {
        let (first, last) = (self.parts.front()?, self.parts.back()?);
        if self.parts.len() < SLOPE_PARTS_MIN || last.number - first.number < PARTS / 2 {
            return None;
        }
        #[allow(clippy::cast_precision_loss, reason = "60 parts of at most half a day")]
        let points = || {
            self.parts.iter().map(|part| {
                let samples = f64::from(part.samples);
                let begins = ((part.number - first.number) * self.width) as f64;
                ((begins + part.times / samples) / DAY, part.values / samples)
            })
        };
        #[allow(clippy::cast_precision_loss, reason = "60 parts")]
        let count = self.parts.len() as f64;
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

    #[test]
    fn what_moved_is_within_the_window() {
        let mut window = Window::new(HOUR);
        window.add(Micros(0), -20.0);
        window.add(Micros(30 * MINUTE), -21.0);
        assert_eq!(window.moved(-23.5), (-3.5, 0.0));
        assert_eq!(window.moved(-19.0), (0.0, 2.0));
        window.add(Micros(60 * MINUTE), -23.0);
        assert_eq!(window.moved(-23.0), (-2.0, 0.0), "the first is an hour old");
        let mut full = Window::new(HOUR);
        for second in 0..20_000 {
            full.add(Micros(second * Micros::SECOND), 1.0);
        }
        assert_eq!(full.parts.len(), 60);
        assert!(full.bytes_max() <= Window::BYTES_MAX);
    }

    #[test]
    fn a_line_has_its_slope() {
        let mut window = Window::new(24 * HOUR);
        for minute in 0..(12 * 60 - 1) {
            assert_eq!(window.slope(), None, "{minute}");
            #[allow(clippy::cast_precision_loss)]
            window.add(Micros(minute * MINUTE), -20.0 - 2.0 * minute as f64 / 1_440.0);
        }
        window.add(Micros(12 * HOUR), -21.0);
        let slope = window.slope().unwrap();
        assert!((slope + 2.0).abs() < 1e-9, "{slope}");
    }

    #[test]
    fn numbers_at_the_end_of_what_can_be_do_not_panic() {
        let mut window = Window::new(60 * Micros::SECOND);
        for (at, value) in [(i64::MIN, f64::MAX), (0, f64::MIN), (i64::MAX, f64::MAX)] {
            window.add(Micros(at), value);
            window.moved(value);
            assert_eq!(window.slope(), None);
        }
    }
}
