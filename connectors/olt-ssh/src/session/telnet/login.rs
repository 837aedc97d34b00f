//! The login over telnet, without the line: what the device asks, and what to answer it.
//!
//! ```text
//!  name asked ──▶ password asked ──▶ told ──▶ asked again: refused, over
//! ```
//! The first prompt after it is the dialogue's matter. Each question is answered once; a refusal is never answered.

use crate::decode::text_of;
use crate::dialogue::Failure;

/// Bytes of the last line that are looked at.
const LINE_BYTES_MAX: usize = 512;

/// Where the login stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The name was not asked for yet.
    Name,
    /// The name was given.
    Password,
    /// Name and password were given.
    Told,
    /// It failed.
    Over,
}

/// What to do about what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    None,
    /// Send the name.
    SendName,
    /// Send the password.
    SendPassword,
    /// It is over.
    Failed(Failure),
}

/// A login in progress.
#[derive(Debug)]
pub struct LoginDialogue {
    stands: Login,
    /// The last line so far.
    line: Vec<u8>,
}

impl LoginDialogue {
    /// The line was opened.
    pub fn new() -> Self {
        Self {
            stands: Login::Name,
            line: Vec::new(),
        }
    }

    /// Where it stands.
    pub fn stands(&self) -> Login {
        self.stands
    }

    /// Bytes came, telnet's own taken out. At most one question is answered at a time.
    pub fn received(&mut self, bytes: &[u8]) -> Step {
        if self.stands == Login::Over {
            return Step::None;
        }
        let mut refusal = None;
        for &byte in bytes {
            if byte == b'\n' {
                refusal = refusal.or_else(|| self.refusal());
                self.line.clear();
            } else if self.line.len() < LINE_BYTES_MAX {
                self.line.push(byte);
            }
        }
        let step = refusal
            .or_else(|| self.refusal())
            .map_or_else(|| self.question(), Step::Failed);
        if matches!(step, Step::Failed(_)) {
            self.stands = Login::Over;
        }
        step
    }

    fn refusal(&self) -> Option<Failure> {
        Failure::in_login(&text_of(&self.line))
    }

    fn question(&mut self) -> Step {
        let text = text_of(&self.line);
        let asked = text
            .trim_ascii()
            .trim_start_matches('>')
            .trim_ascii()
            .to_ascii_lowercase();
        // The whole line: `Last login: …` is no question.
        let name = matches!(asked.as_str(), "user name:" | "username:" | "login:" | "name:");
        let password = matches!(asked.as_str(), "user password:" | "password:");
        let (stands, step) = match (self.stands, name, password) {
            (Login::Name, true, _) => (Login::Password, Step::SendName),
            (Login::Password, _, true) => (Login::Told, Step::SendPassword),
            // Asked for the name again: the one before was not taken.
            (Login::Password, true, _) | (Login::Told, true, _) | (Login::Told, _, true) => {
                return Step::Failed(Failure::Refused);
            }
            (stands, ..) => (stands, Step::None),
        };
        if step != Step::None {
            self.line.clear();
        }
        self.stands = stands;
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The device's pieces and what each must lead to; whole and byte by byte, a step that is not `None` comes once.
    #[track_caller]
    fn check(pieces: &[(&str, Step)]) {
        for by_bytes in [false, true] {
            let mut login = LoginDialogue::new();
            for (text, expected) in pieces {
                let size = if by_bytes { 1 } else { text.len() };
                let steps: Vec<_> = text
                    .as_bytes()
                    .chunks(size)
                    .map(|piece| login.received(piece))
                    .filter(|step| *step != Step::None)
                    .collect();
                let expected: Vec<_> = Some(*expected).into_iter().filter(|step| *step != Step::None).collect();
                assert_eq!(steps, expected, "{text:?} by bytes {by_bytes}");
            }
        }
    }

    #[test]
    fn name_and_password_are_given_once() {
        check(&[
            (
                "\r\n\r\nWarning: Telnet is not a secure protocol.\r\n\r\n>>User name:",
                Step::SendName,
            ),
            ("noc\r\n>>User password:", Step::SendPassword),
            (
                "\r\n\r\n  Huawei Integrated Access Software (MA5603T).\r\n\r\nOLT-1>",
                Step::None,
            ),
        ]);
    }

    #[test]
    fn a_second_question_is_a_refusal() {
        check(&[
            (">>User name:", Step::SendName),
            ("noc\r\n>>User password:", Step::SendPassword),
            (
                "\r\n  Something in another language.\r\n\r\n>>User name:",
                Step::Failed(Failure::Refused),
            ),
        ]);
        check(&[
            (">>User name:", Step::SendName),
            ("noc\r\n>>User name:", Step::Failed(Failure::Refused)),
        ]);
    }

    #[test]
    fn refusals_are_read_at_every_stage() {
        let reenter = "\r\n  Reenter times have reached the upper limit.";
        check(&[(reenter, Step::Failed(Failure::TooManySessions))]);
        check(&[
            (">>User name:", Step::SendName),
            ("noc\r\n>>User password:", Step::SendPassword),
            ("\r\n  Username or password invalid.", Step::Failed(Failure::Refused)),
        ]);
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let mut login = LoginDialogue::new();
        for _ in 0..1_000 {
            assert_eq!(login.received(&[b'x'; 1_000]), Step::None);
        }
        assert!(login.line.len() <= LINE_BYTES_MAX);
    }
}
