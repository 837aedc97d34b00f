//! Levels, temperatures and distances: from the serial and the minute alone, so that a test can say them in advance.

use model::Serial;

use super::stamp::Stamp;
use crate::dice::Dice;

/// Levels stay for so long, in seconds.
const STEADY_S: i64 = 300;

/// What an ONU and its port measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optics {
    /// Light the ONU receives, in dBm.
    pub rx_dbm: f64,
    /// Light it sends, in dBm.
    pub tx_dbm: f64,
    /// What of that the OLT receives, in dBm.
    pub olt_rx_dbm: f64,
    /// Its temperature in °C.
    pub temperature_c: u32,
    /// Its voltage in mV.
    pub voltage_mv: u32,
    /// The current of its laser in mA.
    pub bias_ma: u32,
    /// Its distance in m.
    pub distance_m: u32,
}

/// The chance of one ONU, for one purpose.
pub(crate) fn dice_of(serial: Serial, purpose: u64) -> Dice {
    Dice::fork(u64::from_be_bytes(serial.octets()), 5 + purpose)
}

/// How far away an ONU is, in m.
pub(crate) fn distance_m(serial: Serial) -> u32 {
    u32::try_from(120 + dice_of(serial, 1).below(11_000)).unwrap_or(u32::MAX)
}

/// What it measures at a moment. A degraded line has lost 6 dB in both directions.
pub(crate) fn measure(serial: Serial, distance_m: u32, degraded: bool, now: Stamp) -> Optics {
    let mut fixed = dice_of(serial, 2);
    // Splitters and plugs; one of twelve is dirty.
    let dirt = if fixed.chance(0.08) { 4.5 } else { 0.0 };
    let splits = dirt + fixed.between(20.0, 26.5);
    let (tx, warm) = (fixed.between(1.8, 3.4), fixed.below(22));
    let mut drift = dice_of(serial, 3 + now.0.div_euclid(STEADY_S).unsigned_abs());
    let lost = splits + f64::from(distance_m) * 0.000_35 + if degraded { 6.0 } else { 0.0 };
    Optics {
        rx_dbm: hundredths(4.5 - lost + drift.between(-0.1, 0.1)),
        tx_dbm: hundredths(tx + drift.between(-0.05, 0.05)),
        olt_rx_dbm: hundredths(tx - lost - 1.2 + drift.between(-0.1, 0.1)),
        temperature_c: small(34 + warm + drift.below(4)),
        voltage_mv: small(3_200 + 20 * drift.below(6)),
        bias_ma: small(6 + warm / 3 + drift.below(2)),
        distance_m,
    }
}

fn hundredths(level: f64) -> f64 {
    (level * 100.0).round() / 100.0
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
