//! The life of one alarm, whoever says that there is one.
//!
//! ```text
//!            on for raise_after              off for clear_after
//!   quiet ──────────────────────▶ raised ──────────────────────▶ quiet     (again within reraise_after: the same alarm)
//!                                   │ ▲
//!      figure of merit ≥ suppress   ▼ │  it fell below reuse
//!                               suppressed: raises and clears go on, and nobody is told
//! ```
//!
//! While it is suppressed people see one raised alarm that is suppressed; what it came to is told when that ends. So what is told
//! balances: every clear follows a raise, and at most one alarm of a slot is open.

use model::{Micros, Position};
use runtime::Now;
use schemas::network::AlarmChange;
use schemas::rules::Flap;
use serde::{Deserialize, Serialize};

/// What is remembered of an alarm's life. Times are observed time unless they say otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// What raises it holds, dead band counted in, delays not.
    pub on: bool,
    /// Since when `on` is what it is.
    pub since: Micros,
    /// When what turned it on was observed, by the observation's time.
    pub began_at: Micros,
    /// It is raised, delays counted in.
    pub raised: bool,
    /// The last alarm of the slot: open, or cleared not long ago.
    pub alarm: Option<AlarmOf>,
    /// It came and went too often.
    pub suppressed: bool,
    /// Figure of merit, as of `figure_at`.
    pub figure: f64,
    /// When the figure was so.
    pub figure_at: Micros,
}

/// An alarm by the input that raised it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AlarmOf {
    /// The input that raised it.
    pub position: Position,
    /// When what raised it was observed, by the observation's time.
    pub raised_at: Micros,
    /// When people were told that it cleared; `None`: it is open.
    pub cleared: Option<Micros>,
}

/// Delays and policy of an alarm's life, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For how long it has to hold before it raises.
    pub raise_after: i64,
    /// For how long it has to be over before it clears.
    pub clear_after: i64,
    /// A raise so soon after a clear is the same alarm.
    pub reraise_after: i64,
    /// When it is suppressed.
    pub flap: Option<Flap>,
}

/// What has to be told, in order.
pub type Told = [Option<AlarmChange>; 2];

impl Life {
    /// People were told of an alarm that stands.
    pub fn is_open(&self) -> bool {
        self.alarm.is_some_and(|alarm| alarm.cleared.is_none())
    }

    /// The condition begins or ends to hold; `at` is the time of what says so. True if it did not before.
    pub fn turn(&mut self, on: bool, at: Micros, now: Micros) -> bool {
        if self.on == on {
            return false;
        }
        self.on = on;
        self.since = now;
        if on && !self.raised {
            self.began_at = at;
        }
        true
    }

    /// When the next delay ends; `None`: nothing is waited for.
    pub fn deadline(&self, pace: &Pace) -> Option<Micros> {
        let delay = match (self.on, self.raised) {
            (true, false) => Some(self.since.plus(pace.raise_after)),
            (false, true) => Some(self.since.plus(pace.clear_after)),
            _ => None,
        };
        [delay, self.reuse_at(pace)].into_iter().flatten().min()
    }

    /// Ends one delay that has passed; to be called until it says nothing more.
    pub fn settle(&mut self, pace: &Pace, now: &Now) -> Option<Settled> {
        let passed = |at: Option<Micros>| at.is_some_and(|at| at <= now.observed);
        if passed(self.reuse_at(pace)) {
            return Some(Settled::Reuse(self.reuse(now)));
        }
        if self.on && !self.raised && passed(Some(self.since.plus(pace.raise_after))) {
            return Some(Settled::Raise(self.raise(pace, now)));
        }
        if !self.on && self.raised && passed(Some(self.since.plus(pace.clear_after))) {
            return Some(Settled::Clear(self.clear(now)));
        }
        None
    }

    /// Ends whatever stands, told or not.
    pub fn end(&mut self, now: &Now) -> Option<AlarmChange> {
        self.turn(false, Micros(0), now.observed);
        self.raised = false;
        self.suppressed = false;
        self.tell_cleared(now)
    }

    /// Nothing stands, and what was matters no more.
    pub fn is_over(&self, pace: &Pace, now: &Now) -> bool {
        let remembers = |alarm: AlarmOf| {
            alarm
                .cleared
                .is_none_or(|at| now.observed.since(at) <= pace.reraise_after)
        };
        let idle = !self.on && !self.raised && !self.suppressed && !self.alarm.is_some_and(remembers);
        idle && pace
            .flap
            .is_none_or(|flap| self.figure_now(&flap, now.observed) < flap.penalty / 16.0)
    }

    fn raise(&mut self, pace: &Pace, now: &Now) -> Told {
        self.raised = true;
        if let Some(flap) = &pace.flap {
            self.figure = (self.figure_now(flap, now.observed) + flap.penalty).min(flap.ceiling);
            self.figure_at = now.observed;
        }
        if self.suppressed {
            return [None, None];
        }
        let again = self.alarm.filter(|alarm| {
            let soon = alarm
                .cleared
                .is_some_and(|at| now.observed.since(at) <= pace.reraise_after);
            // An id is of the position: a second alarm of one input would have the first one's.
            soon || alarm.position == now.position
        });
        let what = match again {
            Some(alarm) => {
                self.alarm = Some(AlarmOf { cleared: None, ..alarm });
                AlarmChange::Reopened
            }
            None => {
                self.alarm = Some(AlarmOf {
                    position: now.position,
                    raised_at: self.began_at,
                    cleared: None,
                });
                AlarmChange::Raised
            }
        };
        self.suppressed = pace.flap.is_some_and(|flap| self.figure >= flap.suppress);
        [Some(what), self.suppressed.then_some(AlarmChange::Suppressed)]
    }

    fn clear(&mut self, now: &Now) -> Told {
        self.raised = false;
        let told = if self.suppressed { None } else { self.tell_cleared(now) };
        [told, None]
    }

    fn reuse(&mut self, now: &Now) -> Told {
        self.suppressed = false;
        let cleared = if self.raised { None } else { self.tell_cleared(now) };
        [Some(AlarmChange::Unsuppressed), cleared]
    }

    fn tell_cleared(&mut self, now: &Now) -> Option<AlarmChange> {
        let alarm = self.alarm.as_mut().filter(|alarm| alarm.cleared.is_none())?;
        alarm.cleared = Some(now.observed);
        Some(AlarmChange::Cleared)
    }

    fn figure_now(&self, flap: &Flap, now: Micros) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "microseconds of some days")]
        let half_lives = now.since(self.figure_at).max(0) as f64 / flap.half_life as f64;
        self.figure * (-half_lives).exp2()
    }

    /// When the figure of a suppressed alarm has fallen below the reuse limit; at once if there is no policy any more.
    fn reuse_at(&self, pace: &Pace) -> Option<Micros> {
        if !self.suppressed {
            return None;
        }
        let Some(flap) = pace.flap.filter(|flap| self.figure > flap.reuse) else {
            return Some(self.figure_at);
        };
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "at most a half-life of 7 days times the logarithm of what two numbers can be apart"
        )]
        let micros = (flap.half_life as f64 * (self.figure / flap.reuse).log2()).ceil() as i64;
        Some(self.figure_at.plus(micros.saturating_add(1)))
    }
}

/// A delay that has ended, and what to tell of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Settled {
    Raise(Told),
    Clear(Told),
    Reuse(Told),
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
