//! When one OLT may be logged in to: one session at a time, pauses between logins, and a breaker. Pure: instants are passed in.
//!
//! ```text
//!            failures = limit                  pause is over
//!  closed ─────────────────────────▶ open ─────────────────────▶ half open (one try)
//!    ▲  ▲                             ▲ longer each time             │      │
//!    │  └─ worked                     └────────── failure ───────────┘      │
//!    ├─────────────────────────────────────────── worked ───────────────────┘
//!    └─ reset ── stopped ◀── a failure that only a person ends, from anywhere
//! ```
//!
//! - [`Gate::ask`] answers [`Verdict::Go`] to one alone, until [`Gate::released`].
//! - From the end of a login to the next one at least `between_logins`; from the end of a session `after_session`; from a
//!   failure what its class asks for.
//! - Stopped, nothing but [`Gate::reset`] lets anybody through.

use std::time::{Duration, Instant};

use super::error::{Class, OpenError, RunError};

/// How long the pauses are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateLimits {
    /// From the end of a login attempt to the next one.
    pub between_logins: Duration,
    /// From the end of a session to the next login: the device forgets a session after about 8 s.
    pub after_session: Duration,
    /// Failures in a row that open the breaker.
    pub failures_max: u32,
    /// The first pause of an open breaker, doubled by each failure of the one try after it.
    pub pause_first: Duration,
    /// The longest pause.
    pub pause_max: Duration,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            between_logins: Duration::from_secs(4),
            after_session: Duration::from_secs(8),
            failures_max: 3,
            pause_first: Duration::from_secs(30),
            pause_max: Duration::from_secs(600),
        }
    }
}

/// Whether to log in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes, and nobody else until it is released.
    Go,
    /// Not before this.
    Wait(Instant),
    /// Somebody else has the session.
    Taken,
    /// Not before a person has acted on this and reset the gate.
    Stopped(Class),
}

/// Where the breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Every try is allowed.
    Closed,
    /// None is, until then.
    Open(Instant),
    /// One is, to see.
    HalfOpen,
    /// None is, until a person has acted on this.
    Stopped(Class),
}

/// How an attempt or a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As it should.
    Well,
    /// By us, for no fault of the device.
    GivenUp,
    /// By this.
    Failed {
        /// What to count it as.
        class: Class,
        /// How long to leave the device alone at least; `None`: until a person has acted.
        retry_after: Option<Duration>,
    },
}

impl Ended {
    /// By a failure of this class, with its own pause.
    pub fn of(class: Class) -> Self {
        Self::Failed {
            class,
            retry_after: class.retry_after(),
        }
    }
}

impl From<&OpenError> for Ended {
    fn from(error: &OpenError) -> Self {
        Self::Failed {
            class: error.class(),
            retry_after: error.retry_after(),
        }
    }
}

impl From<&RunError> for Ended {
    fn from(error: &RunError) -> Self {
        Self::Failed {
            class: error.class(),
            retry_after: error.retry_after(),
        }
    }
}

/// The gate of one OLT.
#[derive(Debug, Clone)]
pub struct Gate {
    limits: GateLimits,
    /// Whether somebody has the session, and since when it is logged in.
    taken: bool,
    logged_in: bool,
    not_before: Option<Instant>,
    /// Failures in a row.
    failures: u32,
    opened: Opened,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    Not,
    Until(Instant),
    Stopped(Class),
}

impl Gate {
    /// Nobody has logged in yet.
    pub fn new(limits: GateLimits) -> Self {
        Self {
            limits,
            taken: false,
            logged_in: false,
            not_before: None,
            failures: 0,
            opened: Opened::Not,
        }
    }

    /// Whether to log in now. Who is told to go must release.
    pub fn ask(&mut self, now: Instant) -> Verdict {
        let verdict = self.verdict(now);
        if verdict == Verdict::Go {
            self.taken = true;
            self.logged_in = false;
        }
        verdict
    }

    /// What [`Self::ask`] would answer.
    pub fn verdict(&self, now: Instant) -> Verdict {
        if self.taken {
            return Verdict::Taken;
        }
        let open = match self.opened {
            Opened::Stopped(class) => return Verdict::Stopped(class),
            Opened::Until(until) => Some(until),
            Opened::Not => None,
        };
        match open.max(self.not_before).filter(|until| now < *until) {
            Some(until) => Verdict::Wait(until),
            None => Verdict::Go,
        }
    }

    /// The login of who has the session ended well.
    pub fn logged_in(&mut self, now: Instant) {
        if self.taken {
            self.logged_in = true;
            self.wait(now, self.limits.between_logins);
        }
    }

    /// A command of who has the session was answered: the device is well.
    pub fn worked(&mut self) {
        if self.taken {
            self.failures = 0;
            self.opened = Opened::Not;
        }
    }

    /// Who had the session gives it back. `jitter` from 0 to 1 shortens a pause of the breaker by up to half, so that many
    /// OLTs do not return together; never below what the failure asks for.
    pub fn released(&mut self, now: Instant, ended: Ended, jitter: f64) {
        if !std::mem::replace(&mut self.taken, false) {
            return;
        }
        let after = if std::mem::replace(&mut self.logged_in, false) {
            self.limits.after_session.max(self.limits.between_logins)
        } else {
            self.limits.between_logins
        };
        self.wait(now, after);
        match ended {
            Ended::Well => {
                self.failures = 0;
                self.opened = Opened::Not;
            }
            // An open breaker stays half open: nothing was learnt.
            Ended::GivenUp => {}
            Ended::Failed {
                class,
                retry_after: None,
            } => {
                self.failures = self.failures.saturating_add(1);
                self.opened = Opened::Stopped(class);
            }
            Ended::Failed {
                class,
                retry_after: Some(least),
            } => self.failed(now, class, least, jitter),
        }
    }

    /// A person has acted: the next who asks may go, after the pauses between logins.
    pub fn reset(&mut self) {
        self.failures = 0;
        self.opened = Opened::Not;
    }

    /// Where the breaker stands.
    pub fn breaker(&self, now: Instant) -> Breaker {
        match self.opened {
            Opened::Not => Breaker::Closed,
            Opened::Until(until) if now < until => Breaker::Open(until),
            Opened::Until(_) => Breaker::HalfOpen,
            Opened::Stopped(class) => Breaker::Stopped(class),
        }
    }

    /// Whether somebody has the session.
    pub fn is_taken(&self) -> bool {
        self.taken
    }

    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn failed(&mut self, now: Instant, class: Class, least: Duration, jitter: f64) {
        self.wait(now, least);
        // Busy is a device at work, and a command that cannot be sent is our mistake.
        if matches!(class, Class::Busy | Class::Command) {
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let over = self.failures.saturating_sub(self.limits.failures_max.max(1));
        if self.failures >= self.limits.failures_max.max(1) {
            let factor = 1_u32.checked_shl(over).unwrap_or(u32::MAX);
            let whole = self
                .limits
                .pause_first
                .saturating_mul(factor)
                .min(self.limits.pause_max);
            let jitter = if jitter.is_finite() {
                jitter.clamp(0.0, 1.0)
            } else {
                0.0
            };
            self.opened = Opened::Until(now + whole.mul_f64(1.0 - jitter / 2.0).max(least));
        }
    }

    fn wait(&mut self, now: Instant, pause: Duration) {
        self.not_before = self.not_before.max(Some(now + pause));
    }
}

#[cfg(test)]
mod tests;
