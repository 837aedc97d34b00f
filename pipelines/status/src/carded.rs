//! What is measured of a card: every reading is written, with how far to believe it; and the newest of each measure is told as such.
//!
//! A value that has not moved for [`FROZEN_MICROS`] where light or its power is measured is **frozen**: the card's stamps go on, because they
//! are its collector's. What somebody has set (`target_…`) may stand still.

use std::sync::Arc;

use model::{EntityId, Micros};
use runtime::{Now, Out, Reason, Verdict};
use schemas::MeasurementView;
use schemas::network::{Measured, NetworkEvent, Quality, Sample};
use serde::{Deserialize, Serialize};
use topology::Topic;

use crate::core::Turn;
use crate::slot::Slot;

/// A value that stands still for this long is not believed. Microseconds.
pub const FROZEN_MICROS: i64 = 1_800 * Micros::SECOND;
/// Measures of a card whose newest value is known; of further ones only the readings are written.
pub const MEASURES_MAX: usize = 256;
/// Longest word of a measure that is kept, in bytes.
const WORD_BYTES_MAX: usize = 128;

/// The newest value of each measure of a card, in the order of their words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Newest(Vec<Value>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Value {
    measure: Arc<str>,
    value: f64,
    /// When it was observed last.
    at: Micros,
    /// Since when it has been the same.
    since: Micros,
}

impl Newest {
    /// At least the bytes it takes in the changelog.
    pub(crate) fn bytes_max(&self) -> usize {
        const NUMBER: usize = 10;
        NUMBER
            + self
                .0
                .iter()
                .map(|value| 2 + value.measure.len() + 8 + 2 * NUMBER)
                .sum::<usize>()
    }

    /// Takes a sample: whether it is the newest of its measure, and since when the value has been the same.
    fn take(&mut self, sample: &Sample) -> (bool, Micros) {
        let at = sample.observed_at;
        match self.0.binary_search_by(|known| known.measure.cmp(&sample.measure)) {
            Ok(place) => {
                let known = &mut self.0[place];
                let is_same = known.value.to_bits() == sample.value.to_bits();
                if at < known.at || (at == known.at && is_same) {
                    return (false, known.since.min(at));
                }
                if !is_same {
                    (known.value, known.since) = (sample.value, at);
                }
                known.at = at;
                (true, known.since)
            }
            Err(place) if self.0.len() < MEASURES_MAX && sample.measure.len() <= WORD_BYTES_MAX => {
                self.0.insert(
                    place,
                    Value {
                        measure: sample.measure.clone(),
                        value: sample.value,
                        at,
                        since: at,
                    },
                );
                (true, at)
            }
            Err(_) => (false, at),
        }
    }
}

/// One reading of a card's measures.
pub fn measured(before: Option<&Slot>, measured: &Measured, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Slot> {
    let mut newest = before
        .and_then(|slot| slot.newest.as_deref())
        .cloned()
        .unwrap_or_default();
    for sample in &measured.samples {
        let (is_newest, since) = newest.take(sample);
        let is_frozen = can_freeze(sample) && sample.observed_at.since(since) >= FROZEN_MICROS;
        let entity: &EntityId = &measured.entity;
        let row = MeasurementView {
            entity: entity.as_str(),
            root: entity.root_str(),
            measure: &sample.measure,
            value: sample.value,
            unit: &sample.unit,
            group: Some(&sample.group),
            quality: match sample.quality {
                Quality::Good if is_frozen => "frozen",
                quality => quality.as_str(),
            },
            observed_at: sample.observed_at,
            received_at: measured.seen.received_at,
            position: now.position.into(),
            // Where nothing is the newest of its measure, nothing is put either.
            wts: is_newest.then(|| out.write_time()),
        };
        out.record(Topic::Measurements, entity.as_str(), row);
    }
    // One that was never seen before is there, and that is all.
    let mut turn = Turn::new(before, &measured.entity, &measured.seen, now, out);
    turn.slot.newest = Some(Arc::new(newest));
    let reason = Reason::Did("measured");
    Verdict {
        reason,
        ..turn.end(None, "measured")
    }
}

fn can_freeze(sample: &Sample) -> bool {
    matches!(&*sample.group, "power" | "optical") && !sample.measure.starts_with("target_")
}
