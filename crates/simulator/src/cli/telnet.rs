//! The command line over telnet: the login in the open, then the same session.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::console::Console;
use super::fault::CliFault;
use super::line::say_and_hang;
use super::login::Login;
use super::session::{self, End};
use super::shell::Shell;

/// IAC WILL ECHO, IAC WILL SUPPRESS-GO-AHEAD, IAC DO SUPPRESS-GO-AHEAD.
const OFFER: &[u8] = &[255, 251, 1, 255, 251, 3, 255, 253, 3];
/// Tries before the box hangs up.
const TRIES: usize = 3;
/// Letters of a name or a password.
const WORD_MAX: usize = 128;

/// Serves one connection.
///
/// # Errors
/// Those of the connection.
pub(crate) async fn serve(console: Arc<Console>, mut stream: TcpStream, from: IpAddr) -> io::Result<()> {
    console.door.connected();
    stream.set_nodelay(true)?;
    if matches!(
        console.fault(),
        Some(CliFault::HangAtAccept | CliFault::HangAtVersion | CliFault::HangAtKeyExchange)
    ) {
        return say_and_hang(stream, b"").await;
    }
    stream.write_all(OFFER).await?;
    let mut options = Options::default();
    for _ in 0..TRIES {
        stream.write_all(b"\r\n>>User name:").await?;
        let Some(user) = word(&mut stream, &mut options, true).await? else {
            return Ok(());
        };
        stream.write_all(b"\r\n>>User password:").await?;
        let Some(password) = word(&mut stream, &mut options, false).await? else {
            return Ok(());
        };
        let known = console.knows(&user, &password);
        if console.has(CliFault::HangAtAuthentication) {
            return say_and_hang(stream, b"").await;
        }
        stream.write_all(b"\r\n").await?;
        if known {
            let visit = console.enter();
            let login = Login {
                from,
                way: "Telnet",
                admitted: visit.admitted,
            };
            let shell = Shell::new(console, true);
            let end = session::play(stream, shell, login, |typed| options.take(typed)).await?;
            visit.end().store(end == End::Closed, Ordering::Release);
            return Ok(());
        }
        stream.write_all(b"  Username or password invalid.\r\n").await?;
    }
    Ok(())
}

/// A line that was typed; `None` when the client left.
async fn word(stream: &mut TcpStream, options: &mut Options, echo: bool) -> io::Result<Option<String>> {
    let mut word = String::new();
    loop {
        let mut typed = vec![stream.read_u8().await?];
        options.take(&mut typed);
        for byte in typed {
            match byte {
                b'\r' => return Ok(Some(word)),
                b' '..=b'~' if word.len() < WORD_MAX => {
                    word.push(char::from(byte));
                    if echo {
                        stream.write_all(&[byte]).await?;
                    }
                }
                _ => {}
            }
        }
    }
}

/// Where in an option of the client's we are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Options {
    #[default]
    None,
    Iac,
    Verb,
    Sub,
    SubIac,
}

impl Options {
    /// Takes options and NULs out of what came. The client's wishes are not answered: it may do as it likes.
    fn take(&mut self, bytes: &mut Vec<u8>) {
        bytes.retain(|&byte| {
            let (next, keep) = match (*self, byte) {
                (Self::None, 255) => (Self::Iac, false),
                (Self::None, 0) => (Self::None, false),
                (Self::None, _) => (Self::None, true),
                (Self::Iac, 255) => (Self::None, true),
                (Self::Iac, 251..=254) => (Self::Verb, false),
                (Self::Iac, 250) => (Self::Sub, false),
                (Self::Sub, 255) => (Self::SubIac, false),
                (Self::SubIac, 240) | (Self::Iac | Self::Verb, _) => (Self::None, false),
                (Self::Sub | Self::SubIac, _) => (Self::Sub, false),
            };
            *self = next;
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_out_wherever_they_are_cut() {
        let all = b"ab\xFF\xFD\x01c\xFF\xFA\x1F\x00\x50\x00\x18\xFF\xF0d\xFF\xFFe\r\0";
        for cut in 0..all.len() {
            let (mut left, mut right) = (all[..cut].to_vec(), all[cut..].to_vec());
            let mut options = Options::default();
            options.take(&mut left);
            options.take(&mut right);
            left.extend(right);
            assert_eq!(left, b"abcd\xFFe\r", "{cut}");
        }
    }
}
