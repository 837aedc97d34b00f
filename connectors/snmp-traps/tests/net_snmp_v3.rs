//! net-snmp's `snmptrap` and `snmpinform` with 31 kinds of user against the listener: noAuth, and six authentications, each
//! alone and with DES, AES, AES-192 and AES-256. Of each: a trap, an inform (which begins with discovery), an inform whose
//! answer is lost and which is sent again, a wrong key, less protection than configured. Beside them the other key extension
//! (what net-snmp calls AES192C and AES256C).

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use common::{AUTH_PASSWORD, Bench, PRIV_PASSWORD, v3_config, v3_user};
use connector_snmp_traps::{Counts, Refusal};
use schemas::SnmpVersion;
use snmp_pdu::TrapPdu;
use snmp_usm::Refusal as Usm;

/// Our word and net-snmp's for an authentication.
const AUTHS: [(&str, &str); 6] = [
    ("md5", "MD5"),
    ("sha1", "SHA"),
    ("sha224", "SHA-224"),
    ("sha256", "SHA-256"),
    ("sha384", "SHA-384"),
    ("sha512", "SHA-512"),
];
const PRIVS: [(&str, &str); 4] = [
    ("des", "DES"),
    ("aes128", "AES"),
    ("aes192", "AES-192"),
    ("aes256", "AES-256"),
];
const REEDER: [(&str, &str); 2] = [("aes192-reeder", "AES192C"), ("aes256-reeder", "AES256C")];

type Words = (&'static str, &'static str);

/// One sender: who it is, and with which passwords.
#[derive(Clone)]
struct Sender {
    user: String,
    auth: Option<Words>,
    privacy: Option<Words>,
    auth_password: &'static str,
    priv_password: &'static str,
}

impl Sender {
    fn new(auth: Option<Words>, privacy: Option<Words>) -> Self {
        let name = |words: Option<Words>| words.map_or("none", |(ours, _)| ours);
        Self {
            user: format!("{}.{}", name(auth), name(privacy)),
            auth,
            privacy,
            auth_password: AUTH_PASSWORD,
            priv_password: PRIV_PASSWORD,
        }
    }

    /// Runs a program of net-snmp; a machine without it fails the test rather than skipping it.
    fn run(&self, program: &str, to: SocketAddr, more: &[&str]) -> Output {
        let level = match (self.auth, self.privacy) {
            (None, _) => "noAuthNoPriv",
            (_, None) => "authNoPriv",
            _ => "authPriv",
        };
        let mut command = Command::new(program);
        // No MIB files and no memory of its own: names are numbers here, and each run is a first one.
        let nowhere = tempfile::tempdir().unwrap();
        command.env("SNMP_PERSISTENT_DIR", nowhere.path());
        command.env("SNMPCONFPATH", nowhere.path());
        command.args(["-m", "", "-v", "3", "-u", &self.user, "-l", level]);
        if let Some((_, word)) = self.auth {
            command.args(["-a", word, "-A", self.auth_password]);
        }
        if let Some((_, word)) = self.privacy {
            command.args(["-x", word, "-X", self.priv_password]);
        }
        command.args(more);
        command.arg(format!("udp:{to}"));
        command.args(["4242", "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.2.2.1.1.7", "i", "7"]);
        command
            .output()
            .unwrap_or_else(|error| panic!("cannot run `{program}`: {error}; install it: apt-get install snmp"))
    }

