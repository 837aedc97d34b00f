//! The three steps under the schedule simulation: crashes at every place of the commit, zombies, rebalances, any cut of batches. What is
//! left at the end is what a run without any of it leaves.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use model::Micros;
use runtime::Chain;
use schemas::network::NetworkEvent;
use schemas::{Alarm, AnyRecord, OperatorActed, Scope, Silence, SilencesChanged};
use testkit::sim::{self, Mutant, Subject};
use testkit::{Driver, EPOCH, Rng};
use topology::Topic;

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

/// Whatever happens: raises and clears take turns, an act ends in exactly one transition, a row is never told twice, and what a row says of
/// visibility is what its parts say.
#[test]
fn transitions_balance_and_acts_end_once() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut driver = Driver::with(1, 1, common::chain);
        let mut acts = BTreeSet::new();
        for _ in 0..150 {
            driver.tick(i64::try_from(rng.below(4_000)).unwrap());
            let (root, record) = Network.input(&mut rng);
            if let AnyRecord::OperatorActed(act) = &record {
                acts.insert((act.entity.clone(), act.act_id.clone()));
            }
            driver.pipe(&root, record);
        }
        let mut told_acts = Vec::new();
        let mut last: BTreeMap<String, Alarm> = BTreeMap::new();
        for seen in driver.outputs(Topic::AlarmTransitions) {
            let Some(AnyRecord::AlarmTransition(told)) = seen.record else {
                unreachable!()
            };
            told_acts.extend(told.act_id.clone());
            let Some(alarm) = told.alarm else {
                assert_eq!(told.refusal.as_deref(), Some("unknown_alarm"));
                continue;
            };
            let before = last.insert(alarm.alarm_id.clone(), alarm.clone());
            check(&told.transition, before.as_ref(), &alarm);
        }
        assert_eq!(told_acts.len(), acts.len(), "seed {seed}");
        assert!(driver.commit());
        for row in driver.table(Topic::Alarms).into_values() {
            let AnyRecord::Alarm(row) = row else { unreachable!() };
            let told = &last[&row.alarm_id];
            assert_eq!(
                (&row.condition, &row.visibility),
                (&told.condition, &told.visibility),
                "seed {seed}"
            );
        }
        assert!(driver.outcomes().dead_lettered.is_empty(), "seed {seed}");
    }
}

fn check(transition: &str, before: Option<&Alarm>, after: &Alarm) {
    let stood = before.is_some_and(|alarm| alarm.condition == "raised");
    let stands = after.condition == "raised";
    let was_hidden = before.map(|b| (&b.visibility, &b.incident_id, b.silenced_until, &b.silence_id));
    let is_hidden = Some((
        &after.visibility,
        &after.incident_id,
        after.silenced_until,
        &after.silence_id,
    ));
    let fits = match transition {
        "raised" => before.is_none() && stands,
        "reopened" => !stood && stands,
        "cleared" => stood && !stands,
        "changed" => stood && stands,
        "refused" | "acknowledged" | "unacknowledged" | "commented" => before.is_some() && stood == stands,
        _ => stood && stands && was_hidden != is_hidden,
    };
    assert!(fits, "{transition}: {before:?}\n→ {after:?}");
    let strongest = match after {
        a if a.silenced_until.is_some() => "silenced",
        a if a.incident_id.is_some() => "inhibited",
        a if a.visibility == "suppressed" => "suppressed",
        _ => "shown",
    };
    assert_eq!(after.visibility, strongest);
    if let Some(before) = before {
        assert!(before.wts < after.wts, "write times rise");
    }
}
