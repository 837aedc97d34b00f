//! What must hold for any sequence of traps.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;

use common::{Network, ROOT, huawei, onu_trap, seconds, trap};
use model::Micros;
use proptest::prelude::*;
use schemas::{DeviceEvent, Phase, SnmpVersion};
use snmp_pdu::encode::{V2Notification, v2_trap};
use snmp_pdu::{Oid, Value};

/// One trap of an ONU, as its OLT sends it.
#[derive(Debug, Clone)]
struct Sent {
    onu: u16,
    /// Index into [`KINDS`].
    kind: usize,
    /// Tenths of a second since the test's second 0, all different within a device.
    at: u32,
}

/// Last number of the trap under `…12.2.2.0`; 0 and 1 are the run states.
const KINDS: &[u32] = &[18, 19, 12, 13, 10, 11, 4, 5, 0, 1];

fn pdu(sent: &Sent) -> Vec<u8> {
    let request_id = i32::try_from(sent.at).unwrap();
    let uptime = 50_000_000 + sent.at * 10;
    match KINDS[sent.kind] {
        run @ 0..=1 => run_state(sent.onu, run == 1, request_id, uptime),
        number => onu_trap(
            huawei(&format!("6.128.1.1.12.2.2.0.{number}")),
            [0, 3, 5],
            sent.onu,
            request_id,
            uptime,
        ),
    }
}

