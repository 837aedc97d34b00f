//! Thousands of histories of each of the seven kinds: what the step says is what the definitions say, whatever is committed when and
//! wherever a member dies; and every clear follows a raise. `SEED=n` runs one history of each kind.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
mod model;

use std::time::Instant;

use ::model::{Micros, State};
use common::{ROOT, Said, Told, rule_record, said};
use model::{At, Brings, Word};
use schemas::network::Quality;
use schemas::{FlapPolicy, Rule};
use testkit::{CrashAt, Driver, Rng};

const HISTORIES: u64 = 1_000;
const KINDS: [&str; 7] = ["above", "below", "outside", "rate", "state", "no_data", "slope"];
/// Shared by one, two or three members.
const PARTITIONS: u32 = 3;
const ENTITY: &str = "/onu/0/1/2/3";

/// A rule of a kind, with limits that no sample lies on.
fn rule(kind: &str, rng: &mut Rng) -> Rule {
    let base = Rule {
        raise_after_s: [0, 0, 20, 90][rng.below(4)],
        clear_after_s: [0, 0, 15, 70][rng.below(4)],
        reraise_after_s: [0, 60, 600][rng.below(3)],
        dead_band: [0.0, 0.37, 1.03][rng.below(3)],
        flap: rng.chance(40).then_some(FlapPolicy {
            penalty: 1_000.0,
            half_life_s: 120,
            suppress: 2_600.0,
            reuse: 700.0,
            ceiling: 4_000.0,
        }),
        ..common::rule(kind)
    };
    let (low, high) = (Some(-2.03), Some(2.03));
    match kind {
        "above" => Rule { high, ..base },
        "below" => Rule { low, ..base },
        "outside" => Rule { low, high, ..base },
        "rate" => Rule {
            low: low.filter(|_| rng.chance(70)),
            high: Some(2.53),
            window_s: Some(600),
            ..base
        },
        // A slope is of a day, and a history is one of hours.
        "slope" => Rule {
            low: Some(-71.7),
            high: Some(83.3),
            window_s: Some(3_600),
            ..base
        },
        "state" => Rule {
            measure: None,
            states: vec!["offline".into(), "absent".into()],
            ..base
        },
        _ => base,
    }
}

/// Records of one history, after the one with the rule: milliseconds since the one before, and what it brings.
fn history(kind: &str, rng: &mut Rng) -> Vec<(i64, Brings)> {
    let pace = if kind == "slope" {
        60_000
    } else {
        [5_000, 12_000, 25_000, 29_000][rng.below(4)]
    };
    let (mut value, mut observed, mut failures) = (0.0_f64, 0, 0);
    let mut gone = 0;
    let mut records = Vec::new();
    // Whether the connector's heartbeats come in every silence, in some, or never.
    let beats = [0, 40, 95][rng.below(3)];
    let count = if matches!(kind, "no_data" | "slope") { 100 } else { 40 };
    for _ in 0..(count + rng.below(80)) {
        let ms = match rng.below(100) {
            // Longer than observed time can be in one step.
            0..3 => 30_000 + i64::try_from(rng.below(900_000)).unwrap(),
            3..20 => 1_000,
            _ => 500 + i64::try_from(rng.below(pace)).unwrap(),
        };
        observed += ms * 1_000;
        gone = (gone + usize::from(rng.chance(4)) * 50_usize).saturating_sub(1);
        #[allow(clippy::cast_precision_loss)]
        let drift = (rng.below(9) as f64 - 4.0) * 0.4;
        let brings = match (kind, rng.below(100)) {
            ("state", 0..60) => Brings::Status(
                [
                    State::Online,
                    State::Offline,
                    State::Absent,
                    State::Unknown,
                    State::Online,
                ][rng.below(5)],
            ),
            ("state", _) => Brings::Nothing,
            ("no_data", n) if gone > 0 && n < beats => Brings::Beat,
            ("no_data", 0..20) if beats > 0 => Brings::Beat,
            ("no_data", 96..98) => {
                failures = if rng.chance(50) { 0 } else { failures + 1 };
                Brings::Polling(failures)
            }
            ("no_data", 98..100) => Brings::Status([State::Online, State::Offline, State::Unknown][rng.below(3)]),
            ("no_data", _) if gone > 0 => Brings::Nothing,
            (_, 0..70) => {
                value = (value + drift).clamp(-6.0, 6.0);
                Brings::Sample(value, true, Micros(observed))
            }
            (_, 70..76) => Brings::Sample(9.0, true, Micros(observed - 90_000_000)),
            (_, 76..82) => Brings::Sample(9.0, false, Micros(observed)),
            _ => Brings::Nothing,
        };
        records.push((ms, brings));
    }
    records
}

/// What the history brings, as the step gets it; times of samples are since the beginning of the log.
fn told(brings: Brings, began: Micros) -> Option<Told> {
    let entity = ENTITY.to_owned();
    Some(match brings {
        Brings::Nothing => return None,
        Brings::Sample(value, good, at) => {
            let quality = if good { Quality::Good } else { Quality::Bad };
            Told::Sample(entity, "rx", value, quality, at)
        }
        Brings::Status(state) => Told::Status(entity, Some(state), began, None),
        Brings::Beat => Told::Beat,
        Brings::Polling(n) => Told::Polling(n),
    })
}

