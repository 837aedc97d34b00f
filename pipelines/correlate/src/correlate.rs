//! What losses of one OLT have in common, said as incidents.
//!
//! - reads: `Losses` of gather, `Status` of the root, its boards and ports
//! - writes: `incidents` (exact); `alarms` takes which entities' alarms are symptoms
//! - key: root
//! - state: losses being waited for, those that are part of an incident, incidents that are not closed, boards out of service
//! - time: observed time: 12 s from a first loss to its verdict at most; settle windows
//! - guarantee: one incident for one cause, which reopens rather than doubling; bounded: 512 ports' losses, 96 incidents

mod above;
mod judge;
mod life;
mod part;
mod say;
mod tree;
mod turn;
mod words;

use model::{Kind, Micros, State};
use runtime::{Input, Now, Out, Reason, StateKey, Step, StepDescription};
use schemas::network::{LossNews, LossStage, NetworkEvent, StatusNews};
use topology::Topic;

use self::part::Part;
pub use self::tree::{INCIDENTS_MAX, PARTS_MAX, Tree, Verdict};
use self::turn::Turn;

/// Longest from the first loss of a port to the verdict. Observed microseconds; with the second that a tick takes this is below 15 s.
const WAIT_MICROS: i64 = 12 * Micros::SECOND;

/// Timers of a root.
mod timer {
    /// The verdict cannot wait any longer.
    pub const VERDICT: u8 = 1;
    /// A settle window ends.
    pub const SETTLE: u8 = 2;
    /// A row that was held back is written.
    pub const ROW: u8 = 3;
    /// More entities are to be taken or released than one record may.
    pub const MORE: u8 = 4;
    /// A closed incident's row is a year old.
    pub const YEAR: u8 = 5;
}

/// Its place in the chain, as in `topology`.
pub const DESCRIPTION: StepDescription = StepDescription {
    number: 6,
    name: "correlate",
    reads: "losses of gather; status of roots, boards and PON ports",
    writes: &[Topic::Incidents],
    key: "root",
    state: "losses being waited for, losses that are part of an incident, incidents that are not closed",
    time: "observed time: 12 s to a verdict at most, settle windows; log time: the year a closed incident is kept",
    guarantee: "one cause is one incident, which reopens rather than doubling; bounded",
    format: 1,
};

/// The step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Correlate;

impl Step for Correlate {
    type Event = NetworkEvent;
    type State = Tree;

    fn describe(&self) -> StepDescription {
        DESCRIPTION
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        match event {
            NetworkEvent::Losses(news) => keys.push(news.pon.root().shared()),
            NetworkEvent::Status(news) if matches!(news.entity.kind(), Kind::Olt | Kind::Board) => {
                keys.push(news.entity.root().shared());
            }
            _ => {}
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Tree>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> runtime::Verdict<Tree> {
        let Some(mut turn) = Turn::new(key, state, now, out) else {
            return runtime::Verdict::keep(Reason::Filtered("no_root"));
        };
        let word = match input {
            Input::Event(NetworkEvent::Losses(news)) => losses(&mut turn, news),
            Input::Event(NetworkEvent::Status(news)) => match news.entity.kind() {
                Kind::Board => turn.board(news),
                _ => root(&mut turn, news),
            },
            Input::Timer { id, .. } => due(&mut turn, id),
            Input::Event(_) => "not_mine",
        };
        turn.end(word)
    }
}

/// Losses of a port.
fn losses(turn: &mut Turn<'_>, news: &LossNews) -> &'static str {
    let Some(part) = Part::of(news, turn.now) else {
        return "not_mine";
    };
    if let Some(known) = turn.tree.part_mut(part.place, part.episode) {
        // Switched off on purpose, or gone: never a loss, and nobody's symptom.
        let no_loss: Vec<u16> = known.lost.iter().filter(|&onu| !part.lost.has(onu)).collect();
        let (incident, place) = (known.incident, part.place);
        known.refresh(part);
        turn.release(incident, place, no_loss);
        turn.evaluate(incident);
        return "changed";
    }
    let tree = &mut turn.tree;
    let waiting = tree
        .waiting
        .iter()
        .position(|w| (w.place, w.episode) == (part.place, part.episode));
    match (news.stage, waiting) {
        (LossStage::Changed, None) => return "no_incident",
        (_, Some(at)) => tree.waits_still(at, part),
        (_, None) => tree.wait_for(part),
    }
    if tree.waiting.iter().all(|part| part.settled) {
        turn.decide();
    }
    "losses"
}

/// The root itself answers, or does not.
fn root(turn: &mut Turn<'_>, news: &StatusNews) -> &'static str {
    if let Some(about) = &news.about {
        turn.tree.site.clone_from(&about.site);
    }
    match news.state {
        Some(State::Unreachable) if news.was != Some(State::Unreachable) => turn.blind(news),
        Some(State::Reachable) | None => turn.sees_again(),
        _ => "known",
    }
}

fn due(turn: &mut Turn<'_>, id: u8) -> &'static str {
    match id {
        timer::VERDICT => {
            turn.decide();
            "verdict"
        }
        timer::SETTLE => {
            turn.settle();
            "settled"
        }
        timer::YEAR => {
            turn.forget_closed();
            "forgotten"
        }
        // The rest is what `end` does whenever there is something left to do.
        _ => "more",
    }
}
