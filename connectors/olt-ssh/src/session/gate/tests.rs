//! A gate's verdicts, second by second, and what holds whatever happens.

use proptest::prelude::*;

use super::*;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One thing that happens at a second, or what must be so then.
enum Step {
    Ask(Expected),
    LoggedIn,
    Worked,
    Released(Ended),
    Reset,
    Stands(BreakerIs),
}
use Step::{Ask, LoggedIn, Released, Reset, Stands, Worked};

#[derive(Debug, PartialEq)]
enum Expected {
    Go,
    WaitUntil(u64),
    Taken,
    Stopped(Class),
}
use Expected::{Go, Stopped, Taken, WaitUntil};

#[derive(Debug, PartialEq)]
enum BreakerIs {
    Closed,
    OpenUntil(u64),
    HalfOpen,
    Stopped(Class),
}

#[track_caller]
fn check(steps: &[(u64, Step)]) {
    let start = Instant::now();
    let second = |at: Instant| (at - start).as_secs();
    let mut gate = Gate::new(GateLimits::default());
    for (number, (at, step)) in steps.iter().enumerate() {
        let now = start + seconds(*at);
        match step {
            Ask(expected) => {
                let verdict = match gate.ask(now) {
                    Verdict::Go => Go,
                    Verdict::Wait(until) => WaitUntil(second(until)),
                    Verdict::Taken => Taken,
                    Verdict::Stopped(class) => Stopped(class),
                };
                assert_eq!(verdict, *expected, "step {number}");
            }
            LoggedIn => gate.logged_in(now),
            Worked => gate.worked(),
            Released(ended) => gate.released(now, *ended, 0.0),
            Reset => gate.reset(),
            Stands(expected) => {
                let stands = match gate.breaker(now) {
                    Breaker::Closed => BreakerIs::Closed,
                    Breaker::Open(until) => BreakerIs::OpenUntil(second(until)),
                    Breaker::HalfOpen => BreakerIs::HalfOpen,
                    Breaker::Stopped(class) => BreakerIs::Stopped(class),
                };
                assert_eq!(stands, *expected, "step {number}");
            }
        }
    }
}

#[test]
fn one_session_at_a_time_and_pauses_between() {
    check(&[
        (0, Ask(Go)),
        (0, Ask(Taken)),
        (1, LoggedIn),
        (1, Worked),
        (500, Ask(Taken)),
        (500, Released(Ended::Well)),
        (500, Ask(WaitUntil(508))),
        (508, Ask(Go)),
        // Not logged in: only the pause between logins.
        (510, Released(Ended::GivenUp)),
        (510, Ask(WaitUntil(514))),
        (514, Ask(Go)),
    ]);
}

#[test]
fn failures_open_the_breaker_longer_each_time_until_something_works() {
    let closed = || Released(Ended::of(Class::Closed));
    check(&[
        (0, Ask(Go)),
        (0, closed()),
        (0, Ask(WaitUntil(10))),
        (10, Ask(Go)),
        (10, closed()),
        (10, Stands(BreakerIs::Closed)),
        (20, Ask(Go)),
        (20, closed()),
        (20, Stands(BreakerIs::OpenUntil(50))),
        (49, Ask(WaitUntil(50))),
        (50, Stands(BreakerIs::HalfOpen)),
        (50, Ask(Go)),
        (50, Ask(Taken)),
        (50, closed()),
        (50, Ask(WaitUntil(110))),
        (110, Ask(Go)),
        (110, closed()),
        (110, Ask(WaitUntil(230))),
        (230, Ask(Go)),
        (231, LoggedIn),
        (231, Stands(BreakerIs::HalfOpen)),
        (232, Worked),
        (232, Stands(BreakerIs::Closed)),
        (232, closed()),
        (232, Ask(WaitUntil(242))),
    ]);
}

