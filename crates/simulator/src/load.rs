//! A measured load: run-state traps at a steady rate, each ONU in turn, numbered by their request ids.
//!
//! Trap `n` (from 0) is about ONU `n mod count`; its lap `n / count` says down on even laps and up on odd ones. So every
//! trap changes something, and whoever knows the numbers that arrived knows what the board must show.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::{Cause, EntityId, Micros, State};

use crate::clock;
use crate::life::Truth;
use crate::network::Network;
use crate::trap::{self, Dialect, Form, Head, Trap};
use crate::wire::{Patience, SendError, Wire};

/// What to send.
#[derive(Debug, Clone)]
pub struct Load<'a> {
    /// Where to; loopback only.
    pub target: SocketAddr,
    /// The community.
    pub community: &'a str,
    /// Whose ONUs.
    pub network: &'a Network,
    /// Traps a second.
    pub rate_per_s: f64,
    /// Number of the first trap: its request id is one more, and so on.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Traps or informs; the form of the dialect decides.
    pub dialect: Dialect,
    /// Informs: an answer is awaited so long before the inform is sent again.
    pub resend_after: Duration,
    /// Informs: how long to go on for answers after the last was first sent.
    pub linger: Duration,
}

impl<'a> Load<'a> {
    /// `count` v2c traps or informs at a rate.
    pub fn new(
        target: SocketAddr,
        community: &'a str,
        network: &'a Network,
        form: Form,
        rate_per_s: f64,
        count: u32,
    ) -> Self {
        let dialect = Dialect {
            form,
            ..Dialect::default()
        };
        let (resend_after, linger) = (Duration::from_millis(500), Duration::from_secs(30));
        Self {
            target,
            community,
            network,
            rate_per_s,
            first: 0,
            count,
            dialect,
            resend_after,
            linger,
        }
    }
}

/// What was sent.
#[derive(Debug, Clone, Default)]
pub struct LoadReport {
    /// How many numbers were sent, from `first` on.
    pub sent: u32,
    /// When each was handed to the system for the first time, wall clock. Informs behind a full window go later.
    pub sent_at: Vec<Micros>,
    /// Numbers of the informs that were answered, in the order of the answers.
    pub acked: Vec<u32>,
    /// Datagrams sent again.
    pub resent: u64,
    /// Datagrams the system refused.
    pub failed: u64,
    /// From the first to the last.
    pub elapsed: Duration,
}

/// What trap `number` says, and what the board must show when it is the last of its ONU.
///
/// # Panics
/// When the network has no ONU.
pub fn say(network: &Network, number: u32) -> (usize, Trap, EntityId, Truth) {
    let total = u32::try_from(network.onu_count()).expect("a network has at most 35 million ONUs");
    assert!(total > 0, "a load needs an ONU");
    say_within(network, total, number)
}

fn say_within(network: &Network, total: u32, number: u32) -> (usize, Trap, EntityId, Truth) {
    let up = (number / total) % 2 == 1;
    let mut index = (number % total) as usize;
    for (i, olt) in network.olts.iter().enumerate() {
        if let Some(onu) = olt.onus.get(index) {
            let truth = if up {
                Truth {
                    state: State::Online,
                    cause: None,
                }
            } else {
                Truth {
                    state: State::Offline,
                    cause: Some(Cause::Unknown),
                }
            };
            return (
                i,
                Trap::RunState { place: onu.place, up },
                olt.root.onu(onu.place),
                truth,
            );
        }
        index -= olt.onus.len();
    }
    unreachable!("the index is below the number of ONUs")
}

/// Sends the load on this thread until all is sent (and, for informs, answered or given up), or `stop` is set.
///
/// # Errors
/// When the target is not loopback, or an OLT's address cannot be used.
pub fn run(load: &Load<'_>, stop: &AtomicBool) -> Result<LoadReport, SendError> {
    let patience = Patience {
        resend_after: load.resend_after,
        tries_max: u32::MAX,
        window: 1_024,
    };
    let mut wire = Wire::new(load.target, load.network.olts.iter().map(|o| o.address), patience)?;
    let total = u32::try_from(load.network.onu_count()).unwrap_or(u32::MAX);
    let mut report = LoadReport::default();
    if total == 0 {
        return Ok(report);
    }
    let start = Instant::now();
    let informs = load.dialect.form == Form::V2cInform;
    while report.sent < load.count && !stop.load(Ordering::Acquire) {
        turn(&mut wire, &mut report);
        let due = Duration::from_secs_f64(f64::from(report.sent) / load.rate_per_s.max(0.001));
        let now = start.elapsed();
        if due > now {
            std::thread::sleep((due - now).min(Duration::from_millis(5)));
            continue;
        }
        let number = load.first + report.sent;
        let (olt, trap, _, _) = say_within(load.network, total, number);
        let request_id = i32::try_from(number + 1).unwrap_or(i32::MAX);
        let head = Head {
            request_id,
            uptime: clock::uptime(),
        };
        let bytes = trap::datagram(&trap, &load.network.olts[olt], head, load.dialect, load.community);
        wire.send(olt, bytes, informs.then_some(request_id));
        report.sent_at.push(clock::now());
        report.sent += 1;
    }
    report.elapsed = start.elapsed();
    let end = Instant::now() + load.linger;
    while wire.unanswered() > 0 && Instant::now() < end && !stop.load(Ordering::Acquire) {
        turn(&mut wire, &mut report);
        std::thread::sleep(Duration::from_millis(1));
    }
    (report.resent, report.failed) = (wire.counts.resent, wire.counts.failed);
    Ok(report)
}

fn turn(wire: &mut Wire, report: &mut LoadReport) {
    wire.turn(Instant::now(), |_, id| report.acked.push(id.unsigned_abs() - 1));
}
