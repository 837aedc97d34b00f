//! What a terminal would show: lines with the pager's residue undone.
//!
//! A device overwrites its pager with `ESC[37D`, blanks and `ESC[37D` again and goes on in the same line: dropping such lines
//! would lose a row a page, and dropping the escapes alone would shift it. So the cursor is played.

use std::borrow::Cow;
use std::fmt;

use super::issue::{Notes, Problem};

/// Bytes of one answer that are read; the rest is cut off and the read incomplete. A whole chassis is about 0.3 MB.
pub const BYTES_MAX: usize = 10 << 20;
/// Lines of one answer that are read. A chassis of 16 boards of 16 ports of 128 ONUs prints 66,000.
pub const LINES_MAX: usize = 400_000;

/// A line as shown, without blanks at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'s> {
    /// Its number in the input, from 1.
    pub number: u32,
    /// Its text.
    pub text: &'s str,
}

impl<'s> Line<'s> {
    /// Blanks before the first other character.
    pub fn indent(&self) -> usize {
        self.text.len() - self.text.trim_ascii_start().len()
    }

    /// Column (from 1, in bytes) of a part of this line's text.
    pub fn column_of(&self, part: &str) -> u32 {
        let from = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        u32::try_from(if from <= self.text.len() { from } else { 0 }).map_or(1, |at| at.saturating_add(1))
    }

    /// The bytes `from..to` of the line without blanks around, as far as they are there.
    pub fn cut(&self, from: usize, to: usize) -> &'s str {
        let (from, to) = (
            self.text.floor_char_boundary(from),
            self.text.floor_char_boundary(to.min(self.text.len())),
        );
        self.text.get(from..to).unwrap_or("").trim_ascii()
    }

    /// The same line without the 37 blanks that a pager leaves where only its escapes were removed (recordings made by hand):
    /// if it is indented further than any line of its table is.
    pub fn unshifted(self, indent_max: usize) -> Self {
        let indent = self.indent();
        if indent > indent_max && indent >= PAGER_WIDTH {
            return Self {
                text: &self.text[PAGER_WIDTH..],
                ..self
            };
        }
        self
    }
}

/// `---- More ( Press 'Q' to break ) ----` has 37 characters.
pub const PAGER_WIDTH: usize = 37;

/// The bytes of an answer as text. What is not UTF-8 is read as Latin-1, as old terminals write.
pub fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|&byte| char::from(byte)));
            }
            Cow::Owned(text)
        }
    }
}

/// The lines a terminal would show; blank ones left out.
#[derive(Default)]
pub struct Screen<'t> {
    lines: Vec<(u32, Cow<'t, str>)>,
    odd_lines: Vec<u32>,
    cut_at: Option<u32>,
}

impl<'t> Screen<'t> {
    /// Plays the cursor over the text of an answer.
    pub fn of(text: &'t str) -> Self {
        let whole = text.len() <= BYTES_MAX;
        let text = &text[..text.floor_char_boundary(BYTES_MAX)];
        // Tables have lines of eighty letters: room for those, and what is shorter makes it grow.
        let lines = Vec::with_capacity((text.len() / 64).min(LINES_MAX));
        let mut screen = Self {
            lines,
            ..Self::default()
        };
        let mut number = 0;
        for line in text.split('\n') {
            number += 1;
            if screen.lines.len() == LINES_MAX {
                screen.cut_at = Some(number);
                return screen;
            }
            screen.add(number, line.trim_ascii_end());
        }
        if !whole {
            screen.cut_at = Some(number);
        }
        screen
    }

    fn add(&mut self, number: u32, line: &'t str) {
        // A fold without an early end compiles to a few vector instructions a line.
        let plain = line
            .bytes()
            .fold(true, |plain, byte| plain & (byte >= 0x20) & (byte != 0x7f));
        if plain {
            if !line.is_empty() {
                self.lines.push((number, Cow::Borrowed(line)));
            }
            return;
        }
        let (shown, odd) = play(line);
        if odd && self.odd_lines.len() < 100 {
            self.odd_lines.push(number);
        }
        if !shown.is_empty() {
            self.lines.push((number, Cow::Owned(shown)));
        }
    }

    /// The lines.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = Line<'_>> + DoubleEndedIterator {
        self.lines.iter().map(|(number, text)| Line { number: *number, text })
    }

    /// Says what was odd about the bytes.
    pub(super) fn report(&self, notes: &mut Notes) {
        if let Some(line) = self.cut_at {
            notes.loss(line, 1, Problem::TooLong);
        }
        for &line in &self.odd_lines {
            // What it was meant to do to the line is not known.
            notes.loss(line, 1, Problem::ControlCharacters);
        }
    }
}

