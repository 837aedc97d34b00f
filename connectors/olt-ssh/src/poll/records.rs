//! From rows of an answer to records of `observations`.
//!
//! A read that does not fit into one record is several, each with its number and how many there are; whoever reads them draws
//! conclusions about what is missing only from all of them. Texts are cut where no device's text should end.

use std::collections::BTreeMap;

use model::Micros;
use schemas::{
    AlarmRow, AlarmTableRead, AnyRecord, AutofindRead, AutofindRow, BoardRow, BoardsRead, OnuRow, OnuTablePort,
    OnuTableRead, OpticsPort, OpticsRead, OpticsRow, SystemRead,
};

use crate::decode::{Alarm, FoundOnu, Onu, OnuOptics, OnuSummary, PortPlace, Slot, Version};

/// Bytes of rows in one record, about: half of what a record may have, because rows are only estimated.
const PART_BYTES: usize = 96 << 10;
/// Bytes of a row beside its texts, about.
const ROW_BYTES: usize = 64;
/// Longest text of a row. Descriptions are at most 64 letters on the device.
const TEXT_BYTES_MAX: usize = 128;
/// Letters to which the summary cuts descriptions: one of these may be longer.
const SUMMARY_DESCRIPTION: usize = 21;

/// What all parts of a read have in common.
#[derive(Debug, Clone)]
pub struct Header {
    /// The OLT.
    pub root: String,
    /// One for all parts, and for no other read.
    pub read_id: String,
    /// `0`, `0/3`, `0/3/5`.
    pub scope: String,
    /// `ssh` or `telnet`.
    pub way: &'static str,
    /// Whether nothing inside the scope is missing.
    pub complete: bool,
    /// When the first command was sent.
    pub started_at: Micros,
    /// When the last answer was there.
    pub received_at: Micros,
}

/// The rows of ports, in the order of the ports.
pub type Ports<R> = BTreeMap<PortPlace, Vec<R>>;

/// Rows of `display ont info summary`.
pub fn summary_rows(rows: &[OnuSummary<'_>], into: &mut Ports<OnuRow>) {
    for row in rows {
        let description = row.description.map(text);
        into.entry(row.place).or_default().push(OnuRow {
            onu: row.onu.into(),
            run_state: row.run_state.map(|word| text(word.as_str())),
            control_flag: None,
            config_state: None,
            match_state: None,
            serial: row.serial.map(|serial| serial.to_string()),
            description_cut: description
                .as_ref()
                .is_some_and(|d| d.chars().count() >= SUMMARY_DESCRIPTION),
            description,
            equipment: row.equipment_type.map(text),
            distance_m: row.distance_m.and_then(|metres| metres.try_into().ok()),
            last_up_time: row.last_up_time.map(|time| time.to_string()),
            last_down_time: row.last_down_time.map(|time| time.to_string()),
            last_down_cause: row.last_down_cause.map(text),
            rx_dbm: row.rx_power_dbm,
            tx_dbm: row.tx_power_dbm,
        });
    }
}

/// A row of `display ont info … all`.
pub fn list_row(row: &Onu<'_>, into: &mut Ports<OnuRow>) {
    into.entry(row.place).or_default().push(OnuRow {
        onu: row.onu.into(),
        run_state: row.run_state.map(|word| text(word.as_str())),
        control_flag: row.control_flag.map(|word| text(word.as_str())),
        config_state: row.config_state.map(|word| text(word.as_str())),
        match_state: row.match_state.map(|word| text(word.as_str())),
        serial: row.serial.map(|serial| serial.to_string()),
        description: row.description.as_deref().map(text),
        description_cut: false,
        equipment: None,
        distance_m: None,
        last_up_time: None,
        last_down_time: None,
        last_down_cause: None,
        rx_dbm: None,
        tx_dbm: None,
    });
}

/// A row of `display ont optical-info P all`.
pub fn optics_row(row: &OnuOptics<'_>) -> OpticsRow {
    OpticsRow {
        onu: row.onu.into(),
        rx_dbm: row.rx_power_dbm,
        tx_dbm: row.tx_power_dbm,
        olt_rx_dbm: row.olt_rx_power_dbm,
        temperature_c: row.temperature_celsius,
        voltage_v: row.voltage_v,
        bias_ma: row.current_ma,
        distance_m: row.distance_m.and_then(whole_metres),
    }
}

/// Metres that can be.
fn whole_metres(metres: f64) -> Option<i32> {
    #[expect(clippy::cast_possible_truncation, reason = "within the range that is asked for")]
    (0.0..1e6).contains(&metres).then(|| metres.round() as i32)
}

/// A read of ONUs.
pub fn onu_table(header: &Header, rows: Ports<OnuRow>) -> Vec<AnyRecord> {
    let bytes = |row: &OnuRow| {
        let texts = [
            &row.run_state,
            &row.control_flag,
            &row.config_state,
            &row.match_state,
            &row.serial,
            &row.description,
            &row.equipment,
            &row.last_up_time,
            &row.last_down_time,
            &row.last_down_cause,
        ];
        texts.into_iter().flatten().map(String::len).sum()
    };
    let parts = parts_of(rows, bytes);
    let of = count(parts.len());
    let record = |(part, ports): (usize, Vec<(PortPlace, Vec<OnuRow>)>)| {
        AnyRecord::from(OnuTableRead {
            root: header.root.clone(),
            read_id: header.read_id.clone(),
            part: count(part),
            of,
            scope: header.scope.clone(),
            complete: header.complete,
            way: header.way.to_owned(),
            started_at: header.started_at,
            received_at: header.received_at,
            ports: ports
                .into_iter()
                .map(|(place, onus)| OnuTablePort {
                    frame: place.frame.into(),
                    slot: place.slot.into(),
                    port: place.port.into(),
                    onus,
                })
                .collect(),
        })
    };
    parts.into_iter().enumerate().map(record).collect()
}

/// A read of the optical levels of one port.
pub fn optics(header: &Header, place: PortPlace, onus: Vec<OpticsRow>) -> Vec<AnyRecord> {
    vec![AnyRecord::from(OpticsRead {
        root: header.root.clone(),
        read_id: header.read_id.clone(),
        part: 0,
        of: 1,
        scope: header.scope.clone(),
        complete: header.complete,
        way: header.way.to_owned(),
        started_at: header.started_at,
        received_at: header.received_at,
        ports: vec![OpticsPort {
            frame: place.frame.into(),
            slot: place.slot.into(),
            port: place.port.into(),
            onus,
        }],
    })]
}

/// A read of the boards of a frame.
pub fn boards(header: &Header, frame: u8, slots: &[&Slot<'_>]) -> Vec<AnyRecord> {
    let row = |slot: &&Slot<'_>| BoardRow {
        frame: frame.into(),
        slot: slot.slot.into(),
        name: slot.board.map(text),
        status: slot.status.map(|status| text(status.as_str())),
        online: match slot.online_offline {
            Some(word) if word.eq_ignore_ascii_case("online") => Some(true),
            Some(word) if word.eq_ignore_ascii_case("offline") => Some(false),
            _ => None,
        },
    };
    vec![AnyRecord::from(BoardsRead {
        root: header.root.clone(),
        read_id: header.read_id.clone(),
        part: 0,
        of: 1,
        scope: header.scope.clone(),
        complete: header.complete,
        way: header.way.to_owned(),
        started_at: header.started_at,
        received_at: header.received_at,
        boards: slots.iter().map(row).collect(),
    })]
}

/// What a session tells about itself.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Host name of the prompts.
    pub host: Option<String>,
    /// Algorithms agreed on, in words.
    pub security: Option<String>,
    /// Whether they, or telnet, are no longer held to be safe.
    pub legacy: bool,
}

