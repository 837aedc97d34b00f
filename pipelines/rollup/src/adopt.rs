//! An answer comes: what is exact of it is told.

use model::rollup::{Summary, Window};
use runtime::{Reason, Verdict};
use schemas::{WindowPart, WindowRecomputed};

use crate::Turn;
use crate::ask::id_of;
use crate::close::{tell, want};
use crate::slot::{Series, Slot, Wanted};

/// A window was added up again.
pub fn recomputed(mut slot: Slot, answer: &WindowRecomputed, mut turn: Turn<'_>) -> Verdict<Slot> {
    let not_asked = || Verdict::keep(Reason::Absorbed("not_asked"));
    let Ok(place) = slot.place(&answer.measure) else {
        return not_asked();
    };
    let series = &mut slot.series[place];
    let is_it = |wanted: &Wanted| {
        let asked = wanted.asked.map(|(mark, _)| id_of(mark, wanted.window, turn.key));
        wanted.window.as_str() == answer.window
            && wanted.start == answer.start
            && asked.is_some_and(|id| id.as_bytes() == answer.sample_id)
    };
    let Some(place) = series.wanted.iter().position(is_it) else {
        return not_asked();
    };
    let wanted = series.wanted.remove(place);
    turn.room += 1;
    if wanted.window == Window::Day && !turn.is_kept(wanted.start) {
        // The store may have lost some of it when it read: what was told stays.
        return turn.end(slot, Reason::Filtered("answer_too_late"));
    }
    match wanted.window {
        Window::Hour | Window::Day => day(series, &wanted, answer, &mut turn),
        Window::Month => month(series, &wanted, answer, &mut turn),
    }
    if wanted.newer != 0 {
        // What became wrong meanwhile is asked for again, and with it the row that contains it.
        let rows = wanted.newer | (wanted.rows & Wanted::ROW);
        want(
            series,
            wanted.window,
            wanted.start,
            rows,
            wanted.untold & rows,
            &mut turn,
        );
    }
    turn.end(slot, Reason::Did("corrected"))
}

fn day(series: &mut Series, wanted: &Wanted, answer: &WindowRecomputed, turn: &mut Turn<'_>) {
    let exact = wanted.rows & !wanted.newer;
    for bit in (0..24).filter(|bit| exact & (1 << bit) != 0) {
        let hour = wanted.hour(bit);
        let part = answer.parts.iter().find(|part| part.start == hour);
        if let Some(sum) = part.map(summary) {
            tell(series, Window::Hour, hour, &sum, wanted.untold & (1 << bit) == 0, turn);
        }
    }
    if exact & Wanted::ROW == 0 || wanted.newer != 0 {
        return;
    }
    let Some(sum) = Summary::merged(answer.parts.iter().map(summary)) else {
        return;
    };
    let is_corrected = wanted.untold & Wanted::ROW == 0;
    series.newest_day = Some(tell(series, Window::Day, wanted.start, &sum, is_corrected, turn));
    let month = Window::Month.start(wanted.start);
    match &mut series.month {
        Some(running) if running.start == month => running.is_dirty = true,
        _ => drop(want(series, Window::Month, month, Wanted::ROW, 0, turn)),
    }
}

fn month(series: &Series, wanted: &Wanted, answer: &WindowRecomputed, turn: &mut Turn<'_>) {
    if wanted.newer != 0 {
        return;
    }
    if let Some(sum) = Summary::merged(answer.parts.iter().map(summary)) {
        let is_corrected = wanted.untold & Wanted::ROW == 0;
        tell(series, Window::Month, wanted.start, &sum, is_corrected, turn);
    }
}

fn summary(part: &WindowPart) -> Summary {
    Summary {
        n: part.n.unsigned_abs(),
        sum: part.sum,
        sum_squares: part.sum_squares,
        min: part.min,
        max: part.max,
        first: part.first,
        first_at: part.first_at,
        last: part.last,
        last_at: part.last_at,
    }
}
