//! `display ont info summary`: two tables for each port, joined by the ONU id.

use super::{by_port, cut, line, or_dash, rule};
use crate::cli::chassis::{Chassis, Seat};
use crate::cli::onu::CliOnu;
use crate::cli::optics;
use crate::cli::stamp::Stamp;

impl Chassis {
    /// The summary of the ONUs given; `None` when there are none.
    pub(crate) fn summary<'a>(&self, onus: impl Iterator<Item = (&'a Seat, &'a CliOnu)>, now: Stamp) -> Option<String> {
        let ports = by_port(onus);
        if ports.is_empty() {
            return None;
        }
        let mut out = String::from("  Command is being executed. Please wait\n");
        for ((slot, port), rows) in ports {
            let online = rows.iter().filter(|(_, o)| o.up).count();
            rule(&mut out, 78);
            line!(
                out,
                "  In port 0/{slot}/{port}, the total of ONTs are: {}, online: {online}",
                rows.len()
            );
            self.moments(&mut out, &rows);
            self.things(&mut out, &rows, now);
        }
        rule(&mut out, 78);
        Some(out)
    }

    fn moments(&self, out: &mut String, rows: &[(&Seat, &CliOnu)]) {
        rule(out, 78);
        line!(out, "  ONT  Run     Last                Last                Last");
        line!(out, "  ID   State   UpTime              DownTime            DownCause");
        rule(out, 78);
        for ((_, _, id), onu) in rows {
            let moment = |s: Option<Stamp>| or_dash(s.map(|s| s.short(self.dates())));
            line!(
                out,
                "  {id:<4} {:<7} {:<19} {:<19} {:<25}",
                onu.states().0,
                moment(onu.last_up),
                moment(onu.last_down),
                cut(onu.cause.text(), 25)
            );
        }
    }

    fn things(&self, out: &mut String, rows: &[(&Seat, &CliOnu)], now: Stamp) {
        rule(out, 78);
        // The words of the header do not stand above the data: so it is on real boxes.
        line!(
            out,
            "  ONT        SN        Type          Distance Rx/Tx power  Description"
        );
        line!(out, "  ID                                    (m)      (dBm)");
        rule(out, 78);
        for (seat, onu) in rows {
            let (distance, power) = if onu.up {
                let optics = optics::measure(onu.serial, onu.distance_m, self.alarms.is_degraded(**seat), now);
                let power = format!("{:.2}/{:.2}", optics.rx_dbm, optics.tx_dbm);
                (onu.distance_m.to_string(), power)
            } else {
                ("-".to_owned(), "-/-".to_owned())
            };
            line!(
                out,
                "  {:<3} {} {:<16} {distance:<5} {power:<12} {:<21}",
                seat.2,
                onu.serial.hex(),
                cut(&onu.model, 16),
                cut(&onu.description, 21)
            );
        }
    }
}
