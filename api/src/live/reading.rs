//! What polls add to an item: optical levels with their verdict, and how reading an OLT goes.

use schemas::{OnuOptics, PollHealth};
use serde::Serialize;
use utoipa::ToSchema;

use crate::time::Instant3339;

/// Weakest light that an ONU reads without errors, in dBm: class B+ of ITU-T G.984.2 Amd. 1, table 2c.
const ONU_SENSITIVITY_DBM: f64 = -27.0;
/// Weakest light that an OLT reads without errors, in dBm: the same class.
const OLT_SENSITIVITY_DBM: f64 = -28.0;
/// Strongest light that either bears, in dBm: the same class.
const OVERLOAD_DBM: f64 = -8.0;
/// Margin that a good level keeps to the weakest, in dB: ageing, splices and hot days take it.
const MARGIN_DB: f64 = 2.0;

/// Whether a level can be worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// With margin.
    Good,
    /// Within 2 dB of the weakest that is read.
    Weak,
    /// Beyond what is read without errors, or so strong that it blinds.
    Bad,
}

impl Level {
    fn of(dbm: f64, sensitivity: f64) -> Self {
        if !(sensitivity..=OVERLOAD_DBM).contains(&dbm) {
            Self::Bad
        } else if dbm < sensitivity + MARGIN_DB {
            Self::Weak
        } else {
            Self::Good
        }
    }
}

/// Optical levels of an ONU.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OpticsItem {
    /// Light that the ONU receives, in dBm.
    pub rx_dbm: Option<f64>,
    /// Light that the ONU sends, in dBm.
    pub tx_dbm: Option<f64>,
    /// Light that the OLT receives from the ONU, in dBm.
    pub olt_rx_dbm: Option<f64>,
    /// Temperature of the ONU's optical module, in °C.
    pub temperature_c: Option<f64>,
    /// Voltage of the module, in V.
    pub voltage_v: Option<f64>,
    /// Bias current of the laser, in mA.
    pub bias_ma: Option<f64>,
    /// Length of the fibre, in metres.
    pub distance_m: Option<i32>,
    /// The worse of the two received levels: good, weak (within 2 dB of the weakest), bad (beyond GPON class B+: ONU −27 to −8 dBm, OLT −28 to
    /// −8 dBm); null if neither was read.
    pub level: Option<Level>,
    /// When the newest of these was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub observed_at: Instant3339,
}

impl OpticsItem {
    /// Of a status row's levels.
    pub fn of(optics: &OnuOptics) -> Self {
        let onu = optics.rx_dbm.map(|dbm| Level::of(dbm, ONU_SENSITIVITY_DBM));
        let olt = optics.olt_rx_dbm.map(|dbm| Level::of(dbm, OLT_SENSITIVITY_DBM));
        Self {
            rx_dbm: optics.rx_dbm,
            tx_dbm: optics.tx_dbm,
            olt_rx_dbm: optics.olt_rx_dbm,
            temperature_c: optics.temperature_c,
            voltage_v: optics.voltage_v,
            bias_ma: optics.bias_ma,
            distance_m: optics.distance_m,
            level: onu.max(olt),
            observed_at: Instant3339(optics.observed_at),
        }
    }
}

/// How reading an OLT goes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PollItem<'a> {
    /// When the last good reading was asked for.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_good_at: Option<Instant3339>,
    /// How long that took, in milliseconds.
    pub took_ms: Option<i64>,
    /// Since when readings fail; null if the last one was good.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Instant3339>,
    /// Why the last one failed: unreachable, refused, host_key_changed, too_many_sessions, closed …
    pub class: Option<&'a str>,
    /// More for people.
    pub detail: Option<&'a str>,
    /// How many have failed since the last good one.
    pub in_a_row: i32,
    /// Firmware and patch.
    pub firmware: Option<&'a str>,
    /// Algorithms agreed on with it.
    pub security: Option<&'a str>,
    /// It is spoken to with algorithms, or by telnet, that are no longer held to be safe.
    pub legacy: bool,
    /// Rows of its readings so far that no device of its kind can have.
    pub rows_refused: i64,
}

impl<'a> PollItem<'a> {
    /// Of a status row's health.
    pub fn of(poll: &'a PollHealth) -> Self {
        Self {
            last_good_at: poll.last_good_at.map(Instant3339),
            took_ms: poll.took_ms,
            failing_since: poll.failing_since.map(Instant3339),
            class: poll.class.as_deref(),
            detail: poll.detail.as_deref(),
            in_a_row: poll.in_a_row,
            firmware: poll.firmware.as_deref(),
            security: poll.security.as_deref(),
            legacy: poll.legacy,
            rows_refused: poll.rows_refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Micros;

    use super::*;

    #[test]
    fn the_worse_level_counts() {
        let check = |rx_dbm: Option<f64>, olt_rx_dbm: Option<f64>, expected: Option<Level>| {
            let item = OpticsItem::of(&OnuOptics {
                rx_dbm,
                tx_dbm: None,
                olt_rx_dbm,
                temperature_c: None,
                voltage_v: None,
                bias_ma: None,
                distance_m: None,
                observed_at: Micros(0),
            });
            assert_eq!(item.level, expected, "{rx_dbm:?} {olt_rx_dbm:?}");
        };
        check(None, None, None);
        check(Some(-21.9), None, Some(Level::Good));
        check(Some(-21.9), Some(-26.1), Some(Level::Weak));
        check(Some(-25.0), Some(-26.0), Some(Level::Good));
        check(Some(-25.1), None, Some(Level::Weak));
        check(Some(-27.1), Some(-20.0), Some(Level::Bad));
        check(Some(-7.9), Some(-20.0), Some(Level::Bad));
        check(None, Some(-28.1), Some(Level::Bad));
    }
}
