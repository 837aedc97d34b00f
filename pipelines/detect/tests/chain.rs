//! The real chain: traps, readings and registrations as connectors write them, through `normalize`, `status` and `detect`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;

use common::{ROOT, Recorder, Said, rule_record, said};
use model::Micros;
use pipeline_detect::{DESCRIPTION, Detect};
use runtime::{Chain, DeadReason};
use schemas::network::{self, NetworkEvent};
use schemas::rules::default_rules;
use schemas::{
    AlarmRow, AlarmTableRead, AnyRecord, DeviceRegistered, OnuRow, OnuTablePort, OnuTableRead, SnmpVersion,
    SourceHeartbeat, TrapReceived,
};
use snmp_pdu::encode::{V2Notification, v2_trap};
use snmp_pdu::{Oid, Value};
use testkit::Driver;
use topology::Group;

const LOS: [u32; 2] = [12, 13];
const DYING_GASP: [u32; 2] = [18, 19];

fn chain() -> Chain<NetworkEvent> {
    Chain::outside_topology(|record, key| network::decode(record, key).map_err(DeadReason::from))
        .step(pipeline_normalize::Normalize::new())
        .step(pipeline_status::Status::default())
        .step(Detect::default())
        .step(Recorder)
}

struct Network {
    driver: Driver<NetworkEvent>,
    read: usize,
    request_id: i32,
}

impl Network {
    fn new() -> Self {
        let driver = Driver::with(1, 1, chain);
        driver.advance(3_600_000);
        Self {
            driver,
            read: 0,
            request_id: 0,
        }
    }

    fn pipe(&mut self, record: impl Into<AnyRecord>) {
        self.driver.pipe(ROOT, record);
    }

    /// What was said since this was asked last: entity, what, type, reason.
    fn fresh(&mut self) -> Vec<String> {
        let all = said(&self.driver);
        let fresh = all[self.read..].iter().map(|said: &Said| {
            let below = said.entity.strip_prefix(ROOT).unwrap();
            format!("{below} {} {} {}", said.what, said.alarm_type, said.word)
        });
        let fresh = fresh.collect();
        self.read = all.len();
        fresh
    }

    #[track_caller]
    fn expect(&mut self, expected: &[&str]) {
        assert_eq!(self.fresh(), expected);
    }

    fn trap_of(&mut self, number: u32, onu: i32) -> TrapReceived {
        self.request_id += 1;
        let huawei = |rest: &str| -> Oid { format!("1.3.6.1.4.1.2011.{rest}").parse().unwrap() };
        let uptime = self.driver.now().since(testkit::EPOCH) / 10_000;
        let pdu = v2_trap(
            &V2Notification {
                request_id: self.request_id,
                uptime: u32::try_from(uptime).unwrap(),
                trap_oid: huawei(&format!("6.128.1.1.12.2.2.0.{number}")),
            },
            &[
                (huawei("6.3.3.1.1.1.0"), Value::Integer(0)),
                (huawei("6.3.3.2.1.1.0.1"), Value::Integer(3)),
                (huawei("6.3.3.4.1.1.0.1.1"), Value::Integer(5)),
                (huawei("6.128.1.1.2.43.1.1"), Value::Integer(onu)),
            ],
        );
        TrapReceived {
            root: ROOT.to_owned(),
            sender: "192.0.2.10".to_owned(),
            sender_port: 40_000,
            listener: "main".to_owned(),
            version: SnmpVersion::V2c,
            credential: "noc".to_owned(),
            inform: true,
            relay: None,
            inner_address: None,
            received_at: self.driver.now(),
            pdu,
        }
    }

    fn trap(&mut self, number: u32, onu: i32) {
        self.driver.advance(1_000);
        let record = self.trap_of(number, onu);
        self.pipe(record);
    }

    /// A whole reading of port 0/3/5, asked for now: which ONU is online, and what it receives.
    fn table(&mut self, onus: &[(i32, bool, Option<f64>)]) {
        let started_at = self.driver.now();
        self.driver.advance(2_000);
        let row = |&(onu, online, rx_dbm): &(i32, bool, Option<f64>)| OnuRow {
            onu,
            run_state: Some(if online { "online" } else { "offline" }.to_owned()),
            control_flag: None,
            config_state: None,
            match_state: None,
            serial: None,
            description: None,
            description_cut: false,
            equipment: None,
            distance_m: None,
            last_up_time: None,
            last_down_time: None,
            last_down_cause: None,
            rx_dbm,
            tx_dbm: None,
        };
        self.pipe(OnuTableRead {
            root: ROOT.to_owned(),
            read_id: format!("{started_at:?}"),
            part: 0,
            of: 1,
            scope: "0/3/5".to_owned(),
            complete: true,
            way: "ssh".to_owned(),
            started_at,
            received_at: self.driver.now(),
            ports: vec![OnuTablePort {
                frame: 0,
                slot: 3,
                port: 5,
                onus: onus.iter().map(row).collect(),
            }],
        });
    }

    /// The OLT's list of standing alarms, in parts of so many.
    fn alarms(&mut self, complete: bool, alarms: &[(&str, i32)], of: usize) {
        let started_at = self.driver.now();
        self.driver.advance(2_000);
        let row = |&(id, onu): &(&str, i32)| AlarmRow {
            sequence: None,
            kind: Some("FAULT".to_owned()),
            severity: Some("MAJOR".to_owned()),
            alarm_id: Some(id.to_owned()),
            name: Some("The vendor's words".to_owned()),
            device_time: None,
            frame: Some(0),
            slot: Some(3),
            port: Some(5),
            onu: Some(onu),
            parameters: None,
        };
        for part in 0..of {
            let mine = alarms.iter().skip(part).step_by(of).map(row).collect();
            self.pipe(AlarmTableRead {
                root: ROOT.to_owned(),
                read_id: format!("{started_at:?}"),
                part: i32::try_from(part).unwrap(),
                of: i32::try_from(of).unwrap(),
                scope: "0".to_owned(),
                complete,
                way: "ssh".to_owned(),
                started_at,
                received_at: self.driver.now(),
                alarms: mine,
            });
        }
    }
}

