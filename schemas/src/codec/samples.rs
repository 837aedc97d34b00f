//! A record of every type, for the tests beside this.

use std::collections::BTreeMap;

use model::{Micros, Position};

use crate::*;

/// One of each, in the order of [`RecordType::ALL`].
pub fn samples() -> Vec<AnyRecord> {
    let mut samples = others();
    // As they stand in the enum: readings behind the tick, the measurement behind the inventory.
    samples.splice(4..4, readings());
    samples.insert(14, measurement());
    samples.extend(super::alarm_samples::samples());
    samples
}

pub fn status() -> DeviceStatus {
    DeviceStatus {
        entity: "default/olt/a/onu/0/1/2/3".into(),
        root: "default/olt/a".into(),
        kind: "onu".into(),
        site: Some("RJO".into()),
        parent: None,
        name: None,
        description: Some("Ação é útil".into()),
        vendor: None,
        model: None,
        serial: Some("HWTC1234ABCD".into()),
        state: "offline".into(),
        cause: Some("power".into()),
        cause_raw: None,
        since: Micros(1),
        observed_at: Micros(2),
        received_at: Micros(-3),
        first_trap_at: None,
        optics: Some(OnuOptics {
            rx_dbm: Some(-24.68),
            tx_dbm: Some(2.25),
            olt_rx_dbm: None,
            temperature_c: Some(38.0),
            voltage_v: Some(3.28),
            bias_ma: Some(6.0),
            distance_m: Some(1807),
            observed_at: Micros(4),
        }),
        poll: Some(PollHealth {
            last_good_at: None,
            took_ms: None,
            failing_since: Some(Micros(1)),
            class: Some("timeout".into()),
            detail: Some("no answer in 30 s".into()),
            in_a_row: 2,
            firmware: None,
            security: None,
            legacy: false,
            rows_refused: 3,
            pending: Some(PendingOnus {
                observed_at: Micros(5),
                more: true,
                onus: vec![found_onu()],
            }),
        }),
        position: Position {
            generation: 1,
            partition: 2,
            offset: 3,
        }
        .into(),
        wts: Micros(9),
    }
}

fn others() -> Vec<AnyRecord> {
    vec![
        TrapReceived {
            root: "default/olt/a".into(),
            sender: "192.0.2.1".into(),
            sender_port: 1024,
            listener: "main".into(),
            version: SnmpVersion::V2c,
            credential: "noc".into(),
            inform: true,
            relay: None,
            inner_address: Some("192.0.2.2".into()),
            received_at: Micros(5),
            pdu: vec![0xA7, 0, 255],
        }
        .into(),
        SourceHeartbeat {
            root: "default/olt/a".into(),
            connector: "snmp-traps".into(),
            sent_at: Micros(1),
        }
        .into(),
        DeviceRegistered {
            entity: "default/olt/a".into(),
            kind: "olt".into(),
            serial: None,
            name: Some("a".into()),
            site: None,
            description: None,
            vendor: Some("huawei".into()),
            model: None,
            address: Some("192.0.2.1".into()),
            attributes: BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())]),
            origin: "config".into(),
            removed: false,
            observed_at: Micros(1),
            received_at: Micros(1),
        }
        .into(),
        Tick { sent_at: Micros(7) }.into(),
        status().into(),
        DeviceEvent {
            entity: "default/olt/a/onu/0/1/2/3".into(),
            root: "default/olt/a".into(),
            kind: "onu".into(),
            event_type: DeviceEventType::DeviceDisconnected,
            event: "dying_gasp".into(),
            phase: Phase::Raise,
            severity: Some("minor".into()),
            trap_oid: None,
            source: Some("trap".into()),
            at: Micros(1),
            received_at: Micros(1),
            state: Some("offline".into()),
            previous: Some("online".into()),
            cause: Some("power".into()),
            cause_raw: None,
            serial: None,
            detail: BTreeMap::new(),
            position: Position {
                generation: 1,
                partition: 2,
                offset: 3,
            }
            .into(),
            status: Some(status()),
        }
        .into(),
        InventoryEntry {
            entity: "default/olt/a".into(),
            root: "default/olt/a".into(),
            kind: "olt".into(),
            site: None,
            parent: None,
            name: None,
            description: None,
            vendor: None,
            model: None,
            serial: None,
            address: None,
            attributes: BTreeMap::new(),
            origin: "import".into(),
            installed_at: Some(Micros(1)),
            seen_at: Micros(2),
            serial_since: None,
            position: Position {
                generation: 1,
                partition: 2,
                offset: 3,
            }
            .into(),
            wts: Micros(3),
        }
        .into(),
        DeadLetter {
            topic: "observations".into(),
            partition: 3,
            offset: 4,
            key: vec![],
            value: Some(vec![1, 2]),
            headers: BTreeMap::from([("writer".into(), serde_bytes::ByteBuf::from(vec![1]))]),
            reason: "undecodable".into(),
            errors: vec!["a".into(), "b".into()],
            appended_at: Micros(1),
        }
        .into(),
        LedgerRow {
            scope: LedgerScope::Sender,
            listener: "main".into(),
            sender: Some("192.0.2.1".into()),
            root: None,
            writer: "w".into(),
            at: Micros(1),
            received: 10,
            accepted: 8,
            recovered: 1,
            acknowledged: 8,
            in_spool: 0,
            dropped: BTreeMap::new(),
            refused: BTreeMap::from([("community".into(), 2)]),
            undecodable: BTreeMap::new(),
            over_limit: 0,
            kernel_drops: 0,
            first_at: Some(Micros(1)),
            last_at: Some(Micros(2)),
            lost_first_at: None,
            lost_last_at: Some(Micros(3)),
        }
        .into(),
        AuditEntry {
            actor: "admin".into(),
            tenant: "default".into(),
            role: Some("admin".into()),
            action: "login".into(),
            target: None,
            outcome: "denied".into(),
            detail: None,
            remote: None,
            at: Micros(1),
        }
        .into(),
    ]
}

