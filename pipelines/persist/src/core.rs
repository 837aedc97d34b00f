//! What a record means to the store. Pure: the same record gives the same rows, whenever it is read.

use std::error::Error;

use log::Stored;
use model::rollup::{SampleRefusal, Summary, Window, check_sample};
use model::{EntityId, Kind, Micros, Position, RecordId};
use schemas::{
    AnyRecord, Codec, DecodeError, DeviceEvent, DeviceEventType, DeviceStatus, InventoryEntry, LedgerRow, LedgerScope,
    Measurement, OnuOptics, Phase, PollHealth, Rollup, WindowWanted,
};
use store::rows::{
    AlarmEventRow, AlarmRow, IncidentRow, LedgerEntryRow, LedgerOf, RuleRow, SilenceRow, StatusOptics, StatusPoll,
    StatusRow, read_group,
};
use store::rows::{DeviceEventRow, ENTITIES, EntityRow, GroupKind, GroupRow, STATUS, STATUS_BY_GROUP, SerialRow};
use store::rows::{LatestRow, RollupRow, SampleRow};
use store::{Row, TableDef, Value, check_row};
use topology::Topic;

use crate::alarms::{alarm_event_row, alarm_row, incident_row, rule_row, silence_row};

/// What one record changes.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "changes are short-lived and moved once")]
pub enum Change {
    /// Something happened.
    Event(DeviceEventRow),
    /// An entity has this status now.
    Status(StatusRow),
    /// An entity is this now.
    Inventory(EntityRow),
    /// A listener's or a sender's datagrams stand so now.
    Ledger(LedgerEntryRow),
    /// Something was measured; if it is the newest of its measure, with the row of that.
    Sample(SampleRow, Option<LatestRow>),
    /// A measurement that is in no history, and why: it came after its time was over, or is ahead of it.
    Refused(SampleRefusal),
    /// A window adds up to this now.
    Rollup(RollupRow),
    /// A window is to be added up from what is stored.
    Wanted(Request),
    /// An alarm is this now.
    Alarm(Box<AlarmRow>),
    /// Something happened to an alarm.
    AlarmEvent(Box<AlarmEventRow>),
    /// An incident is this now.
    Incident(Box<IncidentRow>),
    /// A version of a rule.
    Rule(Box<RuleRow>),
    /// A version of a silence.
    Silence(Box<SilenceRow>),
    /// A tombstone of what is over: the topic forgets it, the store keeps it until its row ends.
    Forgotten,
    /// A tombstone: the entity has no status any more, or is not there any more.
    Removed(Removal),
}

/// A window that is to be added up again.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Of which entity.
    pub entity: EntityId,
    /// Of which measure.
    pub measure: String,
    /// A day, told hour by hour, or a month, told day by day.
    pub window: Window,
    /// When it begins.
    pub start: Micros,
    /// The record that has to be stored before: of `measurements` for a day, of `rollups-day` for a month.
    pub after: RecordId,
}

/// What a tombstone removes.
#[derive(Debug, Clone, PartialEq)]
pub struct Removal {
    /// Whether it stands in `inventory` or in `device-status`.
    pub of: Removed,
    /// Whose.
    pub entity: EntityId,
    /// The input that caused it: what a later input made stays. `None` if the record does not say.
    pub input: Option<Position>,
    /// When the log appended it: decides where the input is not known.
    pub appended_at: Micros,
}

/// Which rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Removed {
    Status,
    Inventory,
}

/// Why a record is not a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Its schema is not known yet: it waits, and all of its partition behind it.
    UnknownSchema(u32),
    /// It cannot be a row, now or later: a dead letter.
    Poison {
        /// In a word, for counting.
        reason: &'static str,
        /// The chain of errors, outermost first.
        errors: Vec<String>,
    },
}

impl Refusal {
    fn poison(reason: &'static str, error: &(dyn Error + 'static)) -> Self {
        Self::Poison {
            reason,
            errors: error_chain(error),
        }
    }
}

/// What an error says, and what is behind it.
pub(crate) fn error_chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut lines = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        lines.push(error.to_string());
        next = error.source();
    }
    lines
}

