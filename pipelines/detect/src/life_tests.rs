//! A life alone: raises, clears, flaps.

use super::*;

const SECOND: i64 = Micros::SECOND;

fn now(second: i64) -> Now {
    Now {
        log_time: Micros(second * SECOND),
        observed: Micros(second * SECOND),
        position: Position {
            generation: 1,
            partition: 0,
            offset: second.unsigned_abs(),
        },
    }
}

fn flap() -> Flap {
    Flap {
        penalty: 1_000.0,
        half_life: 60 * SECOND,
        suppress: 2_500.0,
        reuse: 500.0,
        ceiling: 4_000.0,
    }
}

fn pace(flap: Option<Flap>) -> Pace {
    Pace {
        raise_after: 0,
        clear_after: 0,
        reraise_after: 30 * SECOND,
        flap,
    }
}

/// What is told at a second, after the condition is set to this.
fn step(life: &mut Life, pace: &Pace, second: i64, on: bool) -> Vec<AlarmChange> {
    let now = now(second);
    life.turn(on, now.log_time, now.observed);
    settled(life, pace, &now)
}

fn settled(life: &mut Life, pace: &Pace, now: &Now) -> Vec<AlarmChange> {
    let mut all = Vec::new();
    while let Some(Settled::Raise(told) | Settled::Clear(told) | Settled::Reuse(told)) = life.settle(pace, now) {
        all.extend(told.into_iter().flatten());
    }
    all
}

#[test]
fn a_raise_soon_after_a_clear_is_the_same_alarm() {
    let (mut life, pace) = (Life::default(), pace(None));
    assert_eq!(step(&mut life, &pace, 1, true), [AlarmChange::Raised]);
    assert_eq!(step(&mut life, &pace, 2, false), [AlarmChange::Cleared]);
    assert_eq!(step(&mut life, &pace, 32, true), [AlarmChange::Reopened]);
    assert_eq!(life.alarm.unwrap().position.offset, 1);
    assert_eq!(step(&mut life, &pace, 33, false), [AlarmChange::Cleared]);
    assert!(!life.is_over(&pace, &now(63)));
    assert!(life.is_over(&pace, &now(64)));
    assert_eq!(step(&mut life, &pace, 64, true), [AlarmChange::Raised]);
    assert_eq!(life.alarm.unwrap().position.offset, 64);
}

#[test]
fn delays_end_when_they_have_passed_and_not_before() {
    let mut life = Life::default();
    let slow = Pace {
        raise_after: 10 * SECOND,
        clear_after: 5 * SECOND,
        ..pace(None)
    };
    assert_eq!(step(&mut life, &slow, 1, true), []);
    assert_eq!(life.deadline(&slow), Some(Micros(11 * SECOND)));
    assert_eq!(step(&mut life, &slow, 10, true), []);
    assert_eq!(settled(&mut life, &slow, &now(11)), [AlarmChange::Raised]);
    assert_eq!(step(&mut life, &slow, 12, false), []);
    assert_eq!(step(&mut life, &slow, 16, true), [], "back before it had cleared");
    assert_eq!(life.deadline(&slow), None);
    assert_eq!(step(&mut life, &slow, 20, false), []);
    assert_eq!(settled(&mut life, &slow, &now(25)), [AlarmChange::Cleared]);
}

#[test]
fn what_flaps_is_suppressed_until_it_has_been_quiet() {
    let (mut life, pace) = (Life::default(), pace(Some(flap())));
    let mut told = Vec::new();
    for second in 0..600 {
        told.extend(step(&mut life, &pace, second, second % 2 == 0));
    }
    use AlarmChange::{Cleared, Raised, Reopened, Suppressed, Unsuppressed};
    assert_eq!(told, [Raised, Cleared, Reopened, Cleared, Reopened, Suppressed]);
    assert!(life.suppressed && life.figure <= 4_000.0);
    // Three half-lives from the ceiling to the limit; the last raise was in second 598.
    let until = life.deadline(&pace).unwrap();
    assert!((until.0 - 778 * SECOND).abs() < 2 * SECOND, "{until:?}");
    assert_eq!(settled(&mut life, &pace, &now(776)), []);
    assert_eq!(settled(&mut life, &pace, &now(779)), [Unsuppressed, Cleared]);
    assert!(!life.is_open());
}

#[test]
fn one_that_stands_when_it_is_quiet_is_shown() {
    let (mut life, pace) = (Life::default(), pace(Some(flap())));
    for second in 0..9 {
        step(&mut life, &pace, second, second % 2 == 0);
    }
    assert!(life.raised && life.suppressed);
    let until = life.deadline(&pace).unwrap();
    let later = now(until.0 / SECOND + 1);
    assert_eq!(settled(&mut life, &pace, &later), [AlarmChange::Unsuppressed]);
    assert!(life.is_open());
    assert_eq!(life.end(&later), Some(AlarmChange::Cleared));
    assert_eq!(life.end(&later), None);
}
