//! A TCP connection on a leash: what reads from it in the background ends when the leash is dropped, or when more came than was
//! allowed. So no task of the SSH library outlives its session, whatever the peer does.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How a version string begins.
const VERSION: &[u8] = b"SSH-";

#[derive(Debug)]
struct Shared {
    cut: AtomicBool,
    /// Bytes that may still come.
    allowance: AtomicI64,
    over: AtomicBool,
    /// Whether a line came that begins as the peer's version string does.
    version: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

/// The end that is held.
#[derive(Debug)]
pub struct Leash(Arc<Shared>);

/// The connection.
#[derive(Debug)]
pub struct Leashed {
    stream: TcpStream,
    shared: Arc<Shared>,
    /// The beginning of the line that is coming, until there was a version string.
    line: Vec<u8>,
}

/// A connection that may receive `allowance` bytes.
pub fn leash(stream: TcpStream, allowance: usize) -> (Leash, Leashed) {
    let shared = Arc::new(Shared {
        cut: AtomicBool::new(false),
        allowance: AtomicI64::new(bytes(allowance)),
        over: AtomicBool::new(false),
        version: AtomicBool::new(false),
        waiting: Mutex::default(),
    });
    let line = Vec::new();
    (Leash(Arc::clone(&shared)), Leashed { stream, shared, line })
}

fn bytes(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Leash {
    /// From now on so many bytes may come.
    pub fn allow(&self, allowance: usize) {
        self.0.allowance.store(bytes(allowance), Ordering::Relaxed);
    }

    /// Whether it was cut because too much came.
    pub fn is_over(&self) -> bool {
        self.0.over.load(Ordering::Relaxed)
    }

    /// Whether the peer's version string came.
    pub fn had_version(&self) -> bool {
        self.0.version.load(Ordering::Relaxed)
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.cut.store(true, Ordering::Release);
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for waker in waiting.drain(..) {
            waker.wake();
        }
    }
}

impl Leashed {
    /// An error once it is cut; otherwise `cx` is woken when it is.
    fn check(&self, cx: &Context<'_>) -> io::Result<()> {
        let shared = &self.shared;
        {
            let mut waiting = shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                // A reader and a writer: others are not waiting any more.
                if waiting.len() >= 4 {
                    waiting.remove(0);
                }
                waiting.push(cx.waker().clone());
            }
        }
        if shared.cut.load(Ordering::Acquire) {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the session was given up",
            ));
        }
        if shared.over.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the peer sends too much"));
        }
        Ok(())
    }
}

impl Leashed {
    fn look_for_version(&mut self, came: &[u8]) {
        for &byte in came {
            if self.shared.version.load(Ordering::Relaxed) {
                return;
            }
            if byte == b'\n' {
                if self.line == VERSION {
                    self.shared.version.store(true, Ordering::Relaxed);
                }
                self.line.clear();
            } else if self.line.len() < VERSION.len() {
                self.line.push(byte);
            }
        }
    }
}

impl AsyncRead for Leashed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let came = &buf.filled()[before..];
        self.look_for_version(came);
        let count = bytes(came.len());
        if self.shared.allowance.fetch_sub(count, Ordering::Relaxed) < count {
            self.shared.over.store(true, Ordering::Relaxed);
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the peer sends too much",
            )));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Leashed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair(allowance: usize) -> (Leash, Leashed, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (peer, _) = listener.accept().await.unwrap();
        let (leash, leashed) = leash(stream, allowance);
        (leash, leashed, peer)
    }

    #[tokio::test]
    async fn who_reads_ends_with_the_leash() {
        let (leash, mut leashed, _peer) = pair(100).await;
        let (waits, started) = tokio::sync::oneshot::channel();
        let reader = tokio::spawn(async move {
            waits.send(()).unwrap();
            leashed.read(&mut [0; 10]).await.unwrap_err().kind()
        });
        started.await.unwrap();
        drop(leash);
        let ended = tokio::time::timeout(Duration::from_secs(5), reader)
            .await
            .expect("it still reads");
        assert_eq!(ended.unwrap(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test]
    async fn too_much_ends_it() {
        let (leash, mut leashed, mut peer) = pair(10).await;
        peer.write_all(b"0123456789").await.unwrap();
        let mut came = [0; 10];
        leashed.read_exact(&mut came).await.unwrap();
        assert!(!leash.is_over());
        leash.allow(10);
        peer.write_all(b"\nSSH-2.0-x").await.unwrap();
        leashed.read_exact(&mut came).await.unwrap();
        assert!(!leash.had_version());
        leash.allow(1);
        peer.write_all(b"\n").await.unwrap();
        leashed.read_exact(&mut came[..1]).await.unwrap();
        assert!(leash.had_version());
        peer.write_all(b"x").await.unwrap();
        assert_eq!(
            leashed.read(&mut came).await.unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        assert!(leash.is_over());
    }
}
