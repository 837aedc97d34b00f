//! Raw → checked configuration: pure, and all mistakes at once.

use std::net::{IpAddr, SocketAddr};

use model::{Root, RootKind, Tenant, is_name};
use snmp_pdu::Version;

use crate::config::{
    Config, ConfigProblem, Credential, Device, Limits, Listener, RawConfig, RawCredential, RawDevice, RawListener,
};

/// Checks everything, and says all mistakes at once. Pure: no address is resolved, nothing opened.
///
/// # Errors
/// When there is any mistake.
pub fn validate(raw: RawConfig) -> Result<Config, Vec<ConfigProblem>> {
    let mut problems = Problems(Vec::new());
    if !is_name(&raw.instance) {
        problems.add("instance", format!("`{}` is not a name", raw.instance), NAME);
    }
    let listeners = problems.listeners(&raw.listeners);
    let credentials = problems.credentials(&raw.credentials);
    let users = problems.users(&raw.users, &raw.credentials);
    if !users.is_empty() && raw.data.is_none() {
        let problem = "there is none, and senders of v3 informs must know us again after a restart";
        problems.add("data", problem, "a folder of this process");
    }
    if !listeners.is_empty() && raw.credentials.is_empty() && raw.users.is_empty() {
        problems.add(
            "snmp_traps.credential",
            "there is none, so every trap would be refused",
            "at least one",
        );
    }
    let devices = problems.devices(raw.devices);
    let relays = problems.relays(&raw.relays, &devices);
    problems.limits(&raw.limits);
    if problems.0.is_empty() {
        Ok(Config {
            instance: raw.instance,
            listeners,
            credentials,
            users,
            data: raw.data,
            devices,
            relays,
            limits: raw.limits,
            probe_interval: raw.probe_interval,
        })
    } else {
        Err(problems.0)
    }
}

pub(crate) const NAME: &str = "1 to 64 letters, digits, `.`, `_`, `-`, `+`, `#`, `:`, `@`";
const ADDRESS: &str = "an IPv4 or IPv6 address, not a host name";

/// What is wrong so far.
pub(crate) struct Problems(Vec<ConfigProblem>);

impl Problems {
    pub fn add(&mut self, key: impl Into<String>, problem: impl Into<String>, expected: impl Into<String>) {
        self.0.push(ConfigProblem {
            key: key.into(),
            problem: problem.into(),
            expected: expected.into(),
        });
    }

    fn listeners(&mut self, raw: &[RawListener]) -> Vec<Listener> {
        let mut out: Vec<Listener> = Vec::new();
        for (i, listener) in raw.iter().enumerate() {
            let key = |field: &str| format!("snmp_traps.listener[{i}].{field}");
            let Ok(bind) = listener.bind.parse::<SocketAddr>() else {
                self.add(
                    key("bind"),
                    format!("`{}` is not an address and port", listener.bind),
                    "`0.0.0.0:162`",
                );
                continue;
            };
            let name = listener
                .name
                .clone()
                .unwrap_or_else(|| bind.to_string().replace(['[', ']'], ""));
            if !is_name(&name) {
                self.add(key("name"), format!("`{name}` is not a name"), NAME);
            }
            if out.iter().any(|l| l.name == name) {
                self.add(
                    key("name"),
                    format!("`{name}` is another listener's name"),
                    "a name of its own",
                );
            }
            if bind.port() != 0 && out.iter().any(|l| l.bind == bind) {
                self.add(
                    key("bind"),
                    format!("another listener has `{bind}`"),
                    "an address and port of its own",
                );
            }
            out.push(Listener { name, bind });
        }
        out
    }

