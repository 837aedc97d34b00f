//! A proxy in front of one server, which is slow, refuses requests or goes away when told to. For tests: it reads the
//! protocol's frames (version 4, uncompressed) and touches only requests on rows, so a session can always be had.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

const HEADER_BYTES: usize = 9;
/// The protocol's own limit.
const FRAME_BYTES_MAX: usize = 256 << 20;
/// Frames that wait for one side.
const QUEUE_FRAMES: usize = 1_024;
const OP_ERROR: u8 = 0x00;
const OP_EXECUTE: u8 = 0x0A;
const OP_BATCH: u8 = 0x0D;
const CODE_OVERLOADED: i32 = 0x1001;
const CODE_WRITE_TIMEOUT: i32 = 0x1100;

/// A running proxy; it ends when dropped.
pub struct FaultyProxy {
    address: String,
    control: Arc<Control>,
    away: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Control {
    refuse_per_mille: AtomicU32,
    /// Turn of the requests, so that exactly so many are refused, at even distances.
    turn: AtomicU32,
    delay_ms: AtomicU64,
    refused: AtomicU64,
    unanswered: AtomicU64,
    only_unanswered: AtomicBool,
}

impl FaultyProxy {
    /// Starts one in front of `server` (`host:port`), on a port of its own.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(server: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (away, is_away) = watch::channel(false);
        let control = Arc::new(Control::default());
        let task = tokio::spawn(accept(listener, server.to_owned(), Arc::clone(&control), is_away));
        Ok(Self {
            address,
            control,
            away,
            task,
        })
    }

    /// Where it listens, `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// So many of a thousand requests fail: every other one of them is refused, the rest is done and answered with a time-out.
    pub fn refuse_per_mille(&self, of_thousand: u32) {
        self.control.refuse_per_mille.store(of_thousand, Ordering::Relaxed);
    }

    /// Those that fail are all done, and answered with a time-out.
    pub fn only_lose_answers(&self, only: bool) {
        self.control.only_unanswered.store(only, Ordering::Relaxed);
    }

    /// Each request waits this long before it goes on.
    pub fn delay(&self, delay: Duration) {
        let ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.control.delay_ms.store(ms, Ordering::Relaxed);
    }

    /// Cuts all connections and takes no new ones, or takes them again.
    pub fn set_away(&self, away: bool) {
        self.away.send_replace(away);
    }

    /// Requests refused so far.
    pub fn refused(&self) -> u64 {
        self.control.refused.load(Ordering::Relaxed)
    }

    /// Requests done and answered with a time-out so far.
    pub fn unanswered(&self) -> u64 {
        self.control.unanswered.load(Ordering::Relaxed)
    }
}

impl Drop for FaultyProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, server: String, control: Arc<Control>, mut away: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                if !*away.borrow() {
                    connections.spawn(connection(client, server.clone(), Arc::clone(&control)));
                }
            }
            Some(_) = connections.join_next() => {}
            changed = away.changed() => {
                if changed.is_err() {
                    return;
                }
                if *away.borrow() {
                    connections.abort_all();
                }
            }
        }
    }
}

