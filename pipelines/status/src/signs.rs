//! What was seen of an entity's state, and what follows from it.
//!
//! Of each kind of sign only those are kept that the state can still depend on: the newest raise of each fault and the clears
//! after it, the newest run state "down" and the three newest "up", the newest state shown. The state is computed anew from
//! all of them in the order in which they happened, so it does not depend on the order in which they arrived: an older clear
//! never undoes a newer raise.
//!
//! ```text
//!            dying gasp ─▶ offline(power)          LOS, LOF ─▶ offline(fibre), or power near a dying gasp
//!  ONU       run down ─▶ offline, cause kept       clear of what explains it, run up ─▶ online
//!                                                  … unless another fault stands: then that one explains it
//!  PON port  fault ─▶ down                         clear ─▶ up, unless another fault stands
//!  board     fault ─▶ failed, offline, absent      restored, detected, normal ─▶ normal     (the newest wins)
//!  root      any trap ─▶ reachable
//! ```

use model::{Cause, Kind, Micros, State};
use schemas::Phase;
use schemas::network::{Effect, Fault, Seen};
use serde::{Deserialize, Serialize};

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
struct Edges {
    fault: Fault,
    raised: Option<Noted>,
    /// Oldest first; none older than the raise.
    cleared: Vec<Noted>,
}

/// Everything seen of one entity's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signs {
    edges: Vec<Edges>,
    /// Up or not, oldest first.
    runs: Vec<(bool, Noted)>,
    shown: Option<(State, Noted)>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// Why, when it is offline, down or failed.
    pub cause: Option<Cause>,
    /// The fault that gave the cause.
    pub by: Option<Fault>,
    /// Since when it is in this state.
    pub since: Micros,
}

#[derive(Debug, Clone, Copy)]
enum Sign {
    Raise(Fault),
    Clear(Fault),
    Run { up: bool },
    Shown(State),
}

