//! SNMPv3 over UDP: who we are to senders, what they are told, and that every hostile datagram is counted once.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;
#[path = "../../../crates/snmp-usm/tests/hostile/generate.rs"]
#[allow(dead_code, reason = "the usm's own test uses more of it")]
mod generate;
#[path = "../../../crates/snmp-usm/tests/hostile/primitives.rs"]
#[allow(dead_code, reason = "the usm's own test uses more of it")]
mod primitives;

use std::net::{SocketAddr, UdpSocket};

use common::{
    AUTH_PASSWORD, Bench, inform_pdu, sender, their_engine, trap_pdu, v2c, v3_config, v3_message, v3_sender, v3_trap,
    v3_user,
};
use connector_snmp_traps::{RawListener, Refusal, explain};
use model::Secret;
use schemas::SnmpVersion;
use snmp_usm::{EngineId, Header, Level, Refusal as Usm, V3Message, scoped_pdu, write};

const USER: &str = "noc-v3";

fn bench(folder: &tempfile::TempDir) -> Bench {
    Bench::start(v3_config(vec![v3_user(USER, Some("sha256"), Some("aes128"))], folder))
}

/// Sends, waits for what comes back, and reads its header.
fn ask(from: &UdpSocket, to: SocketAddr, datagram: &[u8]) -> (Level, EngineId, u32, u32) {
    from.send_to(datagram, to).unwrap();
    let mut buffer = [0; 2_000];
    let (length, _) = from.recv_from(&mut buffer).expect("an answer in time");
    let message = V3Message::parse(&buffer[..length]).unwrap();
    (
        message.level,
        EngineId::new(message.engine_id).unwrap(),
        message.boots,
        message.time,
    )
}

fn discover(from: &UdpSocket, to: SocketAddr) -> (EngineId, u32, u32) {
    let header = Header {
        id: 1,
        max_size: 65_507,
        level: Level::NoAuth,
        reportable: true,
        engine_id: b"",
        boots: 0,
        time: 0,
        user: b"",
        salt: 0,
    };
    let (level, engine, boots, time) = ask(from, to, &write(&header, None, scoped_pdu(b"", b"", &inform_pdu(1))));
    assert_eq!(level, Level::NoAuth);
    (engine, boots, time)
}

#[test]
fn the_engine_outlives_a_restart_and_its_boots_rise() {
    let folder = tempfile::tempdir().unwrap();
    let sender_user = v3_sender(USER);
    let from = sender("127.0.0.1");

    let first = bench(&folder);
    let (engine, boots, time) = discover(&from, first.address());
    assert_eq!(boots, 1);
    let inform = v3_message(&sender_user, engine, boots, time, &inform_pdu(5));
    let (level, _, _, _) = ask(&from, first.address(), &inform);
    assert_eq!(level, Level::AuthPriv, "the answer is protected as the inform was");
    let counts = first.wait_counts("answer", |c| c.acknowledged == 1);
    assert_eq!(counts.refused_for(Refusal::V3(Usm::Discovery)), 1);
    first.running.stop();

    let second = bench(&folder);
    let (again, boots, time) = discover(&from, second.address());
    assert_eq!((again, boots), (engine, 2));
    // What was recorded before the restart is worth nothing now; its sender is told the new time, signed.
    let (level, _, told_boots, _) = ask(&from, second.address(), &inform);
    assert_eq!((level, told_boots), (Level::Auth, 2));
    let fresh = v3_message(&sender_user, engine, boots, time, &inform_pdu(6));
    assert_eq!(ask(&from, second.address(), &fresh).0, Level::AuthPriv);
    let counts = second.wait_counts("answer", |c| c.acknowledged == 1);
    assert_eq!(counts.refused_for(Refusal::V3(Usm::TimeWindow)), 1);
}

#[test]
fn what_one_listener_heard_cannot_be_replayed_at_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut raw = v3_config(vec![v3_user(USER, Some("sha256"), Some("aes128"))], &folder);
    raw.listeners.push(RawListener {
        name: Some("second".to_owned()),
        bind: "127.0.0.1:0".to_owned(),
    });
    let mut bench = Bench::start(raw);
    let from = sender("127.0.0.1");
    from.send_to(&v3_trap(USER, 8, 1), bench.address()).unwrap();
    let record = bench.wait_traps(1).remove(0);
    assert_eq!((record.version, record.credential.as_str()), (SnmpVersion::V3, USER));
    assert_eq!((record.root.as_str(), record.pdu), ("default/olt/local", trap_pdu(1)));
    let other = bench.running.bound()[1];
    from.send_to(&v3_trap(USER, 7, 9_000), other).unwrap();
    let refused = Refusal::V3(Usm::TimeWindow);
    let started = std::time::Instant::now();
    while bench.running.snapshot()[1].counts.refused_for(refused) == 0 {
        assert!(started.elapsed().as_secs() < 10, "{:?}", bench.running.snapshot());
        std::thread::yield_now();
    }
    assert_eq!(bench.running.snapshot()[1].counts.accepted, 0);
}

