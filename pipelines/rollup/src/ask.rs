//! Windows are asked for.

use model::RecordId;
use model::rollup::Window;
use runtime::{Reason, Verdict};
use schemas::WindowWantedView;
use topology::Topic;

use crate::slot::{Mark, Slot, Wanted};
use crate::{DESCRIPTION, STATUS_STEP, Turn, root_of};

/// Asks for everything that was not asked for.
pub fn ask(mut slot: Slot, mut turn: Turn<'_>) -> Verdict<Slot> {
    // Its timer is spent.
    turn.had_unasked = false;
    let newest = slot.newest;
    for series in &mut slot.series {
        for place in 0..series.wanted.len() {
            let wanted = &series.wanted[place];
            if !series.can_ask(wanted) {
                continue;
            }
            let mark = match wanted.window {
                Window::Hour | Window::Day => newest,
                Window::Month => series.newest_day,
            };
            // Both were told before anything is wanted of them.
            let Some(mark) = mark else { continue };
            request(&series.measure, wanted, mark, &mut turn);
            series.wanted[place].asked = Some((mark, turn.now.log_time));
        }
    }
    turn.end(slot, Reason::Did("asked"))
}

/// What the answer has to contain: a record of `measurements` for a day, one of `rollups-day` for a month.
pub fn id_of(mark: Mark, window: Window, key: &str) -> RecordId {
    let step = match window {
        Window::Hour | Window::Day => STATUS_STEP,
        Window::Month => DESCRIPTION.number,
    };
    RecordId::new(mark.position, step, key.as_bytes(), mark.n)
}

fn request(measure: &str, wanted: &Wanted, mark: Mark, turn: &mut Turn<'_>) {
    let id = id_of(mark, wanted.window, turn.key);
    let entity = &**turn.key;
    let root = root_of(entity);
    let record = WindowWantedView {
        root,
        entity,
        measure,
        window: wanted.window.as_str(),
        start: wanted.start,
        sample_id: id.as_bytes(),
        position: turn.now.position.into(),
    };
    turn.out.record(Topic::ReadRequests, root, record);
}
