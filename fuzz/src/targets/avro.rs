//! A value of any topic: what is read can be written and read again, and shown.

use std::sync::LazyLock;

use schemas::{AnyRecord, Codec, DeadLetter, LedgerRow, LedgerScope, SnmpVersion, SourceHeartbeat, Tick, TrapReceived};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target {
    name: "avro-decode",
    run,
    seeds,
    bytes_max: 1_500,
};

/// Reading the schemas takes longer than reading a value.
static CODEC: LazyLock<Codec> = LazyLock::new(Codec::standalone);

fn run(value: &[u8]) {
    let codec = &*CODEC;
    let Ok(record) = codec.decode(value) else { return };
    let shown = record.to_json().to_string();
    assert!(!shown.is_empty());
    let bytes = codec.encode(&record).expect("what was read can be written");
    let again = codec.decode(&bytes).expect("what was written can be read");
    // A double that is no number is not equal to itself: its bytes are.
    let bytes_again = codec.encode(&again).expect("what was read can be written");
    assert!(again == record || bytes_again == bytes, "{again:?} is not {record:?}");
}

fn seeds() -> Vec<Vec<u8>> {
    let codec = &*CODEC;
    let at = model::Micros(1_700_000_000_000_000);
    let pdu = super::snmp::pdus().pop().unwrap_or_default();
    let trap = TrapReceived {
        root: "default/olt/a".into(),
        sender: "192.0.2.1".into(),
        sender_port: 162,
        listener: "main".into(),
        version: SnmpVersion::V2c,
        credential: "noc".into(),
        inform: true,
        relay: Some("192.0.2.250".into()),
        inner_address: None,
        received_at: at,
        pdu: pdu.clone(),
    };
    let letter = DeadLetter {
        topic: "observations".into(),
        partition: 3,
        offset: 4_711,
        key: b"default/olt/a".to_vec(),
        value: Some(pdu),
        headers: [("writer".to_owned(), b"w#1".to_vec().into())].into(),
        reason: "undecodable".into(),
        errors: vec!["it is none".into()],
        appended_at: at,
    };
    let row = LedgerRow {
        scope: LedgerScope::Listener,
        listener: "main".into(),
        sender: None,
        root: None,
        writer: "w".into(),
        at,
        received: 10,
        accepted: 9,
        recovered: 0,
        acknowledged: 9,
        in_spool: 0,
        dropped: [("spool_full".to_owned(), 0)].into(),
        refused: [("community".to_owned(), 1)].into(),
        undecodable: Default::default(),
        over_limit: 0,
        kernel_drops: i64::MAX,
        first_at: Some(at),
        last_at: None,
        lost_first_at: None,
        lost_last_at: Some(at),
    };
    let heartbeat = SourceHeartbeat {
        root: "default/olt/a".into(),
        connector: "snmp-traps".into(),
        sent_at: at,
    };
    let records: [AnyRecord; 5] = [
        trap.into(),
        letter.into(),
        row.into(),
        heartbeat.into(),
        Tick { sent_at: at }.into(),
    ];
    let encode = |record| codec.encode(record).expect("it has a schema");
    records.iter().map(encode).collect()
}
