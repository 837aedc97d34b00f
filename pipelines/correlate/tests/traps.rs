//! From the datagram on: the steps before in the chain, as the binary has it. Traps as an OLT sends them become one incident, with the
//! device's own alarms as its symptoms.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use pipeline_correlate::{Alarms, Correlate, Gather};
use pipeline_detect::Detect;
use pipeline_normalize::Normalize;
use pipeline_status::Status;
use runtime::{Chain, DeadReason};
use schemas::network::{self, NetworkEvent};
use schemas::{Alarm, AnyRecord, Incident, SnmpVersion, TrapReceived};
use snmp_pdu::encode::{V2Notification, v2_trap};
use snmp_pdu::{Oid, Value};
use testkit::Driver;
use topology::Topic;

const ROOT: &str = common::ROOT;

fn chain() -> Chain<NetworkEvent> {
    Chain::outside_topology(|record, key| {
        network::decode(record, key).map_err(|reason| DeadReason::text(reason, "not a record of observations"))
    })
    .step(Normalize::new())
    .step(Status::default())
    .step(Detect::default())
    .step(Gather::default())
    .step(Correlate)
    .step(Alarms::default())
}

struct Olt {
    driver: Driver<NetworkEvent>,
    sent: i32,
}

impl Olt {
    fn new() -> Self {
        let mut driver = Driver::with(1, 1, chain);
        driver.tick(1_000);
        Self { driver, sent: 0 }
    }

    /// A trap of the tree of ONU alarms (2.2) or port alarms (2.1) with this last number.
    fn trap(&mut self, number: &str, place: [i32; 3], onu: Option<u16>) {
        self.sent += 1;
        let huawei = |rest: &str| -> Oid { format!("1.3.6.1.4.1.2011.{rest}").parse().unwrap() };
        let columns = ["6.3.3.1.1.1.0", "6.3.3.2.1.1.0.1", "6.3.3.4.1.1.0.1.1"];
        let mut varbinds: Vec<(Oid, Value<'_>)> = Vec::new();
        for (column, n) in columns.iter().zip(place) {
            varbinds.push((huawei(column), Value::Integer(n)));
        }
        if let Some(onu) = onu {
            varbinds.push((huawei("6.128.1.1.2.43.1.1"), Value::Integer(i32::from(onu))));
        }
        let received_at = self.driver.now();
        let head = V2Notification {
            request_id: self.sent,
            uptime: u32::try_from((received_at.millis() / 10) % 4_000_000_000).unwrap(),
            trap_oid: huawei(&format!("6.128.1.1.12.{number}")),
        };
        let record = TrapReceived {
            root: ROOT.to_owned(),
            sender: "192.0.2.10".to_owned(),
            sender_port: 40_000,
            listener: "main".to_owned(),
            version: SnmpVersion::V2c,
            credential: "noc".to_owned(),
            inform: false,
            relay: None,
            inner_address: None,
            received_at,
            pdu: v2_trap(&head, &varbinds),
        };
        self.driver.advance(2);
        self.driver.pipe(ROOT, record);
    }

    fn onus(&mut self, number: &str, place: [i32; 3], onus: impl IntoIterator<Item = u16>) {
        onus.into_iter()
            .for_each(|onu| self.trap(&format!("2.2.0.{number}"), place, Some(onu)));
    }

    fn seconds(&mut self, n: u32) {
        (0..n).for_each(|_| self.driver.tick(1_000));
    }

    fn verdicts(&mut self) -> Vec<String> {
        assert!(self.driver.commit());
        let table = self.driver.table(Topic::Incidents);
        let mut rows: Vec<Incident> = table
            .into_values()
            .filter_map(|record| match record {
                AnyRecord::Incident(row) => Some(row),
                _ => None,
            })
            .collect();
        rows.sort_by_key(|row| row.began_at);
        rows.iter()
            .map(|row| {
                format!(
                    "{} {} {} {}/{}",
                    row.state,
                    row.verdict,
                    &row.entity[ROOT.len()..],
                    row.still_lost,
                    row.lost
                )
            })
            .collect()
    }

    /// Newest rows of the alarms that stand.
    fn standing(&self) -> BTreeMap<String, Alarm> {
        let mut alarms = BTreeMap::new();
        for seen in self.driver.outputs(Topic::AlarmTransitions) {
            if let Some(AnyRecord::AlarmTransition(told)) = seen.record {
                let alarm = told.alarm.unwrap();
                alarms.insert(alarm.alarm_id.clone(), alarm);
            }
        }
        alarms.retain(|_, alarm: &mut Alarm| alarm.condition == "raised");
        alarms
    }

    fn shown(&self) -> BTreeSet<(String, String)> {
        let standing = self.standing().into_values().filter(|a| a.visibility == "shown");
        standing
            .map(|a| (a.entity[ROOT.len()..].to_owned(), a.alarm_type))
            .collect()
    }
}

const PORT: [i32; 3] = [0, 3, 5];

#[test]
fn a_feeder_is_cut_and_repaired() {
    let mut olt = Olt::new();
    olt.onus("13", PORT, 1..=64);
    olt.seconds(5);
    olt.trap("2.1.0.1", PORT, None);
    olt.onus("12", PORT, 1..=64);
    olt.seconds(5);
    assert_eq!(olt.verdicts(), ["open feeder /pon/0/3/5 64/64"]);
    let standing = olt.standing();
    assert_eq!(standing.len(), 65, "the port's and each ONU's");
    assert!(standing.values().all(|a| a.visibility == "inhibited"), "{standing:?}");
    olt.seconds(60);
    olt.trap("2.1.0.2", PORT, None);
    olt.onus("13", PORT, 1..=60);
    olt.seconds(20);
    assert_eq!(olt.shown(), BTreeSet::new());
    olt.seconds(300);
    assert_eq!(olt.verdicts(), ["closed feeder /pon/0/3/5 4/64"]);
    let down = (61..=64)
        .map(|onu| (format!("/onu/0/3/5/{onu}"), "los".to_owned()))
        .collect();
    assert_eq!(olt.shown(), down);
}

/// First the light of some goes, then the gasps come: the gasp is the cause. Nobody was ever heard of before.
#[test]
fn a_street_without_power_told_by_traps_alone() {
    let mut olt = Olt::new();
    for port in [5, 6] {
        let place = [0, 3, port];
        olt.onus("12", place, 1..=10);
        olt.onus("18", place, 1..=30);
        olt.onus("12", place, 11..=30);
    }
    olt.seconds(12);
    assert_eq!(olt.verdicts(), ["open power_area /board/0/3 60/60"]);
    assert_eq!(olt.shown(), BTreeSet::new());
    assert!(olt.driver.outcomes().dead_lettered.is_empty());
}
