//! Each fault does what it says, in both families.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use simulator::cli::{Cli, CliFault};
use support::{Login, PAGER, Terminal, config, is_prompt, log_in, network};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Long enough for a healthy box on a busy machine to have said more.
const SILENCE: Duration = Duration::from_millis(400);

fn served() -> Cli {
    network(2, 200, config()).serve_cli().unwrap().unwrap()
}

/// What a box says before anything else, our version string sent.
async fn first_words(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"SSH-2.0-test\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    while let Ok(n) = timeout(SILENCE, stream.read(&mut buffer)).await {
        let n = n.unwrap();
        assert!(n > 0, "it hangs and does not close");
        bytes.extend_from_slice(&buffer[..n]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn hangs_before_the_login() {
    hangs_before(0, "SSH-2.0--\r\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hangs_before_the_login_of_an_old_box() {
    hangs_before(1, "SSH-2.0-HUAWEI-1.5\r\n").await;
}

async fn hangs_before(olt: usize, id: &str) {
    let cli = served();
    let address = cli.address(olt);
    let healthy = first_words(address).await;
    assert!(healthy.starts_with(id) && healthy.len() > 200, "{healthy:?}");
    for (fault, words) in [
        (CliFault::HangAtAccept, ""),
        (CliFault::HangAtVersion, "SSH-2.0-HUA"),
        (CliFault::HangAtKeyExchange, id),
    ] {
        cli.set_fault(olt, Some(fault));
        assert_eq!(first_words(address).await, words, "{fault:?}");
    }
    for fault in [CliFault::HangAtAuthentication, CliFault::HangAtShell] {
        cli.set_fault(olt, Some(fault));
        let login = timeout(SILENCE * 2, log_in(address, olt == 1, "secret")).await;
        assert!(login.is_err(), "{fault:?}");
    }
    assert_eq!(cli.counts(olt).logins, 2, "one password each");
}

/// Logs in, types, and returns what stands on the screen after a silence, and whether the box closed the line.
async fn screen(cli: &Cli, olt: usize, fault: CliFault, typed: &[&str]) -> (String, bool) {
    cli.set_fault(olt, Some(fault));
    let Login::In(mut terminal) = log_in(cli.address(olt), olt == 1, "secret").await.unwrap() else {
        panic!("{fault:?}: refused")
    };
    let mut all = terminal.read(SILENCE, &is_prompt).await.0;
    for command in typed {
        terminal.send(&format!("{command}\r")).await;
        all = terminal.read(SILENCE, &|t| is_prompt(t) || t.ends_with("}: ")).await.0;
    }
    let closed = timeout(SILENCE, terminal.is_closed()).await == Ok(true);
    terminal.leave().await;
    // The next login is to find the door free.
    let gone = async {
        while cli.counts(olt).open > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(support::DEADLINE, gone).await.unwrap();
    cli.set_fault(olt, None);
    (all, closed)
}

#[tokio::test(flavor = "multi_thread")]
async fn hangs_in_the_dialogue() {
    hangs_of(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hangs_in_the_dialogue_of_an_old_box() {
    hangs_of(1).await;
}

async fn hangs_of(olt: usize) {
    let cli = served();
    let typed = [
        "enable",
        "undo smart",
        "",
        "config",
        "mmi-mode enable",
        "display ont info 0 1 0 all",
    ];
    let (banner, closed) = screen(&cli, olt, CliFault::HangAtBanner, &[]).await;
    assert!(
        !closed && banner.ends_with(").\r\n") && !banner.contains('>'),
        "{banner:?}"
    );
    let (echo, closed) = screen(&cli, olt, CliFault::HangAtEcho, &["enable", "display version"]).await;
    assert!(!closed && echo == "di", "{echo:?}");
    let (cut, closed) = screen(&cli, olt, CliFault::HangMidLine, &typed).await;
    assert!(
        !closed && cut.contains("Protect") && !cut.ends_with('\n') && !is_prompt(&cut),
        "{cut:?}"
    );
    let (page, closed) = screen(&cli, olt, CliFault::HangAtPager, &typed).await;
    assert!(!closed && page.ends_with(PAGER), "{page:?}");
    let (whole, closed) = screen(&cli, olt, CliFault::HangAfterOutput, &typed).await;
    assert!(
        !closed && whole.contains("the total of ONTs are") && whole.ends_with("---\r\n"),
        "{whole:?}"
    );
    let (cut, closed) = screen(&cli, olt, CliFault::CloseMidTable, &typed).await;
    assert!(closed && cut.contains("Protect") && !cut.ends_with('\n'), "{cut:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pager_that_hangs_takes_no_key() {
    let cli = served();
    cli.set_fault(0, Some(CliFault::HangAtPager));
    let mut terminal = Terminal::ready(cli.address(0), false).await;
    terminal.send("display board 0\r").await;
    terminal.read_until(|t| t.ends_with(PAGER)).await;
    terminal.send(" q\r\x03").await;
    assert_eq!(terminal.read(SILENCE, &|_| false).await.0, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers() {
    wrong_answers_of(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_of_an_old_box() {
    wrong_answers_of(1).await;
}

async fn wrong_answers_of(olt: usize) {
    let cli = served();
    let legacy = olt == 1;
    let typed = ["enable", "undo smart", "", "display temperature"];
    let (busy, _) = screen(&cli, olt, CliFault::Busy, &typed).await;
    assert!(
        busy.contains("\r\n  Failure: System is busy, please retry after a while\r\n"),
        "{busy:?}"
    );
    let (late, closed) = screen(&cli, olt, CliFault::TimedOut, &typed).await;
    assert!(
        closed && late.ends_with("Configuration console time out, please retry to log on\r\n"),
        "{late:?}"
    );
    let (many, closed) = screen(&cli, olt, CliFault::ReenterLimit, &[]).await;
    assert!(
        closed && many == "\r\n  Reenter times have reached the upper limit.\r\n",
        "{many:?}"
    );
    let (first, closed) = screen(&cli, olt, CliFault::FirstLogin, &[]).await;
    assert!(!closed && first.ends_with("(YES/NO): "), "{first:?}");
    let (garbage, _) = screen(&cli, olt, CliFault::AnsiGarbage, &typed).await;
    assert!(garbage.contains("\x1b[31m") && is_prompt(&garbage), "{garbage:?}");

    let before = cli.counts(olt).refused;
    cli.set_fault(olt, Some(CliFault::RefusePassword));
    let login = log_in(cli.address(olt), legacy, "secret").await.unwrap();
    assert!(matches!(login, Login::Refused));
    assert_eq!(cli.counts(olt).refused, before + 1);
    cli.set_fault(olt, None);

    let key = Terminal::open(cli.address(olt), legacy).await.fingerprint;
    cli.set_fault(olt, Some(CliFault::ChangedHostKey));
    while cli.counts(olt).open > 0 {
        tokio::task::yield_now().await;
    }
    let other = Terminal::open(cli.address(olt), legacy).await.fingerprint;
    assert!(key != other && key.starts_with("SHA256:"), "{key} {other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_as_long_as_it_was_ordered() {
    let cli = served();
    let bytes = 3_000_000;
    cli.set_fault(0, Some(CliFault::Flood(bytes)));
    let mut terminal = Terminal::ready(cli.address(0), false).await;
    terminal.send("display temperature\r").await;
    let mut seen = 0;
    loop {
        let (part, _) = terminal.read(support::DEADLINE, &|_| true).await;
        assert!(!part.is_empty(), "after {seen} bytes");
        seen += part.len() as u64;
        if is_prompt(&part) {
            break;
        }
    }
    assert!((bytes..bytes + 1_000).contains(&seen), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_lock_a_user_out() {
    let cli = served();
    for _ in 0..3 {
        let login = log_in(cli.address(0), false, "wrong").await.unwrap();
        assert!(matches!(login, Login::Refused));
    }
    assert!(matches!(
        log_in(cli.address(0), false, "secret").await.unwrap(),
        Login::Refused
    ));
    assert!(matches!(
        log_in(cli.address(1), true, "secret").await.unwrap(),
        Login::In(_)
    ));
    cli.set_fault(0, None);
    assert!(matches!(
        log_in(cli.address(0), false, "secret").await.unwrap(),
        Login::In(_)
    ));
    let counts = cli.counts(0);
    assert_eq!((counts.logins, counts.refused, counts.turned_away), (5, 4, 0));
}
