//! Against OpenSSH: with nothing but the algorithms of old boxes, and as it is today.
//!
//! The server runs here alone, on a free port, with keys and a configuration of its own in a folder that is removed. To check a
//! password it needs a system user: one is made for the test, without a home, and removed. Without root there is no such user,
//! and the test says that it was not run.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use connector_olt_ssh::session::{Class, OpenError, Transport};
use futures_util::future::join_all;
use tempfile::TempDir;

use super::cli::VERSION;
use super::{
    LEGACY, MODERN, MemoryPins, PASSWORD, canary, nothing_left_over, open_in_time, open_once, patient, target,
};

const SSHD: &str = "/usr/sbin/sshd";
/// How the name of a test's user begins; the test's process follows.
const USER: &str = "atalaia-t";

/// A command line in a few lines of shell: enough for a session to be opened, used and left.
const CLI: &str = r#"#!/bin/sh
printf '\n  Huawei Integrated Access Software (MA5603T).\n\nOLT-9>'
mode='>'
while read -r line; do
    case "$line" in
    enable) mode='#' ;;
    'display version') printf '  VERSION : MA5800V100R018C00\n  PATCH   : SPH505\n  PRODUCT : MA5800-X7\n' ;;
    quit)
        printf 'Are you sure to log out? (y/n)[n]:'
        read -r answer
        [ "$answer" = y ] && exit 0
        ;;
    *) printf '  %% Unknown command, the error locates at ^\n' ;;
    esac
    printf '\nOLT-9%s' "$mode"
done
"#;

