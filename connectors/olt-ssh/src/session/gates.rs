//! The gates of all OLTs of the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::gate::{Breaker, Ended, Gate, GateLimits, Verdict};

/// One gate per OLT, by name. Clones share them.
#[derive(Debug, Clone)]
pub struct Gates {
    limits: GateLimits,
    gates: Arc<Mutex<BTreeMap<String, Arc<Mutex<Gate>>>>>,
}

/// The right to the one session of an OLT. Dropped, it is given back as given up.
#[derive(Debug)]
pub struct Permit {
    gate: Arc<Mutex<Gate>>,
    over: bool,
}

/// How a gate stands, to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateView {
    /// The breaker.
    pub breaker: Breaker,
    /// Whether somebody has the session.
    pub taken: bool,
    /// Failures in a row.
    pub failures: u32,
}

impl Gates {
    /// No OLT was met yet.
    pub fn new(limits: GateLimits) -> Self {
        Self {
            limits,
            gates: Arc::default(),
        }
    }

    /// Asks for the one session of an OLT.
    ///
    /// # Errors
    /// With the verdict, when that is not to be had now.
    pub fn ask(&self, olt: &str) -> Result<Permit, Verdict> {
        let gate = self.gate(olt);
        let verdict = lock(&gate).ask(Instant::now().into_std());
        match verdict {
            Verdict::Go => Ok(Permit { gate, over: false }),
            verdict => Err(verdict),
        }
    }

    /// How the gate of an OLT stands.
    pub fn view(&self, olt: &str) -> GateView {
        let gate = self.gate(olt);
        let gate = lock(&gate);
        GateView {
            breaker: gate.breaker(Instant::now().into_std()),
            taken: gate.is_taken(),
            failures: gate.failures(),
        }
    }

    /// A person has acted on what stopped an OLT.
    pub fn reset(&self, olt: &str) {
        lock(&self.gate(olt)).reset();
    }

    /// Forgets the OLTs that are not in use any more; those whose session somebody still has only when asked again.
    pub fn retain(&self, mut in_use: impl FnMut(&str) -> bool) {
        lock(&self.gates).retain(|olt, gate| in_use(olt) || lock(gate).is_taken());
    }

    fn gate(&self, olt: &str) -> Arc<Mutex<Gate>> {
        let mut gates = lock(&self.gates);
        match gates.get(olt) {
            Some(gate) => Arc::clone(gate),
            None => {
                let gate = Arc::new(Mutex::new(Gate::new(self.limits.clone())));
                gates.insert(olt.to_owned(), Arc::clone(&gate));
                gate
            }
        }
    }
}

impl Permit {
    /// The login ended well.
    pub fn logged_in(&self) {
        lock(&self.gate).logged_in(Instant::now().into_std());
    }

    /// A command was answered.
    pub fn worked(&self) {
        lock(&self.gate).worked();
    }

    /// Gives it back; `jitter` from 0 to 1, as for [`Gate::released`].
    pub fn release(mut self, ended: Ended, jitter: f64) {
        self.give_back(ended, jitter);
    }

    fn give_back(&mut self, ended: Ended, jitter: f64) {
        if !std::mem::replace(&mut self.over, true) {
            lock(&self.gate).released(Instant::now().into_std(), ended, jitter);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.give_back(Ended::GivenUp, 0.0);
    }
}

/// A gate is whole after every call: a panic elsewhere does not make it less so.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::error::Class;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_permit_is_one_and_comes_back_even_when_dropped() {
        let gates = Gates::new(GateLimits::default());
        let permit = gates.ask("a").unwrap();
        assert_eq!(gates.clone().ask("a").unwrap_err(), Verdict::Taken);
        drop(gates.ask("b").unwrap());
        permit.logged_in();
        drop(permit);
        assert!(matches!(gates.ask("a"), Err(Verdict::Wait(_))));
        assert!(!gates.view("a").taken);
        tokio::time::advance(Duration::from_secs(8)).await;
        gates.ask("a").unwrap().release(Ended::of(Class::Refused), 0.5);
        tokio::time::advance(Duration::from_secs(86_400)).await;
        assert_eq!(gates.ask("a").unwrap_err(), Verdict::Stopped(Class::Refused));
        assert_eq!(gates.view("a").breaker, Breaker::Stopped(Class::Refused));
        gates.reset("a");
        assert!(gates.ask("a").is_ok());
    }
}