#[test]
fn the_chain_is_that_of_topology() {
    let chain = Chain::new(|record, key| network::decode(record, key).map_err(DeadReason::from))
        .step(pipeline_normalize::Normalize::new())
        .step(pipeline_status::Status::default())
        .step(Detect::default());
    let steps = Group::Network.spec().steps;
    assert_eq!((steps[2].number, steps[2].name), (DESCRIPTION.number, DESCRIPTION.name));
    assert_eq!(chain.describe().len(), 3);
}

#[test]
fn traps_of_an_onu_are_alarms_and_their_clears_end_them() {
    let mut n = Network::new();
    n.trap(LOS[0], 7);
    n.expect(&["/onu/0/3/5/7 raised los trap"]);
    let again = n.trap_of(LOS[0], 7);
    n.pipe(again.clone());
    n.trap(LOS[1], 7);
    n.expect(&["/onu/0/3/5/7 cleared los trap"]);
    n.pipe(again);
    n.expect(&[]);
    n.trap(DYING_GASP[0], 7);
    n.trap(LOS[0], 7);
    n.expect(&["/onu/0/3/5/7 raised dying_gasp trap", "/onu/0/3/5/7 reopened los trap"]);
    // Its clears are lost; a reading says that it works.
    n.driver.advance(10_000);
    n.table(&[(7, true, None)]);
    n.expect(&[
        "/onu/0/3/5/7 cleared dying_gasp state_left",
        "/onu/0/3/5/7 cleared los state_left",
    ]);
}

#[test]
fn an_onu_that_is_gone_has_no_alarm_left() {
    let mut n = Network::new();
    n.table(&[(7, true, None), (8, true, None)]);
    n.trap(LOS[0], 7);
    n.trap(LOS[0], 8);
    n.fresh();
    n.driver.advance(60_000);
    n.table(&[(8, false, None)]);
    n.driver.advance(60_000);
    n.table(&[(8, false, None)]);
    n.expect(&["/onu/0/3/5/7 cleared los out_of_scope"]);
    let removed = DeviceRegistered {
        entity: format!("{ROOT}/onu/0/3/5/8"),
        kind: "onu".to_owned(),
        serial: None,
        name: None,
        site: None,
        description: None,
        vendor: None,
        model: None,
        address: None,
        attributes: BTreeMap::new(),
        origin: "import".to_owned(),
        removed: true,
        observed_at: n.driver.now(),
        received_at: n.driver.now(),
    };
    n.pipe(removed);
    n.expect(&["/onu/0/3/5/8 cleared los out_of_scope"]);
}

#[test]
fn the_olts_own_list_is_folded_with_its_traps() {
    let mut n = Network::new();
    n.trap(LOS[0], 7);
    n.fresh();
    n.alarms(true, &[("0x2e112007", 7), ("0x2e11a00b", 8), ("0x2e313060", 9)], 2);
    n.expect(&[
        "/onu/0/3/5/9 raised huawei.alarm.0x2e313060 table",
        "/onu/0/3/5/8 raised dying_gasp table",
    ]);
    assert!(said(&n.driver)[1..].iter().all(|said| said.is_old));
    n.driver.advance(60_000);
    n.alarms(false, &[], 1);
    n.expect(&[]);
    n.driver.advance(60_000);
    n.alarms(true, &[("0x2e11a00b", 8)], 1);
    n.expect(&["/onu/0/3/5/9 cleared huawei.alarm.0x2e313060 not_listed"]);
    n.driver.advance(60_000);
    n.table(&[(7, true, None), (8, true, None)]);
    n.expect(&["/onu/0/3/5/7 cleared los state_left"]);
    n.alarms(true, &[], 1);
    n.expect(&["/onu/0/3/5/8 cleared dying_gasp not_listed"]);
}

#[test]
fn weak_light_is_an_alarm_after_a_minute_and_nothing_is_overdue_for_a_trap_listener() {
    let mut n = Network::new();
    for rule in default_rules() {
        n.pipe(rule_record(rule));
    }
    let mut waited = common::rule("no_data");
    waited.measure = None;
    n.pipe(rule_record(waited));
    let beat = |connector: &str| SourceHeartbeat {
        root: ROOT.to_owned(),
        connector: connector.to_owned(),
        sent_at: Micros(0),
    };
    for _ in 0..3 {
        n.pipe(beat("olt-ssh-1"));
        n.table(&[(7, true, Some(-28.3)), (8, true, Some(-20.0))]);
        n.driver.tick(28_000);
    }
    n.expect(&["/onu/0/3/5/7 raised atalaia-onu-rx-low below"]);
    // The reader is gone, the listener is not: nobody's values are overdue.
    for _ in 0..100 {
        n.driver.advance(10_000);
        n.pipe(beat("snmp-traps-1"));
    }
    n.expect(&[]);
    // Both are there, and it reads nothing.
    for _ in 0..40 {
        n.driver.advance(10_000);
        n.pipe(beat("olt-ssh-2"));
    }
    n.expect(&[
        "/onu/0/3/5/7 raised test-rule no_data",
        "/onu/0/3/5/8 raised test-rule no_data",
    ]);
}