impl Signs {
    /// Takes note of a sign.
    pub fn note(&mut self, effect: Effect, phase: Phase, noted: Noted) -> Taken {
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
                let at = self
                    .edges
                    .binary_search_by_key(&fault, |e| e.fault)
                    .unwrap_or_else(|at| {
                        self.edges.insert(
                            at,
                            Edges {
                                fault,
                                raised: None,
                                cleared: Vec::new(),
                            },
                        );
                        at
                    });
                let edges = &mut self.edges[at];
                match phase {
                    Phase::Raise => edges.note_raise(noted),
                    Phase::Clear => edges.note_clear(noted),
                    Phase::Event => Taken::Unheeded,
                }
            }
        }
    }

    /// At least the bytes it takes in the changelog: a number has at most ten, an enum one.
    pub(crate) fn bytes_max(&self) -> usize {
        const NUMBER: usize = 10;
        /// Two instants, a `sysUpTime` that may be missing, a source, an offset.
        const NOTED: usize = 2 * NUMBER + (1 + NUMBER) + 1 + NUMBER;
        let edges = self.edges.iter().map(|e| 2 + NOTED + NUMBER + e.cleared.len() * NOTED);
        NUMBER + edges.sum::<usize>() + NUMBER + self.runs.len() * (1 + NOTED) + 2 + NOTED
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

    /// The state that follows for an entity of this kind, and the newest sign (`None` if there is no sign at all).
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
        let out = matches!(fold.state, State::Offline | State::Down | State::Failed);
        let verdict = Verdict {
            state: fold.state,
            cause: fold.cause.filter(|_| out),
            by: fold.by.filter(|_| out),
            since: fold.since,
        };
        (verdict, ordered.last().map(|(noted, _)| *noted))
    }

    /// All signs in the order in which they happened. "Older" is not transitive across boots of the sender, so this is
    /// an insertion, which ends whatever the comparison says.
    fn in_order(&self) -> Vec<(Noted, Sign)> {
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
        let mut ordered: Vec<(Noted, Sign)> = Vec::with_capacity(8);
        for (noted, sign) in raised.chain(cleared).chain(runs).chain(shown) {
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

/// The machine that the signs are run through.
#[derive(Debug)]
struct Fold {
    state: State,
    cause: Option<Cause>,
    by: Option<Fault>,
    since: Micros,
    /// Faults that stand, oldest first.
    standing: Vec<(Fault, Seen)>,
    /// The standing fault whose clear ends the present outage.
    explains: Option<Fault>,
    gasped: Option<Seen>,
}

impl Default for Fold {
    fn default() -> Self {
        Self {
            state: State::Unknown,
            cause: None,
            by: None,
            since: Micros(0),
            standing: Vec::new(),
            explains: None,
            gasped: None,
        }
    }
}

impl Fold {
    fn onu(&mut self, sign: Sign, seen: Seen) {
        match sign {
            Sign::Raise(fault) => {
                if fault == Fault::DyingGasp {
                    self.gasped = Some(seen);
                }
                self.stand(fault, seen);
                self.state = State::Offline;
                self.explain_onu(fault, &seen);
            }
            Sign::Clear(fault) => {
                self.standing.retain(|(standing, _)| *standing != fault);
                if self.state == State::Offline && self.explains == Some(fault) {
                    self.ended();
                }
            }
            Sign::Run { up: false } => {
                if self.state != State::Offline {
                    (self.state, self.cause, self.by) = (State::Offline, Some(Cause::Unknown), None);
                    self.explains = None;
                }
            }
            Sign::Run { up: true } => {
                let explained = self.explains.take();
                self.standing.retain(|(standing, _)| Some(*standing) != explained);
                self.ended();
            }
            Sign::Shown(state) => self.show(state),
        }
    }

    /// What explained the outage is over: online, unless another fault stands.
    fn ended(&mut self) {
        match self.standing.last().copied() {
            Some((fault, raised)) => {
                self.explains = None;
                self.explain_onu(fault, &raised);
            }
            None => {
                (self.state, self.cause, self.by, self.explains) = (State::Online, None, None, None);
            }
        }
    }

    fn explain_onu(&mut self, fault: Fault, raised: &Seen) {
        let gasp_near = self
            .gasped
            .is_some_and(|gasp| raised.micros_apart(&gasp) <= GASP_NEAR_MICROS);
        if fault == Fault::DyingGasp || gasp_near {
            (self.cause, self.by) = (Some(Cause::Power), Some(Fault::DyingGasp));
        } else {
            (self.cause, self.by) = (Some(Cause::Fibre), Some(fault));
        }
        let gasp_stands = self.standing.iter().any(|(standing, _)| *standing == Fault::DyingGasp);
        self.explains = Some(if gasp_near && gasp_stands {
            Fault::DyingGasp
        } else {
            fault
        });
    }

    fn pon(&mut self, sign: Sign, seen: Seen) {
        match sign {
            Sign::Raise(fault) => {
                self.stand(fault, seen);
                // "Link down" tells less than the fault that made it so.
                if fault != Fault::LinkDown || self.state != State::Down {
                    (self.cause, self.by) = (Some(port_cause(fault)), Some(fault));
                }
                self.state = State::Down;
            }
            Sign::Clear(fault) => {
                self.standing.retain(|(standing, _)| *standing != fault);
                match self.standing.last() {
                    Some(&(other, _)) => {
                        self.state = State::Down;
                        (self.cause, self.by) = (Some(port_cause(other)), Some(other));
                    }
                    None => (self.state, self.cause, self.by) = (State::Up, None, None),
                }
            }
            Sign::Shown(state) => self.show(state),
            Sign::Run { .. } => {}
        }
    }

    fn newest_wins(&mut self, sign: Sign) {
        match sign {
            Sign::Raise(fault) => {
                (self.state, self.cause, self.by) = (State::Failed, Some(Cause::Other), Some(fault));
            }
            Sign::Clear(_) => (self.state, self.cause, self.by) = (State::Normal, None, None),
            Sign::Shown(state) => self.show(state),
            Sign::Run { .. } => {}
        }
    }

    fn show(&mut self, state: State) {
        self.state = state;
        let cause = if state == State::Failed {
            Cause::Other
        } else {
            Cause::Unknown
        };
        (self.cause, self.by, self.explains) = (Some(cause), None, None);
        self.standing.clear();
    }

    fn stand(&mut self, fault: Fault, raised: Seen) {
        self.standing.retain(|(standing, _)| *standing != fault);
        self.standing.push((fault, raised));
    }
}

fn port_cause(fault: Fault) -> Cause {
    match fault {
        Fault::PonLos => Cause::Fibre,
        Fault::LinkDown => Cause::Unknown,
        _ => Cause::Other,
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
