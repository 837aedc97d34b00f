//! An incident's life: open while its cause stands, settling while what hung on it is being looked at, closed.
//!
//! ```text
//!           cause gone                window over
//!   open ───────────────▶ settling ───────────────▶ closed: what is still lost comes to the surface,
//!     ▲                      │                              the rest ends with it
//!     └──────────────────────┘
//!        the same place fails again
//! ```

use model::Micros;

use super::part::{Part, Totals};
use super::tree::{Incident, Stage, Tree, Verdict, Where};

/// What hung on fibre has this long: an ONU ranges and is configured in a minute or two.
const SETTLE_FIBRE: i64 = 180 * Micros::SECOND;
/// After a power failure ONUs and what feeds them come back one after the other.
const SETTLE_POWER: i64 = 300 * Micros::SECOND;
/// When everything is back there is nothing to look at, but the place may fail again at once.
const SETTLE_BACK: i64 = 30 * Micros::SECOND;
/// What an OLT that answers again says comes with its next readings and traps.
const SETTLE_SEEN: i64 = 60 * Micros::SECOND;
/// A window is as long again from each one that comes back …
const SETTLE_MORE: i64 = 60 * Micros::SECOND;
/// … and no longer than this in all.
const SETTLE_MAX: i64 = 900 * Micros::SECOND;

/// What becomes of an incident that is not closed.
pub fn stage(incident: &Incident, tree: &Tree, now: Micros, came_back: bool) -> Stage {
    let totals = Totals::of(tree.parts_of(incident.number));
    let is_gone = is_cause_gone(incident, tree, &totals);
    match incident.stage {
        Stage::Open if is_gone => Stage::Settling {
            began: now,
            until: now.plus(window(incident.verdict, &totals)),
        },
        Stage::Settling { .. } if !is_gone => Stage::Open,
        Stage::Settling { began, until } if came_back => {
            let longer = until.max(now.plus(SETTLE_MORE)).min(began.plus(SETTLE_MAX));
            let until = match totals.still {
                0 => now.plus(SETTLE_BACK),
                _ => longer,
            };
            Stage::Settling { began, until }
        }
        same => same,
    }
}

/// How long what hung on it has.
pub fn window(verdict: Verdict, totals: &Totals) -> i64 {
    match verdict {
        Verdict::MonitoringLoss => SETTLE_SEEN,
        _ if totals.still == 0 => SETTLE_BACK,
        Verdict::PowerArea => SETTLE_POWER,
        _ => SETTLE_FIBRE,
    }
}

/// A board or a port says so itself; of fibre and power the ONUs that come back do: an eighth of what hangs on a feeder, because
/// light through it is light for all; a quarter of a branch; half of an area, where some have power of their own.
fn is_cause_gone(incident: &Incident, tree: &Tree, totals: &Totals) -> bool {
    let back = totals.back();
    let share = |part: u32| back > 0 && back >= (totals.lost / part).max(1);
    let mut parts = tree.parts_of(incident.number).peekable();
    let has_parts = parts.peek().is_some();
    if has_parts && totals.still == 0 && !parts.any(Part::is_port_out) {
        return true;
    }
    match incident.verdict {
        Verdict::MonitoringLoss => incident.stage != Stage::Open,
        Verdict::Board => {
            let said = matches!(incident.at, Where::Board(f, s) if tree.boards.contains_key(&(f, s)));
            let was_said = totals.pons == 0 || incident.confidence == super::turn::SAID;
            share(8) || (was_said && !said)
        }
        Verdict::Feeder | Verdict::Port => {
            let parts = || tree.parts_of(incident.number);
            let port_back = parts().any(|p| p.port_was_out) && !parts().any(Part::is_port_out);
            share(8) || port_back
        }
        Verdict::Branch => share(4),
        Verdict::SingleDrop => share(1),
        Verdict::PowerArea | Verdict::Unexplained => share(2),
    }
}
