//! Stage `codec`: the records that matter for speed, written and read by our code and by apache-avro on the same bytes.

use anyhow::{Context, Result, ensure};
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use model::Micros;
use schemas::{
    AnyRecord, Body, Codec, DeviceEvent, DeviceEventType, DeviceStatus, InputPosition, Phase, TrapReceivedView,
    WIRE_HEADER_BYTES,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::edge::figures;
use crate::stages;

const ITEMS: usize = 200_000;

/// Prints nanoseconds and allocations.
pub fn run(pairs: usize) -> Result<()> {
    let codec = Codec::standalone();
    let trap = stages::trap(1, 1);
    one(pairs, &codec, &trap)?;
    let bytes = codec.encode(&AnyRecord::from(trap.clone()))?;
    figures("codec, read TrapReceived, borrowed", pairs, ITEMS, || {
        let view = codec.view::<TrapReceivedView<'_>>(std::hint::black_box(&bytes))?;
        std::hint::black_box(view.context("a trap")?);
        Ok(())
    })?;
    one(pairs, &codec, &event())?;
    one(pairs, &codec, &status())
}

/// One record: written, read, and the same by apache-avro's serde path.
fn one<R>(pairs: usize, codec: &Codec, record: &R) -> Result<()>
where
    R: Body + Clone + Into<AnyRecord> + Serialize + DeserializeOwned,
{
    let name = R::RECORD.name();
    let any: AnyRecord = record.clone().into();
    let bytes = codec.encode(&any)?;
    let mut out = Vec::with_capacity(4_096);
    figures(
        &format!("codec, write {name} ({} bytes)", bytes.len()),
        pairs,
        ITEMS,
        || {
            codec.encode_into(std::hint::black_box(record), &mut out);
            std::hint::black_box(&out);
            Ok(())
        },
    )?;
    figures(&format!("codec, read {name}"), pairs, ITEMS, || {
        std::hint::black_box(codec.decode(std::hint::black_box(&bytes))?);
        Ok(())
    })?;
    let schema = Schema::parse_str(R::RECORD.schema_json())?;
    let writer = GenericDatumWriter::builder(&schema).human_readable(false).build()?;
    let reader = GenericDatumReader::builder(&schema).human_readable(false).build()?;
    figures(&format!("apache-avro, write {name}"), pairs, ITEMS, || {
        out.clear();
        writer.write_ser(&mut out, std::hint::black_box(record))?;
        std::hint::black_box(&out);
        Ok(())
    })?;
    ensure!(out == bytes[WIRE_HEADER_BYTES..], "not the same bytes of {name}");
    figures(&format!("apache-avro, read {name}"), pairs, ITEMS, || {
        let record: R = reader.read_deser(&mut std::hint::black_box(&bytes[WIRE_HEADER_BYTES..]))?;
        std::hint::black_box(record);
        Ok(())
    })
}

fn status() -> DeviceStatus {
    let at = Micros(1_700_000_000_000_000);
    DeviceStatus {
        entity: "default/olt/olt-1/onu/0/3/5/17".into(),
        root: "default/olt/olt-1".into(),
        kind: "onu".into(),
        site: Some("RJO-01".into()),
        parent: Some("default/olt/olt-1/pon/0/3/5".into()),
        name: None,
        description: Some("Rua das Laranjeiras 100".into()),
        vendor: Some("huawei".into()),
        model: Some("EG8145V5".into()),
        serial: Some("HWTC1234ABCD".into()),
        state: "offline".into(),
        cause: Some("power".into()),
        cause_raw: Some("dying-gasp".into()),
        since: at,
        observed_at: at,
        received_at: at,
        first_trap_at: None,
        optics: None,
        poll: None,
        position: InputPosition {
            generation: 1,
            partition: 3,
            offset: 1_000_000,
        },
        wts: at,
    }
}

fn event() -> DeviceEvent {
    let status = status();
    DeviceEvent {
        entity: status.entity.clone(),
        root: status.root.clone(),
        kind: status.kind.clone(),
        event_type: DeviceEventType::DeviceDisconnected,
        event: "dying_gasp".into(),
        phase: Phase::Raise,
        severity: Some("major".into()),
        trap_oid: Some("1.3.6.1.4.1.2011.6.128.1.1.12.2.2.0.18".into()),
        source: Some("trap".into()),
        at: status.since,
        received_at: status.since,
        state: Some("offline".into()),
        previous: Some("online".into()),
        cause: Some("power".into()),
        cause_raw: Some("dying-gasp".into()),
        serial: status.serial.clone(),
        detail: [("distance_m".to_owned(), "1200".to_owned())].into(),
        position: status.position,
        status: Some(status),
    }
}
