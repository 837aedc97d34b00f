//! The thread that follows the topic `rules` and tells every partition of `observations`.
//!
//! At its start, and again after any failure: read everything, write the rules that come with the product and that nobody has ever
//! seen, tell all partitions what stands; then tell them each new version. What was told before a failure is told again.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use log::{Log, LogError, Start, Stored, Tail};
use model::{Micros, Offset};
use schemas::rules::default_rules;
use schemas::{AnyRecord, DecodeError, RulesChanged, SilencesChanged};
use topology::Topic;

use super::{Rules, Versioned, WriteError};
use crate::metrics_names as names;
use crate::registrar::{RegisterError, Registrar};
use crate::time::now;

const POLL_MAX: usize = 1_024;
const IDLE_WAIT: Duration = Duration::from_millis(100);
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// A silence that ended so long ago is not told again at a start: nobody applies it any more.
const ENDED_UNTOLD_US: i64 = 86_400 * Micros::SECOND;
/// Versions written to all partitions at one time.
const TOLD_AT_ONCE: usize = 64;

pub(super) struct Keeper {
    log: Arc<dyn Log>,
    registrar: Arc<Registrar>,
    rules: Weak<Rules>,
}

enum End {
    Stopped,
    Log(LogError),
    Told(RegisterError),
    Written(WriteError),
}

impl From<LogError> for End {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl Keeper {
    pub(super) fn new(log: Arc<dyn Log>, registrar: Arc<Registrar>, rules: Weak<Rules>) -> Self {
        Self { log, registrar, rules }
    }

    pub(super) fn run(self) {
        let mut backoff = BACKOFF.0;
        loop {
            let error: Box<dyn std::error::Error> = match self.follow() {
                Ok(()) | Err(End::Stopped) => return,
                Err(End::Log(LogError::Closed)) => return tracing::info!("the rules end: the log is closed"),
                Err(End::Log(error)) => error.into(),
                Err(End::Told(RegisterError::Log {
                    source: LogError::Closed,
                    ..
                })) => return tracing::info!("the rules end: the log is closed"),
                Err(End::Told(error)) => error.into(),
                Err(End::Written(error)) => error.into(),
            };
            metrics::counter!(names::RULES_RESTARTS).increment(1);
            tracing::warn!(error = &*error, "rules cannot be read or told now, all are told again");
            if !self.rest(backoff) {
                return;
            }
            backoff = (backoff * 2).min(BACKOFF.1);
        }
    }

    /// Waits; `false` if it is to stop.
    fn rest(&self, wait: Duration) -> bool {
        let until = std::time::Instant::now() + wait;
        while std::time::Instant::now() < until {
            if self.rules().is_err() {
                return false;
            }
            std::thread::sleep(IDLE_WAIT.min(wait));
        }
        true
    }

    fn follow(&self) -> Result<(), End> {
        let mut tail = self.load()?;
        self.write_defaults()?;
        self.tell(&self.current()?)?;
        loop {
            let records = tail.poll(POLL_MAX, IDLE_WAIT)?;
            let versions = self.learn(&records)?;
            self.tell(&versions)?;
        }
    }

    fn load(&self) -> Result<Box<dyn Tail>, End> {
        let ends = self.log.ends(Topic::Rules)?;
        let mut tail = self.log.tail(&[(Topic::Rules, Start::Beginning)])?;
        while !reached(tail.as_ref(), &ends) {
            let records = tail.poll(POLL_MAX, IDLE_WAIT)?;
            self.learn(&records)?;
        }
        self.rules()?.is_ready.store(true, Ordering::Release);
        Ok(tail)
    }

    /// Rules that come with the product and of which there has never been a version. Two instances may do so at one time: their records
    /// are the same.
    fn write_defaults(&self) -> Result<(), End> {
        let rules = self.rules()?;
        let mut producer = rules.producer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for rule in default_rules() {
            let known = rules.serve().map_err(|_| End::Stopped)?;
            if !schemas::Rule::versions(&known, rule.id()).is_empty() {
                continue;
            }
            drop(known);
            tracing::info!(rule = rule.rule_id, "a rule that comes with the product is written");
            if let Err(error) = rules.write(&mut producer, rule.clone().into()) {
                *producer = None;
                return Err(End::Written(error));
            }
            rules.learn(rule.into());
        }
        Ok(())
    }

    /// What stands, as every partition gets it.
    fn current(&self) -> Result<Vec<AnyRecord>, End> {
        let rules = self.rules()?;
        let book = rules.serve().map_err(|_| End::Stopped)?;
        let told = |record: AnyRecord| changed(record);
        let silences = book
            .current_silences()
            .filter(|silence| now().since(silence.until) < ENDED_UNTOLD_US);
        let rules = book.current_rules().map(|rule| told(rule.clone().into()));
        Ok(rules
            .chain(silences.map(|silence| told(silence.clone().into())))
            .flatten()
            .collect())
    }

    /// Takes versions in and answers what every partition is to be told.
    fn learn(&self, records: &[Stored]) -> Result<Vec<AnyRecord>, End> {
        let rules = self.rules()?;
        let mut versions = Vec::new();
        for stored in records {
            let Some(value) = &stored.record.value else { continue };
            match self.log.codec().decode(value) {
                Ok(record @ (AnyRecord::Rule(_) | AnyRecord::Silence(_))) => {
                    rules.learn(record.clone());
                    versions.extend(changed(record));
                }
                // It waits, and everything behind it, until the registry or a newer build knows it.
                Err(DecodeError::UnknownSchema(id)) => {
                    let problem = format!(
                        "a rule waits for schema id {id}: is the schema registry away, or does a newer build write?"
                    );
                    return Err(End::Log(LogError::Unusable(problem)));
                }
                other => {
                    let problem = other.map_or_else(|e| e.to_string(), |r| r.record_type().name().to_owned());
                    let (partition, offset) = (stored.record.partition, stored.offset);
                    tracing::error!(
                        partition,
                        offset,
                        problem,
                        "a record of `rules` is none and is passed over"
                    );
                }
            }
        }
        Ok(versions)
    }

    fn tell(&self, versions: &[AnyRecord]) -> Result<(), End> {
        for some in versions.chunks(TOLD_AT_ONCE) {
            // Stop in between, not only when all is told.
            self.rules()?;
            self.registrar.broadcast(some).map_err(End::Told)?;
        }
        Ok(())
    }

    fn rules(&self) -> Result<Arc<Rules>, End> {
        let rules = self.rules.upgrade().ok_or(End::Stopped)?;
        if rules.stop.load(Ordering::Acquire) {
            Err(End::Stopped)
        } else {
            Ok(rules)
        }
    }
}

/// A version as every partition gets it.
fn changed(version: AnyRecord) -> Option<AnyRecord> {
    match version {
        AnyRecord::Rule(rule) => Some(RulesChanged { rule }.into()),
        AnyRecord::Silence(silence) => Some(SilencesChanged { silence }.into()),
        _ => None,
    }
}

fn reached(tail: &dyn Tail, ends: &[Offset]) -> bool {
    (0..)
        .zip(ends)
        .all(|(partition, &end)| tail.position(Topic::Rules, partition) >= end)
}
