//! What polls add to a status: an ONU's optical levels and how reading an OLT goes. Each is one column, a map by the names of the record's
//! fields, so that what is not said costs nothing.

use std::collections::BTreeMap;

use model::Micros;

use super::fields::{Out, get};
use crate::Value;

/// Optical levels of an ONU.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `OnuOptics`, documented in the schema of `DeviceStatus`"
)]
pub struct StatusOptics {
    pub rx_dbm: Option<f64>,
    pub tx_dbm: Option<f64>,
    pub olt_rx_dbm: Option<f64>,
    pub temperature_c: Option<f64>,
    pub voltage_v: Option<f64>,
    pub bias_ma: Option<f64>,
    pub distance_m: Option<i32>,
    pub observed_at: Micros,
}

/// How reading an OLT goes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "fields as in the record `PollHealth`, documented in the schema of `DeviceStatus`"
)]
pub struct StatusPoll {
    pub last_good_at: Option<Micros>,
    pub took_ms: Option<i64>,
    pub failing_since: Option<Micros>,
    pub class: Option<String>,
    pub detail: Option<String>,
    pub in_a_row: i32,
    pub firmware: Option<String>,
    pub security: Option<String>,
    pub legacy: bool,
    pub rows_refused: i64,
}

impl StatusOptics {
    pub(super) fn to_value(self) -> Value {
        let mut out = Out::default();
        out.put("rx_dbm", self.rx_dbm);
        out.put("tx_dbm", self.tx_dbm);
        out.put("olt_rx_dbm", self.olt_rx_dbm);
        out.put("temperature_c", self.temperature_c);
        out.put("voltage_v", self.voltage_v);
        out.put("bias_ma", self.bias_ma);
        out.put("distance_m", self.distance_m);
        out.put("observed_at", Some(self.observed_at.0));
        Value::Map(out.0)
    }

    /// `None` if a value is not of its field.
    pub(super) fn from_map(map: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            rx_dbm: get(map, "rx_dbm")?,
            tx_dbm: get(map, "tx_dbm")?,
            olt_rx_dbm: get(map, "olt_rx_dbm")?,
            temperature_c: get(map, "temperature_c")?,
            voltage_v: get(map, "voltage_v")?,
            bias_ma: get(map, "bias_ma")?,
            distance_m: get(map, "distance_m")?,
            observed_at: Micros(get(map, "observed_at")??),
        })
    }
}

impl StatusPoll {
    pub(super) fn to_value(&self) -> Value {
        let mut out = Out::default();
        out.put("last_good_at", self.last_good_at.map(|at| at.0));
        out.put("took_ms", self.took_ms);
        out.put("failing_since", self.failing_since.map(|at| at.0));
        out.put("class", self.class.as_ref());
        out.put("detail", self.detail.as_ref());
        out.put("in_a_row", Some(self.in_a_row));
        out.put("firmware", self.firmware.as_ref());
        out.put("security", self.security.as_ref());
        out.put("legacy", Some(self.legacy));
        out.put("rows_refused", Some(self.rows_refused));
        Value::Map(out.0)
    }

    /// `None` if a value is not of its field.
    pub(super) fn from_map(map: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            last_good_at: get(map, "last_good_at")?.map(Micros),
            took_ms: get(map, "took_ms")?,
            failing_since: get(map, "failing_since")?.map(Micros),
            class: get(map, "class")?,
            detail: get(map, "detail")?,
            in_a_row: get(map, "in_a_row")??,
            firmware: get(map, "firmware")?,
            security: get(map, "security")?,
            legacy: get(map, "legacy")??,
            rows_refused: get(map, "rows_refused")??,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> BTreeMap<String, String> {
        match value {
            Value::Map(map) => map,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn levels_read_back_to_the_bit() {
        let levels = StatusOptics {
            rx_dbm: Some(-24.68),
            tx_dbm: Some(0.1 + 0.2),
            olt_rx_dbm: None,
            temperature_c: Some(-0.0),
            voltage_v: Some(3.2),
            bias_ma: Some(f64::MIN_POSITIVE),
            distance_m: Some(1_807),
            observed_at: Micros(-1),
        };
        let written = map(levels.to_value());
        assert_eq!(written.len(), 7, "what is not said is not there");
        assert_eq!(StatusOptics::from_map(&written), Some(levels));
        let mut bad = written;
        bad.insert("distance_m".into(), "far".into());
        assert_eq!(StatusOptics::from_map(&bad), None);
        assert_eq!(StatusOptics::from_map(&BTreeMap::new()), None, "without a time");
    }

    #[test]
    fn poll_health_reads_back() {
        let poll = StatusPoll {
            last_good_at: Some(Micros(1)),
            took_ms: None,
            failing_since: Some(Micros(2)),
            class: Some("timeout".into()),
            detail: Some(String::new()),
            in_a_row: 3,
            firmware: None,
            security: Some("aes256-ctr".into()),
            legacy: true,
            rows_refused: 0,
        };
        assert_eq!(StatusPoll::from_map(&map(poll.to_value())), Some(poll));
    }
}
