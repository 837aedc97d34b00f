//! Runs `normalize` and `status` over records as the engine does (breadth-first, by key), without the engine.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "tests")]

pub mod reads;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::{Micros, Position, Root};
use pipeline_normalize::{Normalize, Places};
use pipeline_status::{Slot, Status};
use runtime::{Change, Input, Now, Out, Output, Reason, Step};
use schemas::network::{self, NetworkEvent};
use schemas::{
    AnyRecord, DeviceEvent, DeviceRegistered, DeviceStatus, InventoryEntry, Measurement, SnmpVersion, TrapReceived,
};
use snmp_pdu::encode::{V2Notification, v2_trap};
use snmp_pdu::{Oid, Value};

pub const ROOT: &str = "default/olt/rjo-01";
pub const HUAWEI: &str = "1.3.6.1.4.1.2011";

static NORMALIZE: LazyLock<Normalize> = LazyLock::new(Normalize::new);

/// What the chain has written so far, and its state.
#[derive(Default)]
pub struct Network {
    status_step: Status,
    places: BTreeMap<String, Places>,
    pub slots: BTreeMap<String, (Slot, Micros)>,
    pub offset: u64,
    pub events: Vec<DeviceEvent>,
    pub status: BTreeMap<String, DeviceStatus>,
    pub inventory: BTreeMap<String, InventoryEntry>,
    /// Status rows written, repeats included.
    pub status_rows: usize,
    pub measurements: Vec<Measurement>,
}

/// What one record did.
#[derive(Debug, Default)]
pub struct Did {
    pub events: Vec<DeviceEvent>,
    pub status_rows: usize,
    pub inventory_rows: usize,
    pub measured: usize,
    /// Slots of `status` that were written.
    pub slots: usize,
    pub reasons: Vec<Reason>,
}

impl Network {
    pub fn feed(&mut self, record: impl Into<AnyRecord>, root: &str, at: Micros) -> Did {
        self.offset += 1;
        let position = Position {
            generation: 1,
            partition: 3,
            offset: self.offset,
        };
        let now = Now {
            log_time: at,
            observed: at,
            position,
        };
        let input = network::decode(record.into(), root).expect("the record is under its root");
        let mut did = Did::default();
        let mut out = Out::new(Micros(0));
        let mut keys = Vec::new();
        NORMALIZE.keys(&input, &mut keys);
        assert_eq!(keys.len(), 1);
        let known = self.places.get(&*keys[0]);
        let verdict = NORMALIZE.apply(&keys[0], known, Input::Event(&input), &now, &mut out);
        did.reasons.push(verdict.reason);
        if let Change::Put(places) = verdict.change {
            assert_ne!(known, Some(&places), "a slot put is a slot written");
            let bytes = postcard::to_allocvec(&places).unwrap();
            assert!(bytes.len() <= NORMALIZE.bytes_max(&places).unwrap());
            self.places.insert(keys[0].to_string(), places);
        }
        let (events, outputs) = out.into_parts();
        assert_eq!(outputs, [], "normalize writes nothing");
        let mut calls: Vec<(runtime::StateKey, usize)> = Vec::new();
        for (i, event) in events.iter().enumerate() {
            let mut keys = Vec::new();
            NORMALIZE.keys(event, &mut keys);
            assert_eq!(keys, [], "nothing flows backwards");
            self.status_step.keys(event, &mut keys);
            calls.extend(keys.into_iter().map(|key| (key, i)));
        }
        calls.sort();
        for (key, i) in calls {
            self.call(&key, &events[i], &now, &mut did);
        }
        did
    }

    fn call(&mut self, key: &runtime::StateKey, event: &NetworkEvent, now: &Now, did: &mut Did) {
        let (slot, wts) = match self.slots.get(&**key) {
            Some((slot, wts)) => (Some(slot), *wts),
            None => (None, Micros(0)),
        };
        let write_time = wts.plus(1).max(now.log_time);
        let mut out = Out::new(write_time);
        let verdict = self.status_step.apply(key, slot, Input::Event(event), now, &mut out);
        did.reasons.push(verdict.reason);
        let (events, outputs) = out.into_parts();
        let is_news = |event: &NetworkEvent| matches!(event, NetworkEvent::Status(_));
        assert!(events.iter().all(is_news), "later steps hear of states alone");
        let kept = matches!(verdict.change, Change::Keep);
        match verdict.change {
            Change::Keep => {}
            Change::Delete => drop(self.slots.remove(&**key)),
            Change::Put(slot) => {
                // What is kept is what the changelog can hold.
                let bytes = postcard::to_allocvec(&slot).unwrap();
                assert!(bytes.len() < topology::SLOT_BYTES_MAX);
                let at_most = runtime::Step::bytes_max(&Status::default(), &slot).unwrap();
                assert!(bytes.len() <= at_most, "{} bytes, told {at_most}", bytes.len());
                assert_eq!(postcard::from_bytes::<Slot>(&bytes).unwrap(), slot);
                self.slots.insert(key.to_string(), (slot, write_time));
            }
        }
        did.slots += usize::from(!kept);
        for output in outputs {
            let is_measured = output.topic == topology::Topic::Measurements;
            assert!(!kept || is_measured, "a row is written only with its slot");
            self.write(key, output, did);
        }
    }

