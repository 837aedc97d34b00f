//! A storm far beyond what the log takes: every datagram of the sender is in exactly one count, at every moment.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that panics has failed; its figures are printed"
)]

mod common;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::gated::GatedLog;
use common::{config, sender, trap_pdu, v2c};
use connector_snmp_traps::{ListenerSnapshot, RawConfig, Running, build, validate};
use log::MemoryLog;
use snmp_pdu::{Version, encode};

const PATIENCE: Duration = Duration::from_secs(60);
/// The log rests for `REST` after so many records: some ten thousand a second, a tenth of what the senders send.
const REST_EVERY: u64 = 64;
const REST: Duration = Duration::from_millis(5);

fn storm_config(data: &std::path::Path, receive_buffer_bytes: usize) -> RawConfig {
    let mut raw = config();
    raw.data = Some(data.to_owned());
    raw.limits.receive_buffer_bytes = receive_buffer_bytes;
    // Small enough to be full before the storm is over.
    raw.limits.spool_bytes_max = 4 << 20;
    raw
}

/// Sends at full speed: of ten, eight are traps, one has another community, one is no SNMP. Answers how many were sent.
fn blast(from: &UdpSocket, to: SocketAddr, count: u64) -> u64 {
    let good: Vec<_> = (0..64).map(|n| v2c(&trap_pdu(n))).collect();
    let stranger = encode::message(Version::V2c, b"another", &trap_pdu(0));
    let mut sent = 0;
    for n in 0..count {
        let datagram: &[u8] = match n % 10 {
            8 => &stranger,
            9 => b"\x30\x82\xff\xff garbage",
            _ => &good[usize::try_from(n % 64).unwrap()],
        };
        if from.send_to(datagram, to).is_ok() {
            sent += 1;
        }
    }
    sent
}

fn snapshot(running: &Running) -> ListenerSnapshot {
    let snapshot = running.snapshot().remove(0);
    assert!(snapshot.counts.balance(), "{:?}", snapshot.counts);
    let sum =
        |field: fn(&connector_snmp_traps::Counts) -> u64| snapshot.senders.iter().map(|(_, c)| field(c)).sum::<u64>();
    assert_eq!(
        sum(|c| c.accepted),
        snapshot.counts.accepted,
        "the senders add up to the listener"
    );
    assert_eq!(sum(|c| c.acknowledged), snapshot.counts.acknowledged);
    assert_eq!(sum(|c| c.in_window), snapshot.counts.in_window);
    assert_eq!(
        sum(|c| c.refused.iter().sum()),
        snapshot.counts.refused.iter().sum::<u64>()
    );
    assert!(snapshot.senders.iter().all(|(_, c)| c.balance()));
    snapshot
}

fn check(receive_buffer_bytes: usize, count: u64) {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(GatedLog {
        inner: MemoryLog::new(4),
        away: Arc::new(|| false),
        rest: Some((REST_EVERY, REST)),
    });
    let raw = storm_config(folder.path(), receive_buffer_bytes);
    let running = build(validate(raw).unwrap(), log).unwrap().run().unwrap();
    let to = running.bound()[0];
    let senders: Vec<_> = ["127.0.0.1", "127.0.0.2"]
        .map(|address| {
            let from = sender(address);
            std::thread::spawn(move || blast(&from, to, count / 2))
        })
        .into_iter()
        .collect();
    let began = Instant::now();
    while senders.iter().any(|s| !s.is_finished()) {
        snapshot(&running);
        std::thread::yield_now();
    }
    let took = began.elapsed();
    let sent: u64 = senders.into_iter().map(|s| s.join().unwrap()).sum();
    let counts = loop {
        let now = snapshot(&running);
        if now.kernel_drops + now.counts.received == sent {
            break now;
        }
        assert!(
            now.kernel_drops + now.counts.received < sent,
            "more than was sent: {now:?}"
        );
        assert!(began.elapsed() < PATIENCE, "{sent} sent, but {now:?}");
        std::thread::yield_now();
    };
    let (snapshots, complete) = running.stop();
    assert!(complete);
    let end = &snapshots[0].counts;
    assert!(end.balance());
    let sum = |c: &[u64]| c.iter().sum::<u64>();
    println!(
        "buffer {} B given {} B: sent {sent} in {took:.2?} = kernel drops {} + received {}; received = undecodable {} + refused {} + over limit {} + accepted {}; \
         accepted = acknowledged {} + in spool {} + dropped {}",
        receive_buffer_bytes,
        snapshots[0].receive_buffer_bytes,
        counts.kernel_drops,
        end.received,
        sum(&end.undecodable),
        sum(&end.refused),
        sum(&end.over_limit),
        end.accepted,
        end.acknowledged,
        end.in_window,
        sum(&end.dropped),
    );
    assert_eq!(sent, snapshots[0].kernel_drops + end.received);
    assert_eq!(
        end.received,
        sum(&end.undecodable) + sum(&end.refused) + sum(&end.over_limit) + end.accepted
    );
    assert_eq!(end.accepted, end.acknowledged + end.in_window + sum(&end.dropped));
    assert!(counts.kernel_drops > 0, "the buffer was never full");
    assert!(sum(&end.refused) > 0 && sum(&end.undecodable) > 0 && end.acknowledged > 0);
}

#[test]
fn every_datagram_of_a_storm_is_counted_once_whatever_the_buffer() {
    let count = if std::env::var_os("ATALAIA_SOAK").is_some() {
        400_000
    } else {
        60_000
    };
    for receive_buffer_bytes in [32 << 10, 128 << 10, 512 << 10] {
        check(receive_buffer_bytes, count);
    }
}