/// One sample of each reading, with a row where it has any.
fn readings() -> Vec<AnyRecord> {
    vec![
        OnuTableRead {
            root: "default/olt/a".into(),
            read_id: "r1".into(),
            part: 1,
            of: 2,
            scope: "0/3".into(),
            complete: true,
            way: "ssh".into(),
            started_at: Micros(1),
            received_at: Micros(2),
            ports: vec![OnuTablePort {
                frame: 0,
                slot: 3,
                port: 5,
                onus: vec![OnuRow {
                    onu: 17,
                    run_state: Some("offline".into()),
                    control_flag: None,
                    config_state: None,
                    match_state: None,
                    serial: Some("HWTC1234ABCD".into()),
                    description: Some("Ação".into()),
                    description_cut: true,
                    equipment: Some("EG8145V5".into()),
                    distance_m: Some(1807),
                    last_up_time: None,
                    last_down_time: Some("2026-02-14 05:16:56".into()),
                    last_down_cause: Some("dying-gasp".into()),
                    rx_dbm: Some(-21.92),
                    tx_dbm: None,
                }],
            }],
        }
        .into(),
        OpticsRead {
            root: "default/olt/a".into(),
            read_id: "r2".into(),
            part: 0,
            of: 1,
            scope: "0/3/5".into(),
            complete: false,
            way: "snmp".into(),
            started_at: Micros(1),
            received_at: Micros(2),
            ports: vec![OpticsPort {
                frame: 0,
                slot: 3,
                port: 5,
                onus: vec![OpticsRow {
                    onu: 17,
                    rx_dbm: Some(-24.68),
                    tx_dbm: Some(3.68),
                    olt_rx_dbm: Some(-22.68),
                    temperature_c: Some(38.0),
                    voltage_v: Some(3.2),
                    bias_ma: Some(6.0),
                    distance_m: Some(171),
                }],
            }],
        }
        .into(),
        BoardsRead {
            root: "default/olt/a".into(),
            read_id: "r3".into(),
            part: 0,
            of: 1,
            scope: "0".into(),
            complete: true,
            way: "telnet".into(),
            started_at: Micros(1),
            received_at: Micros(2),
            boards: vec![BoardRow {
                frame: 0,
                slot: 3,
                name: Some("H901GPHF".into()),
                status: Some("Normal".into()),
                online: None,
            }],
        }
        .into(),
        SystemRead {
            root: "default/olt/a".into(),
            read_id: "r4".into(),
            part: 0,
            of: 1,
            scope: "0".into(),
            complete: true,
            way: "ssh".into(),
            started_at: Micros(1),
            received_at: Micros(2),
            product: Some("MA5800-X7".into()),
            version: Some("MA5800V100R018C00".into()),
            patch: Some("SPH505".into()),
            host: Some("RJO".into()),
            uptime_s: Some(1 << 33),
            security: Some("aes256-ctr".into()),
            legacy: true,
        }
        .into(),
        AutofindRead {
            root: "default/olt/a".into(),
            read_id: "r5".into(),
            part: 0,
            of: 1,
            scope: "0".into(),
            complete: true,
            way: "ssh".into(),
            started_at: Micros(1),
            received_at: Micros(2),
            found: vec![found_onu()],
        }
        .into(),
        AlarmTableRead {
            root: "default/olt/a".into(),
            read_id: "r6".into(),
            part: 0,
            of: 1,
            scope: "0".into(),
            complete: true,
            way: "ssh".into(),
            started_at: Micros(1),
            received_at: Micros(2),
            alarms: vec![AlarmRow {
                sequence: Some(2_431_653),
                kind: Some("FAULT".into()),
                severity: Some("MINOR".into()),
                alarm_id: Some("0x2e11a00b".into()),
                name: None,
                device_time: None,
                frame: Some(0),
                slot: Some(6),
                port: Some(6),
                onu: Some(67),
                parameters: None,
            }],
        }
        .into(),
        PollFailed {
            root: "default/olt/a".into(),
            way: "ssh".into(),
            read: "login".into(),
            class: "refused".into(),
            detail: "the device refused the password".into(),
            in_a_row: 1,
            since: Micros(1),
            started_at: Micros(1),
            received_at: Micros(2),
        }
        .into(),
    ]
}

fn found_onu() -> AutofindRow {
    AutofindRow {
        frame: Some(0),
        slot: Some(6),
        port: Some(1),
        serial: Some("HWTC1234ABCD".into()),
        serial_text: None,
        vendor: Some("HWTC".into()),
        equipment: None,
        version: None,
        software_version: None,
        password_set: true,
        found_time: None,
    }
}

fn measurement() -> AnyRecord {
    Measurement {
        entity: "default/olt/a/onu/0/3/5/17".into(),
        root: "default/olt/a".into(),
        measure: "onu_rx_power".into(),
        value: -24.68,
        unit: "dBm".into(),
        quality: "good".into(),
        observed_at: Micros(1),
        received_at: Micros(2),
        position: Position {
            generation: 1,
            partition: 2,
            offset: 3,
        }
        .into(),
        group: None,
        wts: Some(Micros(3)),
    }
    .into()
}
