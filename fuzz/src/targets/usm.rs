//! SNMPv3 datagrams against users of every level. The first byte says how the rest is used: as a datagram, or as a PDU that is
//! authenticated and encrypted first, so that what lies behind the digest is reached too.

use std::time::Duration;

use snmp_usm::{AuthProtocol, EngineId, Header, Limits, LocalEngine, PrivProtocol, User, Usm, scoped_pdu, write};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target {
    name: "usm-message",
    run,
    seeds,
    bytes_max: 1_500,
};

const NOW: Duration = Duration::from_secs(1_600);
/// Longest report (RFC 3412 §6.3: what every engine can take).
const REPORT_BYTES_MAX: usize = 484;

thread_local! {
    // Keys of passwords take a million digests: once is enough.
    static USERS: Vec<User> = users();
}

fn users() -> Vec<User> {
    let user = |name: &str, auth: Option<AuthProtocol>, privacy: Option<PrivProtocol>| {
        let (auth, privacy) = (
            auth.map(|p| (p, &b"maplesyrup"[..])),
            privacy.map(|p| (p, &b"privsyrup"[..])),
        );
        User::new(name.as_bytes(), auth, privacy, Vec::new()).expect("passwords are long enough")
    };
    vec![
        user("open", None, None),
        user("signed", Some(AuthProtocol::Sha1), None),
        user("aes", Some(AuthProtocol::Sha256), Some(PrivProtocol::Aes128)),
        user("des", Some(AuthProtocol::Md5), Some(PrivProtocol::Des)),
    ]
}

fn run(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else { return };
    USERS.with(|users| {
        let datagram = match users.get(usize::from(*how)) {
            Some(user) => protected(user, scoped_pdu(theirs().as_bytes(), b"", rest)),
            None => match users.get(usize::from(*how) - users.len()) {
                Some(user) => protected(user, rest.to_vec()),
                None => rest.to_vec(),
            },
        };
        receive(users, &datagram);
    });
}

fn receive(users: &[User], datagram: &[u8]) {
    let engine = LocalEngine {
        id: EngineId::ours([0xA7; 16]),
        boots: 3,
        started: Duration::from_secs(1_000),
    };
    let mut usm = Usm::new(engine, users.to_vec(), Limits::default(), 1).expect("users have names of their own");
    let mut plain = Vec::new();
    match usm.receive(datagram, &mut plain, NOW, |_| true) {
        Ok(received) => {
            let answer = usm.response(&received.envelope, &received.trap, NOW);
            assert_eq!(answer.is_some(), received.trap.is_inform());
            let mut plain = Vec::new();
            let again = usm.receive(datagram, &mut plain, NOW, |_| true);
            assert!(
                again.is_ok(),
                "a resent message is timely: who resends it decides the steps"
            );
        }
        Err(rejected) => assert!(rejected.report.is_none_or(|r| r.len() < REPORT_BYTES_MAX)),
    }
}

fn theirs() -> EngineId {
    "80001f8880c0ffee01".parse().expect("an engine id")
}

fn protected(user: &User, scoped: Vec<u8>) -> Vec<u8> {
    let engine = theirs();
    let header = Header {
        id: 4_711,
        max_size: 65_507,
        level: user.level(),
        reportable: false,
        engine_id: engine.as_bytes(),
        boots: 7,
        time: 1_234,
        user: user.name(),
        salt: 99,
    };
    write(&header, Some(&user.keys_for(engine)), scoped)
}

fn seeds() -> Vec<Vec<u8>> {
    let pdus = super::snmp::pdus();
    let tail = || pdus.iter().rev().take(4);
    let mut seeds = Vec::new();
    for (how, user) in (0..).zip(&users()) {
        seeds.extend(tail().map(|pdu| [&[how], &pdu[..]].concat()));
        let scoped = |pdu: &Vec<u8>| scoped_pdu(theirs().as_bytes(), b"", pdu);
        seeds.extend(tail().map(|pdu| [&[how + 4], &scoped(pdu)[..]].concat()));
        seeds.extend(tail().map(|pdu| [&[0xFF], &protected(user, scoped(pdu))[..]].concat()));
    }
    seeds
}
