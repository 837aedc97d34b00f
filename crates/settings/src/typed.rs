//! The checked configuration as plain structs, for the code that builds the parts.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use model::Tenant;

use model::Cidr;
use model::Secret;

/// The whole configuration, checked. Printing it shows no secret.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder of the embedded log, the store and the spools.
    pub data: PathBuf,
    /// Whose network it is where an entry does not say.
    pub tenant: Tenant,
    /// The web page, the API and the metrics.
    pub http: Http,
    /// Where records are kept in order.
    pub log: Log,
    /// Where history is kept for queries.
    pub store: Store,
    /// What hears traps.
    pub snmp_traps: SnmpTraps,
    /// How often OLTs are read.
    pub olt_polling: OltPolling,
    /// The OLTs. Names are unique in a tenant, addresses altogether.
    pub olts: Vec<Olt>,
    /// How Padtec management systems are read.
    pub padtec_polling: PadtecPolling,
    /// The Padtec management systems. Names are unique in a tenant.
    pub padtec: Vec<Padtec>,
}

/// `[http]`.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where to serve. Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// What signs tokens, where several processes must agree; else each data folder makes its own.
    pub token_key: Option<Secret>,
}

/// `[log]`.
#[derive(Debug, Clone)]
pub struct Log {
    /// Which backend.
    pub backend: LogBackend,
    /// Partitions of each topic.
    pub partitions: u32,
}

/// The backend of the log.
#[derive(Debug, Clone)]
pub enum LogBackend {
    /// In the data folder.
    Embedded,
    /// Apache Kafka.
    Kafka(Box<Kafka>),
}

/// How to reach Kafka and the schema registry, and how to behave there.
#[derive(Debug, Clone)]
pub struct Kafka {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Beginning of the name of every topic.
    pub prefix: String,
    /// Whether connections to brokers are encrypted.
    pub tls: bool,
    /// Certificates that sign the brokers' and the registry's: the system's if left out.
    pub ca: Option<PathBuf>,
    /// SASL SCRAM-SHA-512 user and password.
    pub login: Option<Login>,
    /// Address of the schema registry.
    pub registry: String,
    /// Its user and password.
    pub registry_login: Option<Login>,
    /// How long a member may be silent before its partitions go to others.
    pub session_timeout: Duration,
    /// Time between two commits of a stream thread.
    pub commit_interval: Duration,
    /// A name of this process that outlives its restarts (static membership).
    pub member: Option<String>,
}

/// A user and a password.
#[derive(Debug, Clone)]
pub struct Login {
    /// User.
    pub user: String,
    /// Password.
    pub password: Secret,
}

/// `[store]`.
#[derive(Debug, Clone)]
pub struct Store {
    /// Which backend.
    pub backend: StoreBackend,
}

/// The backend of the store.
#[derive(Debug, Clone)]
pub enum StoreBackend {
    /// In the data folder.
    Embedded,
    /// ScyllaDB or Cassandra.
    Cql {
        /// `host:port` of the first nodes to try.
        nodes: Vec<String>,
        /// Keyspace of the tables.
        keyspace: String,
        /// Preferred data centre.
        datacenter: Option<String>,
        /// User and password.
        login: Option<Login>,
        /// Copies of each row, where `atalaia migrate` makes the keyspace.
        replication: u32,
    },
}

/// `[snmp_traps]`.
#[derive(Debug, Clone)]
pub struct SnmpTraps {
    /// Where to hear. Empty: no traps are heard.
    pub listeners: Vec<TrapListener>,
    /// What is accepted. Names are unique.
    pub credentials: Vec<TrapCredential>,
    /// Hosts that forward traps of others.
    pub relays: Vec<IpAddr>,
    /// How many senders nobody configured are kept.
    pub unknown_senders_max: u32,
    /// Bytes that a listener's spool may have on disk.
    pub spool_bytes: u64,
    /// Time between two freshness probes; `None`: there are none.
    pub probe_interval: Option<Duration>,
}

/// `[[snmp_traps.listener]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrapListener {
    /// Name in records and metrics; unique.
    pub name: String,
    /// UDP address.
    pub bind: SocketAddr,
}

/// SNMP version of a community.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnmpVersion {
    /// SNMPv1.
    V1,
    /// SNMPv2c.
    V2c,
}

