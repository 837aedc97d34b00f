//! `display ont optical-info` of a port and of one ONU.

use super::{line, rule};
use crate::cli::chassis::{Chassis, Seat};
use crate::cli::optics;
use crate::cli::stamp::Stamp;

impl Chassis {
    /// The table of a port. An ONU that is offline is simply not in it; `None` when nothing is.
    pub(crate) fn optics_of_port(&self, slot: u8, port: u8, now: Stamp) -> Option<String> {
        let mut rows = String::new();
        for (seat, onu) in self.onus_at(Some((slot, Some(port)))).filter(|(_, o)| o.up) {
            let m = optics::measure(onu.serial, onu.distance_m, self.alarms.is_degraded(*seat), now);
            line!(
                rows,
                "  {:>3}  {:<9.2} {:<9.2} {:<11.2} {:<12} {:<8} {:<8} {:<9} ",
                seat.2,
                m.rx_dbm,
                m.tx_dbm,
                m.olt_rx_dbm,
                m.temperature_c,
                volts(m.voltage_mv),
                m.bias_ma,
                m.distance_m
            );
        }
        if rows.is_empty() {
            return None;
        }
        let rule = format!("  {:-<77} \n", "");
        let mut out = rule.clone();
        line!(
            out,
            "  ONT  Rx power  Tx power  OLT Rx ONT  Temperature  Voltage  Current  Distance  "
        );
        line!(
            out,
            "  ID   (dBm)     (dBm)     power(dBm)  (C)          (V)      (mA)     (m)       "
        );
        out.push_str(&rule);
        out.push_str(&rows);
        out.push_str(&rule);
        Some(out)
    }

    /// One ONU with its thresholds; `None` when it is offline.
    pub(crate) fn optics_of(&self, seat: Seat, now: Stamp) -> Option<String> {
        let onu = self.onus.get(&seat).filter(|o| o.up)?;
        let m = optics::measure(onu.serial, onu.distance_m, self.alarms.is_degraded(seat), now);
        let remark = match m.olt_rx_dbm {
            level if (-35.0..=-15.0).contains(&level) => "",
            _ => ", out of range[-35.00, -15.00]",
        };
        let values = [
            ("ONU NNI port ID", "0".to_owned()),
            ("Module type", "GPON".to_owned()),
            ("Module sub-type", "CLASS B+".to_owned()),
            ("Used type", "ONU".to_owned()),
            ("Encapsulation Type", "BOSA ON BOARD".to_owned()),
            ("Optical power precision(dBm)", "3.0".to_owned()),
            ("Vendor name", "HUAWEI         ".to_owned()),
            ("Vendor rev", "-".to_owned()),
            ("Vendor PN", "HW-BOB-0025    ".to_owned()),
            ("Vendor SN", format!("{:<16}", &onu.serial.hex()[4..])),
            ("Date Code", "25-06-23".to_owned()),
            ("Rx optical power(dBm)", format!("{:.2}", m.rx_dbm)),
            ("Rx power current warning threshold(dBm)", "[-,-]".to_owned()),
            ("Rx power current alarm threshold(dBm)", "[-29.0,-7.0]".to_owned()),
            ("Tx optical power(dBm)", format!("{:.2}", m.tx_dbm)),
            ("Tx power current warning threshold(dBm)", "[-,-]".to_owned()),
            ("Tx power current alarm threshold(dBm)", "[0.0,5.0]".to_owned()),
            ("Laser bias current(mA)", m.bias_ma.to_string()),
            ("Tx bias current warning threshold(mA)", "[-,-]".to_owned()),
            ("Tx bias current alarm threshold(mA)", "[0.000,90.000]".to_owned()),
            ("Temperature(C)", m.temperature_c.to_string()),
            ("Temperature warning threshold(C)", "[-,-]".to_owned()),
            ("Temperature alarm threshold(C)", "[-10,80]".to_owned()),
            ("Voltage(V)", volts(m.voltage_mv)),
            ("Supply voltage warning threshold(V)", "[-,-]".to_owned()),
            ("Supply voltage alarm threshold(V)", "[3.000,3.600]".to_owned()),
            ("OLT Rx ONT optical power(dBm)", format!("{:.2}{remark}", m.olt_rx_dbm)),
            ("CATV Rx optical power(dBm)", "-".to_owned()),
            ("CATV Rx power alarm threshold(dBm)", "[-,-]".to_owned()),
        ];
        let mut out = String::new();
        rule(&mut out, 77);
        for (label, value) in values {
            line!(out, "  {label:<39}: {value}");
        }
        rule(&mut out, 77);
        Some(out)
    }
}

fn volts(millivolts: u32) -> String {
    format!("{}.{:03}", millivolts / 1_000, millivolts % 1_000)
}
