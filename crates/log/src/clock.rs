//! Where append times come from.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::Micros;

/// The clock a log stamps records with: the machine's, or one a test moves by hand.
#[derive(Debug, Clone, Default)]
pub struct Clock(Kind);

#[derive(Debug, Clone, Default)]
enum Kind {
    #[default]
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that stands still until [`Clock::set`] or [`Clock::advance`]. Clones share it.
    pub fn manual(start: Micros) -> Self {
        Self(Kind::Manual(Arc::new(AtomicI64::new(start.0))))
    }

    /// What it shows.
    pub fn now(&self) -> Micros {
        match &self.0 {
            Kind::System => {
                let micros = |d: std::time::Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
                Micros(match SystemTime::now().duration_since(UNIX_EPOCH) {
                    Ok(since) => micros(since),
                    Err(before) => -micros(before.duration()),
                })
            }
            Kind::Manual(at) => Micros(at.load(Ordering::Acquire)),
        }
    }

    /// Sets a manual clock, also backwards.
    ///
    /// # Panics
    /// On the machine's clock.
    pub fn set(&self, to: Micros) {
        let Kind::Manual(at) = &self.0 else {
            panic!("only a manual clock can be set")
        };
        at.store(to.0, Ordering::Release);
    }

    /// Moves a manual clock.
    ///
    /// # Panics
    /// On the machine's clock.
    pub fn advance(&self, micros: i64) {
        let Kind::Manual(at) = &self.0 else {
            panic!("only a manual clock can be moved")
        };
        at.fetch_add(micros, Ordering::AcqRel);
    }

    fn is_system(&self) -> bool {
        matches!(self.0, Kind::System)
    }
}

/// Gives append times that never decrease, also when the machine's clock is set back or a restart finds it behind the last
/// record. While it is behind, time goes on at 9/10 of its pace, so that delays counted in append time are a little long and
/// none stops, and the two meet again.
#[derive(Debug)]
pub(crate) struct Stamp {
    clock: Clock,
    last: Micros,
    taken: Instant,
}

impl Stamp {
    pub(crate) fn new(clock: Clock, not_before: Micros) -> Self {
        Self {
            clock,
            last: not_before,
            taken: Instant::now(),
        }
    }

    pub(crate) fn next(&mut self) -> Micros {
        let taken = Instant::now();
        let wall = self.clock.now();
        if wall >= self.last {
            self.last = wall;
        } else if self.clock.is_system() {
            let passed = i64::try_from(taken.duration_since(self.taken).as_micros()).unwrap_or(0);
            self.last = self.last.plus(passed / 10 * 9);
        }
        self.taken = taken;
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn append_times_never_decrease() {
        let clock = Clock::manual(Micros(100));
        let mut stamp = Stamp::new(clock.clone(), Micros(50));
        let mut check = |set: i64, expected: i64| {
            clock.set(Micros(set));
            assert_eq!(stamp.next(), Micros(expected), "clock at {set}");
        };
        check(100, 100);
        check(90, 100);
        check(101, 101);
        check(-5, 101);
        check(102, 102);
    }

    #[test]
    fn a_restart_behind_the_last_record_goes_on_from_there() {
        let mut stamp = Stamp::new(Clock::system(), Micros(i64::MAX / 2));
        let first = stamp.next();
        assert!(first >= Micros(i64::MAX / 2));
        assert!(stamp.next() >= first);
    }
}