impl fmt::Debug for Screen<'_> {
    /// Not the text: there may be a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Screen({} lines)", self.lines.len())
    }
}

/// Plays one line; says too whether there was a control character that no device is known to send.
fn play(line: &str) -> (String, bool) {
    let mut cells: Vec<char> = Vec::with_capacity(line.len());
    let (mut cursor, mut odd) = (0_usize, false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => odd |= !escape(&mut chars, &mut cells, &mut cursor),
            '\r' => cursor = 0,
            '\t' => {
                put(&mut cells, &mut cursor, ' ');
                while !cursor.is_multiple_of(8) {
                    put(&mut cells, &mut cursor, ' ');
                }
            }
            '\0' | '\x07' => {}
            c if c.is_control() => odd = true,
            c => put(&mut cells, &mut cursor, c),
        }
    }
    while cells.last().is_some_and(char::is_ascii_whitespace) {
        cells.pop();
    }
    (cells.into_iter().collect(), odd)
}

fn put(cells: &mut Vec<char>, cursor: &mut usize, c: char) {
    match cells.get_mut(*cursor) {
        Some(cell) => *cell = c,
        None => cells.push(c),
    }
    *cursor += 1;
}

/// One escape sequence; whether it is one that a device sends. The cursor never leaves the characters there are, so no
/// sequence costs more than its own bytes.
fn escape(chars: &mut std::str::Chars<'_>, cells: &mut Vec<char>, cursor: &mut usize) -> bool {
    if chars.next() != Some('[') {
        return false;
    }
    let mut number = 0_usize;
    let ending = loop {
        match chars.next() {
            Some(c @ '0'..='9') => number = (number * 10 + (c as usize - '0' as usize)).min(BYTES_MAX),
            Some(' '..='?') => {}
            Some(c) => break c,
            None => return false,
        }
    };
    match (ending, number) {
        ('D', n) => *cursor = cursor.saturating_sub(n.max(1)),
        ('C', n) => *cursor = (*cursor + n.max(1)).min(cells.len()),
        ('K', 0) => cells.truncate(*cursor),
        ('m', _) => {}
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let screen = Screen::of(text);
        let lines: Vec<&str> = screen.lines().map(|line| line.text).collect();
        assert_eq!(lines, expected, "{text:?}");
    }

    const PAGER: &str = "---- More ( Press 'Q' to break ) ----";

    #[test]
    fn line_ends_of_ssh_and_telnet_are_the_same() {
        check("one\r\n two \r\r\n\r\nthree\n", &["one", " two", "three"]);
    }

    #[test]
    fn the_pagers_residue_is_undone() {
        assert_eq!(PAGER.len(), PAGER_WIDTH);
        let blanks = " ".repeat(PAGER_WIDTH);
        check(
            &format!("a\r\n{PAGER}\x1b[37D{blanks}\x1b[37D  0/ 1/0    3  48575443A1B2C3D4\r\nb"),
            &["a", "  0/ 1/0    3  48575443A1B2C3D4", "b"],
        );
        // A line longer than the residue, and one that a carriage return takes back.
        let row = format!("  7 {}", "x".repeat(60));
        check(&format!("{PAGER}\x1b[37D{blanks}\x1b[37D{row}"), &[&row]);
        check(&format!("{PAGER}\r{blanks}\r  8"), &["  8"]);
    }

    #[test]
    fn hostile_escapes_cost_no_more_than_their_bytes() {
        check("\x1b[999999999999999C\x1b[4294967295Dx", &["x"]);
        check("ab\x1b[D\x1b[Kc", &["ac"]);
        check("\x1b[31mred\x1b[0m\x1b", &["red"]);
        check("\x1b[2Jx\x00y\x07z", &["xyz"]);
    }

    #[test]
    fn what_is_not_utf8_is_latin1() {
        assert_eq!(text_of(b"S\xe3o Jo\xe3o"), "São João");
        assert_eq!(text_of("São".as_bytes()), "São");
    }

    #[test]
    fn an_answer_without_end_is_cut_and_said_so() {
        let text = "x\n".repeat(LINES_MAX + 5);
        let screen = Screen::of(&text);
        assert_eq!(screen.lines().len(), LINES_MAX);
        let mut notes = Notes::default();
        screen.report(&mut notes);
        assert!(notes.lost());
    }

    #[test]
    fn blanks_left_by_a_stripped_pager_are_taken_off() {
        let text = format!("{}  0   48575443A1B2C3D4", " ".repeat(37));
        let line = Line { number: 1, text: &text };
        assert_eq!(line.unshifted(6).text, "  0   48575443A1B2C3D4");
        assert_eq!(line.unshifted(42).text, text);
    }
}