/// Reads a record of one of the topics.
///
/// # Errors
/// When it waits or is a dead letter; see [`Refusal`].
pub fn change_of(codec: &Codec, stored: &Stored) -> Result<Change, Refusal> {
    let Some(value) = &stored.record.value else {
        return match stored.record.topic {
            Topic::Alarms | Topic::Incidents => Ok(Change::Forgotten),
            _ => removal_of(stored).map(Change::Removed),
        };
    };
    let record = codec.decode(value).map_err(|error| match error {
        DecodeError::UnknownSchema(id) => Refusal::UnknownSchema(id),
        error => Refusal::poison("undecodable", &error),
    })?;
    let change = match (stored.record.topic, record) {
        (Topic::DeviceEvents, AnyRecord::DeviceEvent(event)) => Change::Event(event_row(event, stored)?),
        (Topic::DeviceStatus, AnyRecord::DeviceStatus(status)) => Change::Status(status_row(status)?),
        (Topic::Inventory, AnyRecord::InventoryEntry(entry)) => Change::Inventory(entity_row(entry)?),
        (Topic::Ledger, AnyRecord::LedgerRow(row)) => Change::Ledger(ledger_row(row)?),
        (Topic::Measurements, AnyRecord::Measurement(sample)) => sample_of(sample)?,
        (Topic::RollupsHour | Topic::RollupsDay, AnyRecord::Rollup(row)) => Change::Rollup(rollup_row(row)?),
        (Topic::ReadRequests, AnyRecord::WindowWanted(wanted)) => Change::Wanted(request(wanted)?),
        (Topic::Alarms, AnyRecord::Alarm(alarm)) => Change::Alarm(Box::new(alarm_row(alarm)?)),
        (Topic::AlarmTransitions, AnyRecord::AlarmTransition(transition)) => {
            Change::AlarmEvent(Box::new(alarm_event_row(transition, stored)?))
        }
        (Topic::Incidents, AnyRecord::Incident(incident)) => Change::Incident(Box::new(incident_row(incident)?)),
        (Topic::Rules, AnyRecord::Rule(rule)) => Change::Rule(Box::new(rule_row(rule))),
        (Topic::Rules, AnyRecord::Silence(silence)) => Change::Silence(Box::new(silence_row(silence))),
        (topic, record) => {
            let problem = format!("a {} does not belong into {topic}", record.record_type().name());
            return Err(Refusal::Poison {
                reason: "unexpected_record",
                errors: vec![problem],
            });
        }
    };
    for row in rows_of(&change) {
        check_row(&row).map_err(|error| Refusal::poison("does_not_fit", &error))?;
    }
    Ok(change)
}

/// The rows that a change writes; none for a removal.
pub fn rows_of(change: &Change) -> Vec<Row> {
    match change {
        Change::Event(event) => vec![event.to_row()],
        // Our own probes are for the live view alone: they are on no list.
        Change::Status(status) if status.entity.kind() == Kind::Probe => vec![],
        Change::Status(status) => vec![status.to_row(), status.to_group_row()],
        Change::Inventory(entity) => {
            let mut rows = vec![entity.to_row()];
            rows.extend(group_rows(entity).iter().map(GroupRow::to_row));
            rows.extend(serial_row(entity).iter().map(SerialRow::to_row));
            rows
        }
        Change::Ledger(row) => vec![row.to_row()],
        Change::Sample(sample, newest) => {
            let newest = newest.as_ref().map(LatestRow::to_row);
            [sample.to_row()].into_iter().chain(newest).collect()
        }
        Change::Rollup(row) => vec![row.to_row()],
        Change::Alarm(alarm) => vec![alarm.to_row()],
        Change::AlarmEvent(event) => event.to_rows(),
        Change::Incident(incident) => vec![incident.to_row(), incident.to_month_row()],
        Change::Rule(rule) => vec![rule.to_row()],
        Change::Silence(silence) => vec![silence.to_row()],
        Change::Refused(_) | Change::Wanted(_) | Change::Removed(_) | Change::Forgotten => vec![],
    }
}

/// Every row that stands in the store because of an inventory entry.
pub fn keys_of_entity(entity: &EntityRow) -> Vec<(&'static TableDef, Vec<Value>)> {
    let mut keys = derived_keys(entity);
    keys.push((&ENTITIES, entity.to_row().key));
    keys
}

/// The rows beside the entity's own: those of another serial or another site go when the entity changes.
pub fn derived_keys(entity: &EntityRow) -> Vec<(&'static TableDef, Vec<Value>)> {
    let groups = group_rows(entity);
    let rows = groups
        .iter()
        .map(GroupRow::to_row)
        .chain(serial_row(entity).map(|s| s.to_row()));
    rows.map(|row| (row.table, row.key)).collect()
}

/// Every row that stands in the store because of a status.
pub fn keys_of_status(entity: &EntityId) -> Vec<(&'static TableDef, Vec<Value>)> {
    let text = |text: &str| Value::Text(text.to_owned());
    vec![
        (&STATUS, vec![text(entity.as_str())]),
        (&STATUS_BY_GROUP, vec![text(&read_group(entity)), text(entity.as_str())]),
    ]
}

