//! Damaged PDUs: none panics, each is counted once with a reason, and the good traps in between are all processed.
#![allow(clippy::unwrap_used, reason = "tests")]

use model::{Micros, Position, Root};
use pipeline_normalize::Normalize;
use runtime::{Input, Now, Out, Reason, Step};
use schemas::network::{NetworkEvent, Observed};
use schemas::{SnmpVersion, TrapReceived};

const FLIPS: u32 = 1_000;

#[test]
fn every_truncation_and_a_thousand_flips_of_each_fixture() {
    let normalize = Normalize::new();
    let fixtures = include_str!("fixtures/traps.txt");
    let (mut refused, mut handed_on, mut good) = (0_u32, 0_u32, 0_u32);
    let mut random = 0x1234_5678_9abc_def1_u64;
    for line in fixtures.lines().filter(|line| !line.starts_with('#')) {
        let pdu = unhex(line.split_once(" = ").unwrap().1);
        for cut in 0..pdu.len() {
            let (reason, events) = run(&normalize, pdu[..cut].to_vec());
            assert!(
                matches!(reason, Reason::Dead(word) if word.starts_with("undecodable_")),
                "{line}: cut at {cut}"
            );
            assert_eq!(events, 0);
            refused += 1;
        }
        for _ in 0..FLIPS {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let bit = usize::try_from(random % (pdu.len() as u64 * 8)).unwrap();
            let mut flipped = pdu.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match run(&normalize, flipped) {
                (Reason::Dead(_), 0) => refused += 1,
                (Reason::Absorbed("handed_on"), 2..) => handed_on += 1,
                other => panic!("{line}: bit {bit}: {other:?}"),
            }
            if bit.is_multiple_of(16) {
                assert!(matches!(
                    run(&normalize, pdu.clone()),
                    (Reason::Absorbed("handed_on"), 2..)
                ));
                good += 1;
            }
        }
    }
    eprintln!("{refused} refused with a reason, {handed_on} still traps, {good} good ones in between, 0 panics");
    assert!(refused > 10_000 && handed_on > 1_000 && good > 1_000);
}

fn run(normalize: &Normalize, pdu: Vec<u8>) -> (Reason, usize) {
    let root = Root::parse("default/olt/rjo-01").unwrap();
    let record = TrapReceived {
        root: root.to_string(),
        sender: "192.0.2.10".into(),
        sender_port: 1,
        listener: "main".into(),
        version: SnmpVersion::V2c,
        credential: "noc".into(),
        inform: false,
        relay: None,
        inner_address: None,
        received_at: Micros(0),
        pdu,
    };
    let now = Now {
        log_time: Micros(0),
        observed: Micros(0),
        position: Position {
            generation: 1,
            partition: 0,
            offset: 0,
        },
    };
    let mut out = Out::new(Micros(0));
    let event = NetworkEvent::Observed(Box::new(Observed::Trap { root, record }));
    let verdict = normalize.apply(&"".into(), None, Input::Event(&event), &now, &mut out);
    let (events, outputs) = out.into_parts();
    assert!(outputs.is_empty());
    (verdict.reason, events.len())
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
        .collect()
}
