//! What was seen of an entity's state, and what follows from it.
//!
//! Of each kind of sign only those are kept that the state can still depend on: the newest raise of each fault and the clears
//! after it, the newest run state "down" and the three newest "up", the newest state shown, the newest readings. The state is
//! computed anew from all of them in the order in which they happened, so it does not depend on the order in which they
//! arrived: an older clear never undoes a newer raise.
//!
//! ```text
//!            dying gasp ─▶ offline(power)          LOS, LOF ─▶ offline(fibre), or power near a dying gasp
//!  ONU       run down ─▶ offline, cause kept       clear of what explains it, run up ─▶ online
//!                                                  … unless another fault stands: then that one explains it
//!            read down ─▶ offline, cause as read   read up ─▶ online, and whatever began before it is over
//!            not in a whole reading ─▶ absent      any sign of life ─▶ back
//!  PON port  fault ─▶ down                         clear ─▶ up, unless another fault stands
//!  board     fault ─▶ failed, offline, absent      restored, detected, normal ─▶ normal     (the newest wins)
//!  root      any trap, any reading ─▶ reachable    no answer, three times ─▶ unreachable    (the newest wins)
//! ```
//!
//! A reading comes every minute and mostly says what the one before said. Then nothing is written, and the time of the one that
//! is kept stands still; whoever notes a sign older than the last reading first moves it on ([`Signs::repeated`]).

use std::sync::Arc;

use model::{Cause, Kind, Micros, State};
use schemas::Phase;
use schemas::network::{Effect, Fault, Seen};
use serde::{Deserialize, Serialize};

use crate::fold::{Fold, Sign};

/// A LOS this near to a dying gasp, before or after it, is the power failure's (design §7). Microseconds.
pub const GASP_NEAR_MICROS: i64 = 10 * Micros::SECOND;

/// Run states "up" that are kept. Each ends one standing fault whose clear was lost, and an ONU has three; what an older one
/// ended would stand again if it were forgotten for a newer "down".
const UPS_MAX: usize = 3;
/// Clears of one fault that are kept: the first after its raise, which ended it, and the newest ones, which end what was raised
/// before them and comes late.
const CLEARS_MAX: usize = 4;
/// Run states "down" that are kept: only the newest outage can be going on.
const DOWNS_MAX: usize = 1;

/// When something was seen, and its place in the input for what is otherwise equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// When.
    pub seen: Seen,
    /// Offset of the input that said so.
    pub offset: u64,
}

impl Noted {
    fn is_older_than(&self, other: &Self) -> bool {
        self.seen.is_older_than(&other.seen) || (!other.seen.is_older_than(&self.seen) && self.offset < other.offset)
    }
}

/// Newest begin of one fault, and its ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edges {
    fault: Fault,
    raised: Option<Noted>,
    /// Oldest first; none older than the raise.
    cleared: Vec<Noted>,
}

/// What a reading says about the state of an ONU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadState {
    /// It works.
    Up,
    /// It is there, and neither.
    Unclear,
    /// It does not.
    Down {
        /// Why it went down last, if the reading says so.
        cause: Option<Cause>,
        /// The vendor's words.
        words: Option<Arc<str>>,
    },
}

/// Everything seen of one entity's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signs {
    pub(crate) edges: Vec<Edges>,
    /// Up or not, oldest first.
    pub(crate) runs: Vec<(bool, Noted)>,
    pub(crate) shown: Option<(State, Noted)>,
    /// The newest reading "up", and behind it the newest "down", the newest "down" with a cause, and the newest that is neither; oldest
    /// first.
    pub(crate) reads: Vec<(ReadState, Noted)>,
    /// The newest sign of life that says nothing else.
    pub(crate) spoke: Option<Noted>,
    /// What it is seen through does not answer.
    pub(crate) unseen: Option<Noted>,
}

/// What became of a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It says nothing about the state.
    Unheeded,
    /// It is the newest of its kind.
    Newest,
    /// A newer one of its kind is known, but the state may follow from both.
    Late,
    /// A newer one of its kind is known, so it changes nothing.
    TooLate,
}