/// The algorithms of a server that has no others: key exchange, host key, cipher and, where the cipher does not do it, MAC.
type Algorithms = [&'static str; 4];

/// Everything that is offered to a device under the modern profile.
const MODERN_ALGORITHMS: [Algorithms; 8] = [
    ["curve25519-sha256", "ssh-ed25519", "chacha20-poly1305@openssh.com", ""],
    [
        "curve25519-sha256@libssh.org",
        "ecdsa-sha2-nistp256",
        "aes256-gcm@openssh.com",
        "",
    ],
    [
        "ecdh-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "aes128-gcm@openssh.com",
        "",
    ],
    [
        "ecdh-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "aes256-ctr",
        "hmac-sha2-512-etm@openssh.com",
    ],
    [
        "ecdh-sha2-nistp521",
        "rsa-sha2-512",
        "aes192-ctr",
        "hmac-sha2-256-etm@openssh.com",
    ],
    [
        "diffie-hellman-group16-sha512",
        "rsa-sha2-256",
        "aes128-ctr",
        "hmac-sha2-512",
    ],
    [
        "diffie-hellman-group14-sha256",
        "rsa-sha2-512",
        "aes128-ctr",
        "hmac-sha2-256",
    ],
    [
        "diffie-hellman-group-exchange-sha256",
        "rsa-sha2-512",
        "aes128-ctr",
        "hmac-sha2-256",
    ],
];
/// And what the legacy profile has besides, with RSA keys of 1,024 bits.
const LEGACY_ALGORITHMS: [Algorithms; 5] = [
    ["diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc", "hmac-sha1"],
    ["diffie-hellman-group14-sha1", "ssh-rsa", "aes128-cbc", "hmac-sha1"],
    [
        "diffie-hellman-group-exchange-sha1",
        "ssh-rsa",
        "aes192-cbc",
        "hmac-sha1",
    ],
    [
        "curve25519-sha256",
        "ssh-rsa",
        "aes256-cbc",
        "hmac-sha1-etm@openssh.com",
    ],
    ["curve25519-sha256", "rsa-sha2-256", "aes128-ctr", "hmac-sha2-256"],
];

/// How a server is configured: its key, and lines about algorithms.
#[derive(Debug, Clone)]
struct Setting {
    kind: &'static str,
    bits: &'static str,
    lines: String,
}

impl Setting {
    fn of_today() -> Self {
        let lines = String::new();
        let (kind, bits) = ("ed25519", "256");
        Self { kind, bits, lines }
    }

    fn of([kex, key, cipher, mac]: Algorithms, rsa_bits: &'static str) -> Self {
        let (kind, bits) = match key {
            "ssh-ed25519" => ("ed25519", "256"),
            key => match key.strip_prefix("ecdsa-sha2-nistp") {
                Some(bits) => ("ecdsa", bits),
                None => ("rsa", rsa_bits),
            },
        };
        let mac = if mac.is_empty() { "hmac-sha2-256" } else { mac };
        let lines = format!(
            "RequiredRSASize 1024\nKexAlgorithms {kex}\nHostKeyAlgorithms {key}\nCiphers {cipher}\nMACs {mac}\n"
        );
        Self { kind, bits, lines }
    }
}

/// A user of this machine for as long as the test runs.
struct User(String);

impl User {
    fn new() -> Option<Self> {
        let root = rustix::process::geteuid().is_root();
        if !root || !Path::new(SSHD).exists() {
            eprintln!("not run: needs {SSHD} (Debian openssh-server) and root, to make a user with a password");
            return None;
        }
        Self::remove_left_over();
        let user = Self(format!("{USER}{}", std::process::id()));
        // Somebody else may hold the lock of the user list.
        let begun = Instant::now();
        while !user.make() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "cannot make the user {}",
                user.0
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        let mut setting = Command::new("chpasswd").stdin(Stdio::piped()).spawn().unwrap();
        let line = format!("{}:{PASSWORD}\n", user.0);
        std::io::Write::write_all(setting.stdin.as_mut().unwrap(), line.as_bytes()).unwrap();
        drop(setting.stdin.take());
        assert!(setting.wait().unwrap().success());
        Some(user)
    }

    /// Of tests that were killed.
    fn remove_left_over() {
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let names = users.lines().filter_map(|line| line.split(':').next());
        for (name, process) in names.filter_map(|name| Some((name, name.strip_prefix(USER)?))) {
            if process.parse::<u32>().is_ok() && !Path::new("/proc").join(process).exists() {
                drop(Self(name.to_owned()));
            }
        }
    }

    fn make(&self) -> bool {
        let arguments = [
            "--no-create-home",
            "--no-user-group",
            "--home-dir",
            "/",
            "--shell",
            "/bin/sh",
            &self.0,
        ];
        Command::new("useradd").args(arguments).status().unwrap().success()
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // By force: a process of its last session may be about to end.
        let removed = Command::new("userdel").args(["--force", &self.0]).status();
        let removed = removed.is_ok_and(|status| status.success());
        assert!(
            std::thread::panicking() || removed,
            "the user {} is left over: remove it by userdel",
            self.0
        );
    }
}

/// A server of its own.
struct Sshd {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Sshd {
    fn start(setting: &Setting, methods: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Its unprivileged child runs the script.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let Setting { kind, bits, lines } = setting;
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-b", bits, "-N", "", "-f", &path("key")])
            .status()
            .unwrap();
        assert!(made.success());
        fs::write(path("cli"), CLI).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nPidFile none\nForceCommand /bin/sh {}\nPermitTTY yes\n\
             PrintMotd no\nPrintLastLog no\nStrictModes no\nMaxAuthTries 3\nLogLevel VERBOSE\nPubkeyAuthentication no\n{methods}\n{lines}",
            path("key"),
            path("cli"),
        );
        fs::write(path("config"), config).unwrap();
        let child = Command::new(SSHD)
            .args(["-D", "-f", &path("config"), "-E", &path("log")])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut sshd = Self { child, folder, address };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = sshd.child.try_wait().unwrap();
            let late = begun.elapsed() > Duration::from_secs(10);
            assert!(ended.is_none() && !late, "sshd does not start: {}", sshd.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        sshd
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        assert!(std::thread::panicking() || killed.is_ok(), "{killed:?}");
    }
}

const BY_PASSWORD: &str = "PasswordAuthentication yes\nKbdInteractiveAuthentication no\nUsePAM no";
const BY_KEYBOARD: &str = "PasswordAuthentication no\nKbdInteractiveAuthentication yes\nUsePAM yes";

/// One session from the login to the log-out; which algorithms it had, and whether they are old.
async fn session(user: &User, sshd: &Sshd, transport: Transport) -> ([String; 4], bool) {
    let mut opening = target(sshd.address, transport);
    opening.user.clone_from(&user.0);
    let opened = open_in_time(&opening, &MemoryPins::default(), &patient()).await;
    let mut session = opened.unwrap_or_else(|error| panic!("{error:?}\n{}", sshd.log()));
    assert_eq!(session.host(), "OLT-9");
    session.set_up().await.unwrap();
    let said = session.run("display version", false).await.unwrap();
    let text = String::from_utf8_lossy(&said.bytes).into_owned();
    assert!(text.contains(VERSION) && text.ends_with("OLT-9#"), "{text:?}");
    let had = session.negotiated().unwrap().clone();
    session.leave().await.unwrap();
    (
        [had.kex, had.host_key, had.cipher, had.mac.unwrap_or_default()],
        had.legacy,
    )
}

/// A server with these algorithms alone is used; under the modern profile it gets no password if they are old.
async fn check(user: &User, algorithms: Algorithms, transport: Transport) {
    let bits = if transport == LEGACY { "1024" } else { "2048" };
    let sshd = Sshd::start(&Setting::of(algorithms, bits), BY_PASSWORD);
    let (had, legacy) = session(user, &sshd, transport).await;
    assert_eq!(
        (had.each_ref().map(String::as_str), legacy),
        (algorithms, transport == LEGACY)
    );
    if transport == LEGACY {
        let before = sshd.log().matches("password").count();
        let error = open_once(sshd.address, MODERN, &patient()).await.unwrap_err();
        assert_eq!(error.class(), Class::Algorithms, "{error:?}");
        let short = matches!(error, OpenError::WeakHostKey { bits: 1_024, .. });
        assert_eq!(short, algorithms[1].starts_with("rsa-sha2"), "{error:?}");
        assert_eq!(sshd.log().matches("password").count(), before, "none was sent");
    }
}

#[tokio::test]
async fn old_and_new_servers_are_logged_in_to() {
    canary::watch();
    let Some(user) = User::new() else {
        return;
    };
    let modern = MODERN_ALGORITHMS.map(|algorithms| check(&user, algorithms, MODERN));
    let legacy = LEGACY_ALGORITHMS.map(|algorithms| check(&user, algorithms, LEGACY));
    tokio::join!(join_all(modern), join_all(legacy));

    let today = Setting::of_today();
    let password = Sshd::start(&today, BY_PASSWORD);
    for transport in [MODERN, LEGACY] {
        let (had, legacy) = session(&user, &password, transport).await;
        assert_eq!(had[..3], MODERN_ALGORITHMS[0][..3]);
        assert!(!legacy, "a good server stays good under the legacy profile");
    }
    let keyboard = Sshd::start(&today, BY_KEYBOARD);
    session(&user, &keyboard, MODERN).await;
    for sshd in [&password, &keyboard] {
        let mut wrong = target(sshd.address, MODERN);
        wrong.user.clone_from(&user.0);
        wrong.password = model::Secret::new("wrong", "test");
        let error = open_in_time(&wrong, &MemoryPins::default(), &patient()).await;
        assert_eq!(error.unwrap_err().class(), Class::Refused);
        // What the server itself counted, until we were gone.
        let begun = Instant::now();
        while !sshd.log().contains(" by authenticating user ") {
            assert!(begun.elapsed() < Duration::from_secs(10), "{}", sshd.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let log = sshd.log();
        let failed = log.lines().filter(|line| line.starts_with("Failed "));
        let failed = failed.filter(|line| !line.starts_with("Failed none"));
        assert_eq!(failed.count(), 1, "{log}");
    }
    nothing_left_over().await;
}
