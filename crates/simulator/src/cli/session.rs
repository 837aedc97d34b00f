//! A shell on a line: plays what it says at its pace, hands it what is typed.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::login::Login;
use super::shell::{Act, Shell};

/// What is typed ahead while the box prints; more is lost.
const AHEAD_MAX: usize = 4_096;
/// Bytes of a flood written at once.
const FLOOD_CHUNK: usize = 32 * 1_024;

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The box closed it.
    Closed,
    /// The box cut the connection.
    Cut,
    /// The client left.
    Left,
}

/// Plays a session to its end. `clean` takes out of the input what is not typed, as telnet's options.
pub(crate) async fn play<S>(
    stream: S,
    mut shell: Shell,
    login: Login,
    mut clean: impl FnMut(&mut Vec<u8>) + Send,
) -> io::Result<End>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (reader, writer) = tokio::io::split(stream);
    let mut line = Line {
        reader,
        writer,
        ahead: Vec::new(),
    };
    let mut acts = VecDeque::from(shell.greet(&login));
    loop {
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Write(bytes) => line.writer.write_all(&bytes).await?,
                Act::Pause(length) => {
                    if line.pause(length).await? {
                        acts = shell.input(&[0x03]).into();
                    }
                }
                Act::Flood { row, bytes } => line.flood(&row, bytes).await?,
                Act::Close => {
                    line.writer.flush().await?;
                    line.writer.shutdown().await?;
                    return Ok(End::Closed);
                }
                Act::Cut => {
                    line.writer.flush().await?;
                    return Ok(End::Cut);
                }
            }
        }
        line.writer.flush().await?;
        let mut typed = match shell.idle() {
            None => line.typed().await?,
            Some(idle) => match timeout(idle, line.typed()).await {
                Ok(typed) => typed?,
                Err(_) => {
                    acts = shell.time_out().into();
                    continue;
                }
            },
        };
        if typed.is_empty() {
            return Ok(End::Left);
        }
        clean(&mut typed);
        acts = shell.input(&typed).into();
    }
}

struct Line<S> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    ahead: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite> Line<S> {
    /// What was typed ahead, or is next; empty when the client left.
    async fn typed(&mut self) -> io::Result<Vec<u8>> {
        if self.ahead.is_empty() {
            self.read().await?;
        }
        Ok(std::mem::take(&mut self.ahead))
    }

    async fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 1_024];
        let n = self.reader.read(&mut buffer).await?;
        if self.ahead.len() + n <= AHEAD_MAX {
            self.ahead.extend_from_slice(&buffer[..n]);
        }
        Ok(n)
    }

    /// Waits. True if Ctrl+C came meanwhile.
    async fn pause(&mut self, length: Duration) -> io::Result<bool> {
        self.writer.flush().await?;
        let end = tokio::time::Instant::now() + length;
        loop {
            match tokio::time::timeout_at(end, self.read()).await {
                Err(_) => return Ok(false),
                Ok(n) => {
                    if n? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
            if self.ahead.contains(&0x03) {
                self.ahead.clear();
                return Ok(true);
            }
        }
    }

    async fn flood(&mut self, row: &[u8], mut bytes: u64) -> io::Result<()> {
        let chunk = row.repeat((FLOOD_CHUNK / row.len().max(1)).max(1));
        while bytes > 0 {
            let n = usize::try_from(bytes).unwrap_or(usize::MAX).min(chunk.len());
            self.writer.write_all(&chunk[..n]).await?;
            bytes -= n as u64;
        }
        Ok(())
    }
}
