//! Sessions against devices that are played here, fault by fault, and against a real SSH server.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod canary;
mod cli;
mod faults;
mod login;
mod openssh;
mod server;
mod telnet;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use connector_olt_ssh::session::{
    OpenError, Pin, Pins, PinsError, Profile, RunError, Session, SessionLimits, Target, Transport, open,
};
use model::Secret;

/// The password of every test: it must be seen nowhere.
pub const PASSWORD: &str = "cAnArY-5d1f-p4ssw0rd";

/// Host keys in memory.
#[derive(Debug, Default)]
pub struct MemoryPins(Mutex<Vec<(String, Pin)>>);

impl Pins for MemoryPins {
    fn get(&self, device: &str) -> Result<Option<Pin>, PinsError> {
        let pins = self.0.lock().unwrap();
        let pinned = pins.iter().find(|(name, _)| name == device);
        Ok(pinned.map(|(_, pin)| pin.clone()))
    }

    fn put(&self, device: &str, pin: &Pin) -> Result<(), PinsError> {
        self.0.lock().unwrap().push((device.to_owned(), pin.clone()));
        Ok(())
    }
}

/// A device that was never met.
pub fn target(address: SocketAddr, transport: Transport) -> Target {
    Target {
        name: "acme/olt/olt-1".to_owned(),
        address,
        transport,
        user: "noc".to_owned(),
        password: Secret::new(PASSWORD, "env OLT_PASSWORD"),
    }
}

/// Today's algorithms.
pub const MODERN: Transport = Transport::Ssh(Profile::Modern);
/// Those of old boxes besides.
pub const LEGACY: Transport = Transport::Ssh(Profile::Legacy);

/// Long enough that a loaded machine is not taken for a fault.
pub fn patient() -> SessionLimits {
    let mut limits = SessionLimits::default();
    limits.dialogue.settle = Duration::from_millis(50);
    limits
}

/// For what hangs: short where it hangs, patient before it.
pub fn short(at: &str) -> SessionLimits {
    let mut limits = patient();
    let limit = Duration::from_secs(1);
    match at {
        "connect" => limits.connect = limit,
        // Includes one authentication that must not be cut off by a loaded machine.
        "login" => limits.login = Duration::from_millis(2_500),
        "answer" => {
            limits.dialogue.silence = limit;
            limits.dialogue.total = limit * 2;
            limits.send = limit;
            limits.leave = limit;
        }
        other => panic!("no stage {other}"),
    }
    limits
}

/// Opens a session; whatever comes of it must be in time, and hold no secret.
pub async fn open_in_time(target: &Target, pins: &dyn Pins, limits: &SessionLimits) -> Result<Session, OpenError> {
    let begun = Instant::now();
    let slack = Duration::from_secs(5);
    let opened = tokio::time::timeout(limits.connect + limits.login + slack, open(target, pins, limits)).await;
    let opened = opened.unwrap_or_else(|_| panic!("hangs past its deadline: {:?}", begun.elapsed()));
    if let Err(error) = &opened {
        canary::none_in(error);
    }
    opened
}

/// The same for a device that was never met.
pub async fn open_once(
    address: SocketAddr,
    transport: Transport,
    limits: &SessionLimits,
) -> Result<Session, OpenError> {
    open_in_time(&target(address, transport), &MemoryPins::default(), limits).await
}

/// The same for a command.
pub async fn run_in_time(session: &mut Session, command: &str) -> Result<String, RunError> {
    let ran = tokio::time::timeout(Duration::from_secs(20), session.run(command, false)).await;
    let ran = ran.expect("hangs past its deadline");
    match ran {
        Ok(said) => Ok(String::from_utf8_lossy(&said.bytes).into_owned()),
        Err(error) => {
            canary::none_in(&error);
            Err(error)
        }
    }
}

/// Waits until nothing that a session spawned is left over in this runtime.
pub async fn nothing_left_over() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let begun = Instant::now();
    while alive() > 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{} tasks are left over",
            alive()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
