//! Optical levels: every reading is measured, and what a status row shows moves only when they do.

use model::{Measure, Micros};
use schemas::OnuOptics;
use schemas::network::{Levels, Seen};
use serde::{Deserialize, Serialize};

/// Levels that have not moved are shown anew after this time, so that a reader sees that they are alive. Microseconds.
pub const SHOWN_MICROS: i64 = 3_600 * Micros::SECOND;

/// When the newest reading of each measure was made: a later one that is older is in the history and not what is newest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRead([Option<Micros>; Measure::ALL.len()]);

impl LastRead {
    /// At least the bytes it takes in the changelog.
    pub(crate) const BYTES_MAX: usize = Measure::ALL.len() * 11;

    /// Whether a reading of a measure is the newest, or as new.
    pub fn is_newest(&self, measure: Measure, seen: &Seen) -> bool {
        self.0[measure as usize].is_none_or(|known| known <= seen.observed_at)
    }

    /// With this reading; `None` if none of its measures is newer than what was read before.
    pub fn after(known: Option<&Self>, levels: &Levels, seen: &Seen) -> Option<Self> {
        let mut next = known.cloned().unwrap_or_default();
        let mut is_newer = false;
        for (measure, _) in levels
            .each()
            .filter(|(m, _)| known.is_none_or(|known| known.is_newest(*m, seen)))
        {
            next.0[measure as usize] = Some(seen.observed_at);
            is_newer = true;
        }
        is_newer.then_some(next)
    }
}

/// What is shown of an ONU.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    values: [Option<f64>; Measure::ALL.len()],
    observed_at: Micros,
}

impl Shown {
    /// At least the bytes it takes in the changelog.
    pub(crate) const BYTES_MAX: usize = Measure::ALL.len() * 9 + 10;

    /// What is to be shown after this reading; `None` if that is what is shown already. A value that no device can mean is not shown.
    pub fn after(shown: Option<&Self>, levels: &Levels, seen: &Seen) -> Option<Self> {
        if shown.is_some_and(|shown| seen.observed_at < shown.observed_at) {
            return None;
        }
        let mut next = shown.cloned().unwrap_or_default();
        let mut has_moved = false;
        let mut has_value = false;
        for (measure, value) in levels.each().filter(|(measure, value)| measure.can_be(*value)) {
            let at = &mut next.values[measure as usize];
            has_moved |= at.is_none_or(|known| is_moved(measure, known, value));
            has_value = true;
            *at = Some(value);
        }
        let is_old = seen.observed_at.since(next.observed_at) >= SHOWN_MICROS;
        next.observed_at = seen.observed_at;
        (has_moved || (is_old && has_value)).then_some(next)
    }

    /// As the status row has it.
    pub fn row(&self) -> OnuOptics {
        let value = |measure: Measure| self.values[measure as usize];
        OnuOptics {
            rx_dbm: value(Measure::OnuRxPower),
            tx_dbm: value(Measure::OnuTxPower),
            olt_rx_dbm: value(Measure::OltRxPower),
            temperature_c: value(Measure::OnuTemperature),
            voltage_v: value(Measure::OnuVoltage),
            bias_ma: value(Measure::OnuBiasCurrent),
            // In range, so that it fits.
            distance_m: value(Measure::OnuDistance).map(|metres| metres as i32),
            observed_at: self.observed_at,
        }
    }
}

/// By more than noise; a step of the device's own resolution, written in decimals, is not exact in binary.
fn is_moved(measure: Measure, known: f64, value: f64) -> bool {
    const ROUNDING: f64 = 1e-9;
    (known - value).abs() >= measure.noise() - ROUNDING
}

#[cfg(test)]
mod tests {
    use schemas::network::Source;

    use super::*;

    fn seen(at_s: i64) -> Seen {
        Seen {
            observed_at: Micros(at_s * Micros::SECOND),
            received_at: Micros(at_s * Micros::SECOND),
            uptime: None,
            source: Source::Poll,
        }
    }

    fn levels(rx: f64, distance: Option<f64>) -> Levels {
        let mut levels = Levels::default();
        levels.set(Measure::OnuRxPower, Some(rx));
        levels.set(Measure::OnuDistance, distance);
        levels
    }

    #[test]
    fn noise_is_not_shown_and_drift_is() {
        let shown = Shown::after(None, &levels(-20.00, Some(1_807.0)), &seen(0)).unwrap();
        let check = |rx: f64, distance: Option<f64>, at_s: i64, expected: Option<f64>| {
            let next = Shown::after(Some(&shown), &levels(rx, distance), &seen(at_s));
            assert_eq!(next.and_then(|next| next.row().rx_dbm), expected, "{rx} {distance:?}");
        };
        check(-20.05, Some(1_807.0), 300, None);
        check(-20.10, Some(1_807.0), 300, Some(-20.10));
        check(-20.05, Some(1_808.0), 300, Some(-20.05));
        check(-20.05, None, 3_599, None);
        check(-20.05, None, 3_600, Some(-20.05));
        check(-25.00, None, -1, None);
        check(-2_000.0, None, 300, None);
    }

    #[test]
    fn what_a_reading_does_not_have_stays() {
        let shown = Shown::after(None, &levels(-20.0, Some(1_807.0)), &seen(0)).unwrap();
        let next = Shown::after(Some(&shown), &levels(-21.0, None), &seen(60))
            .unwrap()
            .row();
        assert_eq!((next.rx_dbm, next.distance_m), (Some(-21.0), Some(1_807)));
        assert_eq!(Shown::after(None, &Levels::default(), &seen(0)), None);
        let full = Shown {
            values: [Some(f64::MIN); 7],
            observed_at: Micros(i64::MIN),
        };
        assert!(postcard::to_allocvec(&full).unwrap().len() <= Shown::BYTES_MAX);
    }
}
