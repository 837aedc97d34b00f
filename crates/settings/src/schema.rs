//! Every setting there is, as data. Checks, error texts, environment overrides, the example file and the reference
//! page are all made from this list: a new setting is one row here and one field in `typed.rs`.

use Kind::{Brokers, Cidrs, EngineIds, Hosts, Integer, Ip, Listen, Name, OneOf, Path, Secret, Text, Url};
use Need::{Default, Optional, Required};

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Path,
    /// A name as ids allow it ([`model::is_name`]).
    Name,
    /// Any text of 1 to 256 bytes without control characters.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number.
    Integer {
        /// Lowest allowed.
        min: i64,
        /// Highest allowed.
        max: i64,
    },
    /// Address and port to listen on.
    Listen,
    /// An IPv4 or IPv6 address, not a host name.
    Ip,
    /// A list of networks.
    Cidrs,
    /// An `http://` or `https://` address without user or password in it.
    Url,
    /// `host:port`, several separated by commas.
    Brokers,
    /// A list of `host:port`.
    Hosts,
    /// A list of SNMP engine ids.
    EngineIds,
    /// A reference to a secret: `{ env = "NAME" }` or `{ file = "PATH" }`.
    Secret,
}

/// Whether a setting must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It may be left out; this is its value then, as TOML.
    Default(&'static str),
    /// It must be there.
    Required,
    /// It may be left out, and then there is none.
    Optional,
}

/// A table, or an array of tables.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Path with `[]` after each array: `snmp_traps.listener[]`. Empty for the top of the file.
    pub path: &'static str,
    /// One line for people.
    pub doc: &'static str,
    /// Written as an inline table in the example.
    pub inline: bool,
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Path of its section.
    pub section: &'static str,
    /// Its key.
    pub key: &'static str,
    /// What its value must look like.
    pub kind: Kind,
    /// Whether it must be there.
    pub need: Need,
    /// One line for people.
    pub doc: &'static str,
    /// A value that passes, as TOML.
    pub example: &'static str,
}

impl Setting {
    /// `snmp_traps.listener[].bind`.
    pub fn path(&self) -> String {
        join(self.section, self.key)
    }

    /// The name of the environment variable that overrides it; `None` inside an array, and for secrets.
    pub fn variable(&self) -> Option<String> {
        let single = !self.section.contains('[') && self.kind != Secret;
        single.then(|| {
            format!(
                "{VARIABLE_PREFIX}{}",
                self.path().replace('.', "__").to_ascii_uppercase()
            )
        })
    }
}

/// How the name of every environment override begins.
pub const VARIABLE_PREFIX: &str = "ATALAIA__";

/// `section.key`, or the key alone at the top.
pub(crate) fn join(section: &str, key: &str) -> String {
    if section.is_empty() {
        key.to_owned()
    } else {
        format!("{section}.{key}")
    }
}

