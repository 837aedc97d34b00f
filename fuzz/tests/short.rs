//! Every target on its seeds, its corpus and findings, and then on mutations of them: two seconds each, or a minute with
//! `ATALAIA_SOAK=1`. `ATALAIA_SEED` gives the same mutations again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that panics has failed; its figures are printed"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use fuzz::{Mutator, Target};

/// No input may take longer: it would hold up what is behind it.
const INPUT_MAX: Duration = Duration::from_secs(1);
/// Good inputs that are kept to change further.
const POOL_MAX: usize = 4_096;

fn check(name: &str) {
    let target = Target::by_name(name).unwrap();
    let seed = std::env::var("ATALAIA_SEED").map_or_else(|_| std::process::id().into(), |s| s.parse().unwrap());
    let soak = std::env::var_os("ATALAIA_SOAK").is_some();
    let time = Duration::from_secs(if soak { 60 } else { 2 });
    let mut pool: Vec<Vec<u8>> = (target.seeds)();
    assert!(!pool.is_empty());
    for (path, input) in target.kept().unwrap() {
        try_one(target, &input, &path);
        pool.push(input);
    }
    for input in &pool {
        try_one(target, input, "a seed");
    }
    let (began, mut mutator) = (Instant::now(), Mutator::new(seed));
    let (mut inputs, mut slowest) = (0_u64, Duration::ZERO);
    while began.elapsed() < time {
        let input = mutator.change(
            &pool[mutator_pick(inputs, pool.len())],
            &pool[mutator_pick(inputs / 7, pool.len())],
            target.bytes_max,
        );
        let started = Instant::now();
        try_one(target, &input, &format!("seed {seed}, input {inputs}"));
        slowest = slowest.max(started.elapsed());
        inputs += 1;
        // Some changed ones are changed further.
        if pool.len() < POOL_MAX && inputs.is_multiple_of(50) {
            pool.push(input);
        }
    }
    println!("{name}: {inputs} inputs of seed {seed}, the slowest {slowest:?}");
    assert!(slowest < INPUT_MAX, "an input took {slowest:?}");
    assert!(inputs > 100, "hardly anything was tried");
}

fn mutator_pick(n: u64, length: usize) -> usize {
    usize::try_from(n).unwrap() % length
}

/// Runs it, and says the input if it panics: make it a line of `findings/TARGET.txt`.
fn try_one(target: &Target, input: &[u8], what: &str) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        panic!("{}: {what}: {}", target.name, fuzz::hex(input));
    }
}

#[test]
fn snmp_messages() {
    check("snmp-message");
}

#[test]
fn pdus_to_events() {
    check("pdu-event");
}

#[test]
fn avro_values() {
    check("avro-decode");
}

#[test]
fn configurations() {
    check("configuration");
}

#[test]
fn usm_messages() {
    check("usm-message");
}
