//! `display ont info` of a port, a slot or all: a table of states and a table of descriptions for each port.

use super::{by_port, line, rule};
use crate::cli::chassis::{Chassis, Seat};
use crate::cli::onu::CliOnu;

impl Chassis {
    /// The tables of the ONUs given, by port; `None` when there are none.
    pub(crate) fn list<'a>(&self, onus: impl Iterator<Item = (&'a Seat, &'a CliOnu)>) -> Option<String> {
        let mut out = String::new();
        for ((slot, port), rows) in by_port(onus) {
            if !out.is_empty() {
                line!(out);
            }
            states(&mut out, &rows);
            self.descriptions(&mut out, &rows);
            let place = format!("0/{slot:>2}/{port}");
            let online = rows.iter().filter(|(_, o)| o.up).count();
            // The blank before the comma comes and goes with the version.
            let gap = if self.firmware.is_old() { " " } else { "" };
            rule(&mut out, 77);
            line!(
                out,
                "  In port {place}{gap}, the total of ONTs are: {}, online: {online}",
                rows.len()
            );
            rule(&mut out, 77);
        }
        (!out.is_empty()).then_some(out)
    }

    fn descriptions(&self, out: &mut String, rows: &[(&Seat, &CliOnu)]) {
        rule(out, 77);
        if self.firmware.is_old() {
            line!(out, "  F/S/P       ONT  Description  ");
            line!(out, "              ID  ");
        } else {
            line!(out, "  F/S/P   ONT-ID   Description");
        }
        rule(out, 77);
        for ((slot, port, id), onu) in rows {
            line!(out, "  0/{slot:>2}/{port:<2} {id:>6}   {}", onu.description);
        }
    }
}

fn states(out: &mut String, rows: &[(&Seat, &CliOnu)]) {
    rule(out, 77);
    line!(
        out,
        "  F/S/P   ONT         SN         Control     Run      Config   Match    Protect"
    );
    line!(
        out,
        "          ID                     flag        state    state    state    side "
    );
    rule(out, 77);
    for ((slot, port, id), onu) in rows {
        let control = if onu.deactivated { "deactivated" } else { "active" };
        let (run, config, matched) = onu.states();
        line!(
            out,
            "  0/{slot:>2}/{port:<2}{id:>4}  {:<16}  {control:<11} {run:<8} {config:<8} {matched:<8} no ",
            onu.serial.hex()
        );
    }
}

impl CliOnu {
    /// Run, configuration and match state: an ONU is configured and compared when it comes up.
    pub(super) fn states(&self) -> (&'static str, &'static str, &'static str) {
        if self.up {
            ("online", "normal", "match")
        } else {
            ("offline", "initial", "initial")
        }
    }
}
