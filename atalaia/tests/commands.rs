//! What a person types: every command of an installation, beside a running one and on one that is stopped.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use load_tests::client::{login, request, wait_ready};
use load_tests::product::{Running, Setup};

const WAIT: Duration = Duration::from_secs(20);
const INVENTORY: &str = "\
kind,olt,place,serial,name,site
board,olt-0,0/3,,,
onu,olt-0,0/3/5/17,HWTC1234ABCD,customer-0001,S0
onu,olt-9,0/1/0/1,HWTC1234ABCE,customer-0002,S9
";
const BINARY: &str = env!("CARGO_BIN_EXE_atalaia");

struct Installation {
    setup: Setup,
    folder: tempfile::TempDir,
}

impl Installation {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup::new(Path::new(BINARY), folder.path(), 2).unwrap();
        Self { setup, folder }
    }

    fn start(&self) -> (Running, Option<load_tests::product::FirstStart>) {
        let mut running = self.setup.spawn(&[]).unwrap();
        let first = running.wait_board(WAIT).unwrap();
        (running, first)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    #[track_caller]
    fn right(&self, arguments: &[&str]) -> String {
        self.setup.run(arguments).unwrap_or_else(|error| panic!("{error:#}"))
    }

    #[track_caller]
    fn wrong(&self, arguments: &[&str]) -> (String, String) {
        let output = self.setup.output(arguments, &[]).unwrap();
        assert!(!output.status.success(), "{arguments:?}: {}", text(&output.stdout));
        (text(&output.stdout), text(&output.stderr))
    }

    /// Until the command says it: views and state follow the log a moment later.
    #[track_caller]
    fn until(&self, arguments: &[&str], says: &str) -> String {
        let end = Instant::now() + WAIT;
        loop {
            let output = self.setup.output(arguments, &[]).unwrap();
            let said = text(&output.stdout);
            if said.contains(says) {
                return said;
            }
            assert!(
                Instant::now() < end,
                "{arguments:?} never says `{says}`:\n{said}{}",
                text(&output.stderr)
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn add_user(&self, name: &str, password: &str) -> Output {
        let mut child = Command::new(BINARY)
            .args(["user", "add", name, "--role", "operator", "--config"])
            .arg(self.folder.path().join("atalaia.toml"))
            .env("BENCH_COMMUNITY", load_tests::product::COMMUNITY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{password}").unwrap();
        child.wait_with_output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Beside a running installation the commands work through it, without it on its folder: they say the same.
#[test]
fn an_inventory_is_imported_looked_at_and_checked_running_or_not() {
    let installation = Installation::new();
    let file = installation.file("inventory.csv", INVENTORY);
    let checked = installation.right(&["inventory", "import", &file, "--check"]);
    assert!(checked.ends_with("3 rows, right\n"), "{checked}");

    let (running, first) = installation.start();
    let imported = installation.setup.output(&["inventory", "import", &file], &[]).unwrap();
    assert_eq!(text(&imported.stdout), "3 registered\n");
    let note = text(&imported.stderr);
    assert!(note.contains("inventory.csv:4: note: OLT `olt-9` is neither"), "{note}");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let first = first.expect("a first start");
    let device = runtime.block_on(async {
        let http = installation.setup.http();
        wait_ready(http, WAIT).await.unwrap();
        let token = login(http, &first.user, &first.password).await.unwrap();
        let end = Instant::now() + WAIT;
        loop {
            let path = "/api/v1/devices/hwtc-1234abcd";
            let (status, device) = request(http, "GET", path, Some(&token), None).await.unwrap();
            if status == 200 {
                break device;
            }
            assert!(Instant::now() < end, "{status} {device}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert_eq!(device["entity"], "default/olt/olt-0/onu/0/3/5/17");

    let told = installation.until(&["tail", "inventory", "--entity", "onu/0/3/5/17"], "customer-0001");
    assert_eq!(told.lines().count(), 1, "{told}");
    let limited = installation.right(&["tail", "observations", "--limit", "2"]);
    assert_eq!(limited.lines().count(), 2, "{limited}");
    let equal = installation.until(&["replay", "--check"], "equal");
    assert!(!equal.contains("DIFFERENT"), "{equal}");
    let (report, found) = installation.wrong(&["doctor"]);
    assert!(report.contains("OLT default/olt/olt-1: NEVER sent a trap"), "{report}");
    assert!(found.contains("things are wrong, see above"), "{found}");
    running.terminate(WAIT).unwrap();

    let told = installation.right(&["tail", "inventory", "--entity", "onu/0/3/5/17"]);
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(installation.right(&["replay", "--check"]).contains("equal"));
    assert!(installation.wrong(&["doctor"]).0.contains("topic observations"));
    assert_eq!(installation.right(&["inventory", "import", &file]), "3 registered\n");
}

#[test]
fn users_are_made_with_a_password_that_is_never_shown() {
    let installation = Installation::new();
    let (running, first) = installation.start();
    let added = installation.add_user("ana", "a password of ana");
    assert!(added.status.success(), "{}", text(&added.stderr));
    let short = installation.add_user("bia", "short");
    assert!(
        text(&short.stderr).contains("at least 10 characters"),
        "{}",
        text(&short.stderr)
    );
    let users = installation.right(&["user", "list"]);
    let has = |name: &str, role: &str| users.lines().any(|line| line.contains(name) && line.contains(role));
    assert!(
        has("ana", "operator") && has("admin", "admin") && !users.contains("bia"),
        "{users}"
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let http = installation.setup.http();
    let token = runtime.block_on(async {
        wait_ready(http, WAIT).await?;
        login(http, "ana", "a password of ana").await
    });
    assert!(!token.unwrap().is_empty());
    running.terminate(WAIT).unwrap();
    let folder = installation.folder.path();
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    for secret in ["a password of ana", &first.unwrap().password] {
        assert!(!log.contains(secret) && !text(&added.stdout).contains(secret));
    }
}

#[test]
fn mistakes_are_named_with_their_place() {
    let installation = Installation::new();
    let file = installation.file(
        "bad.csv",
        "kind,olt,place,serial\nonu,olt-0,0/3/5,HWTC1234ABCD\nonu,olt-0,0/3/5/1,XX\n",
    );
    let (_, told) = installation.wrong(&["inventory", "import", &file]);
    assert!(told.contains("bad.csv:2:") && told.contains("bad.csv:3:"), "{told}");
    assert!(told.contains("nothing was registered"), "{told}");
    let (_, told) = installation.wrong(&["tail", "nosuch"]);
    assert!(
        told.contains("there is no topic `nosuch`") && told.contains("observations"),
        "{told}"
    );
    let (_, told) = installation.wrong(&["tail", "observations", "--from", "10x"]);
    assert!(told.contains("`10x` is not a start"), "{told}");
    for command in [&["topology", "diff"][..], &["topology", "apply"]] {
        let (_, told) = installation.wrong(command);
        assert!(told.contains("the log is embedded and needs no topics"), "{told}");
    }
    for part in [
        &["connector", "olt-ssh"][..],
        &["connector", "snmp-traps"],
        &["pipeline", "network"],
        &["api"],
    ] {
        let (_, told) = installation.wrong(part);
        assert!(told.contains("all parts run in one process"), "{told}");
    }
}

#[test]
fn what_needs_no_installation() {
    let run = |arguments: &[&str]| {
        let output = Command::new(BINARY).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(run(&["version"]).starts_with("atalaia "));
    let example = run(&["check", "--example"]);
    assert!(example.contains("[olt_polling]") && example.contains("[[snmp_traps.listener]]"));
    let table = run(&["topology", "show"]);
    assert!(table.contains("device-status") && table.contains("1 normalize"));
    let json: serde_json::Value = serde_json::from_str(&run(&["topology", "show", "--json"])).unwrap();
    let topics = json["topics"].as_array().unwrap();
    assert!(topics.iter().any(|topic| topic["name"] == "observations"));
    for command in [
        "up",
        "connector",
        "pipeline",
        "api",
        "tail",
        "inventory",
        "user",
        "replay",
        "doctor",
        "migrate",
    ] {
        assert!(run(&[command, "--help"]).contains("Usage: atalaia"), "{command}");
    }
}
