//! A running listener over the log in memory, and ways to look at what it did.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; not every file uses everything")]

pub mod gated;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_snmp_traps::{
    Counts, Limits, RawConfig, RawCredential, RawDevice, RawKey, RawListener, RawUser, Running, build, validate,
};
use log::{Log, MemoryLog, Start, Stored, Tail};
use model::Secret;
use schemas::{AnyRecord, TrapReceived};
use snmp_pdu::encode::{self, V2Notification};
use snmp_pdu::{Oid, Value, Version};
use snmp_usm::{AuthProtocol, EngineId, Header, PrivProtocol, User, scoped_pdu, write};
use topology::Topic;

/// Communities that must never be seen anywhere.
pub const COMMUNITY_V1: &str = "canary-one-5c81";
pub const COMMUNITY_V2C: &str = "canary-two-9e04";
/// And passwords.
pub const AUTH_PASSWORD: &str = "canary-auth-71b2";
pub const PRIV_PASSWORD: &str = "canary-priv-c0d3";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Credentials for v1 and v2c, the device `default/olt/local` at 127.0.0.1, one listener on a free port.
pub fn config() -> RawConfig {
    let credential = |name: &str, version: &str, community: &str| RawCredential {
        name: name.to_owned(),
        version: version.to_owned(),
        community: Secret::new(community, "test"),
        sources: Vec::new(),
    };
    RawConfig {
        instance: "snmp-traps".to_owned(),
        listeners: vec![RawListener {
            name: Some("main".to_owned()),
            bind: "127.0.0.1:0".to_owned(),
        }],
        credentials: vec![
            credential("old", "1", COMMUNITY_V1),
            credential("noc", "2c", COMMUNITY_V2C),
        ],
        users: Vec::new(),
        data: None,
        devices: vec![RawDevice {
            name: "local".to_owned(),
            address: "127.0.0.1".to_owned(),
            site: Some("RJO".to_owned()),
            vendor: Some("huawei".to_owned()),
            ..RawDevice::default()
        }],
        relays: Vec::new(),
        limits: Limits::default(),
        probe_interval: None,
    }
}

pub struct Bench {
    pub log: Arc<MemoryLog>,
    pub running: Running,
    tail: Box<dyn Tail>,
    pub seen: Vec<Stored>,
}

impl Bench {
    pub fn start(raw: RawConfig) -> Self {
        Self::start_with(raw, MemoryLog::new(4))
    }