/// A read of product and version.
pub fn system(header: &Header, version: &Version<'_>, uptime_s: Option<u64>, about: &About) -> Vec<AnyRecord> {
    vec![AnyRecord::from(SystemRead {
        root: header.root.clone(),
        read_id: header.read_id.clone(),
        part: 0,
        of: 1,
        scope: header.scope.clone(),
        complete: header.complete,
        way: header.way.to_owned(),
        started_at: header.started_at,
        received_at: header.received_at,
        product: version.product.as_deref().map(text),
        version: version.version.as_deref().map(text),
        patch: version.patch.as_deref().map(text),
        host: about.host.as_deref().map(text),
        uptime_s: uptime_s.and_then(|seconds| seconds.try_into().ok()),
        security: about.security.clone(),
        legacy: about.legacy,
    })]
}

/// A read of the ONUs that wait.
pub fn autofind(header: &Header, found: &[&FoundOnu<'_>]) -> Vec<AnyRecord> {
    let row = |onu: &&FoundOnu<'_>| AutofindRow {
        frame: onu.place.map(|place| place.frame.into()),
        slot: onu.place.map(|place| place.slot.into()),
        port: onu.place.map(|place| place.port.into()),
        serial: onu.serial.map(|serial| serial.to_string()),
        serial_text: onu.serial_text.as_deref().map(text),
        vendor: onu.vendor_id.as_deref().map(text),
        equipment: onu.equipment_id.as_deref().map(text),
        version: onu.version.as_deref().map(text),
        software_version: onu.software_version.as_deref().map(text),
        password_set: onu.password_present,
        found_time: onu.found_time.map(|time| time.to_string()),
    };
    let chunks = chunks_of(found.iter().map(row).collect(), 256);
    let of = count(chunks.len());
    let record = |(part, found): (usize, Vec<AutofindRow>)| {
        AnyRecord::from(AutofindRead {
            root: header.root.clone(),
            read_id: header.read_id.clone(),
            part: count(part),
            of,
            scope: header.scope.clone(),
            complete: header.complete,
            way: header.way.to_owned(),
            started_at: header.started_at,
            received_at: header.received_at,
            found,
        })
    };
    chunks.into_iter().enumerate().map(record).collect()
}

