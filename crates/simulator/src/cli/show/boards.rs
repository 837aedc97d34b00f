//! `display board`, `display temperature`, `display port info` as recorded; `display board 0/S` and `display port state`
//! invented from the words known of them.

use super::{line, or_dash, rule};
use crate::cli::chassis::{Chassis, Port, control_slot};
use crate::cli::stamp::Stamp;

/// A slot that is not a PON board's.
struct Slot {
    number: u8,
    name: &'static str,
    status: &'static str,
    sub_type: &'static str,
    online: &'static str,
}

impl Chassis {
    /// Every slot of the frame. An empty one is its number only.
    pub(crate) fn frame(&self) -> String {
        let others = self.other_slots();
        let last = others.last().map_or(0, |s| s.number);
        let mut out = String::new();
        rule(&mut out, 73);
        line!(
            out,
            "  SlotID  BoardName  Status          SubType0 SubType1    Online/Offline"
        );
        rule(&mut out, 73);
        for number in 0..=last {
            let slot = match self.boards.get(&number) {
                Some(board) => {
                    let (status, online) = if board.failed {
                        ("Failed", "Offline")
                    } else {
                        ("Normal", "")
                    };
                    Some(Slot {
                        number,
                        name: board.name,
                        status,
                        sub_type: "",
                        online,
                    })
                }
                None => others.iter().find(|s| s.number == number).map(|s| Slot { ..*s }),
            };
            match slot {
                None => line!(out, "  {number:<6}"),
                Some(s) => {
                    let online = if s.online.is_empty() {
                        String::new()
                    } else {
                        format!("{:<9}", s.online)
                    };
                    line!(
                        out,
                        "  {number:<7} {:<10} {:<15} {:<8} {:<11} {online}",
                        s.name,
                        s.status,
                        s.sub_type,
                        ""
                    );
                }
            }
        }
        rule(&mut out, 73);
        out
    }

    /// Control and power boards stand behind the PON boards.
    fn other_slots(&self) -> Vec<Slot> {
        let first = control_slot(self.boards.keys().next_back().copied());
        let old = self.firmware.is_old();
        let (control, power) = if old {
            ("H801SCUN", "H801PRTE")
        } else {
            ("H902MPLA", "H901PILA")
        };
        let slot = |number, name, status, sub_type| Slot {
            number,
            name,
            status,
            sub_type,
            online: "",
        };
        vec![
            slot(first, control, "Standby_normal", if old { "CPCF" } else { "" }),
            slot(first + 1, control, "Active_normal", if old { "CPCF" } else { "" }),
            slot(first + 2, power, "Normal", ""),
            slot(first + 3, power, "Normal", ""),
        ]
    }

    /// Whether a slot has a board of any kind.
    pub(crate) fn has_board(&self, slot: u8) -> bool {
        self.boards.contains_key(&slot) || self.other_slots().iter().any(|s| s.number == slot)
    }

    /// One board with its ports, and on a newer box its ONUs.
    pub(crate) fn board(&self, slot: u8) -> Option<String> {
        let mut out = String::new();
        let Some(board) = self.boards.get(&slot) else {
            let other = self.other_slots().into_iter().find(|s| s.number == slot)?;
            rule(&mut out, 39);
            line!(out, "  Board name            : {}", other.name);
            line!(out, "  Board status          : {}", other.status);
            rule(&mut out, 39);
            return Some(out);
        };
        rule(&mut out, 39);
        line!(out, "  Board name            : {}", board.name);
        line!(
            out,
            "  Board status          : {}",
            if board.failed { "Failed" } else { "Normal" }
        );
        rule(&mut out, 39);
        rule(&mut out, 66);
        line!(out, "    Port   Port   min-distance   max-distance   Optical-module");
        line!(out, "           type       (km)           (km)           status");
        rule(&mut out, 66);
        for (_, port) in self.ports.keys().filter(|p| p.0 == slot) {
            let module = if board.failed { "-" } else { "Online" };
            line!(out, "  {port:>6}   GPON   {:>12}   {:>12}   {module:<14}", 0, 20);
        }
        rule(&mut out, 66);
        if let Some(list) = self
            .list(self.onus_at(Some((slot, None))))
            .filter(|_| !self.firmware.is_old())
        {
            out.push_str(&list);
        }
        Some(out)
    }