/// What follows from the signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// Why, when it is offline, down or failed.
    pub cause: Option<Cause>,
    /// The fault that gave the cause.
    pub by: Option<Fault>,
    /// The vendor's words for the cause, where a reading gave it.
    pub words: Option<Arc<str>>,
    /// Since when it is in this state.
    pub since: Micros,
}

impl Verdict {
    /// The vendor's words for the cause.
    pub fn cause_raw(&self) -> Option<&str> {
        self.words.as_deref().or(self.by.map(raw_word))
    }

    /// State and cause, as somebody reads them.
    pub fn reads_like(&self, other: &Self) -> bool {
        (self.state, self.cause, self.cause_raw()) == (other.state, other.cause, other.cause_raw())
    }
}

impl Signs {
    /// Takes note of what a happening says.
    pub fn note(&mut self, effect: Effect, phase: Phase, noted: Noted) -> Taken {
        if effect == Effect::Nothing {
            self.note_spoke(noted);
            return Taken::Unheeded;
        }
        if self.is_over(&noted) {
            return Taken::TooLate;
        }
        match effect {
            Effect::Nothing => Taken::Unheeded,
            Effect::Run { up } => self.note_run(up, noted),
            Effect::State(state) => {
                if self.shown.is_some_and(|(_, known)| noted.is_older_than(&known)) {
                    return Taken::TooLate;
                }
                self.shown = Some((state, noted));
                Taken::Newest
            }
            Effect::Fault(fault) => {
                let edges = self.edges_of(fault);
                match phase {
                    Phase::Raise => edges.note_raise(noted),
                    Phase::Clear => edges.note_clear(noted),
                    Phase::Event => Taken::Unheeded,
                }
            }
        }
    }

    /// Takes note of a reading.
    pub fn note_read(&mut self, read: ReadState, noted: Noted) -> Taken {
        if self.is_over(&noted) {
            return Taken::TooLate;
        }
        let is_up = read == ReadState::Up;
        let at = place_of(&noted, self.reads.iter().map(|(_, known)| known));
        // There is one for most of all ONUs: no room for four.
        self.reads.reserve_exact(1);
        self.reads.insert(at, (read, noted));
        let is_newest = at + 1 == self.reads.len();
        if is_up {
            self.forget_before(&noted);
        }
        self.keep_newest_reads();
        if is_newest { Taken::Newest } else { Taken::Late }
    }

    /// Takes note of a sign of life.
    pub fn note_spoke(&mut self, noted: Noted) {
        newest(&mut self.spoke, noted);
    }

    /// Takes note that it cannot be seen since then.
    pub fn note_unseen(&mut self, noted: Noted) {
        newest(&mut self.unseen, noted);
    }

    /// The newest reading said the same again at this time.
    pub fn repeated(&mut self, at: Micros) {
        let Some((read, noted)) = self.reads.last_mut().filter(|(_, noted)| noted.seen.observed_at < at) else {
            return;
        };
        noted.seen.observed_at = at;
        noted.seen.received_at = noted.seen.received_at.max(at);
        let noted = *noted;
        if *read == ReadState::Up {
            self.forget_before(&noted);
        }
    }

    /// Whether a reading says what the newest sign says, which is a reading too: nothing follows from it.
    pub fn is_repeated_by(&self, read: &ReadState, seen: &Seen) -> bool {
        let Some((known, noted)) = self.reads.last() else {
            return false;
        };
        known == read
            && !seen.is_older_than(&noted.seen)
            && self.unseen.is_none_or(|unseen| unseen.is_older_than(noted))
            && self.of_state().all(|(sign, _)| !noted.is_older_than(&sign))
    }

    /// Since when it cannot be seen: nothing newer was seen of it.
    pub fn unseen(&self) -> Option<Noted> {
        let is_newer = |unseen: &Noted| {
            self.spoke.is_none_or(|spoke| spoke.is_older_than(unseen))
                && self.of_state().all(|(sign, _)| sign.is_older_than(unseen))
        };
        self.unseen.filter(is_newer)
    }