/// `[[snmp_traps.credential]]`.
#[derive(Debug, Clone)]
pub struct TrapCredential {
    /// Name in records, in place of community or password.
    pub name: String,
    /// What proves who sends.
    pub proof: TrapProof,
    /// Networks it is accepted from. Empty: any.
    pub sources: Vec<Cidr>,
}

/// What proves who sends a trap.
#[derive(Debug, Clone)]
pub enum TrapProof {
    /// Versions 1 and 2c.
    Community {
        /// Which of them.
        version: SnmpVersion,
        /// The community.
        community: Secret,
    },
    /// Version 3.
    User {
        /// The user's name in messages.
        user: String,
        /// How messages are authenticated; none: not at all.
        auth: Option<TrapKey>,
        /// How they are encrypted; none: not at all.
        privacy: Option<TrapKey>,
        /// Engines whose traps it may send, in hexadecimal. Empty: any.
        engine_ids: Vec<String>,
    },
}

/// A protocol of SNMPv3 and its password.
#[derive(Debug, Clone)]
pub struct TrapKey {
    /// One of [`crate::AUTH_PROTOCOLS`] or [`crate::PRIV_PROTOCOLS`].
    pub protocol: String,
    /// Its password, at least 8 bytes.
    pub password: Secret,
}

impl TrapCredential {
    /// Whether a datagram from this address may use it.
    pub fn allows(&self, source: IpAddr) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|cidr| cidr.contains(source))
    }
}

/// `[[olt]]`.
#[derive(Debug, Clone)]
pub struct Olt {
    /// Its name in every id.
    pub name: String,
    /// Whose it is.
    pub tenant: Tenant,
    /// Where it stands.
    pub site: Option<String>,
    /// Who made it: one of [`crate::OLT_VENDORS`].
    pub vendor: String,
    /// Its model.
    pub model: Option<String>,
    /// Its address, the source of its traps.
    pub address: IpAddr,
    /// Whether `1/2/2026` is the first of February.
    pub day_first: bool,
    /// How to log in, if we may.
    pub access: Option<OltAccess>,
}

/// `ssh = { … }` or `telnet = { … }` of an OLT.
#[derive(Debug, Clone)]
pub struct OltAccess {
    /// User.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// Over what.
    pub transport: OltTransport,
    /// TCP port.
    pub port: u16,
}

/// What carries the command line of an OLT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OltTransport {
    /// SSH.
    Ssh(SshProfile),
    /// Telnet: nothing is secret on the way.
    Telnet,
}

/// `[olt_polling]`.
#[derive(Debug, Clone)]
pub struct OltPolling {
    /// Sessions open at once.
    pub sessions_max: u32,
    /// Between two reads of every ONU's state.
    pub state: Duration,
    /// Between two reads of a PON port's optical levels.
    pub optics: Duration,
    /// Between two reads of the active alarms.
    pub alarms: Duration,
    /// Between two reads of the ONUs that wait.
    pub autofind: Duration,
    /// Between two reads of boards, version and full descriptions.
    pub inventory: Duration,
}

/// Algorithms offered to an OLT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SshProfile {
    /// What is safe today.
    Modern,
    /// SHA-1 key exchange and CBC as well.
    Legacy,
}

/// `[padtec_polling]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PadtecPolling {
    /// Between two reads of the critical measures.
    pub critical: Duration,
    /// Between two reads of all measures.
    pub normal: Duration,
    /// Between two reads of the alarms.
    pub alarms: Duration,
    /// Between two reads of the inventory.
    pub inventory: Duration,
}

/// `[[padtec]]`.
#[derive(Debug, Clone)]
pub struct Padtec {
    /// Its name in every id.
    pub name: String,
    /// Whose it is.
    pub tenant: Tenant,
    /// Where it stands.
    pub site: Option<String>,
    /// Where its API begins.
    pub base: String,
    /// How to prove who we are.
    pub login: PadtecLogin,
    /// IANA name of the time zone of the times it writes.
    pub zone: String,
    /// How its fields are called: the name of a mapping that is built in, or the path of a file.
    pub mapping: String,
    /// Certificates to believe, where not the system's.
    pub ca: Option<PathBuf>,
}

/// How to prove who we are to a Padtec system.
#[derive(Debug, Clone)]
pub enum PadtecLogin {
    /// A bearer token.
    Token(Secret),
    /// User and password.
    Password {
        /// User.
        user: String,
        /// Password.
        password: Secret,
    },
}
