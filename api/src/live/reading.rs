//! What polls add to an item: optical levels with their verdict, and how reading an OLT goes.

use schemas::{AutofindRow, OnuOptics, PendingOnus, PollHealth};
use serde::Serialize;
use store::rows::{StatusOptics, StatusPoll};
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
    /// Of a stored row's levels.
    pub fn stored(optics: &StatusOptics) -> Self {
        Self::of(&OnuOptics {
            rx_dbm: optics.rx_dbm,
            tx_dbm: optics.tx_dbm,
            olt_rx_dbm: optics.olt_rx_dbm,
            temperature_c: optics.temperature_c,
            voltage_v: optics.voltage_v,
            bias_ma: optics.bias_ma,
            distance_m: optics.distance_m,
            observed_at: optics.observed_at,
        })
    }

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
    /// Of a stored row's health.
    pub fn stored(poll: &'a StatusPoll) -> Self {
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

/// ONUs that wait on an OLT to be provisioned.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PendingList<'a> {
    /// At most 64.
    pub items: Vec<PendingItem<'a>>,
    /// Always null: there are no further pages.
    pub next: Option<String>,
    /// There are more on the OLT than these.
    pub more: bool,
    /// When the reading was asked for that first said so; null if the OLT's were never read.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub observed_at: Option<Instant3339>,
}

/// An ONU that an OLT found and nobody has added yet. What the OLT does not say is null.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PendingItem<'a> {
    /// Serial number in its readable form.
    pub serial: Option<&'a str>,
    /// Serial number as printed.
    pub serial_text: Option<&'a str>,
    /// Frame.
    pub frame: Option<i32>,
    /// Slot.
    pub slot: Option<i32>,
    /// PON port.
    pub port: Option<i32>,
    /// Vendor, as the ONU says.
    pub vendor: Option<&'a str>,
    /// Equipment type.
    pub model: Option<&'a str>,
    /// Hardware version.
    pub version: Option<&'a str>,
    /// Software version.
    pub software_version: Option<&'a str>,
    /// It showed a password, which is not kept.
    pub password_set: bool,
    /// When it was found, by the OLT's clock.
    pub found_time: Option<&'a str>,
}

impl<'a> PendingList<'a> {
    /// Of a status row's list.
    pub fn of(pending: &'a PendingOnus) -> Self {
        Self {
            items: pending.onus.iter().map(PendingItem::of).collect(),
            next: None,
            more: pending.more,
            observed_at: Some(Instant3339(pending.observed_at)),
        }
    }

    /// Of an OLT whose were never read.
    pub fn unread() -> Self {
        Self {
            items: Vec::new(),
            next: None,
            more: false,
            observed_at: None,
        }
    }
}

impl<'a> PendingItem<'a> {
    fn of(onu: &'a AutofindRow) -> Self {
        Self {
            serial: onu.serial.as_deref(),
            serial_text: onu.serial_text.as_deref(),
            frame: onu.frame,
            slot: onu.slot,
            port: onu.port,
            vendor: onu.vendor.as_deref(),
            model: onu.equipment.as_deref(),
            version: onu.version.as_deref(),
            software_version: onu.software_version.as_deref(),
            password_set: onu.password_set,
            found_time: onu.found_time.as_deref(),
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
