//! What the tests share: hexadecimal, users, one notification, and senders of both roles.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::time::Duration;

use snmp_pdu::encode::{self, V2Notification};
use snmp_pdu::{Oid, Value};
use snmp_usm::{
    AuthProtocol, EngineId, Header, Limits, LocalEngine, PrivProtocol, Rejected, Rejection, User, Usm, scoped_pdu,
    write,
};

pub const AUTH_PASSWORD: &[u8] = b"maplesyrup";
pub const PRIV_PASSWORD: &[u8] = b"privsyrup";

pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap())
        .collect()
}

pub const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Ours: started at second 1,000, for the third time.
pub fn our_engine() -> LocalEngine {
    LocalEngine {
        id: EngineId::ours([0xA7; 16]),
        boots: 3,
        started: s(1_000),
    }
}

/// A sender's.
pub fn their_engine() -> EngineId {
    "80001f8880c0ffee01".parse().unwrap()
}

pub fn user(name: &str, auth: Option<AuthProtocol>, privacy: Option<PrivProtocol>) -> User {
    User::new(
        name.as_bytes(),
        auth.map(|p| (p, AUTH_PASSWORD)),
        privacy.map(|p| (p, PRIV_PASSWORD)),
        Vec::new(),
    )
    .unwrap()
}

pub fn usm(users: Vec<User>) -> Usm {
    Usm::new(our_engine(), users, Limits::default(), 0x1122_3344_5566_7788).unwrap()
}

const HEAD: V2Notification = V2Notification {
    request_id: 77,
    uptime: 4_242,
    trap_oid: Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 128, 1, 1, 12, 2, 2, 0, 18]),
};

pub fn trap_pdu() -> Vec<u8> {
    encode::v2_trap(
        &HEAD,
        &[(Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 3, 3, 1, 1, 1]), Value::Integer(0))],
    )
}

pub fn inform_pdu() -> Vec<u8> {
    encode::inform(
        &HEAD,
        &[(Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 3, 3, 1, 1, 1]), Value::Integer(0))],
    )
}

/// A trap's header, as a well-behaved sender writes it.
pub fn trap_header<'a>(user: &'a User, engine: &'a EngineId) -> Header<'a> {
    Header {
        id: 4_711,
        max_size: 65_507,
        level: user.level(),
        reportable: false,
        engine_id: engine.as_bytes(),
        boots: 7,
        time: 1_234,
        user: user.name(),
        salt: 99,
    }
}

/// A datagram of this user, with the keys its engine gives.
pub fn message(header: &Header<'_>, user: &User, pdu: &[u8]) -> Vec<u8> {
    let keys = EngineId::new(header.engine_id).ok().map(|e| user.keys_for(e));
    write(header, keys.as_ref(), scoped_pdu(header.engine_id, b"", pdu))
}

/// What a datagram comes to, in words.
pub fn verdict(usm: &mut Usm, datagram: &[u8], now: Duration) -> &'static str {
    let mut plain = Vec::new();
    match usm.receive(datagram, &mut plain, now, |_| true) {
        Ok(_) => "accepted",
        Err(rejected) => word(&rejected),
    }
}

pub fn word(rejected: &Rejected) -> &'static str {
    match rejected.why {
        Rejection::Undecodable(error) => error.reason.as_str(),
        Rejection::Refused(refusal) => refusal.as_str(),
    }
}
