//! From checked values to [`Settings`], with the checks that look at several values at once.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use model::{Cidr, Secret, Tenant};

use crate::error::{Place, Problem};
use crate::schema::{Need, SETTINGS};
use crate::typed::*;
use crate::value::{self, Value};
use crate::walk::{Checked, Found};

/// Partitions of a topic where the file does not say (design: 8 embedded, 24 on Kafka).
const PARTITIONS_EMBEDDED: i64 = 8;
const PARTITIONS_KAFKA: i64 = 24;
/// Builds the settings. Problems go into `found`; with any there, the result is not to be used, and may be `None`.
pub(crate) fn build(found: &mut Found) -> Option<Settings> {
    defaults(found);
    let mut build = Build {
        found,
        problems: Vec::new(),
    };
    let settings = build.settings();
    let problems = std::mem::take(&mut build.problems);
    found.problems.extend(problems);
    settings
}

/// Puts the default where the file says nothing, entry by entry.
fn defaults(found: &mut Found) {
    for setting in SETTINGS {
        let Need::Default(default) = setting.need else { continue };
        let toml: toml_edit::Value = default.parse().expect("a default is TOML: a test parses each");
        let value = value::from_toml(setting.kind, &toml).expect("a default passes its own check: a test tries each");
        let sections: Vec<String> = if setting.section.contains('[') {
            found
                .sections
                .keys()
                .filter(|s| pattern(s) == setting.section)
                .cloned()
                .collect()
        } else {
            vec![setting.section.to_owned()]
        };
        for section in sections {
            let path = crate::schema::join(&section, setting.key);
            let place = Place::WholeFile("default".to_owned());
            found.values.entry(path).or_insert(Checked {
                value: value.clone(),
                place,
            });
        }
    }
}

/// `olt[3].ssh` → `olt[].ssh`.
fn pattern(path: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in path.chars() {
        inside = (inside || c == '[') && c != ']';
        if !inside || c == '[' {
            out.push(c);
        }
    }
    out
}

pub(crate) struct Build<'a> {
    pub(crate) found: &'a Found,
    problems: Vec<Problem>,
}

macro_rules! getter {
    ($name:ident, $variant:ident, $type:ty) => {
        pub(crate) fn $name(&self, path: &str) -> Option<$type> {
            match self.found.values.get(path).map(|c| &c.value) {
                Some(Value::$variant(value)) => Some(value.clone()),
                _ => None,
            }
        }
    };
}