fn run_state(onu: u16, up: bool, request_id: i32, uptime: u32) -> Vec<u8> {
    let varbinds: [(Oid, Value<'_>); 3] = [
        (
            common::oid("1.3.6.1.2.1.2.2.1.1"),
            Value::Gauge32(125 << 25 | 3 << 13 | 5 << 8),
        ),
        (huawei("6.128.1.1.2.41.1.1"), Value::Integer(i32::from(onu))),
        (huawei("6.128.1.1.11.510"), Value::Integer(if up { 1 } else { 2 })),
    ];
    let trap_oid = huawei("6.128.1.1.12.3.0.100");
    v2_trap(
        &V2Notification {
            request_id,
            uptime,
            trap_oid,
        },
        &varbinds,
    )
}

fn arrives(sent: &Sent) -> Micros {
    seconds(0).plus(i64::from(sent.at) * 100_000)
}

fn feed(network: &mut Network, sent: &Sent, at: Micros) {
    network.feed(trap(ROOT, pdu(sent), at), ROOT, at);
}

fn run(sequence: &[Sent]) -> Network {
    let mut network = Network::default();
    for sent in sequence {
        feed(&mut network, sent, arrives(sent));
    }
    network
}

/// State and cause of each ONU.
fn told(network: &Network) -> BTreeMap<String, String> {
    let onus = network.status.iter().filter(|(_, row)| row.kind == "onu");
    onus.map(|(entity, row)| {
        (
            entity.clone(),
            format!("{} {:?} {:?}", row.state, row.cause, row.cause_raw),
        )
    })
    .collect()
}

/// State, cause and since of an ONU, from all of its traps and not from what is kept of them: with one kind of fault the
/// rules of the README fit on a line each.
fn told_of_all(sequence: &[Sent], onu: u16) -> Option<(&'static str, Option<&'static str>, Micros)> {
    let (mut state, mut cause, mut since, mut standing, mut explains) = ("unknown", None, None, false, false);
    for sent in sequence.iter().filter(|sent| sent.onu == onu) {
        let before = state;
        since = since.or(Some(arrives(sent)));
        match KINDS[sent.kind] {
            12 => (state, cause, standing, explains) = ("offline", Some("fibre"), true, true),
            13 => {
                if state == "offline" && explains {
                    (state, cause, explains) = ("online", None, false);
                }
                standing = false;
            }
            0 if state != "offline" => (state, cause, explains) = ("offline", Some("unknown"), false),
            1 if standing && !explains => (state, cause, explains) = ("offline", Some("fibre"), true),
            1 => (state, cause, standing, explains) = ("online", None, false, false),
            _ => {}
        }
        if state != before {
            since = Some(arrives(sent));
        }
    }
    since.map(|since| (state, cause, since))
}

/// Each ONU's events in order, without the position.
fn stories(network: &Network) -> BTreeMap<String, Vec<String>> {
    let mut stories: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for e in network.events.iter().filter(|e| e.kind == "onu") {
        let DeviceEvent {
            event,
            phase,
            at,
            state,
            previous,
            cause,
            ..
        } = e;
        let line = format!("{event} {phase:?} {at:?} {state:?} {previous:?} {cause:?}");
        stories.entry(e.entity.clone()).or_default().push(line);
    }
    stories
}

/// Up to 14 traps of up to 3 ONUs within 100 s.
fn sequences() -> impl Strategy<Value = Vec<Sent>> {
    let times = proptest::collection::btree_set(0_u32..1_000, 1..14);
    times.prop_flat_map(|times| {
        let one = (0_u16..3, 0..KINDS.len());
        proptest::collection::vec(one, times.len()).prop_map(move |kinds| {
            times
                .iter()
                .zip(kinds)
                .map(|(&at, (onu, kind))| Sent { onu, kind, at })
                .collect()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_replay_gives_the_same(sequence in sequences()) {
        let (a, b) = (run(&sequence), run(&sequence));
        prop_assert_eq!(&a.slots, &b.slots);
        prop_assert_eq!(&a.events, &b.events);
        prop_assert_eq!(&a.status, &b.status);
        prop_assert_eq!(&a.inventory, &b.inventory);
    }

    #[test]
    fn duplicates_change_nothing(sequence in sequences(), again in proptest::collection::vec((0_usize..14, 0_i64..400), 1..6)) {
        let once = run(&sequence);
        let mut network = Network::default();
        for (i, sent) in sequence.iter().enumerate() {
            feed(&mut network, sent, arrives(sent));
            for (_, late) in again.iter().filter(|(which, _)| *which == i) {
                feed(&mut network, sent, arrives(sent).plus(late * Micros::SECOND));
            }
        }
        for (which, late) in &again {
            let sent = &sequence[which % sequence.len()];
            feed(&mut network, sent, arrives(sent).plus(late * Micros::SECOND));
        }
        prop_assert_eq!(stories(&network), stories(&once));
        prop_assert_eq!(told(&network), told(&once));
        prop_assert_eq!(network.status_rows, once.status_rows);
    }

    #[test]
    fn different_devices_do_not_disturb_each_other(sequence in sequences()) {
        let mixed = run(&sequence);
        let mut by_device = sequence.clone();
        by_device.sort_by_key(|sent| sent.onu);
        let apart = run(&by_device);
        prop_assert_eq!(stories(&mixed), stories(&apart));
        prop_assert_eq!(told(&mixed), told(&apart));
    }

    #[test]
    fn within_a_boot_the_order_of_arrival_does_not_matter(
        (sequence, arrival) in sequences().prop_flat_map(|s| { let shuffled = Just(s.clone()).prop_shuffle(); (Just(s), shuffled) }),
    ) {
        let in_order = run(&sequence);
        let mut network = Network::default();
        for (i, sent) in arrival.iter().enumerate() {
            // Whenever they come, within the 5 minutes in which one boot is recognised.
            feed(&mut network, sent, seconds(100 + i64::try_from(i).unwrap()));
        }
        prop_assert_eq!(told(&network), told(&in_order));
    }

    /// LOS and its clear, run states up and down.
    #[test]
    fn what_is_kept_tells_what_all_of_it_would(mut sequence in sequences()) {
        for sent in &mut sequence {
            sent.kind = [2, 3, 8, 9][sent.kind % 4];
        }
        let network = run(&sequence);
        for onu in 0..3 {
            let row = network.status.get(&common::entity(&format!("onu/0/3/5/{onu}")));
            let row = row.map(|row| (row.state.as_str(), row.cause.as_deref(), row.since));
            prop_assert_eq!(row, told_of_all(&sequence, onu), "{:?}", sequence);
        }
    }

    #[test]
    fn one_edge_is_one_event_and_at_most_one_status(sequence in sequences()) {
        let mut network = Network::default();
        for sent in &sequence {
            let did = network.feed(trap(ROOT, pdu(sent), arrives(sent)), ROOT, arrives(sent));
            let mine = did.events.iter().filter(|e| e.kind == "onu").count();
            prop_assert_eq!(mine, 1);
            for event in &did.events {
                prop_assert_eq!(event.status.as_ref(), network.status.get(&event.entity).filter(|s| s.position == event.position));
                prop_assert!(event.state.is_none() || event.status.is_some());
            }
        }
        // Every change of state is told, and each from where the one before ended.
        for (entity, row) in network.status.iter().filter(|(_, row)| row.kind == "onu") {
            let mut state = "unknown".to_owned();
            for event in network.events.iter().filter(|e| e.entity == *entity && e.state.is_some()) {
                prop_assert_eq!(event.previous.as_ref(), Some(&state));
                state = event.state.clone().unwrap();
            }
            prop_assert_eq!(&state, &row.state);
        }
    }

    /// When every fault that began has ended, and the run state is up, all is well.
    #[test]
    fn raises_and_clears_balance(sequence in sequences()) {
        let mut network = run(&sequence);
        for onu in 0..3 {
            for (i, kind) in [(1, 1), (2, 3), (3, 5), (4, 9)] {
                feed(&mut network, &Sent { onu, kind, at: 2_000 + u32::from(onu) * 100 + i }, seconds(200 + i64::from(i)));
            }
        }
        for state in told(&network).values() {
            prop_assert_eq!(state, "online None None");
        }
        let raised = |phase| move |e: &&DeviceEvent| e.phase == phase && e.kind == "onu";
        let clears = network.events.iter().filter(raised(Phase::Clear)).count();
        prop_assert!(clears >= 9);
    }

    /// A v1 trap has no request id, and its time stamp may stand still.
    #[test]
    fn a_v1_trap_with_the_same_time_stamp_is_another_one_after_a_second(at in 2_i64..500) {
        let gasp = Sent { onu: 17, kind: 0, at: 5 };
        let send = |network: &mut Network, version, seconds_at| {
            let mut record = trap(ROOT, pdu(&gasp), seconds(seconds_at));
            record.version = version;
            network.feed(record, ROOT, seconds(seconds_at)).events.len()
        };
        for (version, again) in [(SnmpVersion::V1, 1), (SnmpVersion::V2c, 0)] {
            let mut network = Network::default();
            prop_assert_eq!(send(&mut network, version, 0), 2, "the OLT's first word, and the gasp");
            prop_assert_eq!(send(&mut network, version, 1), 0, "a doubled packet");
            prop_assert_eq!(send(&mut network, version, 1 + at), again);
        }
    }

    /// Whatever bytes come, nothing panics, and a refused PDU changes nothing.
    #[test]
    fn damaged_pdus_do_no_harm(sequence in sequences(), cut in 0_usize..200, bit in 0_usize..1_600) {
        let good = pdu(&sequence[0]);
        let mut damaged = good.clone();
        let bit = bit % (good.len() * 8);
        damaged[bit / 8] ^= 1 << (bit % 8);
        let mut network = Network::default();
        for pdu in [good[..cut.min(good.len() - 1)].to_vec(), damaged] {
            let refused = snmp_pdu::TrapPdu::parse(&pdu).is_err();
            let did = network.feed(trap(ROOT, pdu, seconds(1)), ROOT, seconds(1));
            let dead = matches!(did.reasons[0], runtime::Reason::Dead(word) if word.starts_with("undecodable_"));
            prop_assert_eq!(refused, dead);
            prop_assert_eq!(refused, did.events.is_empty());
        }
    }
}