/// A read of the active alarms.
pub fn alarms(header: &Header, alarms: &[&Alarm<'_>]) -> Vec<AnyRecord> {
    let row = |alarm: &&Alarm<'_>| AlarmRow {
        sequence: alarm.sequence.and_then(|number| number.try_into().ok()),
        kind: alarm.kind.map(text),
        severity: alarm.severity.map(text),
        alarm_id: alarm.alarm_id.map(text),
        name: alarm.name.as_deref().map(text),
        device_time: alarm.device_time.map(|time| time.to_string()),
        frame: alarm.frame.map(i32::from),
        slot: alarm.slot.map(i32::from),
        port: alarm.port.map(i32::from),
        onu: alarm.onu.map(i32::from),
        parameters: alarm.parameters.as_deref().map(text),
    };
    let chunks = chunks_of(alarms.iter().map(row).collect(), 128);
    let of = count(chunks.len());
    let record = |(part, alarms): (usize, Vec<AlarmRow>)| {
        AnyRecord::from(AlarmTableRead {
            root: header.root.clone(),
            read_id: header.read_id.clone(),
            part: count(part),
            of,
            scope: header.scope.clone(),
            complete: header.complete,
            way: header.way.to_owned(),
            started_at: header.started_at,
            received_at: header.received_at,
            alarms,
        })
    };
    chunks.into_iter().enumerate().map(record).collect()
}

/// Ports in parts of a bearable size, each port in one part; at least one part.
fn parts_of<R>(rows: Ports<R>, bytes: impl Fn(&R) -> usize) -> Vec<Vec<(PortPlace, Vec<R>)>> {
    let mut parts = vec![Vec::new()];
    let mut filled = 0;
    for (place, rows) in rows {
        let size: usize = rows.iter().map(|row| ROW_BYTES + bytes(row)).sum();
        if filled > 0 && filled + size > PART_BYTES {
            parts.push(Vec::new());
            filled = 0;
        }
        filled += size;
        parts.last_mut().expect("there is one").push((place, rows));
    }
    parts
}

/// Rows in chunks; at least one chunk.
fn chunks_of<R>(rows: Vec<R>, max: usize) -> Vec<Vec<R>> {
    let mut rows = rows.into_iter();
    let mut chunks = Vec::new();
    loop {
        let chunk: Vec<R> = rows.by_ref().take(max).collect();
        if chunk.is_empty() && !chunks.is_empty() {
            return chunks;
        }
        chunks.push(chunk);
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// At most [`TEXT_BYTES_MAX`] bytes of a text, whole letters.
fn text(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            root: "default/olt/a".into(),
            read_id: "r1".into(),
            scope: "0".into(),
            way: "ssh",
            complete: true,
            started_at: Micros(1),
            received_at: Micros(2),
        }
    }

    fn row(onu: i32) -> OnuRow {
        OnuRow {
            onu,
            run_state: Some("online".into()),
            control_flag: None,
            config_state: None,
            match_state: None,
            serial: Some("HWTC00000001".into()),
            description: Some("x".repeat(TEXT_BYTES_MAX)),
            description_cut: false,
            equipment: None,
            distance_m: None,
            last_up_time: None,
            last_down_time: None,
            last_down_cause: None,
            rx_dbm: None,
            tx_dbm: None,
        }
    }

    #[test]
    fn a_large_read_is_several_records_that_fit_and_lose_nothing() {
        let mut rows = Ports::new();
        for port in 0..16 {
            for slot in 1..5 {
                let place = PortPlace { frame: 0, slot, port };
                rows.insert(place, (0..128).map(row).collect());
            }
        }
        let records = onu_table(&header(), rows);
        assert!(records.len() > 5, "{}", records.len());
        let mut seen = 0;
        for (n, record) in (0..).zip(&records) {
            let AnyRecord::OnuTableRead(read) = record else {
                panic!("{record:?}")
            };
            assert_eq!((read.part, read.of), (n, count(records.len())));
            seen += read.ports.iter().map(|port| port.onus.len()).sum::<usize>();
            let bytes: usize = read.ports.iter().flat_map(|p| &p.onus).count() * (ROW_BYTES + TEXT_BYTES_MAX + 30);
            assert!(bytes < topology::RECORD_BYTES_MAX, "{bytes}");
        }
        assert_eq!(seen, 16 * 4 * 128);
    }

    #[test]
    fn nothing_is_said_too() {
        let records = onu_table(&header(), Ports::new());
        let [AnyRecord::OnuTableRead(read)] = &records[..] else {
            panic!("{records:?}")
        };
        assert_eq!((read.part, read.of, read.ports.len(), read.complete), (0, 1, 0, true));
        assert_eq!((autofind(&header(), &[]).len(), alarms(&header(), &[]).len()), (1, 1));
    }

    #[test]
    fn texts_are_cut_at_a_letter() {
        assert_eq!(text(&"é".repeat(200)).len(), TEXT_BYTES_MAX);
        assert_eq!(text(&format!("a{}", "é".repeat(200))).len(), TEXT_BYTES_MAX - 1);
    }
}