impl Build<'_> {
    getter!(text, Text, String);
    getter!(integer, Integer, i64);
    getter!(listen, Listen, SocketAddr);
    getter!(ip, Ip, IpAddr);
    getter!(cidrs, Cidrs, Vec<Cidr>);
    getter!(list, List, Vec<String>);
    getter!(secret, Secret, Secret);

    pub(crate) fn count(&self, array: &str) -> usize {
        self.found.counts.get(array).copied().unwrap_or(0)
    }

    pub(crate) fn place(&self, path: &str) -> Place {
        let section = path.rsplit_once('.').map_or("", |(section, _)| section);
        let value = self.found.values.get(path).map(|c| c.place.clone());
        value
            .or_else(|| self.found.sections.get(path).cloned())
            .or_else(|| self.found.sections.get(section).cloned())
            .unwrap_or(Place::WholeFile("configuration".into()))
    }

    pub(crate) fn problem(&mut self, path: &str, wrong: impl Into<String>, right: impl Into<String>) {
        let problem = Problem {
            place: self.place(path),
            key: path.to_owned(),
            wrong: wrong.into(),
            right: right.into(),
        };
        self.problems.push(problem);
    }

    fn settings(&mut self) -> Option<Settings> {
        let http = self.http();
        let log = self.log();
        let store = self.store();
        let tenant = self.text("tenant").and_then(|t| Tenant::parse(&t).ok());
        let snmp_traps = self.snmp_traps();
        let olt_polling = self.olt_polling();
        let padtec_polling = self.padtec_polling();
        let olts = self.each("olt", |b, path| b.olt(path, tenant.as_ref()));
        let padtec = self.each("padtec", |b, path| b.padtec(path, tenant.as_ref()));
        self.uniqueness(tenant.as_ref());
        Some(Settings {
            data: PathBuf::from(self.text("data")?),
            tenant: tenant?,
            http: http?,
            log: log?,
            store: store?,
            snmp_traps: snmp_traps?,
            olt_polling: olt_polling?,
            padtec_polling: padtec_polling?,
            olts,
            padtec,
        })
    }

    /// Builds each entry of an array; those with problems of their own are left out.
    fn each<T>(&mut self, array: &str, mut entry: impl FnMut(&mut Self, &str) -> Option<T>) -> Vec<T> {
        (0..self.count(array))
            .filter_map(|i| entry(self, &format!("{array}[{i}]")))
            .collect()
    }

    fn http(&mut self) -> Option<Http> {
        let token_key = self.secret("http.token_key");
        let is_key = |key: &Secret| key.expose().len() == 64 && key.expose().bytes().all(|b| b.is_ascii_hexdigit());
        if token_key.as_ref().is_some_and(|key| !is_key(key)) {
            let right = "write 64 hexadecimal digits there: `openssl rand -hex 32`";
            self.problem("http.token_key", "is not a key", right);
        }
        self.listen("http.listen").map(|listen| Http { listen, token_key })
    }

    /// A user and a password: both or none.
    fn login(&mut self, user: &str, password: &str) -> Option<Login> {
        match (self.text(user), self.secret(password)) {
            (Some(user), Some(password)) => Some(Login { user, password }),
            (Some(_), None) => {
                self.needed_by(password, user, Self::secret)?;
                None
            }
            (None, Some(_)) => {
                self.needed_by(user, password, Self::text)?;
                None
            }
            (None, None) => None,
        }
    }

    fn milliseconds(&self, path: &str) -> Option<Duration> {
        self.integer(path).map(|ms| Duration::from_millis(ms.unsigned_abs()))
    }

    fn log(&mut self) -> Option<Log> {
        let kafka = self.text("log.backend")? == "kafka";
        let partitions =
            self.integer("log.partitions")
                .unwrap_or(if kafka { PARTITIONS_KAFKA } else { PARTITIONS_EMBEDDED });
        let backend = if kafka {
            let brokers = self.needed_by("log.brokers", "backend = \"kafka\"", Self::text);
            let registry = self.needed_by("log.registry", "backend = \"kafka\"", Self::text);
            let (login, registry_login) = (
                self.login("log.user", "log.password"),
                self.login("log.registry_user", "log.registry_password"),
            );
            LogBackend::Kafka(Box::new(Kafka {
                brokers: brokers?,
                prefix: self.text("log.prefix")?,
                tls: self.text("log.security")? == "tls",
                ca: self.text("log.ca").map(PathBuf::from),
                login,
                registry: registry?,
                registry_login,
                session_timeout: self.milliseconds("log.session_timeout_ms")?,
                commit_interval: self.milliseconds("log.commit_interval_ms")?,
                member: self.text("log.member"),
            }))
        } else {
            LogBackend::Embedded
        };
        Some(Log {
            backend,
            partitions: u32::try_from(partitions).expect("checked to be 1 to 1024"),
        })
    }

    fn store(&mut self) -> Option<Store> {
        let backend = if self.text("store.backend")? == "cql" {
            let nodes = self.needed_by("store.nodes", "backend = \"cql\"", Self::list)?;
            StoreBackend::Cql {
                nodes,
                keyspace: self.text("store.keyspace")?,
                datacenter: self.text("store.datacenter"),
                login: self.login("store.user", "store.password"),
                replication: u32::try_from(self.integer("store.replication")?).expect("checked to be 1 to 9"),
            }
        } else {
            StoreBackend::Embedded
        };
        Some(Store { backend })
    }

    /// A value that another one makes necessary. One that is there but wrong has its own problem already.
    pub(crate) fn needed_by<T>(
        &mut self,
        path: &str,
        because: &str,
        get: impl Fn(&Self, &str) -> Option<T>,
    ) -> Option<T> {
        let value = get(self, path);
        if value.is_none() && !self.found.problems.iter().any(|p| p.key == path) {
            let setting = SETTINGS.iter().find(|s| s.path() == pattern(path));
            let right = setting.map_or(String::new(), |s| format!("write `{} = {}`", s.key, s.example));
            self.problem(path, format!("is missing, and `{because}` needs it"), right);
        }
        value
    }

    fn snmp_traps(&mut self) -> Option<SnmpTraps> {
        let listeners = self.each("snmp_traps.listener", Self::listener);
        let credentials = self.each("snmp_traps.credential", Self::credential);
        let relays = self.each("snmp_traps.relay", |b, path| b.ip(&format!("{path}.address")));
        if self.count("snmp_traps.listener") > 0 && self.count("snmp_traps.credential") == 0 {
            let right = "write a `[[snmp_traps.credential]]` with name, version and community or user";
            self.problem(
                "snmp_traps.listener[0].bind",
                "hears traps, but no credential accepts any",
                right,
            );
        }
        let unknown_senders_max = self.integer("snmp_traps.unknown_senders_max")?;
        let unknown_senders_max = u32::try_from(unknown_senders_max).expect("checked to be 0 to 100,000");
        let spool_bytes = self.integer("snmp_traps.spool_bytes")?;
        let spool_bytes = u64::try_from(spool_bytes).expect("checked to be 1 MiB to 1 TiB");
        let probe_interval_s = self.integer("snmp_traps.probe_interval_s")?;
        let probe_interval = (probe_interval_s > 0).then(|| Duration::from_secs(probe_interval_s.unsigned_abs()));
        Some(SnmpTraps {
            listeners,
            credentials,
            relays,
            unknown_senders_max,
            spool_bytes,
            probe_interval,
        })
    }

    fn listener(&mut self, path: &str) -> Option<TrapListener> {
        let bind_path = format!("{path}.bind");
        let bind = self.listen(&bind_path)?;
        if bind.port() == 0 && !bind.ip().is_loopback() {
            self.problem(
                &bind_path,
                "port 0 is chosen anew at each start, and no OLT would know it",
                "write the port the OLTs send to, usually 162",
            );
        }
        let name = self.text(&format!("{path}.name")).unwrap_or_else(|| bind.to_string());
        Some(TrapListener { name, bind })
    }

    pub(crate) fn tenant_of(&self, path: &str, default: Option<&Tenant>) -> Option<Tenant> {
        match self.text(&format!("{path}.tenant")) {
            Some(own) => Tenant::parse(&own).ok(),
            None => default.cloned(),
        }
    }

    fn olt(&mut self, path: &str, tenant: Option<&Tenant>) -> Option<Olt> {
        let key = |key: &str| format!("{path}.{key}");
        let has = |b: &Self, name: &str| b.found.sections.contains_key(&key(name));
        let access = match (has(self, "ssh"), has(self, "telnet")) {
            (true, true) => {
                let right = "keep one of the two";
                self.problem(&key("telnet"), "is there beside `ssh`", right);
                return None;
            }
            (true, false) => Some(self.ssh(&key("ssh"))?),
            (false, true) => Some(self.access(&key("telnet"), OltTransport::Telnet)?),
            (false, false) => None,
        };
        Some(Olt {
            name: self.text(&key("name"))?,
            tenant: self.tenant_of(path, tenant)?,
            site: self.text(&key("site")),
            vendor: self.text(&key("vendor"))?,
            model: self.text(&key("model")),
            address: self.ip(&key("address"))?,
            day_first: self.text(&key("dates"))? == "day-first",
            access,
        })
    }

    fn ssh(&self, path: &str) -> Option<OltAccess> {
        let profile = if self.text(&format!("{path}.profile"))? == "legacy" {
            SshProfile::Legacy
        } else {
            SshProfile::Modern
        };
        self.access(path, OltTransport::Ssh(profile))
    }

    fn access(&self, path: &str, transport: OltTransport) -> Option<OltAccess> {
        let key = |key: &str| format!("{path}.{key}");
        Some(OltAccess {
            user: self.text(&key("user"))?,
            password: self.secret(&key("password"))?,
            transport,
            port: u16::try_from(self.integer(&key("port"))?).expect("checked to be 1 to 65,535"),
        })
    }

    fn olt_polling(&mut self) -> Option<OltPolling> {
        let seconds = |key: &str| -> Option<Duration> {
            let seconds = self.integer(&format!("olt_polling.{key}_interval_s"))?;
            Some(Duration::from_secs(seconds.unsigned_abs()))
        };
        let sessions_max = self.integer("olt_polling.sessions_max")?;
        Some(OltPolling {
            sessions_max: u32::try_from(sessions_max).expect("checked to be 1 to 1,000"),
            state: seconds("state")?,
            optics: seconds("optics")?,
            alarms: seconds("alarms")?,
            autofind: seconds("autofind")?,
            inventory: seconds("inventory")?,
        })
    }

    fn padtec_polling(&mut self) -> Option<PadtecPolling> {
        let seconds = |key: &str| -> Option<Duration> {
            let seconds = self.integer(&format!("padtec_polling.{key}_interval_s"))?;
            Some(Duration::from_secs(seconds.unsigned_abs()))
        };
        Some(PadtecPolling {
            critical: seconds("critical")?,
            normal: seconds("normal")?,
            alarms: seconds("alarms")?,
            inventory: seconds("inventory")?,
        })
    }

    fn padtec(&mut self, path: &str, tenant: Option<&Tenant>) -> Option<Padtec> {
        let key = |key: &str| format!("{path}.{key}");
        let (token, user, password) = (
            self.secret(&key("token")),
            self.text(&key("user")),
            self.secret(&key("password")),
        );
        let one_way = "write either `token`, or `user` and `password`";
        let login = match (token, user, password) {
            (Some(token), None, None) => PadtecLogin::Token(token),
            (None, Some(user), Some(password)) => PadtecLogin::Password { user, password },
            (Some(_), _, _) => {
                self.problem(&key("token"), "is there beside `user` or `password`", one_way);
                return None;
            }
            _ if self
                .found
                .problems
                .iter()
                .any(|p| ["token", "user", "password"].iter().any(|k| p.key == key(k))) =>
            {
                return None;
            }
            _ => {
                self.problem(&key("token"), "is missing", one_way);
                return None;
            }
        };
        Some(Padtec {
            name: self.text(&key("name"))?,
            tenant: self.tenant_of(path, tenant)?,
            site: self.text(&key("site")),
            base: self.text(&key("base"))?,
            login,
            zone: self.text(&key("zone"))?,
            mapping: self.text(&key("mapping"))?,
            ca: self.text(&key("ca")).map(PathBuf::from),
        })
    }
}
