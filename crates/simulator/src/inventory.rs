//! The network as a person would register it: records, the file of `atalaia inventory import`, and `[[olt]]` entries.

use std::collections::BTreeMap;
use std::fmt::Write;

use model::{Kind, Micros};
use schemas::DeviceRegistered;

use crate::cli::{CliConfig, Personality};
use crate::network::{Network, Olt};

impl Network {
    /// Every OLT, board, PON port and registered ONU as a registration said at `now` by `origin`.
    pub fn registrations(&self, origin: &str, now: Micros) -> Vec<DeviceRegistered> {
        let registered = |entity: model::EntityId, kind: Kind, olt: &Olt| DeviceRegistered {
            entity: entity.to_string(),
            kind: kind.to_string(),
            serial: None,
            name: None,
            site: Some(olt.site.clone()),
            description: None,
            vendor: Some("huawei".to_owned()),
            model: None,
            address: None,
            attributes: BTreeMap::new(),
            origin: origin.to_owned(),
            removed: false,
            observed_at: now,
            received_at: now,
        };
        let mut out = Vec::new();
        for olt in &self.olts {
            out.push(DeviceRegistered {
                name: Some(olt.root.name().to_owned()),
                model: Some(olt.model.to_owned()),
                address: Some(olt.address.to_string()),
                ..registered(olt.root.entity(), Kind::Olt, olt)
            });
            for board in &olt.boards {
                let model = Some(board.model.to_owned());
                out.push(DeviceRegistered {
                    model,
                    ..registered(olt.root.board(0, board.slot), Kind::Board, olt)
                });
            }
            for (slot, port) in olt.pons() {
                out.push(registered(olt.root.pon(0, slot, port), Kind::Pon, olt));
            }
            for onu in olt.onus.iter().filter(|onu| onu.registered) {
                out.push(DeviceRegistered {
                    serial: Some(onu.serial.to_string()),
                    name: Some(onu.name.clone()),
                    description: Some(onu.description.clone()),
                    model: Some(onu.model.to_owned()),
                    attributes: BTreeMap::from([("plan".to_owned(), onu.plan.to_owned())]),
                    ..registered(olt.root.onu(onu.place), Kind::Onu, olt)
                });
            }
        }
        out
    }

    /// The file of `atalaia inventory import`, as CSV.
    pub fn inventory_csv(&self) -> String {
        let mut out = String::from("kind,olt,place,serial,name,site,description,vendor,model,attribute.plan\n");
        for row in self.registrations("import", Micros(0)) {
            let (olt, place) = olt_and_place(&row.entity);
            let cells = [
                row.kind.as_str(),
                olt,
                &place,
                row.serial.as_deref().unwrap_or_default(),
                row.name.as_deref().unwrap_or_default(),
                row.site.as_deref().unwrap_or_default(),
                row.description.as_deref().unwrap_or_default(),
                row.vendor.as_deref().unwrap_or_default(),
                row.model.as_deref().unwrap_or_default(),
                row.attributes.get("plan").map(String::as_str).unwrap_or_default(),
            ];
            out.push_str(&cells.map(csv_cell).join(","));
            out.push('\n');
        }
        out
    }

    /// The same as JSON lines.
    pub fn inventory_jsonl(&self) -> String {
        let mut out = String::new();
        for row in self.registrations("import", Micros(0)) {
            let (olt, place) = olt_and_place(&row.entity);
            let line = serde_json::json!({
                "kind": row.kind, "olt": olt, "place": place, "serial": row.serial, "name": row.name, "site": row.site,
                "description": row.description, "vendor": row.vendor, "model": row.model, "attributes": row.attributes,
            });
            writeln!(out, "{line}").expect("writing to a string cannot fail");
        }
        out
    }

    /// The `[[olt]]` entries of a configuration that knows this network and nothing of its command lines.
    pub fn olt_entries(&self) -> String {
        self.entries(None)
    }

    /// The same, with the way to the command lines; `port` is that of an OLT by its number.
    pub(crate) fn entries(&self, cli: Option<(&CliConfig, &dyn Fn(usize) -> u16)>) -> String {
        let mut out = String::new();
        for (i, olt) in self.olts.iter().enumerate() {
            let (name, site, model, address) = (olt.root.name(), &olt.site, olt.model, olt.address);
            write!(
                out,
                "[[olt]]\nname = \"{name}\"\nsite = \"{site}\"\nvendor = \"huawei\"\nmodel = \"{model}\"\naddress = \"{address}\"\n"
            )
            .expect("writing to a string cannot fail");
            if let Some((cli, port)) = cli {
                let (user, port) = (&cli.user, port(i));
                let profile = Personality::of_model(model).ssh_profile();
                writeln!(
                    out,
                    "ssh = {{ user = \"{user}\", password = {{ env = \"OLT_PASSWORD\" }}, profile = \"{profile}\", port = {port} }}"
                )
                .expect("writing to a string cannot fail");
            }
            out.push('\n');
        }
        out
    }
}

/// `default/olt/rjo-01/onu/0/3/5/17` → `rjo-01`, `0/3/5/17`.
fn olt_and_place(entity: &str) -> (&str, String) {
    let mut parts = entity.split('/').skip(2);
    let olt = parts.next().unwrap_or_default();
    (olt, parts.skip(1).collect::<Vec<_>>().join("/"))
}

fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
