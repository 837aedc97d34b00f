//! The listener over real UDP: who is believed, what is counted, what is published, what is answered and when.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::io::ErrorKind;
use std::time::Duration;

use common::{Bench, COMMUNITY_V1, COMMUNITY_V2C, config, inform_pdu, oid, sender, trap_pdu, v2c};
use connector_snmp_traps::{Limits, RawCredential, RawListener, Refusal, explain};
use log::{Fault, MemoryLog};
use model::Secret;
use schemas::{AnyRecord, LedgerScope, SnmpVersion};
use snmp_pdu::encode::{self, V1Trap, V2Notification};
use snmp_pdu::{Reason, TrapPdu, Value, Version};
use topology::{Topic, partition_of};

#[test]
fn a_trap_becomes_a_record_under_its_senders_root() {
    let mut bench = Bench::start(config());
    let from = sender("127.0.0.1");
    from.send_to(&v2c(&trap_pdu(7)), bench.address()).unwrap();
    let traps = bench.wait_traps(1);
    let trap = &traps[0];
    assert_eq!(trap.root, "default/olt/local");
    assert_eq!(
        (trap.sender.as_str(), trap.listener.as_str(), trap.credential.as_str()),
        ("127.0.0.1", "main", "noc")
    );
    assert_eq!(trap.sender_port, i32::from(from.local_addr().unwrap().port()));
    assert_eq!(
        (trap.version, trap.inform, &trap.relay),
        (SnmpVersion::V2c, false, &None)
    );
    assert_eq!(trap.pdu, trap_pdu(7));

    let stored = bench
        .seen
        .iter()
        .find(|s| matches!(bench.decode(s), AnyRecord::TrapReceived(_)))
        .unwrap();
    assert_eq!(stored.record.topic, Topic::Observations);
    assert_eq!(stored.record.key, "default/olt/local");
    assert_eq!(stored.record.partition, partition_of("default/olt/local", 4));
    let writer = stored.record.headers.writer.as_ref().unwrap();
    assert!(
        writer.writer.starts_with("snmp-traps-main-") && writer.sequence == 0,
        "{writer:?}"
    );
    assert!(stored.record.headers.traceparent.is_some());
    bench.wait_counts("acknowledgement", |c| c.acknowledged == 1);
}

