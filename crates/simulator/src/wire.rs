//! UDP from the OLTs' addresses to a listener: traps once, informs until they are answered.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::cli::CliError;

/// Why nothing can be sent.
#[derive(Debug, Error)]
pub enum SendError {
    /// Simulated traps must not reach a real network.
    #[error("{0} is not an IPv4 loopback address: the simulator sends to 127.0.0.0/8 only")]
    NotLoopback(SocketAddr),
    /// The address of an OLT cannot be used.
    #[error(
        "cannot send from {address}: on systems other than Linux add it first, as in `ifconfig lo0 alias {address}`"
    )]
    Bind {
        /// The OLT's address.
        address: Ipv4Addr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The sending thread cannot be started.
    #[error("cannot start the sending thread")]
    Thread(#[source] io::Error),
    /// A command line cannot be served.
    #[error(transparent)]
    Cli(#[from] CliError),
}

/// When an inform is sent again, and when it is given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// After so long without an answer it is sent again.
    pub(crate) resend_after: Duration,
    /// After so many sendings it is given up.
    pub(crate) tries_max: u32,
    /// So many may wait for an answer at once, per sender.
    pub(crate) window: usize,
}

/// Counts of what went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) sent: u64,
    pub(crate) resent: u64,
    pub(crate) failed: u64,
    pub(crate) given_up: u64,
}

/// The way of all senders to one listener.
pub(crate) struct Wire {
    target: SocketAddr,
    senders: Vec<Sender>,
    patience: Patience,
    pub(crate) counts: Counts,
}

struct Sender {
    socket: UdpSocket,
    pending: BTreeMap<i32, Pending>,
    waiting: VecDeque<(i32, Vec<u8>)>,
}

struct Pending {
    bytes: Vec<u8>,
    sent: Instant,
    tries: u32,
}

impl Wire {
    pub(crate) fn new(
        target: SocketAddr,
        addresses: impl IntoIterator<Item = Ipv4Addr>,
        patience: Patience,
    ) -> Result<Self, SendError> {
        let loopback = target.is_ipv4() && target.ip().is_loopback();
        if !loopback {
            return Err(SendError::NotLoopback(target));
        }
        let senders = addresses.into_iter().map(Sender::new).collect::<Result<_, _>>()?;
        Ok(Self {
            target,
            senders,
            patience,
            counts: Counts::default(),
        })
    }

    /// Sends a datagram, or queues an inform behind those that wait for their answers.
    pub(crate) fn send(&mut self, sender: usize, bytes: Vec<u8>, inform: Option<i32>) {
        match inform {
            None => {
                if self.transmit(sender, &bytes) {
                    self.counts.sent += 1;
                }
            }
            Some(id) => self.senders[sender].waiting.push_back((id, bytes)),
        }
    }

    /// Takes answers, sends again what waited too long, and lets queued informs go. `answered` hears each request id.
    pub(crate) fn turn(&mut self, now: Instant, mut answered: impl FnMut(usize, i32)) {
        for index in 0..self.senders.len() {
            for id in self.senders[index].answers(self.target) {
                if self.senders[index].pending.remove(&id).is_some() {
                    answered(index, id);
                }
            }
            self.resend(index, now);
            while self.senders[index].pending.len() < self.patience.window {
                let Some((id, bytes)) = self.senders[index].waiting.pop_front() else {
                    break;
                };
                if self.transmit(index, &bytes) {
                    self.counts.sent += 1;
                }
                self.senders[index].pending.insert(
                    id,
                    Pending {
                        bytes,
                        sent: now,
                        tries: 1,
                    },
                );
            }
        }
    }

    /// Informs that still want an answer, queued ones included.
    pub(crate) fn unanswered(&self) -> usize {
        self.senders.iter().map(|s| s.pending.len() + s.waiting.len()).sum()
    }