    /// At least the bytes it takes in the changelog: a number has at most ten, an enum one.
    pub(crate) fn bytes_max(&self) -> usize {
        const NUMBER: usize = 10;
        /// Two instants, a `sysUpTime` that may be missing, a source, an offset.
        const NOTED: usize = 2 * NUMBER + (1 + NUMBER) + 1 + NUMBER;
        let edges = self.edges.iter().map(|e| 2 + NOTED + NUMBER + e.cleared.len() * NOTED);
        let words = |read: &ReadState| match read {
            ReadState::Down { words: Some(words), .. } => NUMBER + words.len(),
            _ => 0,
        };
        let reads = self.reads.iter().map(|(read, _)| 4 + words(read) + NOTED);
        let runs = self.runs.len() * (1 + NOTED);
        let single = (2 + NOTED) + 2 * (1 + NOTED);
        3 * NUMBER + edges.sum::<usize>() + runs + reads.sum::<usize>() + single
    }

    /// The state that follows for an entity of this kind, and the newest sign of it (`None` if there is no sign at all).
    pub fn verdict(&self, kind: Kind) -> (Verdict, Option<Noted>) {
        let mut fold = Fold::default();
        let ordered = self.in_order();
        for &(noted, sign) in &ordered {
            let before = fold.state;
            match kind {
                Kind::Onu => fold.onu(sign, noted.seen),
                Kind::Pon => fold.pon(sign, noted.seen),
                _ => fold.newest_wins(sign),
            }
            if fold.state != before {
                fold.since = noted.seen.observed_at;
            }
        }
        let newest = ordered.iter().rfind(|(_, sign)| !matches!(sign, Sign::Spoke));
        (fold.verdict(), newest.map(|(noted, _)| *noted))
    }

    /// A reading "up" is newer: whatever this was, it was over.
    fn is_over(&self, noted: &Noted) -> bool {
        self.reads
            .iter()
            .any(|(read, up)| *read == ReadState::Up && noted.is_older_than(up))
    }

    /// Of what happened before this, nothing bears on the state any more.
    fn forget_before(&mut self, up: &Noted) {
        self.edges.retain_mut(|edges| {
            edges.raised = edges.raised.filter(|raised| !raised.is_older_than(up));
            edges.cleared.retain(|cleared| !cleared.is_older_than(up));
            edges.raised.is_some() || !edges.cleared.is_empty()
        });
        self.runs.retain(|(_, noted)| !noted.is_older_than(up));
        self.reads.retain(|(_, noted)| !noted.is_older_than(up));
        self.shown = self.shown.filter(|(_, noted)| !noted.is_older_than(up));
        self.spoke = self.spoke.filter(|noted| !noted.is_older_than(up));
        self.unseen = self.unseen.filter(|noted| !noted.is_older_than(up));
    }

    fn keep_newest_reads(&mut self) {
        let (mut down, mut with_cause, mut unclear) = (false, false, false);
        for at in (0..self.reads.len()).rev() {
            let is_wanted = match &self.reads[at].0 {
                ReadState::Up => true,
                ReadState::Unclear => !std::mem::replace(&mut unclear, true),
                ReadState::Down { cause, .. } => {
                    let tells_more = cause.is_some() && !std::mem::replace(&mut with_cause, true);
                    !std::mem::replace(&mut down, true) || tells_more
                }
            };
            if !is_wanted {
                self.reads.remove(at);
            }
        }
    }

    fn edges_of(&mut self, fault: Fault) -> &mut Edges {
        let at = self
            .edges
            .binary_search_by_key(&fault, |e| e.fault)
            .unwrap_or_else(|at| {
                let edges = Edges {
                    fault,
                    raised: None,
                    cleared: Vec::new(),
                };
                self.edges.insert(at, edges);
                at
            });
        &mut self.edges[at]
    }

