//! What a device said to one command, and where it stands afterwards.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::decode::{Answer, Screen, error_in, prompt, text_of};

/// An answer that says no more than "busy" is shorter than this.
const ERROR_BYTES_MAX: usize = 4_096;
/// Where the last prompt is looked for: the longest alarm stands behind it with room.
const TAIL_BYTES: usize = 16_384;

/// What a device answered to one command.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// Echo and prompt included, for [`crate::decode::read`] as a whole answer.
    pub bytes: Vec<u8>,
    /// When the command was sent: no row of the answer is older than what was seen before.
    pub sent_at: SystemTime,
    /// From then to the last byte.
    pub took: Duration,
}

impl fmt::Debug for Said {
    /// Not the answer: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Said({} bytes, took {:?})", self.bytes.len(), self.took)
    }
}

/// Where on the command line a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// `HOST>`.
    User,
    /// `HOST#`.
    Enable,
    /// `HOST(config)#` and below: what stands between the brackets.
    Under(String),
}

/// Whether a device says that it is busy, instead of an answer.
pub(super) fn busy(bytes: &[u8]) -> Option<Answer> {
    let short = bytes.len() <= ERROR_BYTES_MAX;
    short
        .then(|| error_in(bytes))
        .flatten()
        .filter(|answer| matches!(answer, Answer::Busy | Answer::BusyForMinutes))
}

/// The mode in the last prompt of an answer; alarms that nobody asked for may stand behind it.
pub(super) fn mode_of(host: &str, answer: &[u8]) -> Option<Mode> {
    let tail = &answer[answer.len().saturating_sub(TAIL_BYTES)..];
    let text = text_of(tail);
    let screen = Screen::of(&text);
    let mut last = None;
    for line in screen.lines() {
        if prompt(line.text).is_some_and(|(name, typed)| name == host && typed.is_empty()) {
            last = line.text.get(host.len()..).map(mode_in);
        }
    }
    last
}

/// What follows the host name in a prompt.
fn mode_in(rest: &str) -> Mode {
    match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((mode, _)) => Mode::Under(mode.to_owned()),
        None if rest.starts_with('>') => Mode::User,
        None => Mode::Enable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_is_read_from_the_prompt() {
        for (answer, expected) in [
            ("x\r\nOLT-1>", Some(Mode::User)),
            ("OLT-1#", Some(Mode::Enable)),
            ("x\r\nOLT-1(config)#", Some(Mode::Under("config".to_owned()))),
            (
                "x\r\n\rOLT-1(config-if-gpon-0/9)# ",
                Some(Mode::Under("config-if-gpon-0/9".to_owned())),
            ),
            ("OLT-1(diagnose)%%", Some(Mode::Under("diagnose".to_owned()))),
            (
                "x\r\nOLT-1(config)#\r\n! 17[2026-02-14 22:40:04]:\r\n  ALARM 5\r\n  --- END\r\n",
                Some(Mode::Under("config".to_owned())),
            ),
            ("x\r\n", None),
            ("OLT-2#", None),
            ("x\r\nOLT-1#display", None),
        ] {
            assert_eq!(mode_of("OLT-1", answer.as_bytes()), expected, "{answer:?}");
        }
    }

    #[test]
    fn busy_is_told_from_a_table_that_speaks_of_it() {
        let busy_text = "display version\r\n  Failure: System is busy, please retry after a while\r\n\r\nOLT-1#";
        assert_eq!(busy(busy_text.as_bytes()), Some(Answer::Busy));
        assert_eq!(busy(b"display version\r\n  VERSION : x\r\nOLT-1#"), None);
        let table = format!("{}\r\n  Failure: System is busy\r\n", "  row\r\n".repeat(1_000));
        assert_eq!(busy(table.as_bytes()), None);
    }
}