    fn resend(&mut self, index: usize, now: Instant) {
        let Patience {
            resend_after,
            tries_max,
            ..
        } = self.patience;
        let overdue: Vec<i32> = self.senders[index]
            .pending
            .iter()
            .filter(|(_, p)| now.saturating_duration_since(p.sent) >= resend_after)
            .map(|(&id, _)| id)
            .collect();
        for id in overdue {
            let Some(mut pending) = self.senders[index].pending.remove(&id) else {
                continue;
            };
            if pending.tries >= tries_max {
                self.counts.given_up += 1;
                continue;
            }
            if self.transmit(index, &pending.bytes) {
                self.counts.resent += 1;
            }
            pending.sent = now;
            pending.tries += 1;
            self.senders[index].pending.insert(id, pending);
        }
    }

    /// A full send buffer on loopback drains in microseconds: a few tries are enough.
    fn transmit(&mut self, sender: usize, bytes: &[u8]) -> bool {
        for _ in 0..200 {
            match self.senders[sender].socket.send_to(bytes, self.target) {
                Ok(_) => return true,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                    std::thread::sleep(Duration::from_micros(50));
                }
                Err(_) => break,
            }
        }
        self.counts.failed += 1;
        false
    }
}

impl Sender {
    fn new(address: Ipv4Addr) -> Result<Self, SendError> {
        assert!(address.is_loopback(), "simulated OLTs have addresses in 127.0.0.0/8");
        let open = || {
            let socket = UdpSocket::bind((address, 0))?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let socket = open().map_err(|source| SendError::Bind { address, source })?;
        Ok(Self {
            socket,
            pending: BTreeMap::new(),
            waiting: VecDeque::new(),
        })
    }

    /// Request ids of the answers that have come.
    fn answers(&self, target: SocketAddr) -> Vec<i32> {
        let mut out = Vec::new();
        let mut buffer = [0; 2048];
        if self.pending.is_empty() {
            return out;
        }
        // Anything but an answer ends the round; an ICMP error of an absent listener is taken and forgotten.
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            if from == target {
                out.extend(answer_id(&buffer[..length]));
            }
        }
        out
    }
}

/// The request id of a `Response-PDU` in a v2c message; `None` for anything else.
fn answer_id(datagram: &[u8]) -> Option<i32> {
    let (0x30, message, _) = element(datagram)? else {
        return None;
    };
    let (0x02, _version, rest) = element(message)? else {
        return None;
    };
    let (0x04, _community, rest) = element(rest)? else {
        return None;
    };
    let (0xA2, pdu, _) = element(rest)? else { return None };
    let (0x02, id, _) = element(pdu)? else { return None };
    let mut octets = if id.first()? & 0x80 == 0 { [0; 4] } else { [0xFF; 4] };
    octets.get_mut(4usize.checked_sub(id.len())?..)?.copy_from_slice(id);
    Some(i32::from_be_bytes(octets))
}

/// Tag, content and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let (digits, behind) = rest.split_at_checked(usize::from(first & 0x7F))?;
        length = digits
            .iter()
            .try_fold(0usize, |n, &d| n.checked_mul(256)?.checked_add(d.into()))?;
        rest = behind;
    }
    let (content, behind) = rest.split_at_checked(length)?;
    Some((tag, content, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_recognised() {
        let answer = [
            0x30, 0x17, 2, 1, 1, 4, 6, b'p', b'u', b'b', b'l', b'i', b'c', 0xA2, 0x0A, 2, 2, 0xFF, 0x01, 2, 1, 0, 2, 1,
            0,
        ];
        assert_eq!(answer_id(&answer), Some(-255));
        for cut in 0..answer.len() {
            assert_eq!(answer_id(&answer[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn nothing_leaves_the_machine() {
        let patience = Patience {
            resend_after: Duration::from_secs(1),
            tries_max: 1,
            window: 1,
        };
        for target in ["192.0.2.1:162", "0.0.0.0:162", "[::1]:162", "8.8.8.8:162"] {
            let wire = Wire::new(target.parse().unwrap(), [], patience);
            assert!(matches!(wire, Err(SendError::NotLoopback(_))), "{target}");
        }
    }
}
