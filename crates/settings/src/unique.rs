//! What must not be there twice: names, addresses, and an address as device and relay.

use std::collections::BTreeMap;

use model::Tenant;

use crate::build::Build;
use crate::error::{Place, quote};
use crate::value::Value;

impl Build<'_> {
    /// Names and addresses that must not be there twice. Looks at the values, so that an entry with another mistake counts.
    pub(crate) fn uniqueness(&mut self, tenant: Option<&Tenant>) {
        for (array, key) in [("olt", "name"), ("padtec", "name")] {
            self.unique(array, key, |b, path, value| {
                let tenant = b.tenant_of(path, tenant);
                // People find them by name in any case.
                let name = value.to_lowercase();
                (!name.is_empty()).then(|| format!("{}/{name}", tenant.as_ref().map_or("", Tenant::as_str)))
            });
        }
        for (array, key) in [
            ("olt", "address"),
            ("snmp_traps.listener", "bind"),
            ("snmp_traps.listener", "name"),
            ("snmp_traps.credential", "name"),
            ("snmp_traps.credential", "user"),
            ("snmp_traps.relay", "address"),
        ] {
            // Port 0 is another port each time.
            self.unique(array, key, |_, _, value| {
                (!(key == "bind" && value.ends_with(":0"))).then(|| value.to_owned())
            });
        }
        self.relays_are_no_devices();
    }

    fn unique(&mut self, array: &str, key: &str, identity: impl Fn(&Self, &str, &str) -> Option<String>) {
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        for i in 0..self.count(array) {
            let path = format!("{array}[{i}].{key}");
            let Some(shown) = self.shown(&path) else { continue };
            let Some(identity) = identity(self, &format!("{array}[{i}]"), &shown) else {
                continue;
            };
            let place = self.place(&path);
            if let Some(first) = seen.get(&identity) {
                let wrong = format!("{} is there already, at {first}", quote(&shown));
                self.problem(&path, wrong, format!("give each `[[{array}]]` its own {key}"));
            } else {
                seen.insert(identity, place);
            }
        }
    }

    fn relays_are_no_devices(&mut self) {
        for i in 0..self.count("snmp_traps.relay") {
            let path = format!("snmp_traps.relay[{i}].address");
            let Some(relay) = self.ip(&path) else { continue };
            let olt = (0..self.count("olt"))
                .map(|o| format!("olt[{o}].address"))
                .find(|o| self.ip(o) == Some(relay));
            if let Some(olt) = olt {
                let wrong = format!("is also the address of an OLT, at {}", self.place(&olt));
                self.problem(
                    &path,
                    wrong,
                    "a sender is either a device or a relay: remove one of the two",
                );
            }
        }
    }

    /// The value as text, if it is one that may be shown.
    fn shown(&self, path: &str) -> Option<String> {
        match &self.found.values.get(path)?.value {
            Value::Text(text) => Some(text.clone()),
            Value::Ip(ip) => Some(ip.to_canonical().to_string()),
            Value::Listen(address) => Some(address.to_string()),
            _ => None,
        }
    }
}
