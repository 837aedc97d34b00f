//! `/ws`: the fan-out, as `docs/specs/live-protocol.md` has it.
//!
//! A client is a place in the shared ring of changes, and its subscriptions. So a slow client costs no memory: when it
//! comes back to its place, what it missed is coalesced to the latest state of each entity.

mod client;
mod connection;
mod delta;
mod frames;
mod sessions;
mod subscription;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

pub use connection::serve_client;

use delta::FrameCache;
use sessions::Sessions;

/// Limits of the WebSocket.
#[derive(Debug, Clone)]
pub struct WsLimits {
    /// Open WebSockets.
    pub clients_max: usize,
    /// The `auth` frame must come within this time.
    pub auth_within: Duration,
    /// Largest frame from a client.
    pub message_bytes_max: usize,
    /// Subscriptions of one client.
    pub subscriptions_max: usize,
    /// Frames a client may send at once, and again a second.
    pub messages: (f64, f64),
    /// A write that takes longer makes a client a slow one.
    pub slow_write: Duration,
    /// A write that takes longer ends it (4408).
    pub stalled_write: Duration,
    /// Slow writes in a row, without a quick spell of 10 s between, that end it (4408).
    pub slow_writes_max: u32,
    /// Events sent at most to a slow client in one turn; the rest is left out and counted.
    pub slow_events_max: usize,
    /// How long a closed slow client may take to fetch the reason.
    pub linger: Duration,
    /// A client that has not been heard of for this long is gone; it is asked (ping) three times in it.
    pub silent_max: Duration,
    /// How long the subscriptions of a lost connection wait for it to come back.
    pub session_kept: Duration,
}

impl Default for WsLimits {
    fn default() -> Self {
        Self {
            clients_max: 10_000,
            auth_within: Duration::from_secs(5),
            message_bytes_max: 16 * 1024,
            subscriptions_max: 64,
            messages: (100.0, 20.0),
            slow_write: Duration::from_secs(1),
            stalled_write: Duration::from_secs(10),
            slow_writes_max: 5,
            slow_events_max: 500,
            linger: Duration::from_secs(20),
            silent_max: Duration::from_secs(60),
            session_kept: Duration::from_secs(120),
        }
    }
}

/// What all clients share.
pub struct Hub {
    limits: WsLimits,
    sessions: Sessions,
    frames: FrameCache,
    clients: AtomicUsize,
    closing: watch::Sender<bool>,
}

impl Hub {
    /// A hub without clients.
    pub fn new(limits: WsLimits) -> Self {
        let sessions = Sessions::new(limits.session_kept, limits.clients_max);
        let closing = watch::Sender::new(false);
        Self {
            limits,
            sessions,
            frames: FrameCache::default(),
            clients: AtomicUsize::new(0),
            closing,
        }
    }

    /// Its limits.
    pub fn limits(&self) -> &WsLimits {
        &self.limits
    }

    /// Open WebSockets.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Tells every client to go away (1001).
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}