/// How a run is disturbed.
struct Disturbed {
    members: usize,
    crashes: bool,
    commit_percent: usize,
}

const CALM: Disturbed = Disturbed {
    members: 1,
    crashes: false,
    commit_percent: 0,
};

/// Runs a history; what was said, and at which records.
fn run(rule: &Rule, records: &[(i64, Brings)], how: &Disturbed, rng: &mut Rng) -> (Vec<Said>, Vec<At>, usize) {
    let mut driver = Driver::with(PARTITIONS, how.members, common::chain);
    let began = driver.now();
    driver.pipe(ROOT, rule_record(rule.clone()));
    let mut all = vec![At {
        appended: began,
        brings: Brings::Nothing,
    }];
    let mut crashes = 0;
    for &(ms, brings) in records {
        if how.crashes && rng.chance(8) {
            let at = CrashAt::ALL[rng.below(CrashAt::ALL.len())];
            driver.crash_at(rng.below(how.members), at);
        }
        let brings = match brings {
            Brings::Sample(value, good, at) => Brings::Sample(value, good, began.plus(at.0)),
            brings => brings,
        };
        match told(brings, began) {
            None => driver.tick(ms),
            Some(told) => {
                driver.advance(ms);
                driver.pipe(ROOT, told.record());
            }
        }
        let appended = driver.now();
        all.push(At { appended, brings });
        if rng.chance(how.commit_percent) {
            driver.commit();
        }
        if how.members > 1 && rng.chance(3) {
            driver.rebalance();
        }
        if (0..how.members).any(|member| !driver.is_alive(member)) {
            crashes += 1;
            driver.restore();
        }
    }
    driver.commit();
    driver.restore();
    driver.commit();
    (said(&driver), all, crashes)
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HISTORIES").unwrap_or(HISTORIES),
    }
}

fn check(kind: &'static str) {
    let began = Instant::now();
    let (mut words, mut raised, mut crashed) = (0, 0, 0);
    for seed in seeds() {
        let mut rng = Rng::new(seed ^ 0xA1A2);
        let rule = rule(kind, &mut rng);
        let records = history(kind, &mut rng);
        let (calm, all, _) = run(&rule, &records, &CALM, &mut rng);
        let expected = model::expected(&rule, &all);
        let said = at_records(&calm, &all);
        assert_eq!(said, expected, "{kind} SEED={seed}: {rule:#?}\n{:?}", numbered(&all));
        balances(&calm, seed);
        let how = Disturbed {
            members: 1 + rng.below(3),
            crashes: rng.chance(70),
            commit_percent: [0, 5, 30, 100][rng.below(4)],
        };
        let (disturbed, _, crashes) = run(&rule, &records, &how, &mut rng);
        assert_eq!(disturbed, calm, "{kind} SEED={seed}: disturbed");
        words += calm.len();
        raised += usize::from(!calm.is_empty());
        crashed += crashes;
    }
    eprintln!(
        "{kind}: {words} words, {raised} of {} histories with an alarm, {crashed} crashes, {:.1} s",
        seeds().end - seeds().start,
        began.elapsed().as_secs_f64()
    );
    let all = usize::try_from(seeds().end - seeds().start).unwrap();
    assert!(all == 1 || raised * 4 > all, "too few histories say anything");
}

fn numbered(all: &[At]) -> Vec<(usize, i64, Brings)> {
    let seconds = |at: &At| (at.appended.0 - all[0].appended.0) / 1_000_000;
    all.iter()
        .enumerate()
        .map(|(n, at)| (n, seconds(at), at.brings))
        .collect()
}

/// What was said, by the record that it was said at. Two records never have one observed time here.
fn at_records(said: &[Said], all: &[At]) -> Vec<Word> {
    let mut times = vec![0];
    for pair in all.windows(2) {
        let step = (pair[1].appended.0 - pair[0].appended.0).min(30_000_000);
        times.push(times.last().unwrap() + step);
    }
    let what = |said: &Said| {
        ["raised", "reopened", "changed", "cleared", "suppressed", "unsuppressed"]
            .into_iter()
            .find(|word| *word == said.what)
            .unwrap()
    };
    said.iter()
        .map(|said| (times.binary_search(&said.at.0).unwrap(), what(said)))
        .collect()
}

/// Every clear ends one raise, and nothing is raised twice; a reopened alarm has the id it had.
fn balances(said: &[Said], seed: u64) {
    let mut open: Option<&str> = None;
    let mut last: Option<&str> = None;
    for word in said {
        match &*word.what {
            "raised" | "reopened" => {
                assert_eq!(open, None, "SEED={seed}");
                assert_eq!(last == Some(&*word.id), word.what == "reopened", "SEED={seed}");
                open = Some(&word.id);
            }
            "cleared" => {
                assert_eq!(open, Some(&*word.id), "SEED={seed}");
                last = open.take();
            }
            _ => assert_eq!(open, Some(&*word.id), "SEED={seed}"),
        }
    }
}

macro_rules! histories {
    ($($kind:ident),+) => {$(
        #[test]
        fn $kind() {
            assert!(KINDS.contains(&stringify!($kind)));
            check(stringify!($kind));
        }
    )+};
}

histories!(above, below, outside, rate, state, no_data, slope);
