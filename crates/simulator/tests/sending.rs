//! Over real sockets: source addresses, informs that are answered late, the load generator.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use simulator::{Dialect, Form, Network, SendError, SimConfig, Simulation, load};
use snmp_pdu::{Message, TrapPdu, Version, encode};

const DEADLINE: Duration = Duration::from_secs(10);

fn listener() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Receives until `enough` or the deadline; answers informs for which `answer` says so.
fn receive(socket: &UdpSocket, mut hear: impl FnMut(IpAddr, i32) -> bool, enough: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    let mut buffer = [0; 2048];
    while !enough() && Instant::now() < end {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        let Ok(Message::Community { community, pdu, .. }) = Message::parse(&buffer[..length]) else {
            panic!("not SNMP")
        };
        let pdu = TrapPdu::parse(pdu).unwrap();
        if hear(from.ip(), pdu.request_id.unwrap()) && pdu.is_inform() {
            let answer = encode::message(Version::V2c, community, &encode::response(&pdu).unwrap());
            socket.send_to(&answer, from).unwrap();
        }
    }
}

#[test]
fn each_olt_sends_from_its_own_address_until_stopped() {
    let (socket, target) = listener();
    let simulation = Simulation::new(SimConfig {
        onus: 40,
        ..SimConfig::default()
    })
    .unwrap();
    let running = simulation.start(target, "c").unwrap();
    let heard = std::cell::RefCell::new(BTreeMap::<IpAddr, u32>::new());
    receive(
        &socket,
        |from, _| {
            *heard.borrow_mut().entry(from).or_default() += 1;
            true
        },
        || heard.borrow().len() == 4 && heard.borrow().values().sum::<u32>() >= 40,
    );
    let (report, truth) = running.stop();
    let expected: Vec<IpAddr> = simulation.network().olts.iter().map(|o| o.address.into()).collect();
    assert_eq!(heard.borrow().keys().copied().collect::<Vec<_>>(), expected);
    assert!(
        report.sent >= 40 && report.failed == 0 && truth.len() >= 30,
        "{report:?}"
    );
}

#[test]
fn nothing_is_sent_off_this_machine() {
    let simulation = Simulation::new(SimConfig::default()).unwrap();
    assert!(matches!(
        simulation.start("192.0.2.1:162".parse().unwrap(), "c"),
        Err(SendError::NotLoopback(_))
    ));
}

#[test]
fn informs_are_sent_again_until_answered() {
    let (socket, target) = listener();
    let network = Network::generate(1, 2, 10).unwrap();
    let stop = AtomicBool::new(false);
    let load = load::Load {
        resend_after: Duration::from_millis(100),
        dialect: Dialect {
            form: Form::V2cInform,
            ..Dialect::default()
        },
        ..load::Load::new(target, "c", &network, Form::V2cInform, 2_000.0, 200)
    };
    let report = std::thread::scope(|scope| {
        let sending = scope.spawn(|| load::run(&load, &stop).unwrap());
        let mut times = BTreeMap::<i32, u32>::new();
        // Deaf to the first sending of every third.
        receive(
            &socket,
            |_, id| {
                let times = times.entry(id).or_default();
                *times += 1;
                id % 3 != 0 || *times > 1
            },
            || sending.is_finished(),
        );
        sending.join().unwrap()
    });
    let mut acked = report.acked.clone();
    acked.sort_unstable();
    assert_eq!(acked, (0..200).collect::<Vec<_>>());
    assert!(report.resent >= 66, "{}", report.resent);
}

#[test]
fn a_load_is_paced_numbered_and_told_in_advance() {
    let (socket, target) = listener();
    let network = Network::generate(1, 2, 10).unwrap();
    let load = load::Load {
        first: 5,
        ..load::Load::new(target, "c", &network, Form::V2cTrap, 500.0, 150)
    };
    let mut heard = Vec::new();
    let report = std::thread::scope(|scope| {
        let sending = scope.spawn(|| load::run(&load, &AtomicBool::new(false)).unwrap());
        let count = std::cell::Cell::new(0);
        receive(
            &socket,
            |_, id| {
                heard.push(id);
                count.set(count.get() + 1);
                true
            },
            || count.get() == 150,
        );
        sending.join().unwrap()
    });
    assert_eq!((report.sent, report.sent_at.len(), report.failed), (150, 150, 0));
    assert!(report.elapsed >= Duration::from_millis(295), "{:?}", report.elapsed);
    assert_eq!(heard, (6..156).collect::<Vec<_>>());

    let (_, _, first, down) = load::say(&network, 3);
    let (_, _, again, up) = load::say(&network, 13);
    assert_eq!(
        (first, down.state, up.state),
        (again, model::State::Offline, model::State::Online)
    );
}