    /// One line a board, an empty line between.
    pub(crate) fn temperature(&self) -> String {
        let mut out = String::new();
        let pon = self.boards.iter().filter(|(_, b)| !b.failed).map(|(&s, b)| (s, b.name));
        let others = self.other_slots();
        for (slot, name) in pon.chain(others.iter().take(2).map(|s| (s.number, s.name))) {
            if !out.is_empty() {
                line!(out);
            }
            let celsius = 41 + u32::from(slot) * 3 % 17;
            let fahrenheit = celsius * 9 / 5 + 32;
            line!(
                out,
                "  SlotID: {slot:>2}      BoardName: {name:<14} Temperature: {celsius:>4}C({fahrenheit:>4}F)"
            );
        }
        out
    }

    /// How a PON port is set up: label and value without a colon.
    pub(crate) fn port_info(&self, slot: u8, port: u8) -> Option<String> {
        self.ports.get(&(slot, port))?;
        let mut out = String::new();
        rule(&mut out, 59);
        for (label, value) in [
            ("F/S/P", format!("0/{slot}/{port}")),
            ("Min distance(km)", "0".to_owned()),
            ("Max distance(km)", "20".to_owned()),
            ("Max guaranteed bandwidth(kbps)", "-".to_owned()),
            ("Left guaranteed bandwidth(kbps)", "1000000".to_owned()),
            (
                "Number of T-CONTs",
                (2 * self.onus_at(Some((slot, Some(port)))).count()).to_string(),
            ),
            ("Autofind", "Enable".to_owned()),
            ("FEC check", "Disable".to_owned()),
            ("Admin State", "On".to_owned()),
            ("ONT encryption key switching interval(m)", "1440".to_owned()),
            ("Port MTU(bytes)", "1024".to_owned()),
            ("Traffic alarm-profile ID", "-".to_owned()),
            ("Optical module work mode", "Standard".to_owned()),
        ] {
            line!(out, "  {label:<42} {value}");
        }
        rule(&mut out, 59);
        Some(out)
    }

    /// How a PON port is.
    pub(crate) fn port_state(&self, slot: u8, port: u8) -> Option<String> {
        let (state, board) = (self.ports.get(&(slot, port))?, self.boards.get(&slot)?);
        let well = !state.dark && !board.failed;
        let mut out = String::new();
        rule(&mut out, 59);
        for (label, value) in self.port_labels(slot, port, state, well) {
            line!(out, "  {label:<38} {value}");
        }
        rule(&mut out, 59);
        Some(out)
    }

    fn port_labels(&self, slot: u8, port: u8, state: &Port, well: bool) -> [(&'static str, String); 11] {
        let moment = |s: Option<Stamp>| or_dash(s.map(|s| s.long(self.dates())));
        let word = |yes: &str, no: &str| if well { yes.to_owned() } else { no.to_owned() };
        [
            ("F/S/P", format!("0/{slot}/{port}")),
            ("Optical Module status", "Online".to_owned()),
            ("Port state", word("Online", "Offline")),
            ("Laser state", "Normal".to_owned()),
            ("Temperature(C)", (38 + u32::from(port)).to_string()),
            ("TX Bias current(mA)", "21".to_owned()),
            ("Supply Voltage(V)", "3.28".to_owned()),
            ("TX power(dBm)", "4.52".to_owned()),
            ("Illegal rogue ONT", "Inexistent".to_owned()),
            ("Last up time", moment(Some(state.last_up))),
            ("Last down time", moment(state.last_down)),
        ]
    }
}
