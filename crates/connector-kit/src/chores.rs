//! What goes on beside a connector's own work, on one thread with a publisher of its own: who is there (registrations),
//! that we watch (heartbeats), and what came of everything (ledger).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Log;
use model::{Micros, Root};
use schemas::{AnyRecord, DeviceRegistered, LedgerRow, SourceHeartbeat};
use topology::Topic;

use crate::{Deadline, Every, Outgoing, Publisher, PublisherConfig, StopToken, now};

/// How often a heartbeat and the ledger are written (design §4, §8).
const BEAT: Duration = Duration::from_secs(10);
/// How long the last rows may take at the end.
const DRAIN: Duration = Duration::from_secs(1);

/// Says only what changed of what is registered.
#[derive(Debug, Default)]
pub struct Registrar {
    said: BTreeMap<String, DeviceRegistered>,
}

impl Registrar {
    /// What to publish so that the log knows `wanted`: the new, the changed, and the gone with `removed`.
    pub fn update(&mut self, wanted: Vec<DeviceRegistered>) -> Vec<DeviceRegistered> {
        let wanted: BTreeMap<_, _> = wanted.into_iter().map(|d| (d.entity.clone(), d)).collect();
        let gone = self.said.iter().filter(|(entity, _)| !wanted.contains_key(*entity));
        let mut out: Vec<_> = gone
            .map(|(_, d)| DeviceRegistered {
                removed: true,
                ..d.clone()
            })
            .collect();
        out.extend(
            wanted
                .values()
                .filter(|d| !self.said.get(&d.entity).is_some_and(|s| same(s, d)))
                .cloned(),
        );
        self.said = wanted;
        out
    }
}

/// Equal but for when it was said.
fn same(a: &DeviceRegistered, b: &DeviceRegistered) -> bool {
    let timeless = |d: &DeviceRegistered| DeviceRegistered {
        observed_at: Micros(0),
        received_at: Micros(0),
        ..d.clone()
    };
    timeless(a) == timeless(b)
}

/// A connector's chores.
pub struct Chores {
    /// Name of the connector's instance: the heartbeats' `connector`, and the beginning of the writer id.
    pub instance: String,
    /// Roots this connector watches.
    pub watched: Vec<Root>,
    /// What the configuration says exists.
    pub registered: Vec<DeviceRegistered>,
    /// The ledger's rows as they stand now.
    pub ledger: Box<dyn FnMut(Micros) -> Vec<LedgerRow> + Send>,
}

impl Chores {
    /// Works until it is time to stop, then until `settled` says that the counts are final; writes the last rows then.
    pub fn run(mut self, log: Arc<dyn Log>, stop: &StopToken, settled: &StopToken) {
        let mut publisher = Publisher::new(log, PublisherConfig::new(format!("{}-chores", self.instance)));
        for device in Registrar::default().update(std::mem::take(&mut self.registered)) {
            let root = device.entity.clone();
            publish(&mut publisher, Topic::Observations, &root, device.into());
        }
        let mut beat = Every::new(BEAT, Instant::now());
        while !stop.is_stopped() {
            if beat.due(Instant::now()) {
                self.heartbeats(&mut publisher);
                self.rows(&mut publisher);
            }
            publisher.tend(|(), _| ());
            // Only while something waits need we look again soon.
            let soon = if publisher.waiting() > 0 {
                Duration::from_millis(100)
            } else {
                BEAT
            };
            stop.wait(beat.wait(Instant::now()).min(soon));
        }
        settled.wait(Duration::from_secs(5));
        self.rows(&mut publisher);
        publisher.drain(Deadline::after(DRAIN), |(), _| ());
    }

    fn heartbeats(&self, publisher: &mut Publisher<()>) {
        for root in &self.watched {
            let beat = SourceHeartbeat {
                root: root.as_str().to_owned(),
                connector: self.instance.clone(),
                sent_at: now(),
            };
            publish(publisher, Topic::Observations, root.as_str(), beat.into());
        }
    }

    fn rows(&mut self, publisher: &mut Publisher<()>) {
        for row in (self.ledger)(now()) {
            let key = row.sender.clone().unwrap_or_else(|| row.listener.clone());
            publish(publisher, Topic::Ledger, &key, row.into());
        }
    }
}

/// A drop is counted and, like every trouble with the log, said by the publisher.
fn publish(publisher: &mut Publisher<()>, topic: Topic, key: &str, record: AnyRecord) {
    if let Err(((), reason)) = publisher.publish(Outgoing { topic, key, record }, (), None) {
        tracing::warn!(%topic, key, reason = reason.as_str(), "a record was given up");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(entity: &str, site: &str, at: i64) -> DeviceRegistered {
        DeviceRegistered {
            entity: entity.to_owned(),
            kind: "olt".to_owned(),
            serial: None,
            name: None,
            site: Some(site.to_owned()),
            description: None,
            vendor: None,
            model: None,
            address: None,
            attributes: BTreeMap::new(),
            origin: "config".to_owned(),
            removed: false,
            observed_at: Micros(at),
            received_at: Micros(at),
        }
    }

    #[test]
    fn only_what_changed_is_said() {
        let mut registrar = Registrar::default();
        let mut check = |wanted: &[(&str, &str)], at: i64, expected: &[(&str, bool)]| {
            let wanted = wanted.iter().map(|(entity, site)| device(entity, site, at)).collect();
            let said = registrar.update(wanted);
            let said: Vec<_> = said.iter().map(|d| (d.entity.as_str(), d.removed)).collect();
            assert_eq!(said, expected, "at {at}");
        };
        check(&[("a", "RJO"), ("b", "RJO")], 1, &[("a", false), ("b", false)]);
        check(&[("a", "RJO"), ("b", "RJO")], 2, &[]);
        check(&[("a", "SPO"), ("b", "RJO")], 3, &[("a", false)]);
        check(&[("a", "SPO")], 4, &[("b", true)]);
        check(&[("b", "RJO")], 5, &[("a", true), ("b", false)]);
    }
}
