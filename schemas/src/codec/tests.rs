use apache_avro::writer::datum::GenericDatumWriter;
use model::Micros;

use super::samples::{samples, status};
use super::*;
use crate::*;

#[test]
fn every_record_reads_back_and_agrees_with_apache_avro() {
    let codec = Codec::standalone();
    let samples = samples();
    let covered: Vec<_> = samples.iter().map(AnyRecord::record_type).collect();
    assert_eq!(covered, RecordType::ALL, "one sample for each record type, in order");
    for record in samples {
        let bytes = codec.encode(&record).unwrap();
        assert_eq!(codec.decode(&bytes).unwrap(), record);

        let schema = apache_avro::Schema::parse_str(record.record_type().schema_json()).unwrap();
        // Through the reference implementation and back: maps have no order there, so the records are compared.
        let reader = apache_avro::reader::datum::GenericDatumReader::builder(&schema)
            .build()
            .unwrap();
        let value = reader.read_value(&mut &bytes[WIRE_HEADER_BYTES..]).unwrap();
        let writer = apache_avro::writer::datum::GenericDatumWriter::builder(&schema)
            .build()
            .unwrap();
        let mut theirs = bytes[..WIRE_HEADER_BYTES].to_vec();
        theirs.extend(writer.write_value_to_vec(value).unwrap());
        assert_eq!(theirs.len(), bytes.len());
        assert_eq!(codec.decode(&theirs).unwrap(), record);
    }
}