    fn note_run(&mut self, up: bool, noted: Noted) -> Taken {
        let at = place_of(&noted, self.runs.iter().map(|(_, known)| known));
        self.runs.insert(at, (up, noted));
        let is_newest = at + 1 == self.runs.len();
        let max = if up { UPS_MAX } else { DOWNS_MAX };
        if self.runs.iter().filter(|(known, _)| *known == up).count() > max {
            let oldest = self.runs.iter().position(|(known, _)| *known == up);
            let gone = oldest.map(|oldest| self.runs.remove(oldest).1);
            if gone == Some(noted) {
                return Taken::TooLate;
            }
        }
        if is_newest { Taken::Newest } else { Taken::Late }
    }

    /// All signs that say something about the state, in no order.
    fn of_state(&self) -> impl Iterator<Item = (Noted, Sign<'_>)> {
        let raised = self
            .edges
            .iter()
            .filter_map(|e| Some((e.raised?, Sign::Raise(e.fault))));
        let cleared = self
            .edges
            .iter()
            .flat_map(|e| e.cleared.iter().map(|&noted| (noted, Sign::Clear(e.fault))));
        let runs = self.runs.iter().map(|&(up, noted)| (noted, Sign::Run { up }));
        let shown = self.shown.map(|(state, noted)| (noted, Sign::Shown(state)));
        let reads = self.reads.iter().map(|(read, noted)| (*noted, Sign::Read(read)));
        raised.chain(cleared).chain(runs).chain(shown).chain(reads)
    }

    /// All signs in the order in which they happened. "Older" is not transitive across boots of the sender, so this is
    /// an insertion, which ends whatever the comparison says.
    fn in_order(&self) -> Vec<(Noted, Sign<'_>)> {
        let mut ordered: Vec<(Noted, Sign<'_>)> = Vec::with_capacity(8);
        for (noted, sign) in self.of_state().chain(self.spoke.map(|noted| (noted, Sign::Spoke))) {
            let at = place_of(&noted, ordered.iter().map(|(known, _)| known));
            ordered.insert(at, (noted, sign));
        }
        ordered
    }
}

impl Edges {
    fn note_raise(&mut self, noted: Noted) -> Taken {
        if self.raised.is_some_and(|known| noted.is_older_than(&known)) {
            return Taken::TooLate;
        }
        self.raised = Some(noted);
        self.cleared.retain(|cleared| !cleared.is_older_than(&noted));
        Taken::Newest
    }

    fn note_clear(&mut self, noted: Noted) -> Taken {
        if self.raised.is_some_and(|raised| noted.is_older_than(&raised)) {
            return Taken::TooLate;
        }
        let at = place_of(&noted, self.cleared.iter());
        self.cleared.insert(at, noted);
        let is_newest = at + 1 == self.cleared.len();
        if self.cleared.len() > CLEARS_MAX {
            self.cleared.remove(1);
        }
        if is_newest { Taken::Newest } else { Taken::Late }
    }
}

/// Where a sign belongs among others, oldest first: behind the last that is not newer.
fn place_of<'a>(noted: &Noted, known: impl DoubleEndedIterator<Item = &'a Noted> + ExactSizeIterator) -> usize {
    known
        .enumerate()
        .rfind(|(_, known)| !noted.is_older_than(known))
        .map_or(0, |(at, _)| at + 1)
}

fn newest(known: &mut Option<Noted>, noted: Noted) {
    if known.is_none_or(|known| !noted.is_older_than(&known)) {
        *known = Some(noted);
    }
}

/// The vendor's word for a fault, as `cause_raw` carries it.
pub fn raw_word(fault: Fault) -> &'static str {
    match fault {
        Fault::DyingGasp => "dying-gasp",
        Fault::OnuLos => "LOSi",
        Fault::OnuLof => "LOFi",
        Fault::PonLos => "LOS",
        Fault::TransceiverAbsent => "transceiver-absent",
        Fault::TransmitterFailure => "transmitter-failure",
        Fault::PortFault => "port-fault",
        Fault::LinkDown => "link-down",
        Fault::BoardFault => "board-fault",
    }
}
