//! Ten thousand schedules of the production engine, and the mutants they must catch.
//! `SEED=n cargo test -p testkit --test sim schedules -- --nocapture` runs one schedule alone.
#![allow(clippy::unwrap_used, reason = "a test: a failure is its result")]

use std::collections::BTreeMap;
use std::time::Instant;

use testkit::CrashAt;
use testkit::sim::{self, Kind, Mutant, Report, TestChain};

const SCHEDULES: u64 = 10_000;

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SCHEDULES").unwrap_or(SCHEDULES),
    }
}

fn describe(report: &Report) -> String {
    let first: Vec<_> = report
        .violations
        .iter()
        .take(5)
        .map(|v| format!("SEED={} {:?}: {}", v.seed, v.kind, v.text))
        .collect();
    format!(
        "{} violations, the first:\n{}",
        report.violations.len(),
        first.join("\n")
    )
}

#[test]
fn schedules_end_as_the_oracle_does() {
    let (seeds, began) = (seeds(), Instant::now());
    let report = sim::run(&TestChain, seeds.clone(), Mutant::None, 20);
    println!(
        "{} schedules (seeds {seeds:?}), {} records (at least {} each), {} zombies, {} rebalances, {:.1} s",
        report.schedules,
        report.records,
        report.records_min,
        report.zombies,
        report.rebalances,
        began.elapsed().as_secs_f64()
    );
    println!("crashes before each step (at least {} a schedule):", report.crashes_min);
    for at in CrashAt::ALL {
        println!("  {:>6}  {at:?}", report.crashes.get(at).copied().unwrap_or(0));
    }
    println!("  {:>6}  between turns", report.crashes_between);
    assert!(report.violations.is_empty(), "{}", describe(&report));
    if seeds.end - seeds.start >= SCHEDULES {
        assert!(report.records_min >= 60 && report.crashes_min >= 2);
        let seldom: Vec<_> = CrashAt::ALL
            .iter()
            .filter(|at| report.crashes.get(at).is_none_or(|&n| n < 100))
            .collect();
        assert!(seldom.is_empty(), "crashed less than 100 times: {seldom:?}");
    }
}

#[test]
fn every_mutant_is_caught() {
    for &mutant in Mutant::ALL {
        // Wrong ids show at once; that a reader then loses or doubles something takes a crash.
        let about_ids = matches!(mutant, Mutant::IdByRunningIndex | Mutant::IdsOutOfKeyOrder);
        let report = sim::run(&TestChain, 0..SCHEDULES, mutant, if about_ids { 200 } else { 1 });
        let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
        report
            .violations
            .iter()
            .for_each(|v| *kinds.entry(v.kind).or_default() += 1);
        println!("{mutant:?}: caught within {} schedules: {kinds:?}", report.schedules);
        let caught = match mutant {
            Mutant::TickBeforeCaughtUp => kinds.contains_key(&Kind::Contract),
            // The position is ahead of, or behind, what it stands for: the restore sees it, or content is lost.
            Mutant::PositionOutsideCommit | Mutant::RestoreReadsOpenCommit => !kinds.is_empty(),
            _ => kinds.contains_key(&Kind::FastContent),
        };
        assert!(caught, "{mutant:?} was not caught: {}", describe(&report));
    }
}
