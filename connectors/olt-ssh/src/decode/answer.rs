//! What kind of answer it is: rows, nothing, or which of the errors a device knows.

use std::time::Duration;

use serde::Serialize;

use super::screen::{Line, Screen, text_of};

/// The kind of an answer, and with it what a caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What was asked for.
    Read,
    /// There is nothing of what was asked for. Not an error; of a deletion: already done.
    Empty,
    /// This version does not know the command: remember that, do not ask again.
    Unsupported,
    /// A parameter is wrong, missing or too many: our mistake, or another version.
    BadCommand,
    /// The device is busy: again later, with back-off.
    Busy,
    /// The device loads, saves or rolls back: again in minutes.
    BusyForMinutes,
    /// A serial or an ONU id is taken: find out by whom.
    Conflict,
    /// It is so already: look, then take as done.
    AlreadyDone,
    /// Service-ports hang on it: remove them first.
    HasServicePorts,
    /// Something it needs does not exist, or the ONU cannot do it: does not pass by itself.
    Permanent,
    /// Another failure: a change is not tried again.
    Failure,
}

impl Answer {
    /// How long to wait before the same command is asked again, the first time; `None` where asking again would not help.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(10)),
            Self::BusyForMinutes => Some(Duration::from_secs(180)),
            _ => None,
        }
    }
}

/// Error texts and what they mean; the first that a line begins with, or has after `Failure:`.
const TEXTS: &[(&str, Answer)] = &[
    ("The automatically found ONTs do not exist", Answer::Empty),
    ("Automatically found ONTs do not exist", Answer::Empty),
    ("The required ONT does not exist", Answer::Empty),
    ("The ONT does not exist", Answer::Empty),
    ("There is no ONT available", Answer::Empty),
    ("No service virtual port can be operated", Answer::Empty),
    ("SN already exists", Answer::Conflict),
    ("The ONT ID has already existed", Answer::Conflict),
    ("System is busy", Answer::Busy),
    ("System is reading or writing flash", Answer::Busy),
    (
        "Command can not be executed rightly, the cause is: Loading(",
        Answer::BusyForMinutes,
    ),
    ("Service virtual port has existed already", Answer::AlreadyDone),
    ("The service-port already exists", Answer::AlreadyDone),
    ("Make configuration repeatedly", Answer::AlreadyDone),
    (
        "This configured object has some service virtual ports",
        Answer::HasServicePorts,
    ),
    ("VLAN does not exist", Answer::Permanent),
    ("The traffic table does not exist", Answer::Permanent),
    ("The ont-lineprofile does not exist", Answer::Permanent),
    ("The service profile does not exist", Answer::Permanent),
    ("The GEM port does not exist", Answer::Permanent),
    ("Invalid GEM port", Answer::Permanent),
    (
        "The current HG configuration method of the ONT does not support",
        Answer::Permanent,
    ),
];

/// Errors of the command line itself.
const SYNTAX: &[(&str, Answer)] = &[
    ("% Unknown command", Answer::Unsupported),
    ("% Parameter error", Answer::BadCommand),
    ("% Incomplete command", Answer::BadCommand),
    ("% Too many parameters", Answer::BadCommand),
    ("Incorrect command:", Answer::BadCommand),
    ("%", Answer::BadCommand),
];

/// Lines at the start of an answer in which an error may stand without `Failure:` before it. Further down it is data.
const BARE_LINES: usize = 6;

/// The first error among these lines, and where it stands.
pub fn error_of(lines: &[Line<'_>]) -> Option<(usize, Answer)> {
    lines.iter().enumerate().find_map(|(at, line)| {
        // Rows and rules are the many: look at what else begins at the left.
        let text = line.text.trim_ascii_start();
        if line.indent() > 4 || !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '%') {
            return None;
        }
        if let Some((_, answer)) = SYNTAX.iter().find(|(start, _)| text.starts_with(start)) {
            return Some((at, *answer));
        }
        let failure = text.strip_prefix("Failure:");
        if failure.is_none() && at >= BARE_LINES {
            return None;
        }
        let said = joined(failure.unwrap_or(text), lines.get(at + 1));
        let known = TEXTS
            .iter()
            .find(|(start, _)| begins(&said, start))
            .map(|(_, answer)| *answer);
        known.or(failure.map(|_| Answer::Failure)).map(|answer| (at, answer))
    })
}

