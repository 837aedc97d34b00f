//! What a reader could not read, and where.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

/// Issues kept of one read; the rest is counted.
pub const ISSUES_MAX: usize = 1_000;

/// What is wrong. Says nothing of the device's own words but names of labels and columns: values may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// Over the limits of the screen.
    #[error("the answer is longer than what is read (10 MiB, 400,000 lines)")]
    TooLong,
    /// Characters that no device is known to send.
    #[error("control characters were taken out of this line")]
    ControlCharacters,
    /// The text does not end in a prompt.
    #[error("no prompt at the end: the answer may be cut off")]
    NoPrompt,
    /// The pager still stands there.
    #[error("the answer stops at a pager")]
    StoppedAtPager,
    /// Something follows the prompt that ended the answer.
    #[error("text after the prompt that ended the answer was not read")]
    TextAfterPrompt,
    /// The session ended.
    #[error("the device ended the session")]
    SessionEnded,
    /// The device refused or could not.
    #[error("the device gave no answer but an error")]
    Failed,
    /// No row, and nothing that says there is none.
    #[error("nothing was read, and the device did not say that there is nothing")]
    NothingRead,
    /// A recorded command answers otherwise than recorded.
    #[error("this is not the layout known of this command: read by its form alone")]
    OtherLayout,
    /// A table or a block has no end.
    #[error("the last table or block has no end")]
    NotClosed,
    /// A line that no rule reads.
    #[error("this line was not understood")]
    NotUnderstood,
    /// A line that must be a row and is not.
    #[error("this row of the {table} table was not understood")]
    BadRow {
        /// Which table.
        table: &'static str,
    },
    /// A value that is not what its field holds: null there, kept under `raw`.
    #[error("the value of `{field}` was not understood and is kept as text")]
    BadValue {
        /// The field.
        field: &'static str,
    },
    /// The same thing twice.
    #[error("this one was read before: the later row counts")]
    Twice,
    /// In one of two tables only.
    #[error("this one stands in only one of the two tables")]
    HalfRow,
    /// A count of the device's own that does not match.
    #[error("the device says {said} {what}, {read} were read")]
    Count {
        /// Of what.
        what: &'static str,
        /// The device's number.
        said: u64,
        /// Ours.
        read: u64,
    },
    /// The device's own count is missing or unreadable.
    #[error("the device's count of {what} is missing")]
    NoCount {
        /// Of what.
        what: &'static str,
    },
    /// An unasked block without its end.
    #[error("an unasked alarm block has no end")]
    UnaskedNotClosed,
}

/// What an issue does to the read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing is missing, something is doubtful.
    Doubt,
    /// Something may be missing: the read is incomplete.
    Loss,
}

/// One thing that could not be read as it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// Line of the input, from 1.
    pub line: u32,
    /// Column of the line as a terminal shows it, from 1.
    pub column: u32,
    /// Whether the read is incomplete because of it.
    pub effect: Effect,
    /// What is wrong.
    #[serde(flatten)]
    pub problem: Problem,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.effect {
            Effect::Doubt => "doubt",
            Effect::Loss => "incomplete",
        };
        write!(f, "{}:{}: {word}: {}", self.line, self.column, self.problem)
    }
}

/// Issues as they are found.
#[derive(Debug, Default)]
pub struct Notes {
    issues: Vec<Issue>,
    left_off: u64,
    lost: bool,
    none: bool,
}

impl Notes {
    /// Something is doubtful.
    pub fn doubt(&mut self, line: u32, column: u32, problem: Problem) {
        self.push(Issue {
            line,
            column,
            effect: Effect::Doubt,
            problem,
        });
    }

    /// Something may be missing.
    pub fn loss(&mut self, line: u32, column: u32, problem: Problem) {
        self.lost = true;
        self.push(Issue {
            line,
            column,
            effect: Effect::Loss,
            problem,
        });
    }

    /// The device said itself that there is nothing.
    pub fn said_none(&mut self) {
        self.none = true;
    }

    /// Whether it did.
    pub fn is_none(&self) -> bool {
        self.none
    }

    /// Whether something may be missing.
    pub fn lost(&self) -> bool {
        self.lost
    }

    /// The issues in the order of the input, and how many more there were.
    pub fn finish(mut self) -> (Vec<Issue>, u64) {
        self.issues.sort_by_key(|issue| (issue.line, issue.column));
        (self.issues, self.left_off)
    }

    fn push(&mut self, issue: Issue) {
        if self.issues.len() < ISSUES_MAX {
            self.issues.push(issue);
        } else {
            self.left_off += 1;
        }
    }
}
