//! Counters of what is below an OLT, board, PON, site, and of everything; moved by differences, never recomputed.

use model::{Cause, Kind, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// ONUs by state; the causes count the offline ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[allow(missing_docs, reason = "the words of `state` and `cause`")]
pub struct Counts {
    pub onus: u32,
    pub online: u32,
    pub offline: u32,
    pub absent: u32,
    pub unknown: u32,
    pub power: u32,
    pub fibre: u32,
    pub admin: u32,
    pub reset: u32,
    pub rogue: u32,
    pub other: u32,
    pub cause_unknown: u32,
}

impl Counts {
    fn add(&mut self, state: State, cause: Option<Cause>, sign: i32) {
        bump(&mut self.onus, sign);
        match state {
            State::Online => bump(&mut self.online, sign),
            State::Offline => {
                bump(&mut self.offline, sign);
                bump(self.of_cause(cause), sign);
            }
            State::Absent => bump(&mut self.absent, sign),
            _ => bump(&mut self.unknown, sign),
        }
    }

    fn of_cause(&mut self, cause: Option<Cause>) -> &mut u32 {
        match cause {
            Some(Cause::Power) => &mut self.power,
            Some(Cause::Fibre) => &mut self.fibre,
            Some(Cause::Admin) => &mut self.admin,
            Some(Cause::Reset) => &mut self.reset,
            Some(Cause::Rogue) => &mut self.rogue,
            Some(Cause::Other) => &mut self.other,
            Some(Cause::Unknown) | None => &mut self.cause_unknown,
        }
    }
}

/// A site, or all of a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub counts: Counts,
    pub olts: u32,
    pub boards: u32,
    pub boards_failed: u32,
    pub pons: u32,
    pub pons_down: u32,
}

/// What one entity adds to the counters above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub kind: Kind,
    pub state: State,
    pub cause: Option<Cause>,
}

impl Counts {
    /// Adds (or takes away, `sign` −1) an entity's share; only ONUs have one here.
    pub fn apply(&mut self, share: Share, sign: i32) {
        if share.kind == Kind::Onu {
            self.add(share.state, share.cause, sign);
        }
    }
}

impl Totals {
    /// Adds (or takes away, `sign` −1) an entity's share.
    pub fn apply(&mut self, share: Share, sign: i32) {
        self.counts.apply(share, sign);
        match share.kind {
            Kind::Olt => bump(&mut self.olts, sign),
            Kind::Board => {
                bump(&mut self.boards, sign);
                if share.state == State::Failed {
                    bump(&mut self.boards_failed, sign);
                }
            }
            Kind::Pon => {
                bump(&mut self.pons, sign);
                if share.state == State::Down {
                    bump(&mut self.pons_down, sign);
                }
            }
            _ => {}
        }
    }
}

fn bump(counter: &mut u32, sign: i32) {
    *counter = counter
        .checked_add_signed(sign)
        .expect("only what was added is taken away");
}
