//! `display service-port all`: one flow for each ONU.

use super::{line, rule};
use crate::cli::chassis::Chassis;

impl Chassis {
    /// Every flow; `None` when there is none.
    pub(crate) fn flows(&self) -> Option<String> {
        if self.onus.is_empty() {
            return None;
        }
        let mut out = String::from("Switch-Oriented Flow List\n");
        rule(&mut out, 77);
        line!(
            out,
            "   INDEX VLAN VLAN     PORT F/ S/ P VPI  VCI   FLOW  FLOW       RX   TX   STATE"
        );
        line!(out, "         ID   ATTR     TYPE                    TYPE  PARA");
        rule(&mut out, 77);
        for (index, ((slot, port, id), onu)) in self.onus.iter().enumerate() {
            let state = if onu.up { "up" } else { "down" };
            line!(
                out,
                "  {index:>6} {:<4} common   gpon 0/{slot:<2}/{port:<2} {id:<4} 1     vlan  100        -    -    {state:<5}",
                100
            );
        }
        rule(&mut out, 77);
        let up = self.onus.values().filter(|o| o.up).count();
        let down = self.onus.len() - up;
        line!(out, "   Total : {}  (Up/Down : {up:>4}/{down})", self.onus.len());
        out.push_str(NOTE);
        Some(out)
    }
}

const NOTE: &str = "   Note : F--Frame, S--Slot, P--Port,
          VPI indicates ONT ID for PON, VCI indicates GEM index for GPON,
          v/e--vlan/encap, pritag--priority-tagged,
          ppp--pppoe, ip--ipoe, ip4--ipv4oe, ip6--ipv6oe
";
