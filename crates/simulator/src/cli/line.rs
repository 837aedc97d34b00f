//! A TCP connection that can be cut from elsewhere.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// Cuts a connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scissors(Arc<State>);

#[derive(Debug, Default)]
struct State {
    cut: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

impl Scissors {
    /// From now on nothing is read and nothing written.
    pub(crate) fn cut(&self) {
        self.0.cut.store(true, Ordering::Release);
        let waker = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The connection.
#[derive(Debug)]
pub(crate) struct Cuttable {
    stream: TcpStream,
    scissors: Scissors,
}

impl Cuttable {
    pub(crate) fn new(stream: TcpStream) -> (Self, Scissors) {
        let scissors = Scissors::default();
        let cuttable = Self {
            stream,
            scissors: scissors.clone(),
        };
        (cuttable, scissors)
    }

    fn is_cut(&self) -> bool {
        self.scissors.0.cut.load(Ordering::Acquire)
    }
}

fn cut<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
}

impl AsyncRead for Cuttable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Before the look, or a cut between the two would wake nobody.
        *self.scissors.0.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        if self.is_cut() {
            return cut();
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_cut() {
            return cut();
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Says this much, and nothing more until the client leaves.
///
/// # Errors
/// Those of the connection.
pub(crate) async fn say_and_hang(mut stream: TcpStream, words: &[u8]) -> io::Result<()> {
    stream.write_all(words).await?;
    let mut buffer = [0; 4_096];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}