fn removal_of(stored: &Stored) -> Result<Removal, Refusal> {
    let of = match stored.record.topic {
        Topic::DeviceStatus => Removed::Status,
        Topic::Inventory => Removed::Inventory,
        topic => {
            let problem = format!("{topic} has no tombstones");
            return Err(Refusal::Poison {
                reason: "unexpected_record",
                errors: vec![problem],
            });
        }
    };
    let key = std::str::from_utf8(&stored.record.key).map_err(|e| Refusal::poison("undecodable", &e))?;
    Ok(Removal {
        of,
        entity: entity_id(key)?,
        input: stored.record.headers.record_id.as_ref().map(model::RecordId::input),
        appended_at: stored.appended_at,
    })
}

pub(crate) fn entity_id(text: &str) -> Result<EntityId, Refusal> {
    EntityId::parse(text).map_err(|error| Refusal::poison("bad_entity", &error))
}

fn event_row(event: DeviceEvent, stored: &Stored) -> Result<DeviceEventRow, Refusal> {
    let id = record_id(stored)?;
    let event_type = match event.event_type {
        DeviceEventType::DeviceConnected => "DEVICE_CONNECTED",
        DeviceEventType::DeviceDisconnected => "DEVICE_DISCONNECTED",
        DeviceEventType::DeviceAlarm => "DEVICE_ALARM",
    };
    let phase = match event.phase {
        Phase::Raise => "RAISE",
        Phase::Clear => "CLEAR",
        Phase::Event => "EVENT",
    };
    Ok(DeviceEventRow {
        entity: entity_id(&event.entity)?,
        at: event.at,
        id,
        kind: event.kind,
        event_type: event_type.to_owned(),
        event: event.event,
        phase: phase.to_owned(),
        severity: event.severity,
        trap_oid: event.trap_oid,
        source: event.source,
        state: event.state,
        previous: event.previous,
        cause: event.cause,
        cause_raw: event.cause_raw,
        serial: event.serial,
        detail: event.detail,
        received_at: event.received_at,
        position: event.position.position(),
    })
}

/// The bytes that tell a happening from another of its millisecond.
pub(crate) fn record_id(stored: &Stored) -> Result<Vec<u8>, Refusal> {
    let id = stored.record.headers.record_id.as_ref();
    id.map(|id| id.as_bytes().to_vec()).ok_or_else(|| Refusal::Poison {
        reason: "no_record_id",
        errors: vec!["an event without a record id could not be told from another of its millisecond".to_owned()],
    })
}

fn status_row(status: DeviceStatus) -> Result<StatusRow, Refusal> {
    Ok(StatusRow {
        entity: entity_id(&status.entity)?,
        kind: status.kind,
        site: status.site,
        parent: status.parent,
        name: status.name,
        description: status.description,
        vendor: status.vendor,
        model: status.model,
        serial: status.serial,
        state: status.state,
        cause: status.cause,
        cause_raw: status.cause_raw,
        since: status.since,
        observed_at: status.observed_at,
        received_at: status.received_at,
        first_trap_at: status.first_trap_at,
        optics: status.optics.map(optics),
        poll: status.poll.map(poll),
        position: status.position.position(),
        wts: status.wts,
    })
}

fn optics(shown: OnuOptics) -> StatusOptics {
    StatusOptics {
        rx_dbm: shown.rx_dbm,
        tx_dbm: shown.tx_dbm,
        olt_rx_dbm: shown.olt_rx_dbm,
        temperature_c: shown.temperature_c,
        voltage_v: shown.voltage_v,
        bias_ma: shown.bias_ma,
        distance_m: shown.distance_m,
        observed_at: shown.observed_at,
    }
}

fn poll(health: PollHealth) -> StatusPoll {
    StatusPoll {
        last_good_at: health.last_good_at,
        took_ms: health.took_ms,
        failing_since: health.failing_since,
        class: health.class,
        detail: health.detail,
        in_a_row: health.in_a_row,
        firmware: health.firmware,
        security: health.security,
        legacy: health.legacy,
        rows_refused: health.rows_refused,
    }
}

fn entity_row(entry: InventoryEntry) -> Result<EntityRow, Refusal> {
    Ok(EntityRow {
        entity: entity_id(&entry.entity)?,
        kind: entry.kind,
        site: entry.site,
        parent: entry.parent,
        name: entry.name,
        description: entry.description,
        vendor: entry.vendor,
        model: entry.model,
        serial: entry.serial,
        address: entry.address,
        attributes: entry.attributes,
        origin: entry.origin,
        installed_at: entry.installed_at,
        seen_at: entry.seen_at,
        serial_since: entry.serial_since,
        position: entry.position.position(),
        wts: entry.wts,
    })
}

