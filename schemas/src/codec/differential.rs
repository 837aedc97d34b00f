//! The generated code against apache-avro: the same bytes, the same records, the same verdicts.

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::schema::{ArraySchema, MapSchema, RecordSchema, UnionSchema};
use apache_avro::writer::datum::GenericDatumWriter;

use super::whole;
use crate::wire::Malformed;
use crate::{AnyRecord, Codec, DecodeError, RecordType, WIRE_HEADER_BYTES};

/// Records made of each type, and damaged bodies made of each record.
const RECORDS: u64 = 1_500;
const DAMAGES: u64 = 12;

/// splitmix64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    /// Of all magnitudes, and the ends of the range.
    fn long(&mut self) -> i64 {
        match self.below(12) {
            0 => i64::MIN,
            1 => i64::MAX,
            _ => {
                let bits = self.below(64);
                (self.next() >> bits).cast_signed()
            }
        }
    }

    /// What a device measures, and every other pattern: zeros, infinities, what is no number.
    fn double(&mut self) -> f64 {
        match self.below(8) {
            0 => f64::from_bits(self.next()),
            1 => [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN][self.below(5)],
            _ => self.long() as i16 as f64 / 100.0,
        }
    }

    fn text(&mut self) -> String {
        const LETTERS: &[char] = &['a', 'Z', '0', '/', 'ç', 'ã', '☎', '𝄞', '\0', ' '];
        let length = [0, 1, 3, 8, 20, 63, 64, 130][self.below(8)];
        (0..length).map(|_| LETTERS[self.below(LETTERS.len())]).collect()
    }
}

/// A valid body of a schema, in any of its forms: blocks whole or split, with their size or without.
fn body(schema: &Schema, named: &mut Vec<(String, Schema)>, random: &mut Random, out: &mut Vec<u8>) {
    match schema {
        Schema::Boolean => out.push(u8::from(random.next().is_multiple_of(2))),
        Schema::Int => number(i64::from(random.long() as i32), out),
        Schema::Long | Schema::TimestampMicros => number(random.long(), out),
        Schema::Double => out.extend(random.double().to_le_bytes()),
        Schema::String => sized(random.text().as_bytes(), out),
        Schema::Bytes => sized(random.text().as_bytes(), out),
        Schema::Enum(of) => {
            named.push((of.name.fullname(None), schema.clone()));
            number(i64::try_from(random.below(of.symbols.len())).unwrap(), out);
        }
        Schema::Union(UnionSchema { .. }) => {
            let Schema::Union(union) = schema else { unreachable!() };
            let branch = random.below(union.variants().len());
            number(i64::try_from(branch).unwrap(), out);
            body(&union.variants()[branch], named, random, out);
        }
        Schema::Null => {}
        Schema::Record(RecordSchema { name, fields, .. }) => {
            named.push((name.fullname(None), schema.clone()));
            for field in fields {
                body(&field.schema, named, random, out);
            }
        }
        Schema::Ref { name } => {
            let full = name.fullname(None);
            let (_, of) = named
                .iter()
                .find(|(n, _)| *n == full)
                .expect("defined before it is used");
            body(&of.clone(), named, random, out);
        }
        Schema::Map(MapSchema { types, .. }) => blocks(random, out, |random, out| {
            sized(random.text().as_bytes(), out);
            body(types, named, random, out);
        }),
        Schema::Array(ArraySchema { items, .. }) => blocks(random, out, |random, out| body(items, named, random, out)),
        other => panic!("there is no code for {other:?}"),
    }
}

fn blocks(random: &mut Random, out: &mut Vec<u8>, mut item: impl FnMut(&mut Random, &mut Vec<u8>)) {
    for _ in 0..random.below(3) {
        let count = 1 + random.below(3);
        let mut block = Vec::new();
        (0..count).for_each(|_| item(random, &mut block));
        let count = i64::try_from(count).unwrap();
        if random.next().is_multiple_of(2) {
            number(count, out);
        } else {
            number(-count, out);
            number(i64::try_from(block.len()).unwrap(), out);
        }
        out.extend(block);
    }
    number(0, out);
}

fn sized(bytes: &[u8], out: &mut Vec<u8>) {
    number(i64::try_from(bytes.len()).unwrap(), out);
    out.extend_from_slice(bytes);
}