/// What FULL_TRANSITIVE allows: a record written before a field was added reads with the field's default.
#[test]
fn an_earlier_schema_still_reads() {
    let earlier = RecordType::DeviceStatus.schema_json();
    let start = earlier.find(r#"    {"name": "vendor""#).unwrap();
    let end = start + earlier[start..].find('\n').unwrap() + 1;
    let earlier = format!("{}{}", &earlier[..start], &earlier[end..]);
    let mut registered: Vec<_> = (1..)
        .zip(RecordType::ALL)
        .map(|(id, &record)| RegisteredSchema {
            id,
            record,
            json: record.schema_json().to_owned(),
        })
        .collect();
    registered.push(RegisteredSchema {
        id: 99,
        record: RecordType::DeviceStatus,
        json: earlier.clone(),
    });
    let codec = Codec::new(&registered);

    let schema = apache_avro::Schema::parse_str(&earlier).unwrap();
    let writer = GenericDatumWriter::builder(&schema).build().unwrap();
    let mut value = apache_avro::to_value(status()).unwrap();
    if let apache_avro::types::Value::Record(fields) = &mut value {
        fields.retain(|(name, _)| name != "vendor");
    }
    let mut bytes = vec![0, 0, 0, 0, 99];
    writer.write_value(&mut bytes, value.resolve(&schema).unwrap()).unwrap();
    assert_eq!(
        codec.decode(&bytes).unwrap(),
        AnyRecord::from(DeviceStatus {
            vendor: None,
            ..status()
        })
    );
}

#[test]
fn damaged_bytes_are_an_error_and_never_a_panic() {
    let codec = Codec::standalone();
    for record in samples() {
        let bytes = codec.encode(&record).unwrap();
        for cut in 0..bytes.len() {
            assert!(
                codec.decode(&bytes[..cut]).is_err(),
                "{:?} cut at {cut}",
                record.record_type()
            );
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            drop(codec.decode(&flipped));
        }
    }
    assert!(matches!(
        codec.decode(&[0, 0, 0, 99, 99, 1]),
        Err(DecodeError::UnknownSchema(25443))
    ));
}

fn with_extra_field(record: RecordType) -> String {
    let field = r#"{"name": "extra", "type": ["null", "string"], "default": null},"#;
    let json = record
        .schema_json()
        .replacen("\"fields\": [", &format!("\"fields\": [{field}"), 1);
    assert_ne!(json, record.schema_json());
    json
}

fn registered(id: u32, record: RecordType, json: &str) -> RegisteredSchema {
    let json = json.to_owned();
    RegisteredSchema { id, record, json }
}

/// What FULL_TRANSITIVE allows the other way round: a newer build's field is skipped, once its schema is learned.
#[test]
fn a_newer_schema_is_wanted_then_learned_then_read() {
    let codec = Codec::standalone();
    let tick = Tick { sent_at: Micros(64) };
    // Field `extra` present ("x"), then sent_at as zigzag 128.
    let bytes = [0, 0, 0, 0, 200, 2, 2, b'x', 0x80, 1];
    assert!(matches!(codec.decode(&bytes), Err(DecodeError::UnknownSchema(200))));
    assert_eq!((codec.wanted(), codec.knows(200)), (vec![200], false));

    let newer = registered(200, RecordType::Tick, &with_extra_field(RecordType::Tick));
    assert!(codec.learn(&newer).unwrap());
    assert!(!codec.learn(&newer).unwrap(), "known already");
    assert_eq!((codec.wanted(), codec.knows(200)), (Vec::new(), true));
    assert_eq!(codec.decode(&bytes).unwrap(), tick.into());
    assert_eq!(codec.record_type(&bytes).unwrap(), RecordType::Tick);
    assert!(codec.registered().contains(&newer));
    // It still writes as it was built.
    let own = codec.encode(&tick.into()).unwrap();
    assert_ne!(own[..WIRE_HEADER_BYTES], bytes[..WIRE_HEADER_BYTES]);
}

#[test]
fn somebody_elses_schema_is_undecodable_and_not_waited_for() {
    let codec = Codec::standalone();
    let bytes = [0, 0, 0, 1, 0, 2];
    assert!(matches!(codec.decode(&bytes), Err(DecodeError::UnknownSchema(256))));
    assert!(codec.learn_foreign(256, "com.example.Order").unwrap());
    assert!(!codec.learn_foreign(256, "com.example.Order").unwrap());
    assert!(matches!(codec.decode(&bytes), Err(DecodeError::ForeignSchema(256))));
    assert!(codec.wanted().is_empty());
}

#[test]
fn an_id_never_changes_its_meaning() {
    let codec = Codec::standalone();
    let check = |schema: &RegisteredSchema, expected: &str| {
        let error = codec.learn(schema).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let tick_id = codec
        .registered()
        .iter()
        .find(|s| s.record == RecordType::Tick)
        .unwrap()
        .id;
    let event_json = RecordType::DeviceEvent.schema_json();
    check(
        &registered(tick_id, RecordType::DeviceEvent, event_json),
        "is a Tick here and a DeviceEvent",
    );
    let other_tick = with_extra_field(RecordType::Tick);
    check(&registered(tick_id, RecordType::Tick, &other_tick), "a different Tick");
    check(&registered(300, RecordType::Tick, event_json), "not of atalaia.v1.Tick");
    check(&registered(300, RecordType::Tick, "{"), "not a valid schema of Tick");
    assert!(codec.learn_foreign(tick_id, "com.example.Order").is_err());
    codec.learn_foreign(301, "com.example.Order").unwrap();
    check(
        &registered(301, RecordType::Tick, RecordType::Tick.schema_json()),
        "record of somebody else",
    );
    // Another print of the same schema is the same.
    let compact = serde_json::from_str::<serde_json::Value>(RecordType::Tick.schema_json()).unwrap();
    assert!(
        !codec
            .learn(&registered(tick_id, RecordType::Tick, &compact.to_string()))
            .unwrap()
    );
}

#[test]
fn what_is_wanted_and_what_is_learned_is_bounded() {
    let codec = Codec::standalone();
    for id in 1_000..1_000 + u32::try_from(WANTED_MAX).unwrap() + 10 {
        let bytes = [&[0][..], &id.to_be_bytes()].concat();
        assert!(codec.decode(&bytes).is_err());
    }
    assert_eq!(codec.wanted().len(), WANTED_MAX);
    for id in 0..u32::try_from(LEARNED_MAX).unwrap() {
        codec.learn_foreign(10_000 + id, "x").unwrap();
    }
    assert!(matches!(codec.learn_foreign(9_999, "x"), Err(LearnError::TooMany)));
}

#[test]
fn a_schema_tells_whose_it_is() {
    let check = |json: &str, expected: SchemaOwner| assert_eq!(schema_owner(json), expected, "{json}");
    for &record in RecordType::ALL {
        check(record.schema_json(), SchemaOwner::Ours(record));
        assert_eq!(record.full_name(), format!("{NAMESPACE}.{}", record.name()));
    }
    let record = |name: &str| format!(r#"{{"type":"record","name":"{name}","fields":[]}}"#);
    check(
        &record("atalaia.v1.Tomorrow"),
        SchemaOwner::Newer("atalaia.v1.Tomorrow".into()),
    );
    check(
        &record("atalaia.v12.Tick"),
        SchemaOwner::Foreign("atalaia.v12.Tick".into()),
    );
    check(&record("Tick"), SchemaOwner::Foreign("Tick".into()));
    check("\"string\"", SchemaOwner::Foreign("not a record".into()));
    check(
        "syntax = \"proto3\";",
        SchemaOwner::Foreign("not an Avro schema".into()),
    );
    check("", SchemaOwner::Foreign("not an Avro schema".into()));
}