    fn credentials(&mut self, raw: &[RawCredential]) -> Vec<Credential> {
        let mut out: Vec<Credential> = Vec::new();
        for (i, credential) in raw.iter().enumerate() {
            let key = |field: &str| format!("snmp_traps.credential[{i}].{field}");
            if !is_name(&credential.name) {
                self.add(key("name"), format!("`{}` is not a name", credential.name), NAME);
            }
            if out.iter().any(|c| c.name == credential.name) {
                let problem = format!("`{}` is another credential's name", credential.name);
                self.add(
                    key("name"),
                    problem,
                    "a name of its own: one credential for each version",
                );
            }
            if credential.community.is_empty() {
                self.add(key("community"), "it is empty", "the community the devices send");
            }
            let version = match credential.version.as_str() {
                "1" => Version::V1,
                "2c" => Version::V2c,
                other => {
                    let problem = format!("version `{other}` is not supported");
                    self.add(key("version"), problem, "`1` or `2c` here, a user for version 3");
                    continue;
                }
            };
            let community = credential.community.clone();
            out.push(Credential {
                name: credential.name.clone(),
                version,
                community,
                sources: credential.sources.clone(),
            });
        }
        out
    }

    fn devices(&mut self, raw: Vec<RawDevice>) -> Vec<Device> {
        let mut out: Vec<Device> = Vec::new();
        for (i, device) in raw.into_iter().enumerate() {
            let key = |field: &str| format!("olt[{i}].{field}");
            let tenant = match device.tenant.as_deref().map(Tenant::parse).transpose() {
                Ok(tenant) => tenant.unwrap_or_default(),
                Err(error) => {
                    self.add(key("tenant"), error.to_string(), NAME);
                    continue;
                }
            };
            let root = match Root::new(&tenant, RootKind::Olt, &device.name) {
                Ok(root) => root,
                Err(error) => {
                    self.add(key("name"), error.to_string(), NAME);
                    continue;
                }
            };
            let Ok(address) = device.address.parse::<IpAddr>() else {
                self.add(
                    key("address"),
                    format!("`{}` is not an address", device.address),
                    ADDRESS,
                );
                continue;
            };
            let address = address.to_canonical();
            if out.iter().any(|d| d.root == root) {
                self.add(key("name"), format!("`{root}` exists already"), "a name of its own");
            }
            if let Some(other) = out.iter().find(|d| d.address == address) {
                let problem = format!("`{address}` is also the address of `{}`", other.root);
                self.add(
                    key("address"),
                    problem,
                    "one address for each device: it tells whose a trap is",
                );
            }
            out.push(Device {
                root,
                address,
                raw: device,
            });
        }
        out
    }

    fn relays(&mut self, raw: &[String], devices: &[Device]) -> Vec<IpAddr> {
        let mut out = Vec::new();
        for (i, relay) in raw.iter().enumerate() {
            let key = format!("snmp_traps.relay[{i}].address");
            let Ok(address) = relay.parse::<IpAddr>() else {
                self.add(key, format!("`{relay}` is not an address"), ADDRESS);
                continue;
            };
            let address = address.to_canonical();
            if let Some(device) = devices.iter().find(|d| d.address == address) {
                let problem = format!("`{address}` is the address of `{}`", device.root);
                self.add(key, problem, "a host that is not itself a configured device");
            }
            out.push(address);
        }
        out
    }

    fn limits(&mut self, limits: &Limits) {
        let mut check = |key: &str, value: usize, least: usize, most: usize| {
            if value < least || value > most {
                self.add(
                    format!("snmp_traps.{key}"),
                    format!("{value} is out of range"),
                    format!("{least} to {most}"),
                );
            }
        };
        check("unknown_senders_max", limits.unknown_senders_max, 0, 100_000);
        check("unknown_rate_per_s", limits.unknown_rate_per_s as usize, 1, 1_000_000);
        check("unknown_burst", limits.unknown_burst as usize, 1, 1_000_000);
        check("pending_informs_max", limits.pending_informs_max, 1, 1_000_000);
        check("receive_buffer_bytes", limits.receive_buffer_bytes, 4_096, 1 << 30);
    }
}

#[cfg(test)]
mod tests {
    use model::Secret;

    use super::*;
    use crate::config::{RawKey, RawUser};

    fn key(protocol: &str, password: &str) -> RawKey {
        RawKey {
            protocol: protocol.to_owned(),
            password: Secret::new(password, "test"),
        }
    }

