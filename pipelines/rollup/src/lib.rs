//! Samples added up: hours, days and months of every measure, the same however late, doubled or out of order they come.
//!
//! - reads: samples of `status` and `normalize`, windows added up again
//! - writes: `rollups-hour`, `rollups-day`, `read-requests` (exact)
//! - key: entity
//! - state: open hours of each measure, its open day and month, windows that have to be added up again
//! - time: windows by observation time, closed by log time with a grace; requests after 10 s of observed time
//! - guarantee: what is told of a window ends as the sum of its raw samples, each instant once, in order of time
//!
//! A sample of an open hour that is later than all before is added at once. Any other has to be looked for among the raw samples,
//! which a step cannot read: the window is asked for (`read-requests`), and `persist` answers into `observations`.

mod adopt;
mod ask;
mod close;
mod slot;
mod take;

pub use slot::{MEASURES_MAX, NAME_BYTES_MAX, OPEN_MAX, UNIT_BYTES_MAX};
pub use slot::{Mark, Open, Running, Series, Slot, WANTED_MAX, Wanted};

use model::Micros;
use model::rollup::SAMPLE_KEPT;
use runtime::{Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::network::NetworkEvent;
use topology::Topic;

/// Number of the step whose `measurements` records this one names to `persist`.
pub const STATUS_STEP: u8 = 2;

/// How long after its end a window stays open, in microseconds of log time: longer than a reading of any measure takes to come.
pub const GRACE_MICROS: i64 = 300 * Micros::SECOND;
/// Over how long the entities' windows close after that, so that an hour's end is no burst.
pub const SPREAD_MICROS: i64 = 300 * Micros::SECOND;
/// How long late samples are gathered before their window is asked for, in microseconds of observed time.
pub const ASK_DELAY_MICROS: i64 = 10 * Micros::SECOND;
/// After this time in microseconds of log time, a request without an answer is made again.
pub const ASK_AGAIN_MICROS: i64 = 3_600 * Micros::SECOND;

/// How long before its first raw sample ends a day is no longer asked for, in microseconds: an answer takes a while.
const KEPT_MARGIN_MICROS: i64 = 2 * 3_600 * Micros::SECOND;

/// Timer for what closes, and for requests that stay without an answer.
const CLOSE: u8 = 1;
/// Timer for windows to be asked for.
const ASK: u8 = 2;

/// Its place in the chain, as in `topology`.
pub const DESCRIPTION: StepDescription = StepDescription {
    number: 4,
    name: "rollup",
    reads: "samples of status and normalize, windows added up again",
    writes: &[Topic::RollupsHour, Topic::RollupsDay, Topic::ReadRequests],
    key: "entity",
    state: "open hours of each measure, its open day and month, windows that have to be added up again",
    time: "windows by observation time, closed by log time with a grace; requests after 10 s of observed time",
    guarantee: "a window ends as the sum of its raw samples, each instant once, in order of time",
    format: 1,
};

/// The step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rollup;

impl Step for Rollup {
    type Event = NetworkEvent;
    type State = Slot;

    fn describe(&self) -> StepDescription {
        DESCRIPTION
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        if let NetworkEvent::Recomputed(answer) = event {
            keys.push(answer.entity.as_str().into());
        } else if let Some((entity, _)) = event.samples() {
            keys.push(entity.shared().clone());
        }
    }

    fn bytes_max(&self, state: &Slot) -> Option<usize> {
        Some(state.bytes_max())
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Slot>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Slot> {
        let slot = state.cloned();
        let turn = Turn {
            key,
            now,
            room: WANTED_MAX.saturating_sub(state.map_or(0, Slot::wanted)),
            had_unasked: state.is_some_and(Slot::has_unasked),
            out,
        };
        match (input, slot) {
            (Input::Event(NetworkEvent::Recomputed(answer)), Some(slot)) => adopt::recomputed(slot, answer, turn),
            (Input::Event(NetworkEvent::Recomputed(_)), None) => Verdict::keep(Reason::Absorbed("not_asked")),
            (Input::Event(event), slot) => take::samples(slot.unwrap_or_default(), event, turn),
            (Input::Timer { id: ASK, .. }, Some(slot)) => ask::ask(slot, turn),
            (Input::Timer { .. }, Some(slot)) => close::due(slot, turn),
            (Input::Timer { .. }, None) => Verdict::keep(Reason::Absorbed("not_mine")),
        }
    }
}

/// One call: whose it is, when, and where outputs go.
struct Turn<'a> {
    key: &'a StateKey,
    now: &'a Now,
    /// Windows that may still be wanted.
    room: usize,
    /// Something was to be asked for before, so that its timer runs.
    had_unasked: bool,
    out: &'a mut Out<NetworkEvent>,
}

impl Turn<'_> {
    /// Keeps the slot, with the timer of what is due next; a slot with nothing in it goes.
    fn end(self, slot: Slot, reason: Reason) -> Verdict<Slot> {
        match slot.due() {
            Some(at) => self.out.set_timer(CLOSE, runtime::Deadline::LogTime(at)),
            None => self.out.cancel_timer(CLOSE),
        }
        if slot.has_unasked() && !self.had_unasked {
            let at = self.now.observed.plus(ASK_DELAY_MICROS);
            self.out.set_timer(ASK, runtime::Deadline::Observed(at));
        }
        if slot.series.is_empty() {
            return Verdict {
                change: runtime::Change::Delete,
                reason,
            };
        }
        Verdict::put(slot, reason)
    }

    /// Whether every raw sample of a day is still kept, and will be until the answer is there.
    fn is_kept(&self, day: Micros) -> bool {
        day.plus(SAMPLE_KEPT - KEPT_MARGIN_MICROS) > self.now.log_time
    }

    /// How long after a window's end this entity closes it: the grace, and its own share of the spread.
    fn grace(&self) -> i64 {
        // FNV-1a: the same in every build.
        let hash = self.key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let seconds = SPREAD_MICROS / Micros::SECOND;
        let share = i64::try_from((hash >> 32) % seconds.unsigned_abs()).unwrap_or(0);
        GRACE_MICROS + share * Micros::SECOND
    }
}

/// An entity's root: the first three segments of its id.
fn root_of(entity: &str) -> &str {
    let end = entity.match_indices('/').nth(2);
    &entity[..end.map_or(entity.len(), |(end, _)| end)]
}