#[test]
fn users_are_bound_to_their_networks_and_engines() {
    let folder = tempfile::tempdir().unwrap();
    let mut bound = v3_user(USER, Some("sha256"), Some("aes128"));
    bound.sources = vec!["127.0.5.0/24".parse().unwrap()];
    bound.engine_ids = vec![their_engine().to_string()];
    let bench = Bench::start(v3_config(vec![bound], &folder));
    let near = sender("127.0.5.1");
    near.send_to(&v3_trap(USER, 7, 1), bench.address()).unwrap();
    bench.wait_counts("acceptance", |c| c.accepted == 1);
    sender("127.0.0.1")
        .send_to(&v3_trap(USER, 7, 1), bench.address())
        .unwrap();
    bench.wait_counts("source", |c| c.refused_for(Refusal::V3(Usm::Source)) == 1);
    let other = "80001f8880c0ffee02".parse().unwrap();
    let datagram = v3_message(&v3_sender(USER), other, 7, 1, &trap_pdu(1));
    near.send_to(&datagram, bench.address()).unwrap();
    bench.wait_counts("engine", |c| c.refused_for(Refusal::V3(Usm::EngineNotAllowed)) == 1);
    // A source of v3 does not become one of v2c by sending what nobody configured for it.
    assert_eq!(bench.counts().accepted, 1);
}

/// A fifth of the hostile datagrams of `snmp-usm`, 38,000, sent to a running listener with good traps between: each is
/// counted once, with a reason, and every good one arrives.
#[test]
fn hostile_datagrams_are_counted_once_each() {
    let folder = tempfile::tempdir().unwrap();
    let users = [
        ("open", None, None),
        ("signed", Some("sha1"), None),
        ("aes", Some("sha256"), Some("aes128")),
        ("des", Some("md5"), Some("des")),
    ];
    let users = users
        .into_iter()
        .map(|(name, auth, privacy)| {
            let mut user = v3_user(name, auth, privacy);
            for (key, password) in [(&mut user.auth, "maplesyrup"), (&mut user.privacy, "privsyrup")] {
                if let Some(key) = key {
                    key.password = Secret::new(password, "test");
                }
            }
            user
        })
        .collect();
    let bench = Bench::start(v3_config(users, &folder));
    let from = sender("127.0.0.1");
    let (mut made, mut sent, mut good) = (0, 0, 0);
    generate::all(0xA7A1A1A, |_, datagram| {
        made += 1;
        if made % 5 != 0 {
            return;
        }
        from.send_to(&datagram, bench.address()).unwrap();
        sent += 1;
        if sent % 100 == 0 {
            good += 1;
            from.send_to(&v2c(&trap_pdu(good)), bench.address()).unwrap();
            sent += 1;
            // Loopback is quicker than any reader: let it keep up.
            bench.wait_counts("reader", |c| c.received == sent);
        }
    });
    let counts = bench.wait_counts("all", |c| c.received == sent && c.in_window == 0);
    assert!(sent >= 30_000, "{sent}");
    let refused: u64 = Refusal::ALL.iter().map(|r| counts.refused_for(*r)).sum();
    let undecodable: u64 = snmp_pdu::Reason::ALL.iter().map(|r| counts.undecodable_for(*r)).sum();
    assert_eq!(counts.received, refused + undecodable + counts.accepted, "{counts:?}");
    assert!(
        counts.acknowledged > good.unsigned_abs().into() && refused > 1_000 && undecodable > 10_000,
        "{counts:?}"
    );
    assert!(bench.running.is_alive());
}

#[test]
fn explained_without_opening() {
    let text = serde_json::to_string(&explain(&v3_trap(USER, 7, 1_234))).unwrap();
    for part in [
        r#""verdict":"v3_encrypted""#,
        r#""version":"3""#,
        r#""level":"authPriv""#,
        r#""engine_id":"80001f8880c0ffee01""#,
        r#""engine_boots":7"#,
        r#""engine_time":1234"#,
        r#""user":"noc-v3""#,
        r#""digest_bytes":24"#,
        r#""salt_bytes":8"#,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains(AUTH_PASSWORD));
    let engine = their_engine();
    let header = Header {
        id: 1,
        max_size: 65_507,
        level: Level::NoAuth,
        reportable: false,
        engine_id: engine.as_bytes(),
        boots: 0,
        time: 0,
        user: b"open",
        salt: 0,
    };
    let open = explain(&write(&header, None, scoped_pdu(b"", b"", &trap_pdu(3))));
    assert_eq!((open.verdict, open.trap.unwrap().request_id), ("trap", Some(3)));
    let cut = explain(&v3_trap(USER, 7, 1_234)[..50]);
    assert_eq!(cut.verdict, "undecodable");
}
