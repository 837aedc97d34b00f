//! Late, doubled and shuffled samples end in the same rows as perfect ones.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{HOUR, ONU, ROOT, Raw, Reading, Rows, SECOND, chain, told, unit};
use model::Micros;
use model::rollup::Window;
use pipeline_rollup::Slot;
use schemas::network::NetworkEvent;
use testkit::{CrashAt, Driver, Rng};

/// A day's readings, every five minutes from a midnight on, with values whose sums depend on their order.
fn day(midnight: Micros) -> Vec<Reading> {
    (0..288)
        .map(|n: i64| {
            #[allow(clippy::cast_precision_loss, reason = "small")]
            let n_f = n as f64;
            Reading {
                at: midnight.plus(n * 300 * Micros::SECOND + 7),
                rx: -20.0 - (n_f * 0.37).sin(),
                temperature: 40.0 + (n_f * 0.11).cos() / 3.0,
            }
        })
        .collect()
}

/// The next midnight after the driver's beginning.
fn midnight(driver: &Driver<NetworkEvent>) -> Micros {
    Window::Day.end(Window::Day.start(driver.now()))
}

/// Moves the log's clock to an instant, with a tick an hour, and lets `persist` answer.
fn until(driver: &mut Driver<NetworkEvent>, raw: &mut Raw, at: Micros) {
    step_until(driver, raw, at, HOUR);
}

fn step_until(driver: &mut Driver<NetworkEvent>, raw: &mut Raw, at: Micros, step: i64) {
    while driver.now() < at {
        let left = at.since(driver.now()) / 1_000;
        driver.tick(left.clamp(1, step));
        settle(driver, raw);
    }
}

fn settle(driver: &mut Driver<NetworkEvent>, raw: &mut Raw) {
    commit(driver);
    raw.turn(driver);
}

fn commit(driver: &mut Driver<NetworkEvent>) {
    while !driver.commit() {
        driver.restore();
    }
}

/// To the end of the month and past it, until nothing is asked for any more.
fn close(driver: &mut Driver<NetworkEvent>, raw: &mut Raw, month: Micros) {
    let end = Window::Month.end(month).plus(8 * 24 * HOUR_MICROS);
    step_until(driver, raw, end, 24 * HOUR);
    for _ in 0..10 {
        driver.tick(30 * SECOND);
        settle(driver, raw);
    }
}

/// Each reading when it is due.
fn in_order() -> (Rows, Rows) {
    let (mut driver, mut raw) = (Driver::with(4, 1, chain), Raw::default());
    let from = midnight(&driver);
    for reading in day(from) {
        until(&mut driver, &mut raw, reading.at.plus(SECOND));
        let now = driver.now();
        driver.pipe(ROOT, reading.record(now));
    }
    close(&mut driver, &mut raw, Window::Month.start(from));
    assert_eq!(raw.answered, 0, "what is in order is never asked for");
    assert!(driver.outcomes().dead_lettered.is_empty());
    (told(&driver), raw.expected(unit))
}

#[test]
fn in_order_is_what_raw_adds_up_to() {
    let (told, expected) = in_order();
    assert_eq!(told.len(), 2 * (24 + 1 + 1));
    assert_eq!(told, expected);
}

/// How a day comes.
#[derive(Clone, Copy)]
struct Way {
    /// Microseconds after it was observed, at least.
    late: i64,
    /// Out of order by up to so many readings.
    shuffled: usize,
    is_doubled: bool,
    crash: Option<CrashAt>,
}

fn run(way: Way) -> (Rows, Rows, usize) {
    let (mut driver, mut raw) = (Driver::with(4, 1, chain), Raw::default());
    let from = midnight(&driver);
    let mut rng = Rng::new(7);
    let mut readings = day(from);
    if way.is_doubled {
        readings.extend(day(from));
        readings.sort_by_key(|r| r.at);
    }
    for chunk in readings.chunks_mut(way.shuffled.max(1)) {
        for i in (1..chunk.len()).rev() {
            let j = rng.below(i + 1);
            chunk.swap(i, j);
        }
    }
    // One reading on time first, so that there is a series whose hours are told meanwhile.
    let pace = 24 * HOUR_MICROS / i64::try_from(readings.len()).unwrap();
    for (n, reading) in readings.iter().enumerate() {
        let at = from.plus(way.late + i64::try_from(n).unwrap() * pace);
        until(&mut driver, &mut raw, at.max(reading.at.plus(SECOND)));
        if let Some(at) = way.crash.filter(|_| n % 17 == 5) {
            driver.crash_at(0, at);
        }
        let now = driver.now();
        driver.pipe(ROOT, reading.record(now));
        if !driver.is_alive(0) {
            driver.restore();
        }
        settle(&mut driver, &mut raw);
    }
    close(&mut driver, &mut raw, Window::Month.start(from));
    assert!(driver.outcomes().dead_lettered.is_empty());
    let slot: Slot = driver.state(4, ONU).unwrap();
    assert!(
        slot.series.iter().all(|s| s.wanted.is_empty()),
        "everything was answered: {slot:?}"
    );
    (told(&driver), raw.expected(unit), raw.answered)
}

fn check(way: Way, asks: bool) {
    let (told, expected, answered) = run(way);
    assert_eq!(told, expected);
    assert_eq!(told, in_order().0);
    assert_eq!(answered > 0, asks, "{answered} answers");
}

const CALM: Way = Way {
    late: 0,
    shuffled: 0,
    is_doubled: false,
    crash: None,
};
const HOUR_MICROS: i64 = 3_600 * Micros::SECOND;

#[test]
fn late_in_order_is_never_asked_for() {
    check(
        Way {
            late: 3 * HOUR_MICROS,
            ..CALM
        },
        false,
    );
    check(
        Way {
            late: 72 * HOUR_MICROS,
            ..CALM
        },
        false,
    );
}

#[test]
fn doubled_is_the_same() {
    check(
        Way {
            is_doubled: true,
            ..CALM
        },
        false,
    );
}

#[test]
fn shuffled_within_an_hour_is_the_same() {
    check(Way { shuffled: 12, ..CALM }, true);
}

#[test]
fn shuffled_over_the_day_doubled_and_late_is_the_same() {
    let way = Way {
        shuffled: 1_000,
        is_doubled: true,
        ..CALM
    };
    check(way, true);
    check(
        Way {
            late: 3 * HOUR_MICROS,
            ..way
        },
        true,
    );
    check(
        Way {
            late: 72 * HOUR_MICROS,
            ..way
        },
        true,
    );
}

#[test]
fn crashes_change_nothing() {
    for &at in CrashAt::ALL {
        let way = Way {
            shuffled: 40,
            is_doubled: true,
            late: HOUR_MICROS,
            crash: Some(at),
        };
        check(way, true);
    }
}
