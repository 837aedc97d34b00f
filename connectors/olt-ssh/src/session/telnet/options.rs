//! Telnet's own bytes among the device's: taken out, and every option refused but echo and go-ahead.
//!
//! A request is answered only where it changes something, so that two sides never answer each other for ever (RFC 1143).

/// Requests of a peer that are looked at; more is no negotiation any more.
const REQUESTS_MAX: u32 = 256;
/// Bytes of one subnegotiation, which is skipped: nothing that is agreed to has one.
const SUBNEGOTIATION_MAX: u32 = 1_024;

const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;
const IAC: u8 = 255;

const ECHO: u8 = 1;
const SUPPRESS_GO_AHEAD: u8 = 3;

/// The peer negotiates without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WithoutEnd;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    AfterReturn,
    Command,
    Request(u8),
    Sub(u32),
    SubCommand(u32),
}

/// What was agreed to, and where in a command the last bytes ended.
#[derive(Debug)]
pub struct Options {
    state: State,
    requests: u32,
    /// The peer echoes.
    echo: bool,
    /// The peer sends no go-ahead; neither do we.
    theirs: bool,
    ours: bool,
}

impl Options {
    /// Nothing was said yet.
    pub fn new() -> Self {
        Self {
            state: State::Data,
            requests: 0,
            echo: false,
            theirs: false,
            ours: false,
        }
    }

    /// Splits what came: the device's own bytes into `data`, and what to answer.
    ///
    /// # Errors
    /// When it negotiates without end.
    pub fn received(&mut self, bytes: &[u8], data: &mut Vec<u8>) -> Result<Vec<u8>, WithoutEnd> {
        let mut reply = Vec::new();
        for &byte in bytes {
            self.state = match self.state {
                State::Data | State::AfterReturn if byte == IAC => State::Command,
                // A return that is no line end is sent with a NUL.
                State::AfterReturn if byte == 0 => State::Data,
                State::Data | State::AfterReturn => {
                    data.push(byte);
                    if byte == b'\r' { State::AfterReturn } else { State::Data }
                }
                State::Command => match byte {
                    IAC => {
                        data.push(IAC);
                        State::Data
                    }
                    WILL | WONT | DO | DONT => State::Request(byte),
                    SB => {
                        self.count()?;
                        State::Sub(0)
                    }
                    // No-operation, go-ahead, are-you-there and their like.
                    _ => {
                        self.count()?;
                        State::Data
                    }
                },
                State::Request(request) => {
                    self.count()?;
                    if let Some(answer) = self.answer(request, byte) {
                        reply.extend([IAC, answer, byte]);
                    }
                    State::Data
                }
                State::Sub(length) if byte == IAC => State::SubCommand(length),
                State::SubCommand(_) if byte == SE => State::Data,
                State::Sub(length) | State::SubCommand(length) => {
                    if length == SUBNEGOTIATION_MAX {
                        return Err(WithoutEnd);
                    }
                    State::Sub(length + 1)
                }
            };
        }
        Ok(reply)
    }

