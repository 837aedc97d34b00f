//! OLTs that send informs until each is answered, over any number of lives of the product.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use load_tests::device::{Devices, Note};

/// Informs that wait for an answer at a time: far below the ONUs, so that each ONU has one at most.
const WINDOW: usize = 400;
const RESEND: Duration = Duration::from_millis(400);

/// The other side.
pub struct Sender {
    devices: Devices,
    olts: u8,
    next: u32,
    waiting: HashMap<i32, (Note, u32, Instant)>,
    /// New informs a second at most, and since when they are counted.
    pace: Option<(u32, Instant)>,
    /// Informs that were answered, in that order.
    pub acknowledged: Vec<Note>,
}

impl Sender {
    /// Opens the sockets of so many OLTs.
    pub fn new(olts: u8, target: SocketAddr) -> Self {
        Self {
            devices: Devices::new(olts, target).unwrap(),
            olts,
            next: 0,
            waiting: HashMap::new(),
            pace: None,
            acknowledged: Vec::new(),
        }
    }

    /// The same, with at most so many new informs a second: for a product whose parts are not there all the time.
    pub fn paced(olts: u8, target: SocketAddr, per_second: u32) -> Self {
        Self {
            pace: Some((per_second, Instant::now())),
            ..Self::new(olts, target)
        }
    }

    fn may_send(&self) -> bool {
        let due = |(per_second, since): (u32, Instant)| since.elapsed().as_secs_f64() * f64::from(per_second);
        self.waiting.len() < WINDOW && self.pace.is_none_or(|pace| f64::from(self.next) < due(pace))
    }

    /// Waits until nothing is in flight, sending nothing new.
    pub fn drain(&mut self) {
        let end = Instant::now() + Duration::from_secs(30);
        while !self.waiting.is_empty() {
            assert!(Instant::now() < end, "{} informs stay unanswered", self.waiting.len());
            self.hear();
            self.resend();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn hear(&mut self) {
        for id in self.devices.answered() {
            if let Some((note, _, _)) = self.waiting.remove(&id) {
                self.acknowledged.push(note);
            }
        }
    }

    fn resend(&mut self) {
        for (note, uptime, sent) in self.waiting.values_mut() {
            if sent.elapsed() > RESEND {
                self.devices.send_at(note, true, *uptime);
                *sent = Instant::now();
            }
        }
    }

    /// Hears answers, sends what the window allows and what is overdue.
    pub fn turn(&mut self) {
        self.hear();
        while self.may_send() {
            let note = Note::nth(self.next, self.olts);
            // One at a time of each ONU, or a resent one could arrive behind its successor: order is what is tested.
            if self
                .waiting
                .values()
                .any(|(n, _, _)| (n.olt, n.onu) == (note.olt, note.onu))
            {
                break;
            }
            self.next += 1;
            let uptime = 50_000_000 + self.next;
            self.devices.send_at(&note, true, uptime);
            self.waiting.insert(note.request_id, (note, uptime, Instant::now()));
        }
        self.resend();
        // A rate needs no such haste, and others need the processor.
        let rest = if self.pace.is_some() { 3_000 } else { 300 };
        std::thread::sleep(Duration::from_micros(rest));
    }

    /// Sends for so long.
    pub fn go_on(&mut self, time: Duration) {
        let end = Instant::now() + time;
        self.until(time, |_| Instant::now() >= end);
    }

    /// Sends until something is done; whether it was in time.
    pub fn until(&mut self, deadline: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = Instant::now() + deadline;
        while !done(self) {
            if Instant::now() > end {
                return false;
            }
            self.turn();
        }
        true
    }
}
