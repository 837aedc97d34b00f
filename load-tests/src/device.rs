//! OLTs that send numbered notifications from their own loopback addresses.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use snmp_pdu::encode::{V2Notification, inform, message, v2_trap};
use snmp_pdu::{Oid, Value, Version};

use crate::product::{COMMUNITY, olt_address};

/// Places of one OLT that the generators use, in turn: 8 PONs of 64 ONUs on each of two boards.
pub const ONUS_PER_OLT: u32 = 2 * 8 * 64;

/// One notification about one ONU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// The OLT's number.
    pub olt: u8,
    /// Which of its ONUs, below [`ONUS_PER_OLT`].
    pub onu: u32,
    /// Dying gasp, or power back.
    pub raise: bool,
    /// Request id, unique in a run.
    pub request_id: i32,
}

impl Note {
    /// The `n`th note of an endless script: every ONU of every OLT in turn loses power, then all get it back, and so on.
    pub fn nth(n: u32, olts: u8) -> Self {
        let olts = u32::from(olts);
        let round = n / (olts * ONUS_PER_OLT);
        Self {
            olt: u8::try_from(n % olts).expect("below the number of OLTs"),
            onu: (n / olts) % ONUS_PER_OLT,
            raise: round.is_multiple_of(2),
            request_id: i32::try_from(n + 1).expect("runs are shorter than 2^31"),
        }
    }

    /// The ONU's entity id.
    pub fn entity(&self) -> String {
        let (slot, port, onu) = self.place();
        format!("default/olt/olt-{}/onu/0/{slot}/{port}/{onu}", self.olt)
    }

    fn place(&self) -> (i32, i32, i32) {
        let at = i32::try_from(self.onu).expect("below a thousand");
        (1 + at / 512, at / 64 % 8, at % 64)
    }

    /// The datagram.
    pub fn datagram(&self, acknowledged: bool, uptime: u32) -> Vec<u8> {
        let pdu = dying_gasp(self.raise, self.place(), self.request_id, uptime, acknowledged);
        message(Version::V2c, COMMUNITY.as_bytes(), &pdu)
    }
}

/// The PDU by which an OLT says that the ONU at (slot, port, ONU id) of frame 0 has lost its power, or has it back.
pub fn dying_gasp(
    raise: bool,
    (slot, port, onu): (i32, i32, i32),
    request_id: i32,
    uptime: u32,
    acknowledged: bool,
) -> Vec<u8> {
    let oid = |text: &str| text.parse::<Oid>().expect("an OID of this file");
    let p = "1.3.6.1.4.1.2011";
    let trap_oid = oid(&format!("{p}.6.128.1.1.12.2.2.0.{}", if raise { 18 } else { 19 }));
    let varbinds = [
        (oid(&format!("{p}.6.3.3.1.1.1.0")), Value::Integer(0)),
        (oid(&format!("{p}.6.3.3.2.1.1.{slot}")), Value::Integer(slot)),
        (oid(&format!("{p}.6.3.3.4.1.1.{port}")), Value::Integer(port)),
        (oid(&format!("{p}.6.128.1.1.2.43.1.1.{onu}")), Value::Integer(onu)),
    ];
    let note = V2Notification {
        request_id,
        uptime,
        trap_oid,
    };
    match acknowledged {
        true => inform(&note, &varbinds),
        false => v2_trap(&note, &varbinds),
    }
}

/// The sockets of some OLTs, each bound to its own address.
pub struct Devices {
    sockets: Vec<UdpSocket>,
    target: SocketAddr,
}

impl Devices {
    /// Opens the sockets.
    ///
    /// # Errors
    /// When the target is not on this machine, or a socket cannot be bound.
    pub fn new(olts: u8, target: SocketAddr) -> Result<Self> {
        ensure!(target.ip().is_loopback(), "load goes to loopback addresses only");
        let sockets = (0..olts)
            .map(|olt| {
                let socket = UdpSocket::bind((olt_address(olt), 0))?;
                socket.set_nonblocking(true)?;
                Ok(socket)
            })
            .collect::<Result<_>>()?;
        Ok(Self { sockets, target })
    }

    /// Sends one note, as a trap or an inform. Whether it arrives is another matter.
    pub fn send(&self, note: &Note, acknowledged: bool) {
        self.send_at(note, acknowledged, uptime());
    }

    /// As [`Devices::send`] with a given sysUpTime, in hundredths of a second: a resent inform has the first one's.
    pub fn send_at(&self, note: &Note, acknowledged: bool, uptime: u32) {
        let datagram = note.datagram(acknowledged, uptime);
        // A refused datagram (nobody listens) is a lost datagram.
        drop(self.sockets[usize::from(note.olt)].send_to(&datagram, self.target));
    }

    /// Request ids of the informs answered since the last call.
    pub fn answered(&self) -> Vec<i32> {
        let mut buffer = [0; 2048];
        let mut answered = Vec::new();
        for socket in &self.sockets {
            while let Ok((length, _)) = socket.recv_from(&mut buffer) {
                answered.extend(response_id(&buffer[..length]));
            }
        }
        answered
    }
}

/// A sysUpTime that goes on over runs, in hundredths of a second: one that began anew with each run would make its traps
/// older than those of the run before.
fn uptime() -> u32 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since_1970.as_millis() / 10 % 100_000_000).expect("below 10^8")
}

/// Request id of an answer: the first INTEGER in the Response-PDU behind our community.
fn response_id(datagram: &[u8]) -> Option<i32> {
    let community = COMMUNITY.as_bytes();
    let at = datagram.windows(community.len()).position(|w| w == community)? + community.len();
    let body = match &datagram[at..] {
        [0xA2, length, rest @ ..] if *length < 0x80 => rest,
        [0xA2, 0x81, _, rest @ ..] | [0xA2, 0x82, _, _, rest @ ..] => rest,
        _ => return None,
    };
    let [0x02, length @ 1..=4, rest @ ..] = body else {
        return None;
    };
    let bytes = rest.get(..usize::from(*length))?;
    Some(
        bytes[1..]
            .iter()
            .fold(i32::from(bytes[0].cast_signed()), |value, byte| {
                (value << 8) | i32::from(*byte)
            }),
    )
}

/// Sleeps until it is `n` intervals of `1/rate` seconds after `began`; at once if that is past.
pub fn pace(began: Instant, n: u32, rate: f64) {
    let due = began + Duration::from_secs_f64(f64::from(n) / rate);
    let now = Instant::now();
    if due > now {
        std::thread::sleep(due - now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_its_inform() {
        for n in [0, 127, 128, 40_000, 1 << 20] {
            let note = Note::nth(n, 3);
            let mut answer = note.datagram(true, 1);
            // The answer to an inform differs in the PDU's tag alone.
            let at = answer.iter().position(|b| *b == 0xA6).expect("an inform");
            answer[at] = 0xA2;
            assert_eq!(response_id(&answer), Some(note.request_id));
        }
        assert_eq!(response_id(b"\x30\x00"), None);
    }
}
