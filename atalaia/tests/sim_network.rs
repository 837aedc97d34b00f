//! The schedule simulation over the production chain: traps and registrations of real shapes through normalize and status,
//! with crashes, zombies and rebalances, compared with a crash-free life.
//! `SEED=n cargo test -p atalaia --test sim_network -- --nocapture` runs one schedule alone.

#![allow(clippy::print_stdout, reason = "a test prints its figures")]

use std::collections::BTreeMap;

use load_tests::device::Note;
use model::Micros;
use runtime::Chain;
use schemas::network::NetworkEvent;
use schemas::{AnyRecord, DeviceRegistered, SnmpVersion, TrapReceived};
use testkit::Rng;
use testkit::sim::{self, Mutant, Subject};

/// Schedules of one `make test`; the engine's own 10,000 are in `testkit`.
const SCHEDULES: u64 = 3_000;
const OLTS: usize = 2;
const ONUS: usize = 12;

#[derive(Clone)]
struct Network;

impl Subject for Network {
    type Event = NetworkEvent;

    fn chain(&self) -> Chain<NetworkEvent> {
        atalaia::network_chain()
    }

    fn input(&self, rng: &mut Rng) -> (String, AnyRecord) {
        let olt = u8::try_from(rng.below(OLTS)).expect("few OLTs");
        let onu = u32::try_from(rng.below(ONUS)).expect("few ONUs") * 67;
        let root = format!("default/olt/olt-{olt}");
        let at = Micros(1_700_000_000_000_000 + i64::try_from(rng.below(600_000_000)).expect("ten minutes"));
        let note = Note {
            olt,
            onu,
            raise: rng.chance(50),
            request_id: i32::try_from(rng.below(1_000_000)).expect("small"),
        };
        if rng.chance(15) {
            let registered = DeviceRegistered {
                entity: note.entity(),
                kind: "onu".into(),
                serial: Some(format!("HWTC{:08X}", rng.below(20))),
                name: rng.chance(50).then(|| format!("customer {}", rng.below(5))),
                site: Some("S".into()),
                description: None,
                vendor: None,
                model: None,
                address: None,
                attributes: BTreeMap::new(),
                origin: "import".into(),
                removed: rng.chance(20),
                observed_at: at,
                received_at: at,
            };
            return (root, registered.into());
        }
        let uptime = u32::try_from(at.millis() / 10 % 100_000_000).expect("below 10^8");
        let datagram = note.datagram(rng.chance(30), uptime);
        let mut pdu = match snmp_pdu::Message::parse(&datagram) {
            Ok(snmp_pdu::Message::Community { pdu, .. }) => pdu.to_vec(),
            other => unreachable!("our own datagram: {}", other.is_ok()),
        };
        if rng.chance(10) {
            let bit = rng.below(pdu.len() * 8);
            pdu[bit / 8] ^= 1 << (bit % 8);
        }
        let trap = TrapReceived {
            root: root.clone(),
            sender: format!("127.20.0.{}", olt + 1),
            sender_port: 161,
            listener: "sim".into(),
            version: SnmpVersion::V2c,
            credential: "sim".into(),
            inform: false,
            relay: None,
            inner_address: None,
            received_at: at,
            pdu,
        };
        (root, trap.into())
    }
}

#[test]
fn the_production_chain_ends_as_its_oracle_does_under_every_schedule() {
    let seeds = match std::env::var("SEED").ok().and_then(|text| text.parse::<u64>().ok()) {
        Some(seed) => seed..seed + 1,
        None if std::env::var_os("ATALAIA_SOAK").is_some() => 0..30 * SCHEDULES,
        None => 0..SCHEDULES,
    };
    let report = sim::run(&Network, seeds, Mutant::None, 5);
    println!(
        "{} schedules, {} records (at least {} each), at least {} crashes each, {} zombies, {} rebalances",
        report.schedules, report.records, report.records_min, report.crashes_min, report.zombies, report.rebalances
    );
    let violations: Vec<_> = report
        .violations
        .iter()
        .map(|v| format!("SEED={} {:?}: {}", v.seed, v.kind, v.text))
        .collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// The same must fail when a guard is gone, or it shows nothing.
#[test]
fn the_production_chain_without_a_guard_is_caught() {
    for mutant in [
        Mutant::ReaderWithoutIdRule,
        Mutant::LosesFastOutput,
        Mutant::NoWriterDedupe,
    ] {
        let report = sim::run(&Network, 0..SCHEDULES, mutant, 1);
        assert!(!report.violations.is_empty(), "{mutant:?} is not noticed");
    }
}
