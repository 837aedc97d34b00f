//! What was lost of one PON port within seconds.
//!
//! - reads: `Status` of ONUs and PON ports
//! - writes: nothing; `correlate` takes its events
//! - key: PON port
//! - state: which ONUs exist and which work, its losses that are not over, which ONUs were lost together before
//! - time: observed time; losses that come within 2 s of each other, and at most 8 s after the first, belong together
//! - guarantee: what cannot be seen any more is not lost; what is switched off on purpose is not lost; bounded

mod episode;
mod pon;

use std::collections::BTreeMap;

use model::{Cause, EntityId, Kind, Micros, State};
use runtime::{Deadline, Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::network::{LossStage, NetworkEvent, StatusNews};

pub use self::pon::{EPISODES_MAX, Pon};

/// Losses are told as one when none came for this long. Observed microseconds.
pub const QUIET_MICROS: i64 = 2 * Micros::SECOND;
/// … and at the latest this long after the first one: with the 4 s that `correlate` may wait for other ports, a verdict stands
/// within 15 s. Observed microseconds.
pub const CEILING_MICROS: i64 = 8 * Micros::SECOND;
/// What comes of losses afterwards is told this much later, all at once. Observed microseconds.
const TELL_MICROS: i64 = 2 * Micros::SECOND;

/// Timer: no more losses came.
const SETTLE: u8 = 1;
/// Timer: tell what became of earlier losses.
const TELL: u8 = 2;

/// Its place in the chain, as in `topology`.
pub const DESCRIPTION: StepDescription = StepDescription {
    number: 5,
    name: "gather",
    reads: "status of ONUs and PON ports",
    writes: &[],
    key: "pon",
    state: "which ONUs exist and work, losses that are not over, which ONUs were lost together before",
    time: "observed time: 2 s of quiet or 8 s in all end a round of losses",
    guarantee: "what cannot be seen or was switched off on purpose is not lost; bounded",
    format: 1,
};

/// The step, with an index: on how many ports of a board, and of a root, something works.
#[derive(Debug, Clone, Default)]
pub struct Gather {
    populated: BTreeMap<String, u16>,
}

impl Gather {
    /// Ports of the board and of the root of a port on which something works or worked until now.
    fn populated(&self, pon: &str) -> (u16, u16) {
        let of = |above: Option<&str>| above.and_then(|a| self.populated.get(a)).copied().unwrap_or(0);
        (of(board_part(pon)), of(root_part(pon)))
    }

    fn count(&mut self, above: Option<&str>, more: bool) {
        let Some(above) = above else { return };
        let count = self.populated.entry(above.to_owned()).or_default();
        *count = if more {
            count.saturating_add(1)
        } else {
            count.saturating_sub(1)
        };
        if *count == 0 {
            self.populated.remove(above);
        }
    }

    fn tell(&self, key: &str, pon: &Pon, number: u32, stage: LossStage, out: &mut Out<NetworkEvent>) {
        let (Ok(entity), Some(episode)) = (EntityId::parse(key), pon.episode(number)) else {
            return;
        };
        let news = episode.news(entity, pon, stage, self.populated(key));
        out.event(NetworkEvent::Losses(Box::new(news)));
    }

    fn tell_changes(&self, key: &str, pon: &mut Pon, out: &mut Out<NetworkEvent>) {
        for number in pon.take_changed() {
            self.tell(key, pon, number, LossStage::Changed, out);
        }
        pon.forget_over();
    }

    fn status(
        &self,
        key: &str,
        before: Option<&Pon>,
        news: &StatusNews,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Pon> {
        let mut pon = before.cloned().unwrap_or_default();
        let did = match news.entity.place() {
            Some(place) => pon.onu(place.onu, news, now),
            None => pon.port(news, now),
        };
        for number in pon.take_forgotten() {
            // Nobody will tell of them again: as if they were back.
            self.tell(key, &pon, number, LossStage::Changed, out);
            pon.drop_episode(number);
        }
        if let Some(number) = did.began {
            self.tell(key, &pon, number, LossStage::Began, out);
        }
        if let Some(at) = pon.settles_at() {
            out.set_timer(SETTLE, Deadline::Observed(at));
        }
        if did.changed
            && let Some(at) = pon.tell_at(now.observed.plus(TELL_MICROS))
        {
            out.set_timer(TELL, Deadline::Observed(at));
        }
        match before {
            Some(before) if *before == pon => Verdict::keep(Reason::Absorbed("known")),
            _ => Verdict::put(pon, Reason::Did(did.word)),
        }
    }

    fn due(&self, key: &str, before: Option<&Pon>, id: u8, now: &Now, out: &mut Out<NetworkEvent>) -> Verdict<Pon> {
        let Some(mut pon) = before.cloned() else {
            return Verdict::keep(Reason::Absorbed("not_mine"));
        };
        let word = match id {
            SETTLE => {
                let Some(number) = pon.settle(now) else {
                    return Verdict::keep(Reason::Absorbed("not_yet"));
                };
                self.tell(key, &pon, number, LossStage::Settled, out);
                pon.learn(number);
                pon.forget_over();
                "settled"
            }
            _ => {
                self.tell_changes(key, &mut pon, out);
                "told"
            }
        };
        Verdict::put(pon, Reason::Did(word))
    }
}

impl Step for Gather {
    type Event = NetworkEvent;
    type State = Pon;
    const REMEMBERS: bool = true;

    fn describe(&self) -> StepDescription {
        DESCRIPTION
    }

    fn keys(&self, event: &NetworkEvent, keys: &mut Vec<StateKey>) {
        let NetworkEvent::Status(news) = event else { return };
        match news.entity.kind() {
            Kind::Pon => keys.push(news.entity.shared().clone()),
            Kind::Onu => keys.extend(news.entity.parent().map(|pon| pon.shared().clone())),
            _ => {}
        }
    }

    fn remember(&mut self, key: &StateKey, before: Option<&Pon>, after: Option<&Pon>) {
        let (was, is) = (
            before.is_some_and(Pon::is_populated),
            after.is_some_and(Pon::is_populated),
        );
        if was != is {
            self.count(board_part(key), is);
            self.count(root_part(key), is);
        }
    }

    fn apply(
        &self,
        key: &StateKey,
        state: Option<&Pon>,
        input: Input<'_, NetworkEvent>,
        now: &Now,
        out: &mut Out<NetworkEvent>,
    ) -> Verdict<Pon> {
        match input {
            Input::Event(NetworkEvent::Status(news)) => self.status(key, state, news, now, out),
            Input::Timer { id, .. } => self.due(key, state, id, now, out),
            Input::Event(_) => Verdict::keep(Reason::Absorbed("not_mine")),
        }
    }
}

/// Whether this is a loss: not what a person did, and not a restart.
fn is_loss(state: State, cause: Option<Cause>) -> bool {
    state == State::Offline && !matches!(cause, Some(Cause::Admin | Cause::Reset | Cause::Rogue))
}

/// `ROOT/pon/F/S` of `ROOT/pon/F/S/P`.
fn board_part(pon: &str) -> Option<&str> {
    pon.rsplit_once('/').map(|(board, _)| board)
}

/// `ROOT` of `ROOT/pon/F/S/P`.
fn root_part(pon: &str) -> Option<&str> {
    pon.match_indices('/').nth(2).map(|(end, _)| &pon[..end])
}