    fn trap(&self, to: SocketAddr) {
        let output = self.run("snmptrap", to, &["-e", "0x80001f8880c0ffee01", "-Z", "7,1234"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn inform(&self, to: SocketAddr, patience: &[&str]) -> bool {
        self.run("snmpinform", to, patience).status.success()
    }
}

fn check(auth: Option<Words>, privacies: &[Option<Words>]) {
    let folder = tempfile::tempdir().unwrap();
    let senders: Vec<Sender> = privacies.iter().map(|privacy| Sender::new(auth, *privacy)).collect();
    let users = senders
        .iter()
        .map(|s| v3_user(&s.user, s.auth.map(|(word, _)| word), s.privacy.map(|(word, _)| word)))
        .collect();
    let mut bench = Bench::start(v3_config(users, &folder));
    for (n, sender) in senders.iter().enumerate() {
        check_sender(&mut bench, n * 4, sender);
    }
}

/// `before`: how many records there are already.
fn check_sender(bench: &mut Bench, before: usize, sender: &Sender) {
    let to = bench.address();
    let who = sender.user.as_str();
    sender.trap(to);
    assert!(
        sender.inform(to, &["-r", "0", "-t", "5"]),
        "{who}: no answer to its inform"
    );
    // The answer is lost: it is sent again, and answered again.
    let lossy = Proxy::start(to);
    assert!(
        sender.inform(lossy.address, &["-r", "3", "-t", "0.5"]),
        "{who}: no answer to its second sending"
    );
    assert!(lossy.lost() == 1, "{who}: nothing was lost");
    let records = bench.wait_traps(before + 4);
    let ours = &records[before..];
    for record in ours {
        assert_eq!((record.version, record.credential.as_str()), (SnmpVersion::V3, who));
        let trap = TrapPdu::parse(&record.pdu).unwrap();
        assert_eq!(
            (trap.trap_oid.to_string().as_str(), trap.sys_uptime),
            ("1.3.6.1.6.3.1.1.5.3", Some(4_242))
        );
    }
    let informs: Vec<bool> = ours.iter().map(|r| r.inform).collect();
    assert_eq!(informs, [false, true, true, true], "{who}");
    let request_id = |n: usize| TrapPdu::parse(&ours[n].pdu).unwrap().request_id;
    assert_eq!(
        request_id(2),
        request_id(3),
        "{who}: the same inform, told by its request id"
    );

    let wrong = |change: &dyn Fn(&mut Sender), expected: Usm| {
        let mut sender = sender.clone();
        change(&mut sender);
        let was = bench.counts();
        sender.trap(to);
        let count = |counts: &Counts| counts.refused_for(Refusal::V3(expected));
        let now = bench.wait_counts("refusal of a trap", |c| c.received == was.received + 1);
        assert_eq!(count(&now), count(&was) + 1, "{who} {expected:?}: {now:?}");
        assert!(
            !sender.inform(to, &["-r", "0", "-t", "0.2"]),
            "{who}: answered in spite of {expected:?}"
        );
        let now = bench.wait_counts("refusal of an inform", |c| count(c) > count(&was) + 1);
        assert_eq!(now.accepted, was.accepted, "{who} {expected:?}");
    };
    wrong(&|s| s.user = "nobody".to_owned(), Usm::UnknownUser);
    if sender.auth.is_some() {
        wrong(&|s| s.auth_password = "another password", Usm::Digest);
        wrong(&|s| (s.auth, s.privacy) = (None, None), Usm::SecurityLevel);
    }
    if sender.privacy.is_some() {
        wrong(&|s| s.priv_password = "another password", Usm::Decryption);
        wrong(&|s| s.privacy = None, Usm::SecurityLevel);
    }
}

/// Between sender and listener; loses the first answer that is not a report (net-snmp asks once for our engine before it
/// informs, so that is the second datagram back).
struct Proxy {
    address: SocketAddr,
    lost: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Proxy {
    fn start(listener: SocketAddr) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").unwrap();
        back.connect(listener).unwrap();
        for socket in [&front, &back] {
            socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        }
        let (lost, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let proxy = Self {
            address: front.local_addr().unwrap(),
            lost: lost.clone(),
            stop: stop.clone(),
        };
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            let (mut sender, mut answers) = (None, 0);
            while !stop.load(Ordering::Relaxed) {
                if let Ok((length, from)) = front.recv_from(&mut buffer) {
                    sender = Some(from);
                    back.send(&buffer[..length]).unwrap();
                }
                if let (Ok(length), Some(sender)) = (back.recv(&mut buffer), sender) {
                    answers += 1;
                    if answers == 2 {
                        lost.fetch_add(1, Ordering::Relaxed);
                    } else {
                        front.send_to(&buffer[..length], sender).unwrap();
                    }
                }
            }
        });
        proxy
    }

    fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// One authentication with no privacy, each privacy, and each of the other extension.
fn check_all_of(auth: usize) {
    let privacies: Vec<Option<Words>> = std::iter::once(None)
        .chain(PRIVS.iter().chain(&REEDER).map(|p| Some(*p)))
        .collect();
    check(Some(AUTHS[auth]), &privacies);
}

#[test]
fn no_auth() {
    check(None, &[None]);
}

#[test]
fn md5() {
    check_all_of(0);
}

#[test]
fn sha1() {
    check_all_of(1);
}

#[test]
fn sha224() {
    check_all_of(2);
}

#[test]
fn sha256() {
    check_all_of(3);
}

#[test]
fn sha384() {
    check_all_of(4);
}

#[test]
fn sha512() {
    check_all_of(5);
}
