//! How the ONUs of a chassis are asked for: what a firmware version knows, learnt from its answers and remembered for every
//! OLT of that version.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Versions remembered: far more than a provider runs.
const VERSIONS_MAX: usize = 256;

/// Over how much one `display ont info … all` may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Span {
    /// The frame: `display ont info 0 all`.
    #[default]
    Frame,
    /// A board: `display ont info 0 S all`.
    Board,
    /// A port: `display ont info 0 S P all`.
    Port,
}

/// What a version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// `display ont info summary`: states, serials, distances and levels in one answer.
    pub summary: bool,
    /// The widest list.
    pub span: Span,
}

impl Default for Way {
    /// Everything, until it says otherwise.
    fn default() -> Self {
        Self {
            summary: true,
            span: Span::default(),
        }
    }
}

/// What each version knows.
#[derive(Debug, Default)]
pub struct Ways(Mutex<HashMap<String, Way>>);

impl Ways {
    /// What this version knows, as far as it was tried.
    pub fn of(&self, version: &str) -> Way {
        self.lock().get(version).copied().unwrap_or_default()
    }

    /// It does not know the summary.
    pub fn without_summary(&self, version: &str) {
        self.change(version, |way| way.summary = false);
    }

    /// It knows no list of this span; false if there is no narrower one.
    pub fn without(&self, version: &str, span: Span) -> bool {
        let narrower = match span {
            Span::Frame => Span::Board,
            Span::Board => Span::Port,
            Span::Port => return false,
        };
        self.change(version, |way| way.span = narrower);
        true
    }

    fn change(&self, version: &str, change: impl FnOnce(&mut Way)) {
        let mut ways = self.lock();
        if ways.len() >= VERSIONS_MAX && !ways.contains_key(version) {
            ways.clear();
        }
        change(ways.entry(version.to_owned()).or_default());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Way>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a board, by its type, has PON ports: `H901GPHF`, `H805GPFD`, `H901XGHD`, `H901CGHF`.
///
/// The letters after `H` and three digits tell: GP is GPON, XG XG(S)-PON, CG both on one port, OG and FL their newer kin.
pub fn is_pon_board(name: &str) -> bool {
    let kind = name.strip_prefix('H').and_then(|rest| rest.get(3..)).unwrap_or(name);
    ["GP", "XG", "CG", "OG", "FL"]
        .iter()
        .any(|start| kind.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_box_does_not_know_no_box_of_its_version_is_asked() {
        let ways = Ways::default();
        ways.without_summary("V800R013C00");
        assert!(ways.without("V800R013C00", Span::Frame));
        let expected = Way {
            summary: false,
            span: Span::Board,
        };
        assert_eq!(ways.of("V800R013C00"), expected);
        assert_eq!(ways.of("V100R022C10"), Way::default());
        assert!(ways.without("V800R013C00", Span::Board) && !ways.without("V800R013C00", Span::Port));
        assert_eq!(ways.of("V800R013C00").span, Span::Port);
    }

    #[test]
    fn boards_with_pon_ports_by_their_names() {
        for pon in ["H901GPHF", "H805GPFD", "H806GPBH", "H901XGHD", "H901CGHF", "GPON"] {
            assert!(is_pon_board(pon), "{pon}");
        }
        for other in ["H801SCUN", "H801X2CS", "H902PILA", "H801MCUD1", "", "H9", "H901MPLA"] {
            assert!(!is_pon_board(other), "{other}");
        }
    }
}