    /// As it goes over the line: line ends as telnet has them, its own byte doubled.
    pub fn sent(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 2);
        for &byte in bytes {
            match byte {
                b'\n' => out.extend(b"\r\n"),
                IAC => out.extend([IAC, IAC]),
                _ => out.push(byte),
            }
        }
        out
    }

    fn count(&mut self) -> Result<(), WithoutEnd> {
        self.requests += 1;
        if self.requests > REQUESTS_MAX {
            return Err(WithoutEnd);
        }
        Ok(())
    }

    fn answer(&mut self, request: u8, option: u8) -> Option<u8> {
        let (agreed, yes, no) = match (request, option) {
            (WILL | WONT, ECHO) => (Some(&mut self.echo), DO, DONT),
            (WILL | WONT, SUPPRESS_GO_AHEAD) => (Some(&mut self.theirs), DO, DONT),
            (DO | DONT, SUPPRESS_GO_AHEAD) => (Some(&mut self.ours), WILL, WONT),
            (WILL | WONT, _) => (None, DO, DONT),
            _ => (None, WILL, WONT),
        };
        let wanted = matches!(request, WILL | DO);
        match agreed {
            Some(agreed) if *agreed == wanted => None,
            Some(agreed) => {
                *agreed = wanted;
                Some(if wanted { yes } else { no })
            }
            // Never agreed to: there is nothing to end.
            None => wanted.then_some(no),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whole and byte by byte: the same data and the same answers.
    #[track_caller]
    fn check(bytes: &[u8], expected_data: &[u8], expected_reply: &[u8]) {
        for size in [bytes.len(), 1] {
            let (mut options, mut data, mut reply) = (Options::new(), Vec::new(), Vec::new());
            for piece in bytes.chunks(size) {
                reply.extend(options.received(piece, &mut data).unwrap());
            }
            assert_eq!((data.as_slice(), reply.as_slice()), (expected_data, expected_reply));
        }
    }

    #[test]
    fn only_echo_and_go_ahead_are_agreed_to() {
        check(b">>User name:", b">>User name:", b"");
        check(
            &[&[IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD][..], b"x"].concat(),
            b"x",
            &[IAC, DO, ECHO, IAC, DO, SUPPRESS_GO_AHEAD],
        );
        // Said twice, answered once; taken back, answered once.
        check(
            &[IAC, WILL, ECHO, IAC, WILL, ECHO, IAC, WONT, ECHO, IAC, WONT, ECHO],
            b"",
            &[IAC, DO, ECHO, IAC, DONT, ECHO],
        );
        const TERMINAL_TYPE: u8 = 24;
        const WINDOW_SIZE: u8 = 31;
        check(
            &[
                IAC,
                DO,
                TERMINAL_TYPE,
                IAC,
                DO,
                WINDOW_SIZE,
                IAC,
                WILL,
                34,
                IAC,
                DO,
                ECHO,
                IAC,
                DONT,
                24,
                IAC,
                WONT,
                24,
            ],
            b"",
            &[
                IAC,
                WONT,
                TERMINAL_TYPE,
                IAC,
                WONT,
                WINDOW_SIZE,
                IAC,
                DONT,
                34,
                IAC,
                WONT,
                ECHO,
            ],
        );
        check(
            &[IAC, DO, SUPPRESS_GO_AHEAD, IAC, DONT, SUPPRESS_GO_AHEAD],
            b"",
            &[IAC, WILL, SUPPRESS_GO_AHEAD, IAC, WONT, SUPPRESS_GO_AHEAD],
        );
    }

    #[test]
    fn the_rest_is_taken_out() {
        check(&[b'a', IAC, IAC, b'b', IAC, 241, b'c'], &[b'a', IAC, b'b', b'c'], b"");
        check(&[b'a', IAC, SB, 24, 1, IAC, IAC, 7, IAC, SE, b'b'], b"ab", b"");
        check(b"a\r\0b\r\nc\r\r\n", b"a\rb\r\nc\r\r\n", b"");
        assert_eq!(Options::sent(b"display version\n"), b"display version\r\n");
        assert_eq!(Options::sent(&[b'x', IAC]), [b'x', IAC, IAC]);
    }

    #[test]
    fn negotiation_without_end_is_an_error() {
        for flood in [
            &[IAC, WILL, 77][..],
            &[IAC, DONT, 3],
            &[IAC, 241],
            &[IAC, SB, 1, IAC, SE],
        ] {
            let (mut options, mut data) = (Options::new(), Vec::new());
            assert_eq!(options.received(&flood.repeat(1_000), &mut data), Err(WithoutEnd));
        }
        let (mut options, mut data) = (Options::new(), Vec::new());
        let sub = [&[IAC, SB][..], &[0; 5_000]].concat();
        assert_eq!(options.received(&sub, &mut data), Err(WithoutEnd));
        assert!(data.is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_give_the_same(bytes in prop::collection::vec(prop_oneof![
            any::<u8>(), Just(IAC), Just(WILL), Just(DO), Just(SB), Just(SE), Just(ECHO), Just(b'\r')
        ], 0..300), cut in 0..300_usize) {
            let (mut whole, mut data) = (Options::new(), Vec::new());
            let reply = whole.received(&bytes, &mut data);
            prop_assert!(data.len() <= bytes.len());
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            let (mut halves, mut again) = (Options::new(), Vec::new());
            let answers = halves.received(left, &mut again).and_then(|mut first| {
                first.extend(halves.received(right, &mut again)?);
                Ok(first)
            });
            prop_assert_eq!(&answers, &reply);
            if reply.is_ok() {
                prop_assert_eq!(again, data);
            }
        }
    }
}