/// Authentication protocols of SNMPv3, as `snmp-usm` calls them.
pub const AUTH_PROTOCOLS: &[&str] = &["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
/// Its privacy protocols.
pub const PRIV_PROTOCOLS: &[&str] = &["des", "aes128", "aes192", "aes256", "aes192-reeder", "aes256-reeder"];

/// Vendors whose OLTs we understand.
pub const OLT_VENDORS: &[&str] = &["huawei"];

const fn section(path: &'static str, doc: &'static str) -> Section {
    Section {
        path,
        doc,
        inline: false,
    }
}

const fn row(
    section: &'static str,
    key: &'static str,
    kind: Kind,
    need: Need,
    doc: &'static str,
    example: &'static str,
) -> Setting {
    Setting {
        section,
        key,
        kind,
        need,
        doc,
        example,
    }
}

/// Every section, in the order of the example file.
pub const SECTIONS: &[Section] = &[
    section("", "The whole installation."),
    section(
        "http",
        "The web page, the API, the WebSocket and the metrics, on one port.",
    ),
    section("log", "Where records are kept in order."),
    section("store", "Where history is kept for queries. Independent of the log."),
    section("snmp_traps", "What hears the SNMP traps of the OLTs."),
    section(
        "snmp_traps.listener[]",
        "One UDP address that hears traps. Without one, no trap is heard.",
    ),
    section(
        "snmp_traps.credential[]",
        "A community that is accepted, or a user of SNMP version 3: one entry for each.",
    ),
    Section {
        path: "snmp_traps.credential[].auth",
        doc: "How the messages of a version 3 user are authenticated: exactly so, never less.",
        inline: true,
    },
    Section {
        path: "snmp_traps.credential[].priv",
        doc: "How they are encrypted. Needs `auth`.",
        inline: true,
    },
    section(
        "snmp_traps.relay[]",
        "A host that forwards traps of others: only from it is the address inside the trap believed.",
    ),
    section(
        "olt_polling",
        "How often the OLTs that we may log in to are read. One session an OLT, one command at a time.",
    ),
    section("olt[]", "An optical line terminal."),
    Section {
        path: "olt[].ssh",
        doc: "How to log in to the OLT.",
        inline: true,
    },
    Section {
        path: "olt[].telnet",
        doc: "How to log in to an OLT that has no SSH: everything, the password too, is readable on the way.",
        inline: true,
    },
    section(
        "padtec_polling",
        "How often Padtec network management systems are read.",
    ),
    section(
        "padtec[]",
        "A Padtec network management system. With none, `PADTEC_API_URL`, `PADTEC_API_TOKEN` and `PADTEC_ZONE` make one.",
    ),
];

/// Every setting, in the order of the example file.
#[rustfmt::skip] // One row a setting.
pub const SETTINGS: &[Setting] = &[
    row("", "data", Path, Default("\"/var/lib/atalaia\""), "Folder of the embedded log, the store and the spools.", "\"/var/lib/atalaia\""),
    row("", "tenant", Name, Default("\"default\""), "Whose network it is: the first part of every id.", "\"default\""),
    row("http", "listen", Listen, Default("\"127.0.0.1:8080\""), "Address and port to serve on.", "\"127.0.0.1:8080\""),
    row("http", "token_key", Secret, Optional, "64 hexadecimal digits that sign tokens (`openssl rand -hex 32`), the same for every API process: one in the data folder if left out.", "{ env = \"TOKEN_KEY\" }"),
    row("log", "backend", OneOf(&["embedded", "kafka"]), Default("\"embedded\""), "Embedded in the data folder, or Apache Kafka.", "\"embedded\""),
    row("log", "partitions", Integer { min: 1, max: 1024 }, Optional, "Partitions of each topic: 8 embedded and 24 on Kafka if left out. Fixed once there is data.", "8"),
    row("log", "brokers", Brokers, Optional, "Kafka brokers. Required with `backend = \"kafka\"`.", "\"k1:9092,k2:9092\""),
    row("log", "registry", Url, Optional, "Schema registry. Required with `backend = \"kafka\"`.", "\"http://registry.example.net:8081\""),
    row("log", "security", OneOf(&["plaintext", "tls"]), Default("\"plaintext\""), "Whether connections to the brokers are encrypted.", "\"tls\""),
    row("log", "ca", Path, Optional, "Certificates that sign the brokers' and the registry's, PEM: the system's if left out.", "\"/etc/atalaia/ca.pem\""),
    row("log", "user", Text, Optional, "SASL SCRAM-SHA-512 user of the brokers.", "\"atalaia\""),
    row("log", "password", Secret, Optional, "Its password.", "{ env = \"KAFKA_PASSWORD\" }"),
    row("log", "registry_user", Text, Optional, "User of the schema registry.", "\"atalaia\""),
    row("log", "registry_password", Secret, Optional, "Its password.", "{ env = \"REGISTRY_PASSWORD\" }"),
    row("log", "session_timeout_ms", Integer { min: 500, max: 300_000 }, Default("10000"), "How long a process on Kafka may be silent before its partitions go to others.", "10000"),
    row("log", "commit_interval_ms", Integer { min: 1, max: 10_000 }, Default("100"), "Time between two commits on Kafka.", "100"),
    row("log", "member", Name, Optional, "A name of this process that outlives its restarts, such as a StatefulSet pod's: it keeps its partitions over a restart.", "\"network-0\""),
    row("log", "prefix", Name, Default("\"atalaia.\""), "Beginning of the name of every topic on Kafka.", "\"atalaia.\""),
    row("store", "backend", OneOf(&["embedded", "cql"]), Default("\"embedded\""), "Embedded in the data folder, or ScyllaDB or Cassandra over CQL.", "\"embedded\""),
    row("store", "nodes", Hosts, Optional, "Nodes to connect to first. Required with `backend = \"cql\"`.", "[\"s1:9042\", \"s2:9042\"]"),
    row("store", "keyspace", Name, Default("\"noc\""), "Keyspace of the tables.", "\"noc\""),
    row("store", "datacenter", Name, Optional, "Data centre whose nodes are asked first.", "\"dc1\""),
    row("store", "user", Text, Optional, "User.", "\"atalaia\""),
    row("store", "password", Secret, Optional, "Its password.", "{ env = \"CQL_PASSWORD\" }"),
    row("store", "replication", Integer { min: 1, max: 9 }, Default("3"), "Copies of each row, where `atalaia migrate` makes the keyspace.", "3"),
    row("snmp_traps", "unknown_senders_max", Integer { min: 0, max: 100_000 }, Default("1000"), "How many senders nobody configured are kept; the traps of further ones are counted and dropped.", "1000"),
    row("snmp_traps", "spool_bytes", Integer { min: 1_048_576, max: 1_099_511_627_776 }, Default("1073741824"), "Bytes that the spool of each listener, and that of the OLT reader, may take in the data folder while the log is away; what comes after is dropped and counted.", "1073741824"),
    row("snmp_traps", "probe_interval_s", Integer { min: 0, max: 3600 }, Default("30"), "Seconds between two freshness probes: traps of our own through each listener and each partition, by which the board tells whether what it shows is fresh. 0: none.", "30"),
    row("snmp_traps.listener[]", "bind", Listen, Required, "UDP address and port to hear on. Port 162 needs CAP_NET_BIND_SERVICE.", "\"0.0.0.0:162\""),
    row("snmp_traps.listener[]", "name", Name, Optional, "Name in records and metrics: the bind address if left out.", "\"main\""),
    row("snmp_traps.credential[]", "name", Name, Required, "Name in records, in place of community or password.", "\"noc\""),
    row("snmp_traps.credential[]", "version", OneOf(&["1", "2c", "3"]), Required, "SNMP version.", "\"2c\""),
    row("snmp_traps.credential[]", "community", Secret, Optional, "The community. Required with version `1` and `2c`.", "{ env = \"TRAP_COMMUNITY\" }"),
    row("snmp_traps.credential[]", "sources", Cidrs, Optional, "Networks it is accepted from: any if left out.", "[\"192.0.2.0/24\"]"),
    row("snmp_traps.credential[]", "user", Text, Optional, "User of version 3. Required with it.", "\"noc\""),
    row("snmp_traps.credential[]", "engine_id", EngineIds, Optional, "Engines whose traps the user of version 3 may send: any if left out.", "[\"80001f8880c0ffee01\"]"),
    row("snmp_traps.credential[].auth", "protocol", OneOf(AUTH_PROTOCOLS), Required, "Digest. `md5` and `sha1` only for boxes that know no better.", "\"sha256\""),
    row("snmp_traps.credential[].auth", "password", Secret, Required, "Its password, at least 8 bytes.", "{ env = \"TRAP_AUTH\" }"),
    row("snmp_traps.credential[].priv", "protocol", OneOf(PRIV_PROTOCOLS), Required, "Cipher. `-reeder` lengthens keys as Cisco does, without it as net-snmp does. `des` only for boxes that know no better.", "\"aes128\""),
    row("snmp_traps.credential[].priv", "password", Secret, Required, "Its password, at least 8 bytes.", "{ env = \"TRAP_PRIV\" }"),
    row("snmp_traps.relay[]", "address", Ip, Required, "Its address.", "\"192.0.2.250\""),
    row("olt_polling", "sessions_max", Integer { min: 1, max: 1000 }, Default("64"), "Sessions open at once. With more OLTs than this a session is closed after each round of reads.", "64"),
    row("olt_polling", "state_interval_s", Integer { min: 1, max: 86_400 }, Default("60"), "Seconds between two reads of every ONU's state. A box that answers slowly is asked less often: a tenth of its time for this, half of it in all.", "60"),
    row("olt_polling", "optics_interval_s", Integer { min: 1, max: 86_400 }, Default("300"), "Seconds between two reads of the optical levels of a PON port, spread over the ports.", "300"),
    row("olt_polling", "alarms_interval_s", Integer { min: 1, max: 86_400 }, Default("60"), "Seconds between two reads of the table of active alarms.", "60"),
    row("olt_polling", "autofind_interval_s", Integer { min: 1, max: 86_400 }, Default("60"), "Seconds between two reads of the ONUs that wait to be provisioned.", "60"),
    row("olt_polling", "inventory_interval_s", Integer { min: 1, max: 86_400 }, Default("3600"), "Seconds between two reads of boards, version and the ONUs' full descriptions.", "3600"),
    row("olt[]", "name", Name, Required, "Its name in every id. Renaming makes another OLT of it.", "\"rjo-01\""),
    row("olt[]", "tenant", Name, Optional, "Whose it is: the `tenant` at the top if left out.", "\"default\""),
    row("olt[]", "site", Name, Optional, "Where it stands.", "\"RJO\""),
    row("olt[]", "vendor", OneOf(OLT_VENDORS), Required, "Who made it.", "\"huawei\""),
    row("olt[]", "model", Text, Optional, "Its model.", "\"MA5800-X7\""),
    row("olt[]", "address", Ip, Required, "Its address, which is also the source of its traps.", "\"192.0.2.10\""),
    row("olt[]", "dates", OneOf(&["day-first", "month-first"]), Default("\"day-first\""), "How dates with strokes that it prints are meant: `1/2/2026`.", "\"day-first\""),
    row("olt[].ssh", "user", Text, Required, "User.", "\"noc\""),
    row("olt[].ssh", "password", Secret, Required, "Password.", "{ env = \"OLT_PASSWORD\" }"),
    row("olt[].ssh", "profile", OneOf(&["modern", "legacy"]), Default("\"modern\""), "Which algorithms to offer: `legacy` for boxes that know only SHA-1 and CBC.", "\"modern\""),
    row("olt[].ssh", "port", Integer { min: 1, max: 65_535 }, Default("22"), "Port.", "22"),
    row("olt[].telnet", "user", Text, Required, "User.", "\"noc\""),
    row("olt[].telnet", "password", Secret, Required, "Password.", "{ env = \"OLT_PASSWORD\" }"),
    row("olt[].telnet", "port", Integer { min: 1, max: 65_535 }, Default("23"), "Port.", "23"),
    row("padtec_polling", "critical_interval_s", Integer { min: 1, max: 86_400 }, Default("30"), "Seconds between two reads of the measures that the mapping calls critical. The system itself collects every 30 s.", "30"),
    row("padtec_polling", "normal_interval_s", Integer { min: 1, max: 86_400 }, Default("300"), "Seconds between two reads of all measures.", "300"),
    row("padtec_polling", "alarms_interval_s", Integer { min: 1, max: 86_400 }, Default("60"), "Seconds between two reads of the alarms it shows.", "60"),
    row("padtec_polling", "inventory_interval_s", Integer { min: 1, max: 86_400 }, Default("3600"), "Seconds between two reads of the inventory of cards.", "3600"),
    row("padtec[]", "name", Name, Required, "Its name in every id.", "\"nms-1\""),
    row("padtec[]", "tenant", Name, Optional, "Whose it is: the `tenant` at the top if left out.", "\"default\""),
    row("padtec[]", "site", Name, Optional, "Where it stands.", "\"MAO\""),
    row("padtec[]", "base", Url, Required, "Where its API begins.", "\"http://padtec.example.net:8181/nms-api\""),
    row("padtec[]", "token", Secret, Optional, "Token. Either this, or `user` and `password`.", "{ env = \"PADTEC_API_TOKEN\" }"),
    row("padtec[]", "user", Text, Optional, "User, in place of `token`.", "\"noc\""),
    row("padtec[]", "password", Secret, Optional, "Password, in place of `token`.", "{ file = \"/run/secrets/padtec\" }"),
    row("padtec[]", "zone", Text, Required, "Time zone of the times it writes, as in the IANA database: they say none themselves.", "\"America/Manaus\""),
    row("padtec[]", "mapping", Text, Default("\"smart-api\""), "How its lists and fields are called: `smart-api`, `plain`, or the path of a file (docs/padtec.md).", "\"smart-api\""),
    row("padtec[]", "ca", Path, Optional, "Certificates that sign that of an https:// base, PEM: the system's if left out.", "\"/etc/atalaia/ca.pem\""),
];

/// The settings directly in a section.
pub(crate) fn settings_of(section: &str) -> impl Iterator<Item = &'static Setting> + use<'_> {
    SETTINGS.iter().filter(move |s| s.section == section)
}

/// The sections directly in a section, with the key that opens each.
pub(crate) fn sections_of(parent: &str) -> impl Iterator<Item = (&'static str, &'static Section)> + use<'_> {
    SECTIONS.iter().filter_map(move |s| {
        let rest = match parent {
            "" => s.path,
            _ => s.path.strip_prefix(parent)?.strip_prefix('.')?,
        };
        let key = rest.trim_end_matches("[]");
        (!key.is_empty() && !key.contains(['.', '['])).then_some((key, s))
    })
}

impl Kind {
    /// What to write, in words.
    pub fn expected(self) -> String {
        match self {
            Path => "a path in quotes".to_owned(),
            Name => "a name of 1 to 64 letters, digits and `._-` in quotes".to_owned(),
            Text => "a text in quotes".to_owned(),
            OneOf(words) => crate::error::any_of(words),
            Integer { min, max } => format!("a whole number from {min} to {max}"),
            Listen => "an address and a port in quotes, such as \"127.0.0.1:8080\"".to_owned(),
            Ip => "an IP address in quotes, such as \"192.0.2.10\"".to_owned(),
            Cidrs => "a list of networks, such as [\"192.0.2.0/24\"]".to_owned(),
            Url => "an address that begins with http:// or https://, in quotes".to_owned(),
            Brokers => "hosts and ports separated by commas, such as \"k1:9092,k2:9092\"".to_owned(),
            EngineIds => {
                "a list of engine ids of 10 to 64 hexadecimal digits, such as [\"80001f8880c0ffee01\"]".to_owned()
            }
            Hosts => "a list of hosts and ports, such as [\"s1:9042\"]".to_owned(),
            Secret => "a reference: { env = \"NAME\" } or { file = \"PATH\" }".to_owned(),
        }
    }
}
