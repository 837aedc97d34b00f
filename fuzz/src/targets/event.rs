//! PDUs of one sender through `normalize` and `status`: every output fits its topic and its schema, every state its slot. The input is
//! a list of (length in two bytes, PDU).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::{Micros, Position};
use pipeline_normalize::Normalize;
use pipeline_status::{Slot, Status};
use runtime::{Change, Input, Now, Out, StateKey, Step};
use schemas::network;
use schemas::{Codec, SnmpVersion, TrapReceived};
use topology::{RECORD_BYTES_MAX, SLOT_BYTES_MAX};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target {
    name: "pdu-event",
    run,
    seeds,
    bytes_max: 1_500,
};

const ROOT: &str = "default/olt/fuzz";

/// Reading the schemas takes longer than a trap.
static CODEC: LazyLock<Codec> = LazyLock::new(Codec::standalone);

fn run(mut input: &[u8]) {
    let normalize = Normalize::new();
    let mut slots = BTreeMap::new();
    let mut offset = 0;
    while let Some((length, rest)) = input.split_first_chunk::<2>() {
        let (pdu, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
        input = rest;
        offset += 1;
        one(&normalize, &CODEC, &mut slots, pdu, offset);
    }
}

fn one(normalize: &Normalize, codec: &Codec, slots: &mut BTreeMap<StateKey, Slot>, pdu: &[u8], offset: u64) {
    let at = Micros(i64::try_from(offset).unwrap_or(i64::MAX) * Micros::SECOND);
    let now = Now {
        log_time: at,
        observed: at,
        position: Position {
            generation: 1,
            partition: 0,
            offset,
        },
    };
    let record = TrapReceived {
        root: ROOT.to_owned(),
        sender: "192.0.2.1".to_owned(),
        sender_port: 162,
        listener: "main".to_owned(),
        version: SnmpVersion::V2c,
        credential: "noc".to_owned(),
        inform: false,
        relay: None,
        inner_address: None,
        received_at: at,
        pdu: pdu.to_vec(),
    };
    let input = network::decode(record.into(), ROOT).expect("it is under its root");
    let mut out = Out::new(at);
    normalize.apply(&"".into(), None, Input::Event(&input), &now, &mut out);
    let (events, outputs) = out.into_parts();
    assert!(outputs.is_empty());
    let status = Status::default();
    for event in &events {
        let mut keys = Vec::new();
        status.keys(event, &mut keys);
        for key in keys {
            assert!(
                model::EntityId::parse(&key).is_ok_and(|e| e.root_str() == ROOT),
                "{key}"
            );
            let mut out = Out::new(at);
            let verdict = status.apply(&key, slots.get(&key), Input::Event(event), &now, &mut out);
            for output in out.into_parts().1 {
                let bytes = output
                    .record
                    .map(|record| codec.encode(&record).expect("it has a schema"));
                assert!(bytes.is_none_or(|b| b.len() <= RECORD_BYTES_MAX));
            }
            match verdict.change {
                Change::Keep => {}
                Change::Delete => drop(slots.remove(&key)),
                Change::Put(slot) => {
                    let bytes = postcard::to_allocvec(&slot).expect("a state can be encoded");
                    assert!(bytes.len() <= SLOT_BYTES_MAX);
                    slots.insert(key, slot);
                }
            }
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let framed = |pdu: &Vec<u8>| {
        let length = u16::try_from(pdu.len()).unwrap_or(u16::MAX).to_be_bytes();
        [&length[..], pdu].concat()
    };
    let mut seeds: Vec<_> = super::snmp::pdus().iter().map(framed).collect();
    seeds.push(seeds.iter().take(8).flatten().copied().collect());
    seeds
}
