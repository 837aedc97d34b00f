//! What is measured of an ONU: its word, its unit, what it can be, and what of its movement is noise.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::state::{UnknownWord, words};

words! {
    /// A measure of an entity.
    Measure, "measure" {
        /// Light that an ONU receives.
        OnuRxPower = "onu_rx_power",
        /// Light that an ONU sends.
        OnuTxPower = "onu_tx_power",
        /// Light that an OLT receives from an ONU.
        OltRxPower = "olt_rx_power",
        /// Temperature of an ONU's optical module.
        OnuTemperature = "onu_temperature",
        /// Voltage of the module.
        OnuVoltage = "onu_voltage",
        /// Bias current of the module's laser.
        OnuBiasCurrent = "onu_bias_current",
        /// Length of the fibre between OLT and ONU.
        OnuDistance = "onu_distance",
    }
}

impl Measure {
    /// The unit, as UCUM writes it; dBm is not in UCUM.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::OnuRxPower | Self::OnuTxPower | Self::OltRxPower => "dBm",
            Self::OnuTemperature => "Cel",
            Self::OnuVoltage => "V",
            Self::OnuBiasCurrent => "mA",
            Self::OnuDistance => "m",
        }
    }

    /// Lowest and highest value that a working device can mean. Wider than any module works in (SFF-8472 has −40 to +8.2 dBm, −128 to
    /// +128 °C, 0 to 6.55 V, 0 to 131 mA; ITU-T G.984 reaches 60 km), because a level out of order is what people look for.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::OnuRxPower | Self::OnuTxPower | Self::OltRxPower => (-60.0, 20.0),
            Self::OnuTemperature => (-128.0, 150.0),
            Self::OnuVoltage => (0.0, 10.0),
            Self::OnuBiasCurrent => (0.0, 262.0),
            Self::OnuDistance => (0.0, 100_000.0),
        }
    }

    /// Whether a device can mean this value.
    pub fn can_be(self, value: f64) -> bool {
        let (low, high) = self.range();
        (low..=high).contains(&value)
    }

    /// A movement smaller than this is noise: it is measured, and the shown value stays.
    pub const fn noise(self) -> f64 {
        match self {
            Self::OnuRxPower | Self::OnuTxPower | Self::OltRxPower => 0.1,
            Self::OnuVoltage => 0.05,
            Self::OnuTemperature | Self::OnuBiasCurrent | Self::OnuDistance => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_device_can_mean_is_in_range() {
        let check = |measure: Measure, value: f64, expected: bool| {
            assert_eq!(measure.can_be(value), expected, "{measure} {value}");
        };
        check(Measure::OnuRxPower, -24.68, true);
        check(Measure::OnuRxPower, f64::NAN, false);
        check(Measure::OltRxPower, f64::NEG_INFINITY, false);
        check(Measure::OnuDistance, 2_147_483_647.0, false);
        check(Measure::OnuVoltage, -0.1, false);
        for &measure in Measure::ALL {
            assert_eq!(measure.as_str().parse(), Ok(measure));
            assert!(measure.noise() > 0.0 && measure.can_be(measure.range().0) && !measure.unit().is_empty());
        }
    }
}
