//! What was seen of an entity's state, and what follows from it.
//!
//! Of each kind of sign only the newest is kept (the newest raise and the newest clear of each fault, the newest run
//! state, the newest state shown). The state is computed anew from all of them in the order in which they happened, so
//! it does not depend on the order in which they arrived: an older clear never undoes a newer raise.
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

/// Newest begin and newest end of one fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Edges {
    fault: Fault,
    raised: Option<Noted>,
    cleared: Option<Noted>,
}

/// Everything seen of one entity's state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signs {
    edges: Vec<Edges>,
    run: Option<(bool, Noted)>,
    shown: Option<(State, Noted)>,
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
    /// Takes note of a sign; `false` if a newer one of its kind is known, so that it changes nothing.
    pub fn note(&mut self, effect: Effect, phase: Phase, noted: Noted) -> bool {
        match effect {
            Effect::Nothing => false,
            Effect::Run { up } => replace(&mut self.run, up, noted),
            Effect::State(state) => replace(&mut self.shown, state, noted),
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
                                cleared: None,
                            },
                        );
                        at
                    });
                let edges = &mut self.edges[at];
                let edge = match phase {
                    Phase::Raise => &mut edges.raised,
                    Phase::Clear => &mut edges.cleared,
                    Phase::Event => return false,
                };
                if edge.is_some_and(|known| noted.is_older_than(&known)) {
                    return false;
                }
                *edge = Some(noted);
                true
            }
        }
    }

    /// The state that follows for an entity of this kind, and the newest sign (`None` if there is no sign at all).
    pub fn verdict(&self, kind: Kind) -> (Verdict, Option<Seen>) {
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
        (verdict, ordered.last().map(|(noted, _)| noted.seen))
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
            .filter_map(|e| Some((e.cleared?, Sign::Clear(e.fault))));
        let run = self.run.map(|(up, noted)| (noted, Sign::Run { up }));
        let shown = self.shown.map(|(state, noted)| (noted, Sign::Shown(state)));
        let mut ordered: Vec<(Noted, Sign)> = Vec::with_capacity(8);
        for (noted, sign) in raised.chain(cleared).chain(run).chain(shown) {
            let after = ordered
                .iter()
                .rposition(|(known, _)| !noted.is_older_than(known))
                .map_or(0, |at| at + 1);
            ordered.insert(after, (noted, sign));
        }
        ordered
    }
}

fn replace<T>(known: &mut Option<(T, Noted)>, value: T, noted: Noted) -> bool {
    if known.as_ref().is_some_and(|(_, known)| noted.is_older_than(known)) {
        return false;
    }
    *known = Some((value, noted));
    true
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
