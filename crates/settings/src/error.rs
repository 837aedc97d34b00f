//! What is wrong with a configuration, said so that a person can put it right: all of it at once.

use std::fmt;

/// Longest piece of a file that an error repeats, in characters.
const QUOTE_CHARS_MAX: usize = 60;

/// Where a mistake stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the file, at a line and column, both counted from 1.
    File {
        /// The file as it was named.
        file: String,
        /// Line.
        line: usize,
        /// Column, in characters.
        column: usize,
    },
    /// In the whole file: it cannot be read.
    WholeFile(String),
    /// In an environment variable.
    Variable(String),
}

impl Place {
    fn order(&self) -> (u8, usize, usize, &str) {
        match self {
            Self::WholeFile(_) => (0, 0, 0, ""),
            Self::File { line, column, .. } => (1, *line, *column, ""),
            Self::Variable(name) => (2, 0, 0, name),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
            Self::WholeFile(file) => f.write_str(file),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// One mistake: where, in which key, what is wrong, what would be right. Never holds the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// The key, such as `olt[1].address`; empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub right: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {}", self.wrong, self.right)
    }
}

/// Every mistake found, in the order of the file; what came from the environment follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors(Vec<Problem>);

impl Errors {
    /// Sorts the problems by place; `None` if there are none.
    pub(crate) fn from_problems(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by(|a, b| a.place.order().cmp(&b.place.order()));
        problems.dedup();
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// The problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }

    /// One problem after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Errors {
    /// One line a problem, without a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// A piece of the file in backquotes, cut and without control characters. Not for the value of a secret.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("`");
    for (i, c) in text.chars().enumerate() {
        if i == QUOTE_CHARS_MAX {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default())
        } else {
            out.push(c)
        }
    }
    out.push('`');
    out
}

/// `a`, `b` or `c`.
pub(crate) fn any_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => quote(one),
        [first @ .., last] => {
            let head: Vec<String> = first.iter().map(|w| quote(w)).collect();
            format!("{} or {}", head.join(", "), quote(last))
        }
    }
}