#[test]
fn what_only_a_person_ends_stops_until_reset() {
    for class in [Class::Refused, Class::HostKeyChanged, Class::FirstLogin, Class::Methods] {
        check(&[
            (0, Ask(Go)),
            (1, Released(Ended::of(class))),
            (1, Stands(BreakerIs::Stopped(class))),
            (1_000_000, Ask(Stopped(class))),
            (1_000_000, Reset),
            (1_000_000, Ask(Go)),
            // The pauses between logins hold over a reset.
            (1_000_001, Released(Ended::of(class))),
            (1_000_002, Reset),
            (1_000_002, Ask(WaitUntil(1_000_005))),
        ]);
    }
}

#[test]
fn each_class_has_its_pause() {
    for (class, pause) in [
        (Class::TooManySessions, 60),
        (Class::Busy, 60),
        (Class::Locked, 1_800),
        (Class::Algorithms, 600),
        (Class::Unreachable, 10),
        (Class::Command, 4),
    ] {
        check(&[
            (0, Ask(Go)),
            (0, Released(Ended::of(class))),
            (0, Ask(WaitUntil(pause))),
        ]);
    }
    // A busy device is not a broken one.
    let mut steps = Vec::new();
    for round in 0..10 {
        steps.push((round * 60, Ask(Go)));
        steps.push((round * 60, Released(Ended::of(Class::Busy))));
        steps.push((round * 60, Stands(BreakerIs::Closed)));
    }
    check(&steps);
}

#[derive(Debug, Clone)]
enum Act {
    Pass(u64),
    Ask,
    LoggedIn,
    Worked,
    Release(Ended, f64),
    Reset,
}

fn ended() -> impl Strategy<Value = Ended> {
    let classes = vec![
        Class::Refused,
        Class::Closed,
        Class::TooManySessions,
        Class::Busy,
        Class::Unreachable,
        Class::HostKeyChanged,
    ];
    prop_oneof![
        1 => Just(Ended::Well),
        1 => Just(Ended::GivenUp),
        4 => prop::sample::select(classes).prop_map(Ended::of),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..40_000_u64).prop_map(Act::Pass),
        4 => Just(Act::Ask),
        2 => Just(Act::LoggedIn),
        1 => Just(Act::Worked),
        3 => (ended(), any::<f64>()).prop_map(|(ended, jitter)| Act::Release(ended, jitter)),
        1 => Just(Act::Reset),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_the_device_is_treated_gently(acts in prop::collection::vec(act(), 0..200)) {
        let limits = GateLimits::default();
        let mut gate = Gate::new(limits.clone());
        let mut now = Instant::now();
        let (mut held, mut stopped, mut login_ended, mut failed) = (false, false, None, None);
        for act in acts {
            match act {
                Act::Pass(millis) => now += Duration::from_millis(millis),
                Act::Ask => match gate.ask(now) {
                    Verdict::Go => {
                        prop_assert!(!held && !stopped);
                        prop_assert!(login_ended.is_none_or(|at| now >= at + limits.between_logins));
                        prop_assert!(failed.is_none_or(|until| now >= until));
                        (held, login_ended) = (true, None);
                    }
                    Verdict::Wait(until) => {
                        prop_assert!(!held && !stopped && until > now);
                        prop_assert!(until <= now + seconds(1_800).max(limits.pause_max), "it ends");
                        prop_assert_eq!(gate.clone().ask(until), Verdict::Go, "and then one may go");
                    }
                    Verdict::Taken => prop_assert!(held),
                    Verdict::Stopped(_) => prop_assert!(!held && stopped),
                },
                Act::LoggedIn => {
                    gate.logged_in(now);
                    login_ended = held.then_some(now).or(login_ended);
                }
                Act::Worked => gate.worked(),
                Act::Release(ended, jitter) => {
                    gate.released(now, ended, jitter);
                    if std::mem::replace(&mut held, false) {
                        login_ended = login_ended.or(Some(now));
                        failed = None;
                        if let Ended::Failed { retry_after, .. } = ended {
                            stopped = retry_after.is_none();
                            failed = retry_after.map(|wait| now + wait);
                        }
                    }
                }
                Act::Reset => {
                    gate.reset();
                    stopped = false;
                }
            }
            prop_assert_eq!(gate.is_taken(), held);
        }
    }
}
