//! Generated from the schema of `OnuOptics` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::wire::{self, Malformed, Reader};

/// Optical levels of an ONU: shown anew when one of them has moved by more than noise, and else after an hour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OnuOptics {
    /// Light that the ONU receives, in dBm.
    #[serde(default)]
    pub rx_dbm: Option<f64>,
    /// Light that the ONU sends, in dBm.
    #[serde(default)]
    pub tx_dbm: Option<f64>,
    /// Light that the OLT receives from the ONU, in dBm.
    #[serde(default)]
    pub olt_rx_dbm: Option<f64>,
    /// Temperature of the ONU's optical module, in °C.
    #[serde(default)]
    pub temperature_c: Option<f64>,
    /// Voltage of the module, in V.
    #[serde(default)]
    pub voltage_v: Option<f64>,
    /// Bias current of the module's laser, in mA.
    #[serde(default)]
    pub bias_ma: Option<f64>,
    /// Length of the fibre in metres.
    #[serde(default)]
    pub distance_m: Option<i32>,
    /// When the newest of these was asked for.
    pub observed_at: Micros,
}

impl OnuOptics {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            rx_dbm: r.optional(Reader::double)?,
            tx_dbm: r.optional(Reader::double)?,
            olt_rx_dbm: r.optional(Reader::double)?,
            temperature_c: r.optional(Reader::double)?,
            voltage_v: r.optional(Reader::double)?,
            bias_ma: r.optional(Reader::double)?,
            distance_m: r.optional(Reader::int)?,
            observed_at: r.micros()?,
        })
    }
}

impl OnuOptics {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        wire::put_optional(out, self.rx_dbm, wire::put_double);
        wire::put_optional(out, self.tx_dbm, wire::put_double);
        wire::put_optional(out, self.olt_rx_dbm, wire::put_double);
        wire::put_optional(out, self.temperature_c, wire::put_double);
        wire::put_optional(out, self.voltage_v, wire::put_double);
        wire::put_optional(out, self.bias_ma, wire::put_double);
        wire::put_optional(out, self.distance_m, wire::put_int);
        wire::put_micros(out, self.observed_at);
    }
}
