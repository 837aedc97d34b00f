//! The vendor's words for states and causes, as ours.

use std::sync::Arc;

use model::{Cause, State};
use schemas::network::DownCause;
use schemas::{BoardRow, OnuRow};

use crate::text;

/// The vendor's words for the last time an ONU went down, as one of ours. Tables cut them.
pub(crate) fn down_cause(row: &OnuRow) -> DownCause {
    let words: Option<Arc<str>> = row.last_down_cause.as_deref().and_then(text::word).map(Arc::from);
    let is_deactivated = row.control_flag.as_deref() == Some("deactivated");
    let cause = words.as_deref().map(cause_of);
    DownCause {
        cause: if is_deactivated { Some(Cause::Admin) } else { cause },
        words,
    }
}

fn cause_of(words: &str) -> Cause {
    let words = words.to_ascii_lowercase();
    let is_light = |part: &str| {
        let part = part.trim_end_matches('i');
        matches!(part, "los" | "lob" | "lof")
    };
    if words.contains("dying-gasp") || words.contains("dying gasp") {
        Cause::Power
    } else if words.split(['/', ' ', ',']).any(is_light) {
        Cause::Fibre
    } else if words.contains("deactivat") {
        Cause::Admin
    } else if words.contains("reset") {
        Cause::Reset
    } else {
        Cause::Unknown
    }
}

/// The state of a board by the vendor's words, where they say one.
pub(crate) fn board_state(row: &BoardRow) -> Option<State> {
    let status = row.status.as_deref().unwrap_or_default().to_ascii_lowercase();
    match &*status {
        "failed" | "standby_failed" => Some(State::Failed),
        _ if row.online == Some(false) => Some(State::Offline),
        "normal" | "active_normal" | "standby_normal" => Some(State::Normal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_words_have_one_of_ours() {
        #[track_caller]
        fn check(words: &str, expected: Cause) {
            assert_eq!(cause_of(words), expected, "{words}");
        }
        check("dying-gasp", Cause::Power);
        check("LOSi/LOBi", Cause::Fibre);
        check("LOFi", Cause::Fibre);
        check("LOS", Cause::Fibre);
        check("ONT is reset by ONT command", Cause::Reset);
        check("ONT is reset by ONT comma", Cause::Reset);
        check("deactivated", Cause::Admin);
        check("loss of patience", Cause::Unknown);
        check("wire down", Cause::Unknown);
    }

    #[test]
    fn a_board_is_what_its_status_says_or_else_whether_it_is_online() {
        #[track_caller]
        fn check(status: &str, online: Option<bool>, expected: Option<State>) {
            let row = BoardRow {
                frame: 0,
                slot: 3,
                name: Some("H901GPHF".into()),
                status: Some(status.into()),
                online,
            };
            assert_eq!(board_state(&row), expected, "{status} {online:?}");
        }
        check("Normal", None, Some(State::Normal));
        check("Active_normal", Some(true), Some(State::Normal));
        check("standby_normal", None, Some(State::Normal));
        check("Failed", None, Some(State::Failed));
        check("Standby_failed", Some(false), Some(State::Failed));
        check("Normal", Some(false), Some(State::Offline));
        check("Auto_find", None, None);
        check("Config", Some(false), Some(State::Offline));
    }
}