    fn write(&mut self, key: &str, output: Output, did: &mut Did) {
        assert_eq!(output.key, key.as_bytes());
        match (output.topic, output.record) {
            (topology::Topic::DeviceEvents, Some(AnyRecord::DeviceEvent(event))) => {
                did.events.push(event.clone());
                self.events.push(event);
            }
            (topology::Topic::DeviceStatus, Some(AnyRecord::DeviceStatus(row))) => {
                let before = self.status.insert(key.to_owned(), row.clone());
                assert!(before.is_none_or(|before| before.wts < row.wts), "write times rise");
                did.status_rows += 1;
                self.status_rows += 1;
            }
            (topology::Topic::Inventory, Some(AnyRecord::InventoryEntry(row))) => {
                self.inventory.insert(key.to_owned(), row);
                did.inventory_rows += 1;
            }
            (topology::Topic::Measurements, Some(AnyRecord::Measurement(row))) => {
                did.measured += 1;
                self.measurements.push(row);
            }
            (topology::Topic::DeviceStatus, None) => drop(self.status.remove(key)),
            (topology::Topic::Inventory, None) => drop(self.inventory.remove(key)),
            other => panic!("not a record of its topic: {other:?}"),
        }
    }

    /// `state`, or `state(cause)`, of an entity of [`ROOT`]; `-` if it has no status.
    pub fn state(&self, below: &str) -> String {
        let Some(row) = self.status.get(&entity(below)) else {
            return "-".to_owned();
        };
        match &row.cause {
            Some(cause) => format!("{}({cause})", row.state),
            None => row.state.clone(),
        }
    }
}

/// An entity of [`ROOT`]: `onu/0/3/5/17`, or `olt` for the root itself.
pub fn entity(below: &str) -> String {
    if below == "olt" {
        ROOT.to_owned()
    } else {
        format!("{ROOT}/{below}")
    }
}

pub fn trap(root: &str, pdu: Vec<u8>, received_at: Micros) -> TrapReceived {
    TrapReceived {
        root: root.to_owned(),
        sender: "192.0.2.10".to_owned(),
        sender_port: 40_000,
        listener: "main".to_owned(),
        version: SnmpVersion::V2c,
        credential: "noc".to_owned(),
        inform: false,
        relay: None,
        inner_address: None,
        received_at,
        pdu,
    }
}

pub fn registration(entity: &str, kind: &str, at: Micros) -> DeviceRegistered {
    DeviceRegistered {
        entity: entity.to_owned(),
        kind: kind.to_owned(),
        serial: None,
        name: None,
        site: None,
        description: None,
        vendor: None,
        model: None,
        address: None,
        attributes: BTreeMap::new(),
        origin: "import".to_owned(),
        removed: false,
        observed_at: at,
        received_at: at,
    }
}

pub fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

/// OID under Huawei's enterprise.
pub fn huawei(rest: &str) -> Oid {
    oid(&format!("{HUAWEI}.{rest}"))
}

/// A v2c trap of an ONU alarm: frame, slot, port, ONU id.
pub fn onu_trap(trap_oid: Oid, place: [u8; 3], onu: u16, request_id: i32, uptime: u32) -> Vec<u8> {
    let n = |v: u8| Value::Integer(i32::from(v));
    v2_trap(
        &V2Notification {
            request_id,
            uptime,
            trap_oid,
        },
        &[
            (huawei("6.3.3.1.1.1.0"), n(place[0])),
            (huawei("6.3.3.2.1.1.0.1"), n(place[1])),
            (huawei("6.3.3.4.1.1.0.1.1"), n(place[2])),
            (huawei("6.128.1.1.2.43.1.1"), Value::Integer(i32::from(onu))),
        ],
    )
}

pub fn root() -> Root {
    Root::parse(ROOT).unwrap()
}

pub fn seconds(s: i64) -> Micros {
    Micros(1_700_000_000 * Micros::SECOND + s * Micros::SECOND)
}

/// Folder of the recordings, or `None` with a word of it.
pub fn recordings() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("ATALAIA_RECORDINGS");
    if folder.is_none() {
        eprintln!("skipped: ATALAIA_RECORDINGS does not name the folder of recordings");
    }
    folder.map(Into::into)
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