/// One connection, until either side ends it.
async fn connection(client: TcpStream, server: String, control: Arc<Control>) {
    let Ok(server) = TcpStream::connect(&server).await else {
        return;
    };
    // Small frames go out at once, as the driver's own do.
    if client
        .set_nodelay(true)
        .and_then(|()| server.set_nodelay(true))
        .is_err()
    {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (answers, waiting_answers) = mpsc::channel(QUEUE_FRAMES);
    let (requests, waiting_requests) = mpsc::channel(QUEUE_FRAMES);
    let lost = Arc::new(Mutex::new(HashSet::new()));
    let mut sides = JoinSet::new();
    sides.spawn(write_all(to_client, waiting_answers));
    sides.spawn(write_all(to_server, waiting_requests));
    sides.spawn(pass_requests(
        from_client,
        requests,
        answers.clone(),
        control,
        Arc::clone(&lost),
    ));
    sides.spawn(pass_answers(from_server, answers, lost));
    sides.join_next().await;
}

/// Streams whose answer is replaced.
type Lost = Arc<Mutex<HashSet<[u8; 2]>>>;

async fn pass_requests(
    mut client: OwnedReadHalf,
    server: mpsc::Sender<Vec<u8>>,
    answers: mpsc::Sender<Vec<u8>>,
    control: Arc<Control>,
    lost: Lost,
) {
    let mut delayed = JoinSet::new();
    while let Some(frame) = read_frame(&mut client).await {
        let (stream, opcode) = ([frame[2], frame[3]], frame[4]);
        let is_on_rows = matches!(opcode, OP_EXECUTE | OP_BATCH);
        if is_on_rows && control.fails() {
            if control.refuses() {
                if answers.send(error_frame(stream, CODE_OVERLOADED)).await.is_err() {
                    return;
                }
                continue;
            }
            lost.lock().unwrap_or_else(PoisonError::into_inner).insert(stream);
        }
        let delay_ms = if is_on_rows {
            control.delay_ms.load(Ordering::Relaxed)
        } else {
            0
        };
        if delay_ms == 0 {
            if server.send(frame).await.is_err() {
                return;
            }
            continue;
        }
        let server = server.clone();
        delayed.spawn(async move {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            // A connection that has ended since wants it no more.
            drop(server.send(frame).await);
        });
        while delayed.try_join_next().is_some() {}
    }
}

async fn pass_answers(mut server: OwnedReadHalf, client: mpsc::Sender<Vec<u8>>, lost: Lost) {
    while let Some(frame) = read_frame(&mut server).await {
        let stream = [frame[2], frame[3]];
        let is_lost = lost.lock().unwrap_or_else(PoisonError::into_inner).remove(&stream);
        let frame = if is_lost {
            error_frame(stream, CODE_WRITE_TIMEOUT)
        } else {
            frame
        };
        if client.send(frame).await.is_err() {
            return;
        }
    }
}

impl Control {
    fn fails(&self) -> bool {
        let of_thousand = u64::from(self.refuse_per_mille.load(Ordering::Relaxed));
        if of_thousand == 0 {
            return false;
        }
        let turn = u64::from(self.turn.fetch_add(1, Ordering::Relaxed));
        (turn + 1) * of_thousand / 1_000 > turn * of_thousand / 1_000
    }

    /// Of those that fail, whether this one is not even done.
    fn refuses(&self) -> bool {
        let unanswered = self.unanswered.load(Ordering::Relaxed);
        let refused = self.refused.load(Ordering::Relaxed);
        let refuses = refused <= unanswered && !self.only_unanswered.load(Ordering::Relaxed);
        let counter = if refuses { &self.refused } else { &self.unanswered };
        counter.fetch_add(1, Ordering::Relaxed);
        refuses
    }
}

async fn read_frame(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let mut frame = vec![0; HEADER_BYTES];
    from.read_exact(&mut frame).await.ok()?;
    let length = u32::from_be_bytes(*frame.last_chunk()?);
    let length = usize::try_from(length).ok().filter(|n| *n <= FRAME_BYTES_MAX)?;
    frame.resize(HEADER_BYTES + length, 0);
    from.read_exact(&mut frame[HEADER_BYTES..]).await.ok()?;
    Some(frame)
}

async fn write_all(mut to: OwnedWriteHalf, mut frames: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if to.write_all(&frame).await.is_err() {
            return;
        }
    }
}

fn error_frame(stream: [u8; 2], code: i32) -> Vec<u8> {
    let mut body = code.to_be_bytes().to_vec();
    text("a fault of the proxy", &mut body);
    if code == CODE_WRITE_TIMEOUT {
        const LOCAL_QUORUM: u16 = 6;
        body.extend_from_slice(&LOCAL_QUORUM.to_be_bytes());
        body.extend_from_slice(&0i32.to_be_bytes());
        body.extend_from_slice(&1i32.to_be_bytes());
        text("SIMPLE", &mut body);
    }
    let length = u32::try_from(body.len()).expect("a short text");
    let mut frame = vec![0x84, 0, stream[0], stream[1], OP_ERROR];
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&body);
    frame
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&u16::try_from(text.len()).expect("a short text").to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}
