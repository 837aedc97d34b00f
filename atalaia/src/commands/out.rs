//! Lines of an answer on standard output. A reader that has seen enough (`| head`) ends the command, and is no mistake.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};

/// Nobody reads any more.
#[derive(Debug)]
struct ReaderGone;

impl Display for ReaderGone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nobody reads the answer any more")
    }
}

impl std::error::Error for ReaderGone {}

/// Prints a line.
///
/// # Errors
/// When it cannot be written; see [`until_read`].
pub fn line(text: &dyn Display) -> Result<()> {
    print(&mut std::io::stdout().lock(), text)
}

/// Turns the error of a reader that has gone away into success.
///
/// # Errors
/// Any other error, as it is.
pub fn until_read(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.is::<ReaderGone>() => Ok(()),
        result => result,
    }
}

fn print(out: &mut dyn Write, text: &dyn Display) -> Result<()> {
    // A line at once: a follower sees it now, and half a line is nobody's.
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        result => result.context("cannot write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_mistake_but_a_full_disk_is() {
        let gone = print(&mut Failing(ErrorKind::BrokenPipe), &"x");
        assert!(gone.is_err(), "the command ends");
        assert!(until_read(gone).is_ok());
        let full = print(&mut Failing(ErrorKind::StorageFull), &"x");
        assert!(until_read(full).is_err());
    }

    #[test]
    fn an_answer_is_lines() {
        let mut out = Vec::new();
        print(&mut out, &"one").unwrap();
        print(&mut out, &2).unwrap();
        assert_eq!(out, b"one\n2\n");
    }
}