    fn good() -> RawConfig {
        RawConfig {
            instance: "snmp-traps".to_owned(),
            listeners: vec![RawListener {
                name: None,
                bind: "0.0.0.0:162".to_owned(),
            }],
            credentials: vec![RawCredential {
                name: "noc".to_owned(),
                version: "2c".to_owned(),
                community: Secret::new("canary-7d1f", "test"),
                sources: vec!["192.0.2.0/24".parse().unwrap()],
            }],
            users: vec![RawUser {
                name: "noc-v3".to_owned(),
                user: "noc".to_owned(),
                auth: Some(key("sha256", "canary-aa11")),
                privacy: Some(key("aes128", "canary-bb22")),
                engine_ids: vec!["80001f8880c0ffee01".to_owned()],
                sources: vec![],
            }],
            data: Some("/var/lib/atalaia".into()),
            devices: vec![RawDevice {
                name: "rjo-01".to_owned(),
                address: "192.0.2.10".to_owned(),
                ..RawDevice::default()
            }],
            relays: vec!["192.0.2.250".to_owned()],
            limits: Limits::default(),
            probe_interval: None,
        }
    }

    /// One mistake on top of a good configuration: its key, and nothing else, is complained about.
    fn check(expected_key: &str, spoil: impl FnOnce(&mut RawConfig)) {
        let mut raw = good();
        spoil(&mut raw);
        let problems = validate(raw).map(|_| ()).unwrap_err();
        let keys: Vec<_> = problems.iter().map(|p| p.key.as_str()).collect();
        assert_eq!(keys, [expected_key], "{problems:?}");
        assert!(
            !format!("{problems:?} {}", problems[0]).contains("canary"),
            "a secret in {problems:?}"
        );
    }

    #[test]
    fn a_good_one_passes_and_shows_no_secret() {
        let config = validate(good()).unwrap();
        assert_eq!(config.devices[0].root.as_str(), "default/olt/rjo-01");
        assert_eq!(config.listeners[0].name, "0.0.0.0:162");
        assert!(!format!("{config:?} {:?}", good()).contains("canary"));
    }

    #[test]
    fn each_mistake_is_named_by_its_key() {
        check("instance", |c| c.instance.clear());
        check("snmp_traps.listener[0].bind", |c| {
            c.listeners[0].bind = "162".to_owned()
        });
        check("snmp_traps.listener[0].name", |c| {
            c.listeners[0].name = Some("a/b".to_owned())
        });
        check("snmp_traps.listener[1].bind", |c| {
            c.listeners.push(RawListener {
                name: Some("two".to_owned()),
                bind: "0.0.0.0:162".to_owned(),
            });
        });
        check("snmp_traps.credential", |c| {
            c.credentials.clear();
            c.users.clear();
        });
        check("data", |c| c.data = None);
        check("snmp_traps.user[0].name", |c| c.users[0].name = "noc".to_owned());
        check("snmp_traps.user[0].user", |c| c.users[0].user = "x".repeat(33));
        check("snmp_traps.user[1].user", |c| {
            let mut other = c.users[0].clone();
            other.name = "other".to_owned();
            c.users.push(other);
        });
        check("snmp_traps.user[0].auth.protocol", |c| {
            c.users[0].auth = Some(key("sha3", "canary-aa11"))
        });
        check("snmp_traps.user[0].priv.password", |c| {
            c.users[0].privacy = Some(key("des", "canary"))
        });
        check("snmp_traps.user[0].priv", |c| c.users[0].auth = None);
        check("snmp_traps.user[0].engine_id", |c| {
            c.users[0].engine_ids.push("80".to_owned())
        });
        check("snmp_traps.credential[0].version", |c| {
            c.credentials[0].version = "3".to_owned()
        });
        check("snmp_traps.credential[0].community", |c| {
            c.credentials[0].community = Secret::new("", "test")
        });
        check("snmp_traps.credential[1].name", |c| {
            c.credentials.push(c.credentials[0].clone())
        });
        check("olt[0].name", |c| c.devices[0].name = "a/b".to_owned());
        check("olt[0].address", |c| {
            c.devices[0].address = "olt.example.net".to_owned()
        });
        check("olt[1].address", |c| {
            c.devices.push(RawDevice {
                name: "rjo-02".to_owned(),
                ..c.devices[0].clone()
            });
        });
        check("snmp_traps.relay[0].address", |c| c.relays[0] = "192.0.2.10".to_owned());
        check("snmp_traps.unknown_rate_per_s", |c| c.limits.unknown_rate_per_s = 0);
    }
}
