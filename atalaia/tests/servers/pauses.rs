//! How long what a device said took to be said on, printed by the phases of a test.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use log::Stored;
use schemas::{AnyRecord, Codec};

/// Phases of a test, in order.
#[derive(Default)]
pub struct Phases(Vec<Phase>);

struct Phase {
    what: &'static str,
    from_us: i64,
}

impl Phases {
    pub fn begin(&mut self, what: &'static str) {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let from_us = i64::try_from(since_1970.as_micros()).unwrap();
        self.0.push(Phase { what, from_us });
    }

    /// Longest time from a trap's arrival to its event in the log, by the phase in which it arrived.
    pub fn print(&self, events: &[Stored], codec: &Codec) {
        let mut longest = vec![Duration::ZERO; self.0.len()];
        let mut said = HashSet::new();
        for stored in events {
            let Some(AnyRecord::DeviceEvent(event)) = stored.record.value.as_deref().and_then(|v| codec.decode(v).ok())
            else {
                continue;
            };
            let id = stored
                .record
                .headers
                .record_id
                .as_ref()
                .map(|id| id.as_bytes().to_vec());
            let came_in = event.received_at.0;
            // A repeat comes later than what was said already.
            if let Some(phase) = self.0.iter().rposition(|p| p.from_us <= came_in)
                && said.insert(id)
            {
                let took = Duration::from_micros(u64::try_from(stored.appended_at.0 - came_in).unwrap_or(0));
                longest[phase] = longest[phase].max(took);
            }
        }
        for (phase, longest) in self.0.iter().zip(longest) {
            println!("{}: longest pause {} ms", phase.what, longest.as_millis());
        }
    }
}