#[test]
fn configured_devices_are_registered_and_watched_from_the_start() {
    let mut bench = Bench::start(config());
    let started = std::time::Instant::now();
    let records = loop {
        let records = bench.read_all();
        if records.iter().any(|r| matches!(r, AnyRecord::SourceHeartbeat(_))) {
            break records;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "no heartbeat");
    };
    let registered: Vec<_> = records
        .iter()
        .filter_map(|r| {
            if let AnyRecord::DeviceRegistered(d) = r {
                Some(d)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(registered.len(), 1);
    let device = registered[0];
    assert_eq!(
        (device.entity.as_str(), device.kind.as_str(), device.origin.as_str()),
        ("default/olt/local", "olt", "config")
    );
    assert_eq!(
        (device.site.as_deref(), device.address.as_deref()),
        (Some("RJO"), Some("127.0.0.1"))
    );
    let Some(AnyRecord::SourceHeartbeat(beat)) = records.iter().find(|r| matches!(r, AnyRecord::SourceHeartbeat(_)))
    else {
        unreachable!("found above")
    };
    assert_eq!(
        (beat.root.as_str(), beat.connector.as_str()),
        ("default/olt/local", "snmp-traps")
    );
}

#[test]
fn only_who_may_speaks() {
    let mut raw = config();
    raw.credentials[1].sources = vec!["127.0.0.1/32".parse().unwrap()];
    let bench = Bench::start(raw);
    let check = |datagram: &[u8], from: &str, refusal: Refusal, times: u64| {
        sender(from).send_to(datagram, bench.address()).unwrap();
        bench.wait_counts(refusal.as_str(), |c| c.refused_for(refusal) == times);
    };
    let wrong = encode::message(Version::V2c, b"public", &trap_pdu(1));
    check(&wrong, "127.0.0.1", Refusal::Community, 1);
    // The community of another version is not this one's.
    let crossed = encode::message(Version::V2c, COMMUNITY_V1.as_bytes(), &trap_pdu(1));
    check(&crossed, "127.0.0.1", Refusal::Community, 2);
    check(&v2c(&trap_pdu(1)), "127.0.0.2", Refusal::Source, 1);
    let v3 = [&[0x30, 11, 2, 1, 3][..], &[0x30, 0], &[4, 0], &[4, 2, 0, 0]].concat();
    check(&v3, "127.0.0.1", Refusal::V3NotConfigured, 1);
    // A stranger's broken PDU is not even looked at.
    let broken = encode::message(Version::V2c, b"public", &[0xA7, 1, 0]);
    check(&broken, "127.0.0.1", Refusal::Community, 3);
    let counts = bench.wait_counts("end", |c| c.received == 5);
    assert_eq!(counts.accepted, 0);
}

#[test]
fn a_version_without_credential_is_refused() {
    let mut raw = config();
    raw.credentials.remove(0);
    let bench = Bench::start(raw);
    let v1 = V1Trap {
        enterprise: oid("1.3.6.1.4.1.2011"),
        agent_addr: [0; 4],
        generic: 0,
        specific: 0,
        uptime: 1,
    };
    let datagram = encode::message(Version::V1, COMMUNITY_V1.as_bytes(), &encode::v1_trap(&v1, &[]));
    sender("127.0.0.1").send_to(&datagram, bench.address()).unwrap();
    bench.wait_counts("refusal", |c| c.refused_for(Refusal::VersionNotConfigured) == 1);
}

/// (sent from, address inside) → (root, relay).
fn check_sender(from: &str, inner: [u8; 4], root: &str, relay: Option<&str>) {
    let mut raw = config();
    raw.relays = vec!["127.0.0.9".to_owned()];
    raw.devices[0].address = "127.0.0.5".to_owned();
    let v1 = V1Trap {
        enterprise: oid("1.3.6.1.4.1.2011"),
        agent_addr: inner,
        generic: 0,
        specific: 0,
        uptime: 1,
    };
    let v1 = encode::message(Version::V1, COMMUNITY_V1.as_bytes(), &encode::v1_trap(&v1, &[]));
    let head = V2Notification {
        request_id: 1,
        uptime: 1,
        trap_oid: oid("1.3.6.1.6.3.1.1.5.1"),
    };
    let v2 = v2c(&encode::v2_trap(
        &head,
        &[(oid("1.3.6.1.6.3.18.1.3.0"), Value::IpAddress(inner))],
    ));
    for datagram in [v1, v2] {
        let mut bench = Bench::start(raw.clone());
        sender(from).send_to(&datagram, bench.address()).unwrap();
        let trap = bench.wait_traps(1).remove(0);
        assert_eq!(
            (trap.root.as_str(), trap.relay.as_deref()),
            (root, relay),
            "{from} {inner:?}"
        );
        assert_eq!(trap.sender, from);
    }
}

#[test]
fn the_sender_rule() {
    check_sender("127.0.0.5", [127, 0, 0, 77], "default/olt/local", None);
    check_sender("127.0.0.9", [127, 0, 0, 5], "default/olt/local", Some("127.0.0.9"));
    check_sender(
        "127.0.0.9",
        [127, 0, 0, 77],
        "default/unknown/127.0.0.77",
        Some("127.0.0.9"),
    );
    check_sender("127.0.0.9", [0, 0, 0, 0], "default/unknown/127.0.0.9", None);
    check_sender("127.0.0.6", [127, 0, 0, 5], "default/unknown/127.0.0.6", None);
}

#[test]
fn strangers_are_kept_within_a_limit() {
    let mut raw = config();
    raw.limits = Limits {
        unknown_senders_max: 2,
        unknown_rate_per_s: 1,
        unknown_burst: 3,
        ..Limits::default()
    };
    let mut bench = Bench::start(raw);
    for from in ["127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.0.1"] {
        let socket = sender(from);
        for n in 0..5 {
            socket.send_to(&v2c(&trap_pdu(n)), bench.address()).unwrap();
        }
    }
    let counts = bench.wait_counts("all", |c| c.received == 20);
    // Two strangers with a burst of three each, the third not at all; who is configured has no limit.
    assert_eq!((counts.accepted, counts.over_limit), (11, [5, 4]));
    assert_eq!(
        bench
            .wait_traps(11)
            .iter()
            .filter(|t| t.root == "default/unknown/127.0.1.2")
            .count(),
        3
    );
}

#[test]
fn hostile_datagrams_are_counted_once_each_and_good_ones_between_all_arrive() {
    let mut bench = Bench::start(config());
    let from = sender("127.0.0.1");
    let head = V2Notification {
        request_id: 1_000_000,
        uptime: 1,
        trap_oid: oid("1.3.6.1.4.1.2011.6.3.8.2.0.1"),
    };
    let valid = v2c(&encode::v2_trap(
        &head,
        &[(oid("1.3.6.1.4.1.2011.6.3.1"), Value::OctetString(&[0x55; 60]))],
    ));
    let mut sent = 0;
    let mut good = 0;
    let mut send = |datagram: &[u8], bench: &Bench| {
        from.send_to(datagram, bench.address()).unwrap();
        sent += 1;
        // Loopback is quicker than any reader: let it keep up.
        if sent % 200 == 0 {
            bench.wait_counts("reader", |c| c.received == sent);
        }
    };
    for cut in 0..valid.len() {
        send(&valid[..cut], &bench);
    }
    for bit in 0..valid.len() * 8 {
        let mut flipped = valid.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        send(&flipped, &bench);
        if bit % 50 == 0 {
            good += 1;
            send(&v2c(&trap_pdu(good)), &bench);
        }
    }
    send(&vec![0x30; 65_507], &bench);
    send(&[], &bench);
    let mut trailing = valid.clone();
    trailing.push(0);
    send(&trailing, &bench);

    let counts = bench.wait_counts("all", |c| c.received == sent && c.in_window == 0);
    assert!(sent > 1_000, "{sent}");
    assert!(
        counts.undecodable_for(Reason::Truncated) > valid.len() as u64 / 2,
        "{counts:?}"
    );
    let traps = bench.wait_traps(usize::try_from(counts.accepted).unwrap());
    let numbers = |t: &schemas::TrapReceived| TrapPdu::parse(&t.pdu).unwrap().request_id.unwrap();
    let arrived: Vec<_> = traps.iter().map(numbers).filter(|n| (1..=good).contains(n)).collect();
    assert_eq!(
        arrived,
        (1..=good).collect::<Vec<_>>(),
        "every good trap, once, in order"
    );
    assert!(bench.running.is_alive());
}

#[test]
fn an_inform_is_answered_once_its_record_is_durable() {
    let mut bench = Bench::start(config());
    let from = sender("127.0.0.1");
    from.send_to(&v2c(&inform_pdu(41)), bench.address()).unwrap();
    let mut buffer = [0; 1_500];
    let (length, _) = from.recv_from(&mut buffer).unwrap();
    // The record is readable by the time the answer is here.
    let trap = bench.wait_traps(1).remove(0);
    assert!(trap.inform);
    let expected = v2c(&[&[0xA2], &inform_pdu(41)[1..]].concat());
    assert_eq!(
        buffer[..length],
        expected,
        "same community, request id and varbinds, no error"
    );
    // A trap wants no answer.
    from.send_to(&v2c(&trap_pdu(1)), bench.address()).unwrap();
    bench.wait_counts("trap", |c| c.acknowledged == 2);
    from.set_nonblocking(true).unwrap();
    assert_eq!(from.recv_from(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn an_inform_whose_record_failed_is_answered_after_the_resend() {
    for fault in [Fault::FailSend, Fault::LoseAck] {
        let log = MemoryLog::new(4);
        let mut bench = Bench::start_with(config(), log.clone());
        // Registration and heartbeat are through: the next send is the inform's.
        bench.wait_counts("start", |c| c.received == 0);
        while bench.read_all().len() < 3 {}
        log.inject(fault, 1);
        let from = sender("127.0.0.1");
        from.send_to(&v2c(&inform_pdu(42)), bench.address()).unwrap();
        let mut buffer = [0; 1_500];
        from.recv_from(&mut buffer).unwrap();
        let counts = bench.wait_counts("acknowledgement", |c| c.acknowledged == 1);
        assert_eq!(counts.received, 1);
        let traps = bench.wait_traps(1);
        let expected = if fault == Fault::LoseAck { 2 } else { 1 };
        assert_eq!(
            traps.len(),
            expected,
            "{fault:?}: what landed and was sent again has the same writer id"
        );
        let ids: Vec<_> = bench
            .seen
            .iter()
            .filter(|s| matches!(bench.decode(s), AnyRecord::TrapReceived(_)))
            .map(|s| s.record.headers.writer.clone().unwrap())
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
}

#[test]
fn stopping_takes_what_has_arrived_and_balances_the_ledger() {
    let mut bench = Bench::start(config());
    let from = sender("127.0.0.1");
    let to = bench.address();
    for n in 0..500 {
        from.send_to(&v2c(&trap_pdu(n)), to).unwrap();
    }
    from.send_to(&[1, 2, 3], to).unwrap();
    from.send_to(&encode::message(Version::V2c, b"public", &trap_pdu(1)), to)
        .unwrap();
    let Bench { log, running, .. } = std::mem::replace(&mut bench, Bench::start(config()));
    let started = std::time::Instant::now();
    let (snapshots, complete) = running.stop();
    assert!(
        complete && started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    let counts = &snapshots[0].counts;
    assert_eq!(
        (counts.received, counts.accepted, counts.acknowledged, counts.in_window),
        (502, 500, 500, 0)
    );
    assert!(counts.balance());

    let rows = ledger_of(&log);
    let last_of = |scope| {
        rows.iter()
            .rev()
            .find(|r: &&schemas::LedgerRow| r.scope == scope)
            .unwrap()
    };
    let (listener, sender) = (last_of(LedgerScope::Listener), last_of(LedgerScope::Sender));
    assert_eq!(
        (
            listener.received,
            listener.accepted,
            listener.acknowledged,
            listener.in_spool
        ),
        (502, 500, 500, 0)
    );
    assert_eq!(listener.undecodable.values().sum::<i64>(), 1);
    assert_eq!((sender.received, sender.accepted), (501, 500));
    assert_eq!(sender.refused.get("community"), Some(&1));
    assert_eq!(sender.root.as_deref(), Some("default/olt/local"));
}

fn ledger_of(log: &std::sync::Arc<MemoryLog>) -> Vec<schemas::LedgerRow> {
    use log::{Log, Start};
    let mut tail = log.tail(&[(Topic::Ledger, Start::Beginning)]).unwrap();
    let mut rows = Vec::new();
    loop {
        let more = tail.poll(1_000, Duration::from_millis(20)).unwrap();
        if more.is_empty() {
            return rows;
        }
        for stored in more {
            match log.codec().decode(stored.record.value.as_ref().unwrap()).unwrap() {
                AnyRecord::LedgerRow(row) => rows.push(row),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_log_that_fails_now_and_then_costs_nothing() {
    let log = MemoryLog::new(4);
    let bench = Bench::start_with(config(), log.clone());
    log.inject(Fault::FailSend, 4);
    let from = sender("127.0.0.1");
    for n in 0..300 {
        from.send_to(&v2c(&trap_pdu(n)), bench.address()).unwrap();
    }
    let counts = bench.wait_counts("all", |c| c.received == 300 && c.in_window == 0);
    assert_eq!(
        (counts.accepted, counts.acknowledged, counts.dropped.iter().sum::<u64>()),
        (300, 300, 0)
    );
}

#[test]
fn two_listeners_and_both_families() {
    let mut raw = config();
    raw.listeners.push(RawListener {
        name: Some("six".to_owned()),
        bind: "[::1]:0".to_owned(),
    });
    let mut bench = Bench::start(raw);
    let from = std::net::UdpSocket::bind("[::1]:0").unwrap();
    from.send_to(&v2c(&trap_pdu(1)), bench.running.bound()[1]).unwrap();
    let trap = bench.wait_traps(1).remove(0);
    assert_eq!(
        (trap.root.as_str(), trap.listener.as_str()),
        ("default/unknown/::1", "six")
    );
}

#[test]
fn an_address_that_is_taken_says_so() {
    let bench = Bench::start(config());
    let mut raw = config();
    raw.listeners[0].bind = bench.address().to_string();
    let config = connector_snmp_traps::validate(raw).unwrap();
    let Err(error) = connector_snmp_traps::build(config, MemoryLog::new(1)) else {
        panic!("bound twice")
    };
    assert!(error.to_string().contains("another program has it"), "{error}");
}

#[test]
fn what_the_kernel_dropped_is_counted() {
    let mut raw = config();
    raw.limits.receive_buffer_bytes = 4_096;
    let bench = Bench::start(raw);
    let from = sender("127.0.0.1");
    let mut sent = 0;
    let started = std::time::Instant::now();
    while bench.running.snapshot()[0].kernel_drops == 0 {
        for n in 0..2_000 {
            from.send_to(&v2c(&trap_pdu(n)), bench.address()).unwrap();
            sent += 1;
        }
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "the reader was quicker than the sender all the time"
        );
    }
    let started = std::time::Instant::now();
    loop {
        let snapshot = bench.running.snapshot().remove(0);
        if snapshot.counts.received + snapshot.kernel_drops == sent {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "sent {sent}, {snapshot:?}");
    }
}

#[test]
fn explained_without_the_community() {
    let text = serde_json::to_string(&explain(&v2c(&trap_pdu(9)))).unwrap();
    assert!(text.contains("\"trap_oid\":\"1.3.6.1.4.1.2011.6.3.8.2.0.1\""), "{text}");
    assert!(
        text.contains("\"community_bytes\":15") && !text.contains("canary"),
        "{text}"
    );
    assert_eq!(
        explain(&trap_pdu(9)).trap,
        explain(&v2c(&trap_pdu(9))).trap,
        "a bare PDU too"
    );
    let error = explain(&v2c(&trap_pdu(9))[..30]).error.unwrap();
    assert_eq!((error.reason, error.in_pdu), ("truncated", false));
}

/// The communities are sent in every way there is, right and wrong: nothing of them is in any record.
#[test]
fn no_record_holds_a_community() {
    let mut raw = config();
    raw.credentials.push(RawCredential {
        name: "third".to_owned(),
        version: "2c".to_owned(),
        community: Secret::new("canary-three", "test"),
        sources: vec!["192.0.2.0/24".parse().unwrap()],
    });
    let mut bench = Bench::start(raw);
    let from = sender("127.0.0.1");
    let head = V2Notification {
        request_id: 1,
        uptime: 1,
        trap_oid: oid("1.3.6.1.6.3.1.1.5.1"),
    };
    let inside = (
        oid("1.3.6.1.6.3.18.1.4.0"),
        Value::OctetString(COMMUNITY_V2C.as_bytes()),
    );
    from.send_to(&v2c(&encode::v2_trap(&head, &[inside])), bench.address())
        .unwrap();
    from.send_to(&v2c(&encode::inform(&head, &[inside])), bench.address())
        .unwrap();
    from.send_to(
        &encode::message(Version::V2c, b"canary-three", &trap_pdu(1)),
        bench.address(),
    )
    .unwrap();
    from.send_to(
        &encode::message(Version::V2c, b"canary-wrong", &trap_pdu(1)),
        bench.address(),
    )
    .unwrap();
    // The answer to the inform does hold it: it is the sender's own.
    let mut buffer = [0; 1_500];
    let (length, _) = from.recv_from(&mut buffer).unwrap();
    assert!(
        String::from_utf8_lossy(&buffer[..length])
            .matches(COMMUNITY_V2C)
            .count()
            == 2
    );
    bench.wait_counts("all", |c| c.received == 4 && c.acknowledged == 2);
    let log = bench.log.clone();
    let snapshot = format!("{:?}", bench.running.snapshot());
    let records = bench.read_all();
    bench.running.stop();
    let ledger = format!("{:?}", ledger_of(&log));
    let raw: Vec<u8> = bench
        .seen
        .iter()
        .flat_map(|s| s.record.value.clone().unwrap_or_default())
        .collect();
    for text in [
        format!("{records:?}"),
        ledger,
        snapshot,
        String::from_utf8_lossy(&raw).into_owned(),
    ] {
        assert!(!text.contains("canary"), "{text}");
    }
}