fn number(n: i64, out: &mut Vec<u8>) {
    let mut rest = ((n << 1) ^ (n >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push((rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// One change of a body.
fn damage(body: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = body.to_vec();
    let at = random.below(bytes.len() + 1);
    match random.below(6) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.next() as u8),
        2 => drop(bytes.splice(at.., (0..random.below(20)).map(|_| random.next() as u8))),
        _ if at == bytes.len() => bytes.push(random.next() as u8),
        3 => drop(bytes.remove(at)),
        4 => bytes[at] = random.next() as u8,
        _ => bytes[at] ^= 1 << random.below(8),
    }
    bytes
}

/// Equal, where a double that is no number is equal to itself.
#[track_caller]
fn assert_same(ours: &AnyRecord, theirs: &AnyRecord, seed: u64) {
    if ours != theirs {
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "seed {seed}");
    }
}

struct Oracle {
    record: RecordType,
    reader: GenericDatumReader<'static>,
    writer: GenericDatumWriter<'static>,
}

impl Oracle {
    fn new(record: RecordType, schema: &'static Schema) -> Self {
        let reader = GenericDatumReader::builder(schema).human_readable(false).build();
        let writer = GenericDatumWriter::builder(schema).human_readable(false).build();
        Self {
            record,
            reader: reader.unwrap(),
            writer: writer.unwrap(),
        }
    }

    /// What apache-avro makes of a whole body.
    fn decode(&self, mut body: &[u8]) -> Option<AnyRecord> {
        let decoded = AnyRecord::resolve(self.record, &self.reader, &mut body).ok()?;
        body.is_empty().then_some(decoded)
    }

    fn encode(&self, record: &AnyRecord) -> Vec<u8> {
        let mut out = Vec::new();
        macro_rules! write {
            ($($name:ident),+) => {
                match record { $(AnyRecord::$name(r) => self.writer.write_ser(&mut out, r)),+ }
            };
        }
        let written = write!(
            TrapReceived,
            SourceHeartbeat,
            DeviceRegistered,
            Tick,
            OnuTableRead,
            OpticsRead,
            BoardsRead,
            SystemRead,
            AutofindRead,
            AlarmTableRead,
            PollFailed,
            DeviceStatus,
            DeviceEvent,
            InventoryEntry,
            Measurement,
            DeadLetter,
            LedgerRow,
            AuditEntry,
            Rule,
            RulesChanged,
            Silence,
            SilencesChanged,
            OperatorActed,
            Alarm,
            AlarmTransition,
            Incident,
            Rollup,
            WindowWanted,
            WindowRecomputed,
            CardsRead,
            MeasuresRead,
            ForeignAlarmsRead
        );
        written.unwrap();
        out
    }

    #[track_caller]
    fn agrees(&self, body: &[u8], seed: u64) {
        let ours = whole(self.record, body, |r| AnyRecord::decode(self.record, r));
        match (ours, self.decode(body)) {
            (Ok(ours), Some(theirs)) => assert_same(&ours, &theirs, seed),
            (Ok(ours), None) => panic!("seed {seed}: only ours reads {body:x?}: {ours:?}"),
            (Err(error), Some(_)) => {
                let stricter = matches!(
                    error,
                    DecodeError::Malformed {
                        source: Malformed::Number | Malformed::Block,
                        ..
                    }
                );
                assert!(stricter, "seed {seed}: {error} in {body:x?}");
            }
            (Err(_), None) => {}
        }
    }
}

#[test]
fn records_bytes_and_verdicts_are_those_of_apache_avro() {
    let codec = Codec::standalone();
    for (&record, seed) in RecordType::ALL.iter().zip(1_u64..) {
        let schema: &'static Schema = Box::leak(Box::new(Schema::parse_str(record.schema_json()).unwrap()));
        let oracle = Oracle::new(record, schema);
        let mut body = Vec::new();
        for n in 0..RECORDS {
            let seed = seed << 32 | n;
            let mut random = Random(seed);
            body.clear();
            self::body(schema, &mut Vec::new(), &mut random, &mut body);
            let ours = whole(record, &body, |r| AnyRecord::decode(record, r)).unwrap();
            assert_same(&ours, &oracle.decode(&body).unwrap(), seed);
            let bytes = codec.encode(&ours).unwrap();
            assert_eq!(
                bytes[WIRE_HEADER_BYTES..],
                oracle.encode(&ours),
                "seed {seed}: {ours:?}"
            );
            assert_same(&codec.decode(&bytes).unwrap(), &ours, seed);
            for _ in 0..DAMAGES {
                let damaged = damage(&body, &mut random);
                oracle.agrees(&damaged, seed);
            }
        }
    }
}

/// Bytes that are nothing, long and short.
#[test]
fn noise_is_judged_alike() {
    for &record in RecordType::ALL {
        let schema: &'static Schema = Box::leak(Box::new(Schema::parse_str(record.schema_json()).unwrap()));
        let oracle = Oracle::new(record, schema);
        for seed in 0..2_000 {
            let mut random = Random(seed);
            let length = random.below(64);
            // Small bytes are lengths, counts and choices that lead further than noise of all bytes would.
            let mask = [0xFF, 0x03, 0x07, 0x83][random.below(4)];
            let noise: Vec<u8> = (0..length).map(|_| random.next() as u8 & mask).collect();
            oracle.agrees(&noise, seed);
        }
    }
}