/// Which error an answer is, if it is one.
pub(crate) fn error_in(bytes: &[u8]) -> Option<Answer> {
    let text = text_of(bytes);
    let screen = Screen::of(&text);
    let lines: Vec<_> = screen.lines().collect();
    error_of(&lines).map(|(_, answer)| answer)
}

/// A text and the line it may wrap into, in single blanks.
fn joined(text: &str, next: Option<&Line<'_>>) -> String {
    let next = next.map_or("", |line| line.text);
    let mut said = String::with_capacity(160);
    for word in text.split_ascii_whitespace().chain(next.split_ascii_whitespace()) {
        if said.len() + word.len() > 240 {
            break;
        }
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(word);
    }
    said
}

/// Whether it begins so, in large letters or small; a wrap in the middle of a word is a blank too many.
fn begins(said: &str, start: &str) -> bool {
    let mut said = said.chars().filter(|c| *c != ' ');
    let same = |c: char, said: Option<char>| said.is_some_and(|s| s.eq_ignore_ascii_case(&c));
    start.chars().filter(|c| *c != ' ').all(|c| same(c, said.next()))
}

/// Texts that say only that it takes time, or to save some day.
pub fn is_progress(text: &str) -> bool {
    const PROGRESS: &[&str] = &[
        "Command is being executed",
        "It will take some time",
        "It will take several minutes",
        "During the course of print",
        "Please check whether system data",
        "please wait or press CTRL_C",
    ];
    let text = text.trim_ascii_start();
    text.starts_with(['C', 'I', 'D', 'P', 'p']) && PROGRESS.iter().any(|start| text.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::super::screen::Screen;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Answer>) {
        let screen = Screen::of(text);
        let lines: Vec<_> = screen.lines().collect();
        assert_eq!(error_of(&lines).map(|(_, answer)| answer), expected, "{text}");
    }

    #[test]
    fn every_error_text_has_its_meaning() {
        check(
            "           ^\n  % Unknown command, the error locates at '^'",
            Some(Answer::Unsupported),
        );
        check(
            "  display ont info 0/3/2all\n         ^\n  % Parameter error, the error locates at '^'",
            Some(Answer::BadCommand),
        );
        check(
            "  Failure: The automatically found ONTs do not exist",
            Some(Answer::Empty),
        );
        for article in ["Automatically", "automatically"] {
            let text = format!("  Failure: {article} found ONTs do not exist");
            check(&text, Some(Answer::Empty));
        }
        check("  The required ONT does not exist", Some(Answer::Empty));
        check(
            "  Failure: System is busy, please retry after a while",
            Some(Answer::Busy),
        );
        check(
            "  System is reading or writing flash, please retry after a while",
            Some(Answer::Busy),
        );
        check("  Failure: SN already exists", Some(Answer::Conflict));
        check("  Failure: Make configuration repeatedly", Some(Answer::AlreadyDone));
        check("  Failure: VLAN does not exist", Some(Answer::Permanent));
        check("  Failure: The moon is full", Some(Answer::Failure));
        check(
            "  Failure: Command can not be executed rightly, the cause is: Loading(backuping,rollbacking...) data",
            Some(Answer::BusyForMinutes),
        );
    }

    #[test]
    fn only_what_passes_by_itself_is_asked_again() {
        assert!(Answer::Busy.retry_after() < Answer::BusyForMinutes.retry_after());
        for answer in [
            Answer::Read,
            Answer::Unsupported,
            Answer::BadCommand,
            Answer::Permanent,
            Answer::Failure,
        ] {
            assert_eq!(answer.retry_after(), None, "{answer:?}");
        }
    }

    #[test]
    fn wrapped_texts_are_joined() {
        check(
            "  Failure: This configured object has some service vir\n  tual ports",
            Some(Answer::HasServicePorts),
        );
        check(
            "  Failure: This configured object has some service\nvirtual ports",
            Some(Answer::HasServicePorts),
        );
    }

    #[test]
    fn data_is_no_error() {
        check("  Description : Failure: VLAN does not exist", None);
        check(&format!("{}  The ONT does not exist", "  row\n".repeat(20)), None);
        check("                            The ONT does not exist", None);
    }
}
