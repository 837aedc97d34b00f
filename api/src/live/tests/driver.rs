//! A log of one partition, applied to a live view by hand.

use std::collections::BTreeMap;

use bytes::Bytes;
use log::{Headers, Record, Stored};
use model::{EntityId, Micros, Position, RecordId};
use schemas::{AnyRecord, Codec, DeviceEvent, DeviceEventType, DeviceStatus, InventoryEntry, Phase};
use topology::Topic;

use crate::live::state::LiveState;

pub(in crate::live) const ONU: &str = "default/olt/a/onu/0/1/2/3";
pub(in crate::live) const START: Micros = Micros(1_700_000_000_000_000);

pub(in crate::live) fn after(seconds: i64) -> Micros {
    START.plus(seconds * Micros::SECOND)
}

/// A log of one partition, applied by hand.
pub(in crate::live) struct Driver {
    pub(in crate::live) state: LiveState,
    pub(in crate::live) codec: Codec,
    pub(in crate::live) now: Micros,
}

impl Driver {
    pub(in crate::live) fn new() -> Self {
        Self {
            state: LiveState::default(),
            codec: Codec::standalone(),
            now: START,
        }
    }

    pub(in crate::live) fn stored(
        &self,
        topic: Topic,
        entity: &str,
        record: Option<AnyRecord>,
        id: Option<RecordId>,
    ) -> Stored {
        let value = record.map(|r| Bytes::from(self.codec.encode(&r).unwrap()));
        let headers = Headers {
            record_id: id,
            ..Headers::default()
        };
        let key = Bytes::copy_from_slice(entity.as_bytes());
        Stored {
            record: Record {
                topic,
                partition: 0,
                key,
                value,
                headers,
            },
            offset: 0,
            appended_at: self.now,
        }
    }

    pub(in crate::live) fn exact_of(&self, row: DeviceStatus) -> Stored {
        let (entity, id) = (row.entity.clone(), id(&row.entity, offset(&row), 1));
        self.stored(Topic::DeviceStatus, &entity, Some(row.into()), Some(id))
    }

    pub(in crate::live) fn fast_of(&self, row: DeviceStatus) -> Stored {
        let (entity, id) = (row.entity.clone(), id(&row.entity, offset(&row), 0));
        self.stored(Topic::DeviceEvents, &entity, Some(event(row).into()), Some(id))
    }

    pub(in crate::live) fn apply(&mut self, records: &[Stored]) {
        self.state.apply(records, &self.codec, self.now);
    }

    pub(in crate::live) fn exact(&mut self, row: DeviceStatus) {
        let record = self.exact_of(row);
        self.apply(&[record]);
    }

    pub(in crate::live) fn fast(&mut self, row: DeviceStatus) {
        let record = self.fast_of(row);
        self.apply(&[record]);
    }

    pub(in crate::live) fn tombstone(&mut self, entity: &str, at: u64) {
        let record = self.stored(Topic::DeviceStatus, entity, None, Some(id(entity, at, 1)));
        self.apply(&[record]);
    }

    pub(in crate::live) fn wait(&mut self, seconds: i64) {
        self.now = self.now.plus(seconds * Micros::SECOND);
        self.apply(&[]);
    }

    /// State shown, or `gone`.
    pub(in crate::live) fn shown(&self, entity: &str) -> String {
        let index = self.state.shown("default", entity);
        index.map_or_else(|| "gone".into(), |i| self.state.status_item(i).state.to_string())
    }
}

pub(in crate::live) fn offset(row: &DeviceStatus) -> u64 {
    row.position.position().offset
}

pub(in crate::live) fn id(entity: &str, offset: u64, n: u32) -> RecordId {
    RecordId::new(
        Position {
            generation: 1,
            partition: 0,
            offset,
        },
        2,
        entity.as_bytes(),
        n,
    )
}

pub(in crate::live) fn row(entity: &str, state: &str, offset: u64) -> DeviceStatus {
    let position = Position {
        generation: 1,
        partition: 0,
        offset,
    }
    .into();
    let parsed = EntityId::parse(entity).unwrap();
    DeviceStatus {
        entity: entity.into(),
        root: parsed.root_str().into(),
        kind: parsed.kind().as_str().into(),
        site: None,
        parent: None,
        name: None,
        description: None,
        vendor: None,
        model: None,
        serial: None,
        state: state.into(),
        cause: None,
        cause_raw: None,
        since: START,
        observed_at: START,
        received_at: START,
        first_trap_at: None,
        optics: None,
        poll: None,
        position,
        wts: START,
    }
}

pub(in crate::live) fn event(row: DeviceStatus) -> DeviceEvent {
    DeviceEvent {
        entity: row.entity.clone(),
        root: row.root.clone(),
        kind: row.kind.clone(),
        event_type: DeviceEventType::DeviceAlarm,
        event: "los".into(),
        phase: Phase::Raise,
        severity: None,
        trap_oid: None,
        source: None,
        at: START,
        received_at: START,
        state: Some(row.state.clone()),
        previous: None,
        cause: None,
        cause_raw: None,
        serial: None,
        detail: BTreeMap::new(),
        position: row.position,
        status: Some(row),
    }
}

pub(in crate::live) fn inventory(entity: &str, serial: &str, serial_since: Micros) -> InventoryEntry {
    InventoryEntry {
        entity: entity.into(),
        root: EntityId::parse(entity).unwrap().root_str().into(),
        kind: "onu".into(),
        site: None,
        parent: None,
        name: None,
        description: None,
        vendor: None,
        model: None,
        serial: Some(serial.into()),
        address: None,
        attributes: BTreeMap::new(),
        origin: "import".into(),
        installed_at: None,
        seen_at: serial_since,
        serial_since: Some(serial_since),
        position: Position {
            generation: 1,
            partition: 0,
            offset: 1,
        }
        .into(),
        wts: START,
    }
}
