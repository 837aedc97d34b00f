//! Escape sequences and control characters, for readers that think a line is only letters.

const BITS: &[&str] = &[
    "\x1b[31m",
    "\x1b[2K",
    "\x1b]0;title\x07",
    "\x07",
    "\x1b[999;999H",
    "\x00",
    "\x1b[",
    "\x0e\x0f",
    "\u{9b}5C",
    "\x1b[?2004h",
];

/// The line with one such bit in the middle and one at its end; which ones follows from its number.
pub(crate) fn spoil(line: &str, number: usize) -> String {
    let middle = BITS[number % BITS.len()];
    let end = BITS[(number * 7 + 3) % BITS.len()];
    let (left, right) = line.split_at_checked(line.len() / 2).unwrap_or((line, ""));
    format!("{left}{middle}{right}{end}")
}
