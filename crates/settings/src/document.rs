//! From text to a TOML document, past syntax errors, so that one slip does not hide the other mistakes.

use std::ops::Range;

use toml_edit::Document;

use crate::error::{Place, Problem};

/// After so many syntax errors the file is not TOML.
const SYNTAX_ERRORS_MAX: usize = 20;

/// Key under which a table hides whose header could not be read.
pub(crate) const UNREADABLE: &str = "unreadable-header";

/// A file's name and text: knows lines and columns.
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

impl Source {
    /// The place at which a span begins.
    pub(crate) fn place(&self, span: Option<Range<usize>>) -> Place {
        let start = span.map_or(0, |s| s.start.min(self.text.len()));
        let before = self.text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Place::File {
            file: self.file.clone(),
            line: before.bytes().filter(|&b| b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// What could be read of a file.
pub(crate) struct Parsed {
    /// The file, with unreadable lines blanked: places are those of the original.
    pub(crate) source: Source,
    /// What was left after blanking; `None` if nothing was.
    pub(crate) document: Option<Document<String>>,
    /// Keys of lines that could not be read: they are not missing.
    pub(crate) unreadable_keys: Vec<String>,
    /// Whether a table's header could not be read: then nothing can be called missing.
    pub(crate) header_lost: bool,
}

/// Reads a file, collecting every syntax error: an unreadable line is reported, blanked, and the rest read again.
pub(crate) fn parse(file: &str, text: &str, problems: &mut Vec<Problem>) -> Parsed {
    let source = Source {
        file: file.to_owned(),
        text: text.to_owned(),
    };
    let mut parsed = Parsed {
        source,
        document: None,
        unreadable_keys: Vec::new(),
        header_lost: false,
    };
    for round in 0..SYNTAX_ERRORS_MAX {
        match Document::parse(parsed.source.text.clone()) {
            Ok(document) => {
                parsed.document = Some(document);
                break;
            }
            Err(error) => {
                problems.push(syntax_problem(&parsed.source, &error));
                let line = line_at(&parsed.source.text, error.span());
                if parsed.source.text[line.clone()].trim().is_empty() {
                    break; // The end of the file, say of an open string: nothing more to learn.
                }
                parsed.blank(line, round);
            }
        }
    }
    parsed
}

impl Parsed {
    /// Puts something harmless in place of a line, without moving the lines around it.
    fn blank(&mut self, line: Range<usize>, round: usize) {
        let old = self.source.text[line.clone()].trim();
        let new = if old.starts_with('[') {
            self.header_lost = true;
            format!("[[{UNREADABLE}-{round}]]")
        } else {
            let key = old.split('=').next().unwrap_or_default().trim();
            self.unreadable_keys.push(key.trim_matches(['"', '\'']).to_owned());
            String::new()
        };
        self.source.text.replace_range(line, &new);
    }
}

fn line_at(text: &str, span: Option<Range<usize>>) -> Range<usize> {
    let at = span.map_or(0, |s| s.start.min(text.len()));
    // A span may begin at the line end that should not be there yet: the line before is meant.
    let start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let end = text[at..].find('\n').map_or(text.len(), |i| at + i);
    start..end
}

fn syntax_problem(source: &Source, error: &toml_edit::TomlError) -> Problem {
    let message = error.message().replace('\n', ", ");
    let (wrong, right) = if message.contains("duplicate key") {
        ("is there twice", "keep one of the two".to_owned())
    } else {
        ("is not TOML", message)
    };
    let line = line_at(&source.text, error.span());
    let text = source.text[line].trim();
    let key = text.split('=').next().unwrap_or_default().trim();
    let is_key = text.starts_with('[') || text.contains('=');
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-[]\"' ".contains(c);
    let key = if is_key && key.len() <= 64 && key.chars().all(plain) {
        key.to_owned()
    } else {
        String::new()
    };
    Problem {
        place: source.place(error.span()),
        key,
        wrong: wrong.to_owned(),
        right,
    }
}