fn ledger_row(row: LedgerRow) -> Result<LedgerEntryRow, Refusal> {
    let of = match (row.scope, row.sender) {
        (LedgerScope::Listener, _) => LedgerOf::Listener(row.listener),
        (LedgerScope::Sender, Some(sender)) => LedgerOf::Sender {
            listener: row.listener,
            sender,
        },
        (LedgerScope::Sender, None) => {
            return Err(Refusal::Poison {
                reason: "no_sender",
                errors: vec!["a sender's row without its address".to_owned()],
            });
        }
    };
    Ok(LedgerEntryRow {
        of,
        writer: row.writer,
        root: row.root,
        at: row.at,
        received: row.received,
        accepted: row.accepted,
        recovered: row.recovered,
        acknowledged: row.acknowledged,
        waiting: row.in_spool,
        over_limit: row.over_limit,
        kernel_drops: row.kernel_drops,
        dropped: row.dropped,
        refused: row.refused,
        undecodable: row.undecodable,
        first_at: row.first_at,
        last_at: row.last_at,
        lost_first_at: row.lost_first_at,
        lost_last_at: row.lost_last_at,
    })
}

fn sample_of(sample: Measurement) -> Result<Change, Refusal> {
    if let Err(refusal) = check_sample(sample.value, sample.observed_at, sample.received_at) {
        return Ok(Change::Refused(refusal));
    }
    let entity = entity_id(&sample.entity)?;
    let newest = sample.wts.map(|wts| LatestRow {
        entity: entity.clone(),
        measure: sample.measure.clone(),
        value: sample.value,
        unit: sample.unit.clone(),
        group: sample.group,
        quality: sample.quality.clone(),
        observed_at: sample.observed_at,
        wts,
    });
    let row = SampleRow {
        entity,
        measure: sample.measure,
        value: sample.value,
        unit: sample.unit,
        quality: sample.quality,
        observed_at: sample.observed_at,
    };
    Ok(Change::Sample(row, newest))
}

fn window_of(word: &str) -> Result<Window, Refusal> {
    Window::parse(word).ok_or_else(|| Refusal::Poison {
        reason: "bad_window",
        errors: vec![format!("`{}` is no window: hour, day or month", word.escape_debug())],
    })
}

fn rollup_row(row: Rollup) -> Result<RollupRow, Refusal> {
    Ok(RollupRow {
        entity: entity_id(&row.entity)?,
        measure: row.measure,
        unit: row.unit,
        window: window_of(&row.window)?,
        start: row.start,
        sum: Summary {
            n: row.n.unsigned_abs(),
            sum: row.sum,
            sum_squares: row.sum_squares,
            min: row.min,
            max: row.max,
            first: row.first,
            first_at: row.first_at,
            last: row.last,
            last_at: row.last_at,
        },
        wts: row.wts,
    })
}

fn request(wanted: WindowWanted) -> Result<Request, Refusal> {
    Ok(Request {
        entity: entity_id(&wanted.entity)?,
        measure: wanted.measure,
        window: window_of(&wanted.window)?,
        start: wanted.start,
        after: RecordId::from_bytes(&wanted.sample_id).map_err(|error| Refusal::poison("bad_sample_id", &error))?,
    })
}

/// The group that an entity is, and a root's share of its site.
fn group_rows(entity: &EntityRow) -> Vec<GroupRow> {
    let id = entity.entity.as_str();
    let kind = match entity.entity.kind() {
        Kind::Olt => Some(GroupKind::Olt),
        Kind::Board => Some(GroupKind::Board),
        Kind::Pon => Some(GroupKind::Pon),
        _ => None,
    };
    let own = kind.map(|kind| GroupRow {
        kind,
        read_group: id.to_owned(),
        name: entity.name.clone(),
        parent: entity.parent.clone(),
        attributes: entity.attributes.clone(),
        wts: entity.wts,
    });
    let is_root = entity.entity.parent().is_none();
    let site = entity.site.as_ref().filter(|_| is_root).map(|site| GroupRow {
        kind: GroupKind::Site,
        read_group: format!("{id}/site/{site}"),
        name: Some(site.clone()),
        parent: Some(id.to_owned()),
        attributes: std::collections::BTreeMap::new(),
        wts: entity.wts,
    });
    own.into_iter().chain(site).collect()
}

fn serial_row(entity: &EntityRow) -> Option<SerialRow> {
    let serial = SerialRow::key_form(entity.serial.as_ref()?);
    Some(SerialRow {
        tenant: entity.entity.as_str().split('/').next().unwrap_or_default().to_owned(),
        serial,
        entity: entity.entity.clone(),
        since: entity.serial_since.unwrap_or(entity.seen_at),
        wts: entity.wts,
    })
}
