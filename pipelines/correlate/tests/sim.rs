//! The three steps under the schedule simulation: crashes at every place of the commit, zombies, rebalances, any cut of batches. What is
//! left at the end is what a run without any of it leaves.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use model::Micros;
use runtime::Chain;
use schemas::network::NetworkEvent;
use schemas::{AnyRecord, OperatorActed, Scope, Silence, SilencesChanged};
use testkit::sim::{self, Mutant, Subject};
use testkit::{EPOCH, Rng};

#[derive(Debug, Clone, Copy)]
struct Network;

impl Subject for Network {
    type Event = NetworkEvent;

    fn chain(&self) -> Chain<NetworkEvent> {
        common::chain()
    }

    fn input(&self, rng: &mut Rng) -> (String, AnyRecord) {
        let root = format!("default/olt/s{}", rng.below(3));
        let record = match rng.below(100) {
            0..6 => return (String::new(), silence(rng)),
            6..18 => act(&root, rng),
            _ => common::said(&root, &lines(rng)),
        };
        (root, record)
    }
}

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[rng.below(words.len())]
}

fn lines(rng: &mut Rng) -> String {
    let pon = format!("0/1/{}", rng.below(3));
    let (first, many) = (rng.below(24), 1 + rng.below(24));
    let state = pick(
        rng,
        &[
            "online",
            "online",
            "offline fibre",
            "offline power",
            "offline admin",
            "unknown",
            "absent",
        ],
    );
    match rng.below(10) {
        0 => format!("pon/{pon} {}", pick(rng, &["up", "down fibre", "down other"])),
        1 => format!("board/0/1 {}", pick(rng, &["normal", "failed"])),
        2 => format!("olt {}", pick(rng, &["reachable", "unreachable"])),
        3 => format!(
            "onu/{pon}/{first} {} rx_low {}",
            pick(rng, &["raise", "clear", "change", "suppress", "unsuppress"]),
            pick(rng, &["major", "minor"])
        ),
        _ => {
            let onus = (first..first + many).map(|id| format!("onu/{pon}/{} {state}", id % 24));
            onus.collect::<Vec<_>>().join("\n")
        }
    }
}

/// On an alarm that there may be: ids of the script end with the offset of the raise.
fn act(root: &str, rng: &mut Rng) -> AnyRecord {
    let entity = format!("{root}/onu/0/1/{}/{}", rng.below(3), rng.below(24));
    let alarm_type = pick(rng, &["onu_offline", "rx_low"]);
    OperatorActed {
        root: root.to_owned(),
        alarm_id: format!("a-{entity}-{alarm_type}-{}", rng.below(60)),
        entity,
        act_id: format!("act-{}", rng.below(40)),
        act: pick(
            rng,
            &[
                "acknowledge",
                "unacknowledge",
                "comment",
                "clear",
                "silence",
                "unsilence",
            ],
        )
        .to_owned(),
        actor: pick(rng, &["ana", "bob"]).to_owned(),
        at: Micros(5),
        text: Some("a note".into()),
        until: Some(EPOCH.plus(60 * Micros::SECOND)),
    }
    .into()
}

fn silence(rng: &mut Rng) -> AnyRecord {
    let silence = Silence {
        silence_id: format!("s{}", rng.below(3)),
        version: i64::try_from(rng.below(8)).unwrap(),
        writer: pick(rng, &["a", "b"]).to_owned(),
        at: Micros(1),
        author: "ana".into(),
        removed: rng.chance(25),
        scope: Scope {
            entity: Some(pick(rng, &["*", "*/onu/0/1/1/*", "*/olt/s1/*"]).to_owned()),
            ..Scope::EVERYTHING
        },
        alarm_type: rng.chance(50).then(|| "rx_low".to_owned()),
        until: EPOCH.plus(i64::try_from(rng.below(200)).unwrap() * Micros::SECOND),
        reason: "work".into(),
    };
    SilencesChanged { silence }.into()
}

#[test]
fn schedules_end_as_the_oracle_does() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SCHEDULES").unwrap_or(400),
    };
    let report = sim::run(&Network, seeds, Mutant::None, 5);
    let first: Vec<_> = report
        .violations
        .iter()
        .map(|v| format!("SEED={} {:?}: {}", v.seed, v.kind, v.text))
        .collect();
    println!(
        "{} schedules, {} records, {} zombies",
        report.schedules, report.records, report.zombies
    );
    assert!(first.is_empty(), "{}", first.join("\n"));
}
