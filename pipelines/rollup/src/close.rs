//! Windows close: hours into days, days into months. What is exact is told at once, the rest is asked for.

use model::Micros;
use model::rollup::{Summary, Window};
use runtime::{Reason, Verdict};
use schemas::RollupView;
use topology::Topic;

use crate::slot::{Mark, Running, Series, Slot, Wanted};
use crate::{ASK_AGAIN_MICROS, Turn, root_of};

/// Closes what is due, and takes back requests that nobody answered.
pub fn due(mut slot: Slot, mut turn: Turn<'_>) -> Verdict<Slot> {
    let log_time = turn.now.log_time;
    for series in &mut slot.series {
        close_due(series, &mut turn);
        for wanted in &mut series.wanted {
            if wanted
                .asked
                .is_some_and(|(_, at)| log_time >= at.plus(ASK_AGAIN_MICROS))
            {
                wanted.rows |= std::mem::take(&mut wanted.newer);
                wanted.asked = None;
            }
        }
    }
    slot.series.retain(|series| !series.is_over(log_time));
    turn.end(slot, Reason::Did("closed"))
}

fn close_due(series: &mut Series, turn: &mut Turn<'_>) {
    let log_time = turn.now.log_time;
    while series.hours.iter().any(|open| open.due <= log_time) {
        close_first(series, turn);
    }
    let first_open = |series: &Series| series.hours.first().map_or(Micros(i64::MAX), |open| open.start);
    let is_due = |running: &Option<Running>, window: Window, next: Micros| {
        let running = running.as_ref();
        running.is_some_and(|running| running.due <= log_time && next >= window.end(running.start))
    };
    if is_due(&series.day, Window::Day, first_open(series)) {
        close_day(series, turn);
    }
    let day = series.day.as_ref().map_or(Micros(i64::MAX), |day| day.start);
    if is_due(&series.month, Window::Month, first_open(series).min(day)) {
        close_month(series, turn);
    }
}

/// Closes the oldest open hour.
pub fn close_first(series: &mut Series, turn: &mut Turn<'_>) {
    let open = series.hours.remove(0);
    let day = Window::Day.start(open.start);
    if series.day.as_ref().is_some_and(|running| running.start < day) {
        close_day(series, turn);
    }
    series.told_to = Window::Hour.end(open.start);
    let bit = Wanted::hour_bit(open.start);
    let is_asked = open.is_dirty && turn.is_kept(day) && want(series, Window::Day, day, bit, bit, turn);
    if !is_asked {
        tell(series, Window::Hour, open.start, &open.sum, false, turn);
    }
    let sum = (!is_asked).then_some(&open.sum);
    run(&mut series.day, Window::Day, day, sum, series.told_to, turn);
}

fn close_day(series: &mut Series, turn: &mut Turn<'_>) {
    let Some(day) = series.day.take() else { return };
    let month = Window::Month.start(day.start);
    if series.month.as_ref().is_some_and(|running| running.start < month) {
        close_month(series, turn);
    }
    series.told_to = series.told_to.max(Window::Day.end(day.start));
    let is_asked =
        day.is_dirty && turn.is_kept(day.start) && want(series, Window::Day, day.start, Wanted::ROW, Wanted::ROW, turn);
    let sum = day.sum.filter(|_| !is_asked);
    if let Some(sum) = &sum {
        series.newest_day = Some(tell(series, Window::Day, day.start, sum, false, turn));
    }
    let end = Window::Day.end(day.start);
    run(&mut series.month, Window::Month, month, sum.as_ref(), end, turn);
}

fn close_month(series: &mut Series, turn: &mut Turn<'_>) {
    let Some(month) = series.month.take() else { return };
    series.told_to = series.told_to.max(Window::Month.end(month.start));
    let is_asked = month.is_dirty && want(series, Window::Month, month.start, Wanted::ROW, Wanted::ROW, turn);
    if let Some(sum) = month.sum.filter(|_| !is_asked) {
        tell(series, Window::Month, month.start, &sum, false, turn);
    }
}

/// Adds a closed part to the window it is in, and begins that if need be; without a sum, the part is missing. `part_end`: when the
/// part ended; as long after its own end the window closes, at least.
fn run(
    running: &mut Option<Running>,
    window: Window,
    start: Micros,
    sum: Option<&Summary>,
    part_end: Micros,
    turn: &Turn<'_>,
) {
    let end = window.end(start);
    let running = running.get_or_insert_with(|| Running {
        start,
        due: end.plus(turn.grace()),
        sum: None,
        is_dirty: false,
    });
    running.due = running.due.max(end.plus(turn.now.log_time.since(part_end)));
    match (sum, &mut running.sum) {
        (Some(part), Some(sum)) => sum.merge(part),
        (Some(part), none) => *none = Some(*part),
        (None, _) => running.is_dirty = true,
    }
}

/// Notes that rows of a window have to be told from what the store has. False if there is no room for another.
pub fn want(series: &mut Series, window: Window, start: Micros, rows: u32, untold: u32, turn: &mut Turn<'_>) -> bool {
    let known = series
        .wanted
        .iter_mut()
        .find(|w| (w.window, w.start) == (window, start));
    if let Some(known) = known {
        if known.asked.is_some() {
            known.newer |= rows;
        } else {
            known.rows |= rows;
        }
        known.untold |= untold;
        return true;
    }
    if turn.room == 0 {
        return false;
    }
    turn.room -= 1;
    series.wanted.push(Wanted {
        window,
        start,
        rows,
        untold,
        newer: 0,
        asked: None,
    });
    true
}

/// Writes a row, and says which one it is.
pub fn tell(
    series: &Series,
    window: Window,
    start: Micros,
    sum: &Summary,
    is_corrected: bool,
    turn: &mut Turn<'_>,
) -> Mark {
    let topic = match window {
        Window::Hour => Topic::RollupsHour,
        Window::Day | Window::Month => Topic::RollupsDay,
    };
    let mark = Mark {
        position: turn.now.position,
        n: turn.out.next_n(),
    };
    let wts = turn.out.write_time();
    let entity = &**turn.key;
    let row = RollupView {
        entity,
        root: root_of(entity),
        measure: &series.measure,
        unit: &series.unit,
        window: window.as_str(),
        start,
        n: i64::try_from(sum.n).unwrap_or(i64::MAX),
        sum: sum.sum,
        sum_squares: sum.sum_squares,
        min: sum.min,
        max: sum.max,
        first: sum.first,
        first_at: sum.first_at,
        last: sum.last,
        last_at: sum.last_at,
        is_corrected,
        position: turn.now.position.into(),
        wts,
    };
    turn.out.record(topic, entity, row);
    mark
}
