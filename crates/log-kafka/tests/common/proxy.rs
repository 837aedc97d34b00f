//! A TCP proxy in front of one broker that reads the requests going by, and loses, cuts or holds what a test says.
//!
//! The broker tells clients its own address in some answers; there the port is replaced by the proxy's, so that every
//! connection comes this way.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Numbers of Kafka's requests.
pub const PRODUCE: i16 = 0;
pub const END_TXN: i16 = 26;

/// Larger frames are none of ours.
const FRAME_BYTES_MAX: usize = 64 << 20;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Pass,
    /// It never arrives, and nobody is told.
    Swallow,
    /// It arrives, and its answer never does: the connection ends.
    PassAndCut,
    /// It does not arrive, and the connection ends.
    Cut,
}

type Judge = Box<dyn Fn(i16) -> Fate + Send + Sync>;

pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    broker: SocketAddr,
    judge: Mutex<Judge>,
    /// Connections, and whether a request of theirs was swallowed.
    connections: Mutex<Vec<(TcpStream, Arc<AtomicBool>)>>,
    stopped: AtomicBool,
}

impl Proxy {
    pub fn start(broker: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            broker: broker.parse().expect("KAFKA is 127.0.0.1:PORT"),
            judge: Mutex::new(Box::new(|_| Fate::Pass)),
            connections: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.stopped.load(Ordering::Acquire) {
                    return;
                }
                // A broker that is away refuses: the client is refused as well.
                if let Ok(client) = client
                    && let Ok(broker) = TcpStream::connect(accepting.broker)
                {
                    connect(&accepting, client, broker, address);
                }
            }
        });
        Self { address, shared }
    }

    /// Where clients are to go.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on requests are judged like this. Connections on which something was swallowed end: what their clients still
    /// want, they send again.
    pub fn judge(&self, judge: impl Fn(i16) -> Fate + Send + Sync + 'static) {
        *self.shared.judge.lock().unwrap() = Box::new(judge);
        for (stream, swallowed) in &*self.shared.connections.lock().unwrap() {
            if swallowed.load(Ordering::Acquire) {
                drop(stream.shutdown(Shutdown::Both));
            }
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        for (stream, _) in &*self.shared.connections.lock().unwrap() {
            drop(stream.shutdown(Shutdown::Both));
        }
        // Wakes the accepting thread.
        drop(TcpStream::connect(self.address));
    }
}

fn connect(shared: &Arc<Shared>, client: TcpStream, broker: TcpStream, address: SocketAddr) {
    for stream in [&client, &broker] {
        stream.set_nodelay(true).unwrap();
    }
    let swallowed = Arc::new(AtomicBool::new(false));
    shared
        .connections
        .lock()
        .unwrap()
        .push((client.try_clone().unwrap(), swallowed.clone()));
    let (from_client, to_broker) = (client.try_clone().unwrap(), broker.try_clone().unwrap());
    let shared = shared.clone();
    let broker_port = shared.broker.port();
    thread::spawn(move || {
        drop(requests(&shared, &from_client, &to_broker, &swallowed));
        drop(from_client.shutdown(Shutdown::Both));
        drop(to_broker.shutdown(Shutdown::Both));
    });
    thread::spawn(move || {
        drop(answers(&broker, &client, broker_port, address.port()));
        drop(client.shutdown(Shutdown::Both));
        drop(broker.shutdown(Shutdown::Both));
    });
}

fn requests(shared: &Shared, mut client: &TcpStream, mut broker: &TcpStream, swallowed: &AtomicBool) -> io::Result<()> {
    loop {
        let frame = read_frame(&mut client)?;
        let api = i16::from_be_bytes(frame[4..6].try_into().unwrap());
        let fate = (shared.judge.lock().unwrap())(api);
        match fate {
            Fate::Pass => {
                broker.write_all(&frame)?;
            }
            Fate::Swallow => swallowed.store(true, Ordering::Release),
            Fate::PassAndCut => {
                // First the client, so that no answer can get through; then the request, and nothing after it.
                client.shutdown(Shutdown::Both)?;
                broker.write_all(&frame)?;
                let mut rest = Vec::new();
                broker.take(4).read_to_end(&mut rest)?;
                return Ok(());
            }
            Fate::Cut => return Ok(()),
        }
    }
}

fn answers(mut broker: &TcpStream, mut client: &TcpStream, broker_port: u16, own_port: u16) -> io::Result<()> {
    loop {
        let mut frame = read_frame(&mut broker)?;
        // Metadata, coordinators, and the new leader in the refusal of a produce or a fetch.
        replace_port(&mut frame, broker_port, own_port);
        client.write_all(&frame)?;
    }
}

/// With its length in front.
fn read_frame(stream: &mut &TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let bytes = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if !(8..FRAME_BYTES_MAX).contains(&bytes) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; 4 + bytes];
    frame[..4].copy_from_slice(&length);
    stream.read_exact(&mut frame[4..])?;
    Ok(frame)
}

fn replace_port(frame: &mut [u8], from: u16, to: u16) {
    let told = [b"127.0.0.1".as_slice(), &u32::from(from).to_be_bytes()].concat();
    let mut at = 0;
    while at + told.len() <= frame.len() {
        if frame[at..].starts_with(&told) {
            frame[at + 9..at + 13].copy_from_slice(&u32::from(to).to_be_bytes());
            at += told.len();
        } else {
            at += 1;
        }
    }
}
