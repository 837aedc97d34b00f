//! The machine that the signs of an entity are run through, oldest first.

use std::sync::Arc;

use model::{Cause, Micros, State};
use schemas::network::{Fault, Seen};

use crate::signs::{GASP_NEAR_MICROS, ReadState, Verdict};

/// One sign.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sign<'a> {
    Raise(Fault),
    Clear(Fault),
    Run { up: bool },
    Shown(State),
    Read(&'a ReadState),
    Spoke,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Fold {
    pub state: State,
    pub since: Micros,
    cause: Option<Cause>,
    by: Option<Fault>,
    words: Option<Arc<str>>,
    /// Faults that stand, oldest first.
    standing: Vec<(Fault, Seen)>,
    /// The fault whose clear ends the present outage.
    explains: Option<Fault>,
    gasped: Option<Seen>,
}

impl Default for Fold {
    fn default() -> Self {
        Self {
            state: State::Unknown,
            since: Micros(0),
            cause: None,
            by: None,
            words: None,
            standing: Vec::new(),
            explains: None,
            gasped: None,
        }
    }
}

impl Fold {
    pub fn verdict(self) -> Verdict {
        let out = matches!(self.state, State::Offline | State::Down | State::Failed);
        Verdict {
            state: self.state,
            cause: self.cause.filter(|_| out),
            by: self.by.filter(|_| out),
            words: self.words.filter(|_| out),
            since: self.since,
        }
    }

    pub fn onu(&mut self, sign: Sign<'_>, seen: Seen) {
        // Whoever speaks is there.
        if self.state == State::Absent {
            self.state = State::Unknown;
        }
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
                    self.state = State::Offline;
                    self.because(Cause::Unknown, None);
                    self.explains = None;
                }
            }
            Sign::Run { up: true } => {
                let explained = self.explains.take();
                self.standing.retain(|(standing, _)| Some(*standing) != explained);
                self.ended();
            }
            Sign::Read(ReadState::Up) => {
                // Nothing that began before it stands: a clear was lost.
                self.standing.clear();
                self.gasped = None;
                self.ended();
            }
            Sign::Read(ReadState::Down { cause, words }) => self.read_down(*cause, words.as_ref()),
            Sign::Shown(state) => self.show(state),
            Sign::Read(ReadState::Unclear) | Sign::Spoke => {}
        }
    }

    /// A reading says that an ONU is down, and perhaps why it went down last.
    fn read_down(&mut self, cause: Option<Cause>, words: Option<&Arc<str>>) {
        let is_new = self.state != State::Offline;
        self.state = State::Offline;
        if is_new {
            self.because(Cause::Unknown, None);
            self.explains = None;
        }
        let Some(cause) = cause else { return };
        // A gasp that was heard says more than "no light"; and what says the same keeps its words.
        let gasp_heard = self.by == Some(Fault::DyingGasp) && cause == Cause::Fibre;
        let says_less = !is_new && (cause == Cause::Unknown || self.cause == Some(cause) || gasp_heard);
        if says_less {
            return;
        }
        self.because(cause, None);
        self.words = words.cloned();
        // The raise was lost; its clear may come.
        self.explains = self.explains.or(match cause {
            Cause::Power => Some(Fault::DyingGasp),
            Cause::Fibre => Some(Fault::OnuLos),
            _ => None,
        });
    }

    /// What explained the outage is over: online, unless another fault stands.
    fn ended(&mut self) {
        self.explains = None;
        match self.standing.last().copied() {
            Some((fault, raised)) => self.explain_onu(fault, &raised),
            None => {
                self.state = State::Online;
                self.cleared();
            }
        }
    }

    fn explain_onu(&mut self, fault: Fault, raised: &Seen) {
        let gasp_near = self
            .gasped
            .is_some_and(|gasp| raised.micros_apart(&gasp) <= GASP_NEAR_MICROS);
        if fault == Fault::DyingGasp || gasp_near {
            self.because(Cause::Power, Some(Fault::DyingGasp));
        } else {
            self.because(Cause::Fibre, Some(fault));
        }
        let gasp_stands = self.standing.iter().any(|(standing, _)| *standing == Fault::DyingGasp);
        self.explains = Some(if gasp_near && gasp_stands {
            Fault::DyingGasp
        } else {
            fault
        });
    }

    pub fn pon(&mut self, sign: Sign<'_>, seen: Seen) {
        match sign {
            Sign::Raise(fault) => {
                self.stand(fault, seen);
                // "Link down" tells less than the fault that made it so.
                if fault != Fault::LinkDown || self.state != State::Down {
                    self.because(port_cause(fault), Some(fault));
                }
                self.state = State::Down;
            }
            Sign::Clear(fault) => {
                self.standing.retain(|(standing, _)| *standing != fault);
                match self.standing.last() {
                    Some(&(other, _)) => {
                        self.state = State::Down;
                        self.because(port_cause(other), Some(other));
                    }
                    None => {
                        self.state = State::Up;
                        self.cleared();
                    }
                }
            }
            Sign::Shown(state) => self.show(state),
            Sign::Run { .. } | Sign::Read(_) | Sign::Spoke => {}
        }
    }

    pub fn newest_wins(&mut self, sign: Sign<'_>) {
        match sign {
            Sign::Raise(fault) => {
                self.state = State::Failed;
                self.because(Cause::Other, Some(fault));
            }
            Sign::Clear(_) => {
                self.state = State::Normal;
                self.cleared();
            }
            Sign::Shown(state) => self.show(state),
            Sign::Spoke if self.state == State::Absent => self.state = State::Unknown,
            Sign::Run { .. } | Sign::Read(_) | Sign::Spoke => {}
        }
    }

    fn show(&mut self, state: State) {
        self.state = state;
        let cause = if state == State::Failed {
            Cause::Other
        } else {
            Cause::Unknown
        };
        self.because(cause, None);
        self.explains = None;
        self.standing.clear();
    }

    fn stand(&mut self, fault: Fault, raised: Seen) {
        self.standing.retain(|(standing, _)| *standing != fault);
        self.standing.push((fault, raised));
    }

    fn because(&mut self, cause: Cause, by: Option<Fault>) {
        (self.cause, self.by, self.words) = (Some(cause), by, None);
    }

    fn cleared(&mut self) {
        (self.cause, self.by, self.words) = (None, None, None);
    }
}

fn port_cause(fault: Fault) -> Cause {
    match fault {
        Fault::PonLos => Cause::Fibre,
        Fault::LinkDown => Cause::Unknown,
        _ => Cause::Other,
    }
}
