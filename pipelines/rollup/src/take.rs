//! A sample comes.

use model::Micros;
use model::rollup::{Summary, Window, check_sample, instant};
use runtime::{Reason, Verdict};
use schemas::network::{NetworkEvent, Quality, SampleView};
use topology::Topic;

use crate::close::{close_first, want};
use crate::slot::{MEASURES_MAX, Mark, NAME_BYTES_MAX, OPEN_MAX, Open, Series, Slot, UNIT_BYTES_MAX, Wanted};
use crate::{STATUS_STEP, Turn};

/// What became of a sample.
enum Taken {
    /// It changed something.
    New,
    /// It was known.
    Known,
    /// It is not added up, for this reason.
    Refused(&'static str),
}

/// The samples of one reading of the entity.
pub fn samples(mut slot: Slot, event: &NetworkEvent, mut turn: Turn<'_>) -> Verdict<Slot> {
    let received_at = match event {
        NetworkEvent::Polled(polled) => polled.seen.received_at,
        NetworkEvent::Measured(measured) => measured.seen.received_at,
        _ => turn.now.log_time,
    };
    let Some((_, samples)) = event.samples() else {
        return Verdict::keep(Reason::Absorbed("not_mine"));
    };
    let mut is_new = false;
    let mut refused = None;
    for sample in samples {
        match take(&mut slot, &sample, received_at, &mut turn) {
            Taken::New => is_new = true,
            Taken::Known => {}
            Taken::Refused(word) => refused = refused.or(Some(word)),
        }
    }
    let reason = match refused {
        Some(word) => Reason::Filtered(word),
        None if is_new => Reason::Did("added"),
        None => Reason::Absorbed("known"),
    };
    if !is_new {
        return Verdict::keep(reason);
    }
    slot.newest = Some(Mark {
        position: turn.now.position,
        // `status` has written every sample; were there none, all of this input up to it would be as good.
        n: turn
            .out
            .n_written(STATUS_STEP, turn.key, Topic::Measurements)
            .unwrap_or(0),
    });
    turn.end(slot, reason)
}

fn take(slot: &mut Slot, sample: &SampleView<'_>, received_at: Micros, turn: &mut Turn<'_>) -> Taken {
    if sample.quality != Quality::Good {
        return Taken::Known;
    }
    if let Err(refusal) = check_sample(sample.value, sample.observed_at, received_at) {
        return Taken::Refused(refusal.as_str());
    }
    if sample.measure.len() > NAME_BYTES_MAX || sample.unit.len() > UNIT_BYTES_MAX {
        return Taken::Refused("name_too_long");
    }
    let place = match slot.place(sample.measure) {
        Ok(place) => place,
        Err(_) if slot.series.len() >= MEASURES_MAX => return Taken::Refused("too_many_measures"),
        Err(place) => {
            slot.series.insert(place, Series::new(sample.measure));
            place
        }
    };
    let series = &mut slot.series[place];
    if *series.unit != *sample.unit {
        series.unit = sample.unit.into();
    }
    let at = instant(sample.observed_at);
    if at < series.told_to {
        return late(series, at, turn);
    }
    let hour = Window::Hour.start(at);
    match series.hours.binary_search_by_key(&hour, |open| open.start) {
        Ok(place) => add(&mut series.hours[place], at, sample.value),
        Err(place) => {
            // One that begins late ends as late: a device's clock is off, or a backlog comes in order.
            let lag = turn.now.log_time.since(at).max(0);
            let open = Open {
                start: hour,
                due: Window::Hour.end(hour).plus(lag.saturating_add(turn.grace())),
                sum: Summary::of(at, sample.value),
                is_dirty: false,
            };
            series.hours.insert(place, open);
            if series.hours.len() > OPEN_MAX {
                close_first(series, turn);
            }
            Taken::New
        }
    }
}

/// A sample of an hour that is open.
fn add(open: &mut Open, at: Micros, value: f64) -> Taken {
    let sum = &mut open.sum;
    if at > sum.last_at {
        sum.add(at, value);
        return Taken::New;
    }
    // Of several values at one instant the highest counts.
    if (at == sum.last_at && value <= sum.last) || (at == sum.first_at && value <= sum.first) {
        return Taken::Known;
    }
    if sum.n == 1 && at == sum.last_at {
        *sum = Summary::of(at, value);
    } else if at < sum.first_at && sum.n == 1 {
        let later = *sum;
        *sum = Summary::of(at, value);
        sum.merge(&later);
    } else {
        // The sum of doubles cannot be taken apart, nor does it tell whether this one is in it.
        open.is_dirty = true;
    }
    Taken::New
}

/// A sample of an hour that is closed.
fn late(series: &mut Series, at: Micros, turn: &mut Turn<'_>) -> Taken {
    let hour = Window::Hour.start(at);
    let day = Window::Day.start(hour);
    if !turn.is_kept(day) {
        return Taken::Refused("sample_too_late");
    }
    let mut rows = Wanted::hour_bit(hour);
    match &mut series.day {
        Some(running) if running.start == day => running.is_dirty = true,
        _ => rows |= Wanted::ROW,
    }
    if want(series, Window::Day, day, rows, 0, turn) {
        Taken::New
    } else {
        Taken::Refused("too_many_windows")
    }
}
