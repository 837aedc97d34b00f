//! What a person writes, and what it is once checked (`validate.rs` checks).

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use model::{Cidr, Root, Secret};
use snmp_pdu::Version;
use snmp_usm::{AuthProtocol, EngineId, PrivProtocol};

/// As written: texts are not yet checked.
#[derive(Debug, Clone, Default)]
pub struct RawConfig {
    /// Name of this instance: the beginning of its writer ids, the `connector` of its heartbeats.
    pub instance: String,
    /// `[[snmp_traps.listener]]`.
    pub listeners: Vec<RawListener>,
    /// `[[snmp_traps.credential]]` of versions 1 and 2c.
    pub credentials: Vec<RawCredential>,
    /// `[[snmp_traps.credential]]` of version 3.
    pub users: Vec<RawUser>,
    /// Folder that keeps who we are to senders of informs, needed where there are users, and the spool: without one, what
    /// the log does not take waits in memory.
    pub data: Option<PathBuf>,
    /// `[[olt]]`: whose traps are expected, and what is registered of them.
    pub devices: Vec<RawDevice>,
    /// `[[snmp_traps.relay]]`: addresses of hosts that forward traps of others.
    pub relays: Vec<String>,
    /// How much is taken from strangers, and how much may wait.
    pub limits: Limits,
    /// How often each listener hears a freshness probe through each partition; `None`: never.
    pub probe_interval: Option<Duration>,
}

/// `[[snmp_traps.listener]]`.
#[derive(Debug, Clone, Default)]
pub struct RawListener {
    /// Name in records and metrics: the address if left out.
    pub name: Option<String>,
    /// Address and port; port 0 takes any free one.
    pub bind: String,
}

/// `[[snmp_traps.credential]]`.
#[derive(Debug, Clone)]
pub struct RawCredential {
    /// Name in records, in place of the community.
    pub name: String,
    /// `1` or `2c`.
    pub version: String,
    /// The community.
    pub community: Secret,
    /// Networks it is accepted from; none: any.
    pub sources: Vec<Cidr>,
}

/// `[[snmp_traps.credential]]` of version 3.
#[derive(Debug, Clone)]
pub struct RawUser {
    /// Name in records.
    pub name: String,
    /// The user's name in messages.
    pub user: String,
    /// How its messages are authenticated; none: not at all.
    pub auth: Option<RawKey>,
    /// How they are encrypted; none: not at all.
    pub privacy: Option<RawKey>,
    /// Engines whose traps it may send, in hexadecimal; none: any.
    pub engine_ids: Vec<String>,
    /// Networks it is accepted from; none: any.
    pub sources: Vec<Cidr>,
}

/// A protocol and its password.
#[derive(Debug, Clone)]
pub struct RawKey {
    /// `sha256`, `aes128` ….
    pub protocol: String,
    /// At least 8 octets.
    pub password: Secret,
}

/// `[[olt]]`, as far as this connector needs it.
#[derive(Debug, Clone, Default)]
pub struct RawDevice {
    /// Whose it is: `default` if left out.
    pub tenant: Option<String>,
    /// Its name in every id.
    pub name: String,
    /// Its address, which is the source of its traps.
    pub address: String,
    /// Where it stands.
    pub site: Option<String>,
    /// Who made it.
    pub vendor: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Anything else.
    pub attributes: BTreeMap<String, String>,
}

/// How much is taken from strangers, and how much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Senders nobody configured that are kept at a time; one that was silent for 10 minutes makes room.
    pub unknown_senders_max: usize,
    /// Traps a second of one such sender, in the long run.
    pub unknown_rate_per_s: u32,
    /// Traps of one such sender at once.
    pub unknown_burst: u32,
    /// Informs that wait for durability; further ones are kept but not answered, so that their sender repeats them.
    pub pending_informs_max: usize,
    /// Receive buffer asked of the kernel, in bytes.
    pub receive_buffer_bytes: usize,
    /// Bytes that a listener's spool may have on disk while the log is away.
    pub spool_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unknown_senders_max: 256,
            unknown_rate_per_s: 100,
            unknown_burst: 500,
            pending_informs_max: 4_096,
            receive_buffer_bytes: 8 << 20,
            spool_bytes_max: 1 << 30,
        }
    }
}

/// Checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) instance: String,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) users: Vec<TrapUser>,
    /// There where there are users.
    pub(crate) data: Option<PathBuf>,
    pub(crate) devices: Vec<Device>,
    pub(crate) relays: Vec<IpAddr>,
    pub(crate) limits: Limits,
    pub(crate) probe_interval: Option<Duration>,
}

#[derive(Debug, Clone)]
pub(crate) struct Listener {
    pub name: String,
    pub bind: SocketAddr,
}

#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub name: String,
    pub version: Version,
    pub community: Secret,
    /// Empty: any.
    pub sources: Vec<Cidr>,
}

#[derive(Debug, Clone)]
pub(crate) struct TrapUser {
    pub name: String,
    pub user: String,
    pub auth: Option<(AuthProtocol, Secret)>,
    pub privacy: Option<(PrivProtocol, Secret)>,
    /// Empty: any.
    pub engines: Vec<EngineId>,
    /// Empty: any.
    pub sources: Vec<Cidr>,
}

#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub root: Root,
    pub address: IpAddr,
    pub raw: RawDevice,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Which key: `snmp_traps.listener[0].bind`.
    pub key: String,
    /// What is wrong, without the value of a secret.
    pub problem: String,
    /// What would be right.
    pub expected: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected {}", self.key, self.problem, self.expected)
    }
}
