//! Readings of measures, of whatever kind of entity.

use std::sync::Arc;

use model::{EntityId, Measure};

use super::{NetworkEvent, Seen};

/// What was measured of one card at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The card.
    pub entity: EntityId,
    /// When it was read; each sample has a time of its own.
    pub seen: Seen,
    /// The samples.
    pub samples: Vec<Sample>,
}

/// One reading of one measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Our word for what is measured.
    pub measure: Arc<str>,
    /// The value, a finite number.
    pub value: f64,
    /// Unit; empty where nobody knows.
    pub unit: Arc<str>,
    /// Group: power, optical, temperature, electrical, other.
    pub group: Arc<str>,
    /// How far to believe it.
    pub quality: Quality,
    /// When it was observed.
    pub observed_at: model::Micros,
}

/// How far to believe a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Quality {
    /// It can be.
    Good,
    /// Outside of what the measure can be.
    Bad,
    /// Its system says that it is old.
    Stale,
}

impl Quality {
    /// The word that records carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Stale => "stale",
        }
    }
}

/// One reading, wherever it came from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleView<'a> {
    /// Our word for what is measured.
    pub measure: &'a str,
    /// The value, a finite number.
    pub value: f64,
    /// Unit.
    pub unit: &'a str,
    /// How far to believe it.
    pub quality: Quality,
    /// When it was observed.
    pub observed_at: model::Micros,
}

impl NetworkEvent {
    /// The entity of which this event has readings, and those: an ONU's levels, or a card's measures.
    pub fn samples(&self) -> Option<(&EntityId, impl Iterator<Item = SampleView<'_>>)> {
        let (entity, levels, samples) = match self {
            Self::Polled(polled) => (&polled.entity, Some((polled.levels.as_deref()?, polled.seen)), &[][..]),
            Self::Measured(measured) => (&measured.entity, None, &measured.samples[..]),
            _ => return None,
        };
        let of_onu = levels.into_iter().flat_map(|(levels, seen)| {
            levels.each().map(move |(measure, value): (Measure, f64)| SampleView {
                measure: measure.as_str(),
                value,
                unit: measure.unit(),
                quality: if measure.can_be(value) {
                    Quality::Good
                } else {
                    Quality::Bad
                },
                observed_at: seen.observed_at,
            })
        });
        let of_card = samples.iter().map(|sample| SampleView {
            measure: &sample.measure,
            value: sample.value,
            unit: &sample.unit,
            quality: sample.quality,
            observed_at: sample.observed_at,
        });
        Some((entity, of_onu.chain(of_card)))
    }
}