    pub fn start_with(raw: RawConfig, log: Arc<MemoryLog>) -> Self {
        let config = validate(raw).expect("a good configuration");
        let tail = log
            .tail(&[
                (Topic::Observations, Start::Beginning),
                (Topic::Ledger, Start::Beginning),
            ])
            .unwrap();
        let running = build(config, log.clone()).unwrap().run().unwrap();
        Self {
            log,
            running,
            tail,
            seen: Vec::new(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.bound()[0]
    }

    pub fn counts(&self) -> Counts {
        self.running.snapshot().remove(0).counts
    }

    /// Waits for a state of the listener's counts.
    pub fn wait_counts(&self, what: &str, reached: impl Fn(&Counts) -> bool) -> Counts {
        let started = Instant::now();
        loop {
            let counts = self.counts();
            assert!(counts.balance(), "{counts:?}");
            if reached(&counts) {
                return counts;
            }
            assert!(started.elapsed() < PATIENCE, "no {what} in time: {counts:?}");
            std::thread::yield_now();
        }
    }

    /// Records so far, once there are enough traps among them.
    pub fn wait_traps(&mut self, count: usize) -> Vec<TrapReceived> {
        let started = Instant::now();
        loop {
            let traps = self.traps();
            if traps.len() >= count {
                return traps;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{} traps of {count} in time, {:?}",
                traps.len(),
                self.counts()
            );
            let more = self.tail.poll(1_000, Duration::from_millis(50)).unwrap();
            self.seen.extend(more);
        }
    }

    /// Everything in the log, read to its end.
    pub fn read_all(&mut self) -> Vec<AnyRecord> {
        loop {
            let more = self.tail.poll(1_000, Duration::from_millis(20)).unwrap();
            if more.is_empty() {
                return self.seen.iter().map(|s| self.decode(s)).collect();
            }
            self.seen.extend(more);
        }
    }

    pub fn decode(&self, stored: &Stored) -> AnyRecord {
        self.log.codec().decode(stored.record.value.as_ref().unwrap()).unwrap()
    }

    fn traps(&self) -> Vec<TrapReceived> {
        let records = self.seen.iter().map(|s| self.decode(s));
        records
            .filter_map(|r| {
                if let AnyRecord::TrapReceived(t) = r {
                    Some(t)
                } else {
                    None
                }
            })
            .collect()
    }
}

pub fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

/// A v2c notification's PDU; `n` is its request id and in its varbind.
pub fn trap_pdu(n: i32) -> Vec<u8> {
    let head = V2Notification {
        request_id: n,
        uptime: 4_242,
        trap_oid: oid("1.3.6.1.4.1.2011.6.3.8.2.0.1"),
    };
    encode::v2_trap(&head, &[(oid("1.3.6.1.4.1.2011.6.3.3.2.1.8.0.3"), Value::Integer(n))])
}

pub fn inform_pdu(n: i32) -> Vec<u8> {
    let head = V2Notification {
        request_id: n,
        uptime: 4_242,
        trap_oid: oid("1.3.6.1.4.1.2011.6.3.8.2.0.1"),
    };
    encode::inform(&head, &[(oid("1.3.6.1.4.1.2011.6.3.3.2.1.8.0.3"), Value::Integer(n))])
}

pub fn v2c(pdu: &[u8]) -> Vec<u8> {
    encode::message(Version::V2c, COMMUNITY_V2C.as_bytes(), pdu)
}

/// A sender with an address of its own.
pub fn sender(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A v3 user whose credential is called as the user, with the passwords below.
pub fn v3_user(user: &str, auth: Option<&str>, privacy: Option<&str>) -> RawUser {
    let key = |protocol: &str, password: &str| RawKey {
        protocol: protocol.to_owned(),
        password: Secret::new(password, "test"),
    };
    RawUser {
        name: user.to_owned(),
        user: user.to_owned(),
        auth: auth.map(|p| key(p, AUTH_PASSWORD)),
        privacy: privacy.map(|p| key(p, PRIV_PASSWORD)),
        engine_ids: Vec::new(),
        sources: Vec::new(),
    }
}

/// With these users, and a folder that lasts as long as the test.
pub fn v3_config(users: Vec<RawUser>, folder: &tempfile::TempDir) -> RawConfig {
    RawConfig {
        users,
        data: Some(folder.path().to_owned()),
        ..config()
    }
}

/// The engine of v3 senders here.
pub fn their_engine() -> EngineId {
    "80001f8880c0ffee01".parse().unwrap()
}

/// A v3 user as it sends, with SHA-256 and AES-128.
pub fn v3_sender(user: &str) -> User {
    User::new(
        user.as_bytes(),
        Some((AuthProtocol::Sha256, AUTH_PASSWORD.as_bytes())),
        Some((PrivProtocol::Aes128, PRIV_PASSWORD.as_bytes())),
        Vec::new(),
    )
    .unwrap()
}

/// A v3 trap of that user, at this moment of its engine.
pub fn v3_trap(user: &str, boots: u32, time: u32) -> Vec<u8> {
    let (sender, engine) = (v3_sender(user), their_engine());
    v3_message(&sender, engine, boots, time, &trap_pdu(1))
}

/// Any v3 message of a sender; an inform's asks for reports.
pub fn v3_message(sender: &User, engine: EngineId, boots: u32, time: u32, pdu: &[u8]) -> Vec<u8> {
    let header = Header {
        id: 4_711,
        max_size: 65_507,
        level: sender.level(),
        reportable: pdu.first() == Some(&0xA6),
        engine_id: engine.as_bytes(),
        boots,
        time,
        user: sender.name(),
        salt: u64::from(time),
    };
    let keys = sender.keys_for(engine);
    write(&header, Some(&keys), scoped_pdu(engine.as_bytes(), b"", pdu))
}
