//! What a message costs: `cargo run --release -p snmp-usm --example cost`.
//!
//! A typical trap of an OLT (9 varbinds, some 300 octets) of each kind of user, taken over and over by one thread. Prints
//! nanoseconds a message; the aim for authPriv is 5,000 at most.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for the terminal, over its own constants"
)]

use std::time::{Duration, Instant};

use snmp_pdu::encode::{self, V2Notification};
use snmp_pdu::{Oid, Value};
use snmp_usm::{AuthProtocol, EngineId, Header, Limits, LocalEngine, PrivProtocol, User, Usm, scoped_pdu, write};

const ROUNDS: u32 = 200_000;

fn main() {
    println!("{:<24} {:>6} {:>9}", "user", "octets", "ns");
    let privacies = [
        None,
        Some(PrivProtocol::Des),
        Some(PrivProtocol::Aes128),
        Some(PrivProtocol::Aes256),
    ];
    bare();
    measure(None, None);
    for auth in AuthProtocol::ALL {
        for privacy in privacies {
            measure(Some(*auth), privacy);
        }
    }
}

/// The PDU alone, as in a v2c message: what of the cost is not v3's.
fn bare() {
    let pdu = trap();
    let start = Instant::now();
    for _ in 0..ROUNDS {
        let trap = snmp_pdu::TrapPdu::parse(std::hint::black_box(&pdu));
        assert!(trap.is_ok_and(|t| t.request_id == Some(1)));
    }
    let nanos = start.elapsed().as_nanos() / u128::from(ROUNDS);
    println!("{:<24} {:>6} {nanos:>9}", "(the PDU alone)", pdu.len());
}

fn measure(auth: Option<AuthProtocol>, privacy: Option<PrivProtocol>) {
    let password: &[u8] = b"maplesyrup";
    let user = User::new(
        b"noc",
        auth.map(|p| (p, password)),
        privacy.map(|p| (p, password)),
        vec![],
    )
    .unwrap();
    let engine = LocalEngine {
        id: EngineId::ours([1; 16]),
        boots: 1,
        started: Duration::ZERO,
    };
    let sender: EngineId = "80001f8880c0ffee01".parse().unwrap();
    let header = Header {
        id: 1,
        max_size: 65_507,
        level: user.level(),
        reportable: false,
        engine_id: sender.as_bytes(),
        boots: 7,
        time: 1_234,
        user: user.name(),
        salt: 5,
    };
    let keys = user.keys_for(sender);
    let datagram = write(&header, Some(&keys), scoped_pdu(sender.as_bytes(), b"", &trap()));
    let mut usm = Usm::new(engine, vec![user], Limits::default(), 1).unwrap();
    let mut plain = Vec::with_capacity(65_536);
    let now = Duration::from_secs(1);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        let received = usm.receive(std::hint::black_box(&datagram), &mut plain, now, |_| true);
        assert!(received.is_ok_and(|r| r.trap.request_id == Some(1)));
    }
    let nanos = start.elapsed().as_nanos() / u128::from(ROUNDS);
    let name = [
        auth.map_or("noAuth", AuthProtocol::as_str),
        privacy.map_or("", PrivProtocol::as_str),
    ]
    .join(" ");
    println!("{name:<24} {:>6} {nanos:>9}", datagram.len());
}

fn trap() -> Vec<u8> {
    let head = V2Notification {
        request_id: 1,
        uptime: 4_242,
        trap_oid: Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 128, 1, 1, 12, 2, 2, 0, 18]),
    };
    let column = |n| Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 3, 3, n, 1, 1]);
    encode::v2_trap(
        &head,
        &[
            (column(1), Value::Integer(0)),
            (column(2), Value::Integer(3)),
            (column(4), Value::Integer(5)),
            (
                Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 128, 1, 1, 2, 43, 1, 1]),
                Value::Integer(17),
            ),
            (
                Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 128, 1, 1, 2, 45, 1, 4]),
                Value::OctetString(b"EG8145V5"),
            ),
            (Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 158, 50, 3]), Value::Integer(1)),
            (
                Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 128, 1, 1, 11, 7]),
                Value::OctetString(b"-28.54"),
            ),
        ],
    )
}
