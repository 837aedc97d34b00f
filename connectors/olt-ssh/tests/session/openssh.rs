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

/// How the server is configured: its key, and lines about algorithms.
#[derive(Debug, Clone, Copy)]
struct Setting(&'static str, &'static str, &'static str);

const TODAY: Setting = Setting("ed25519", "256", "");
const OLD: Setting = Setting(
    "rsa",
    "1024",
    "RequiredRSASize 1024
KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1
HostKeyAlgorithms ssh-rsa
Ciphers 3des-cbc,aes128-cbc
MACs hmac-sha1
",
);
const OLDEST: Setting = Setting(
    "rsa",
    "1024",
    "RequiredRSASize 1024
KexAlgorithms diffie-hellman-group1-sha1
HostKeyAlgorithms ssh-rsa
Ciphers 3des-cbc
MACs hmac-sha1
",
);
const GROUP_EXCHANGE: Setting = Setting(
    "rsa",
    "2048",
    "KexAlgorithms diffie-hellman-group-exchange-sha1
HostKeyAlgorithms ssh-rsa
Ciphers aes256-ctr
MACs hmac-sha1
",
);
/// Nothing is old but its key.
const SHORT_KEY: Setting = Setting("rsa", "1024", "RequiredRSASize 1024\nHostKeyAlgorithms rsa-sha2-256\n");

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
    fn start(setting: Setting, methods: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Its unprivileged child runs the script.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let Setting(kind, bits, lines) = setting;
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

/// One session from the login to the log-out; which algorithms it had.
async fn session(user: &User, sshd: &Sshd, transport: Transport) -> [String; 4] {
    let mut opening = target(sshd.address, transport);
    opening.user.clone_from(&user.0);
    let opened = open_in_time(&opening, &MemoryPins::default(), &patient()).await;
    let mut session = opened.unwrap_or_else(|error| panic!("{error:?}\n{}", sshd.log()));
    assert_eq!(session.host(), "OLT-9");
    session.set_up().await.unwrap();
    let said = session.run("display version", false).await.unwrap();
    let text = String::from_utf8_lossy(&said.bytes).into_owned();
    assert!(text.contains(VERSION) && text.ends_with("OLT-9#"), "{text:?}");
    let negotiated = session.negotiated().unwrap().clone();
    let old = negotiated.kex.ends_with("-sha1") || negotiated.host_key == "rsa-sha2-256";
    assert_eq!(negotiated.legacy, old, "{negotiated:?}");
    session.leave().await.unwrap();
    let mac = negotiated.mac.unwrap_or_default();
    [negotiated.kex, negotiated.host_key, negotiated.cipher, mac]
}

#[tokio::test]
async fn old_and_new_servers_are_logged_in_to() {
    canary::watch();
    let Some(user) = User::new() else {
        return;
    };
    let old = [
        (
            OLD,
            ["diffie-hellman-group14-sha1", "ssh-rsa", "aes128-cbc", "hmac-sha1"],
        ),
        (
            OLDEST,
            ["diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc", "hmac-sha1"],
        ),
        (
            GROUP_EXCHANGE,
            [
                "diffie-hellman-group-exchange-sha1",
                "ssh-rsa",
                "aes256-ctr",
                "hmac-sha1",
            ],
        ),
    ];
    for (setting, expected) in old {
        let sshd = Sshd::start(setting, BY_PASSWORD);
        assert_eq!(session(&user, &sshd, LEGACY).await, expected);
        let error = open_once(sshd.address, MODERN, &patient()).await.unwrap_err();
        assert!(matches!(error, OpenError::Algorithms { .. }), "{error:?}");
    }
    let short = Sshd::start(SHORT_KEY, BY_PASSWORD);
    let error = open_once(short.address, MODERN, &patient()).await.unwrap_err();
    assert!(matches!(error, OpenError::WeakHostKey { bits: 1_024, .. }), "{error:?}");
    assert!(!short.log().contains("password"), "none was sent");
    let algorithms = session(&user, &short, LEGACY).await;
    assert_eq!(algorithms[..2], ["curve25519-sha256", "rsa-sha2-256"]);

    let modern = Sshd::start(TODAY, BY_PASSWORD);
    for transport in [MODERN, LEGACY] {
        let algorithms = session(&user, &modern, transport).await;
        assert_eq!(algorithms[..2], ["curve25519-sha256", "ssh-ed25519"]);
    }
    let keyboard = Sshd::start(TODAY, BY_KEYBOARD);
    session(&user, &keyboard, MODERN).await;

    for sshd in [&modern, &keyboard] {
        let mut wrong = target(sshd.address, MODERN);
        wrong.user.clone_from(&user.0);
        wrong.password = model::Secret::new("wrong", "test");
        let error = open_in_time(&wrong, &MemoryPins::default(), &patient())
            .await
            .unwrap_err();
        assert_eq!(error.class(), Class::Refused, "{error:?}");
    }
    nothing_left_over().await;
    // What the server itself counted.
    for sshd in [&modern, &keyboard] {
        let log = sshd.log();
        let failed = log
            .lines()
            .filter(|line| line.starts_with("Failed ") && !line.starts_with("Failed none"));
        assert_eq!(failed.count(), 1, "{log}");
    }
}
