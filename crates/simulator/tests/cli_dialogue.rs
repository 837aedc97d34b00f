//! How the boxes talk: echo, questions, pages, the way out, the limit on sessions. Bytes, not readings of them.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use simulator::cli::{CliConfig, Pace};
use support::{DEADLINE, Login, PAGER, Terminal, config, connect, is_prompt, log_in, network};

/// Types and reads up to what is waited for.
async fn say(terminal: &mut Terminal, typed: &str, end: &str) -> String {
    terminal.send(typed).await;
    terminal.read_until(|text| text.ends_with(end)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_asked_until_it_is_undone() {
    let simulation = network(2, 40, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    let mut terminal = Terminal::open(cli.address(0), false).await;
    assert_eq!(say(&mut terminal, "enable\r", "#").await, "enable\r\n\r\nRJO-01#");
    let asked = say(&mut terminal, "display board 0\r", "}: ").await;
    assert_eq!(asked, "display board 0 \r\n{ <cr>||<K> }: ");
    let answer = say(&mut terminal, "\r", "#").await;
    let head = "\r\n\r\n  Command:\r\n          display board 0 \r\n  -----";
    assert!(answer.starts_with(head), "{answer:?}");
    assert_eq!(
        say(&mut terminal, "undo smart\r\n", "#").await,
        "undo smart\r\n\r\nRJO-01#"
    );
    let answer = say(&mut terminal, "display cpu 0/1\n", "#").await;
    assert!(answer.starts_with("display cpu 0/1\r\n  CPU occupancy: "), "{answer:?}");
    terminal.leave().await;

    // The old box asks even there; and of the whole list twice.
    let mut old = Terminal::open(cli.address(1), true).await;
    say(&mut old, "enable\r", "#").await;
    say(&mut old, "display ont info 0 all\r", "}: ").await;
    assert_eq!(say(&mut old, "\r", "}: ").await, "\r\n{ <cr>||<K> }: ");
    assert_eq!(say(&mut old, "\x03", "#").await, "\r\nSAO-01#");
    say(&mut old, "undo smart\r", "}: ").await;
    say(&mut old, "\r", "#").await;
    let unknown = say(&mut old, "display foo\r", "#").await;
    let caret = format!("{}^", " ".repeat("SAO-01#display ".len()));
    assert_eq!(
        unknown,
        format!("display foo\r\n{caret}\r\n  % Unknown command, the error locates at '^'\r\n\r\nSAO-01#")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_word_is_asked_for() {
    let simulation = network(1, 40, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    let mut terminal = Terminal::open(cli.address(0), false).await;
    for command in ["enable", "config", "interface gpon 0/1"] {
        terminal.run(command).await;
    }
    say(&mut terminal, "display port state\r", "{ portid<U><0,7> }: ").await;
    let state = say(&mut terminal, "1\r", "#").await;
    assert!(state.contains("          display port state 1 \r\n"), "{state:?}");
    say(&mut terminal, "display port state\r", "}: ").await;
    for _ in 0..2 {
        say(&mut terminal, "\r", "}: ").await;
    }
    let tired = say(&mut terminal, "\r", "#").await;
    assert!(
        tired.contains("  Reenter times have reached the upper limit."),
        "{tired:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_leave_their_residue() {
    let simulation = network(2, 240, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    let mut terminal = Terminal::open(cli.address(0), false).await;
    say(&mut terminal, "enable\r", "#").await;
    say(&mut terminal, "undo smart\r", "#").await;
    let first = say(&mut terminal, "display ont info 0 1 0 all\r", PAGER).await;
    // 22 lines, then the pager at the left edge.
    assert_eq!(first.matches("\r\n").count(), 1 + 22, "{first:?}");
    assert!(first.ends_with(&format!("\r\n{PAGER}")));
    let residue = format!("\x1b[37D{}\x1b[37D", " ".repeat(37));
    let line = say(&mut terminal, "\r", PAGER).await;
    assert!(
        line.starts_with(&format!("{residue}  ")) && line.matches("\r\n").count() == 1,
        "{line:?}"
    );
    let page = say(&mut terminal, " ", PAGER).await;
    assert!(
        page.starts_with(&residue) && page.matches("\r\n").count() == 22,
        "{page:?}"
    );
    assert_eq!(say(&mut terminal, "q", "#").await, format!("{residue}\r\nRJO-01#"));

    // Longer pages where the firmware has an ear for it.
    say(&mut terminal, "scroll 512\r", "#").await;
    let whole = say(&mut terminal, "display ont info 0 1 0 all\r", "#").await;
    assert!(!whole.contains(PAGER));
    terminal.leave().await;
    let mut old = Terminal::open(cli.address(1), true).await;
    for command in ["enable", "undo smart", "scroll 512"] {
        old.run(command).await;
    }
    say(&mut old, "display ont info 0 1 0 all\r", PAGER).await;
    say(&mut old, "q", "#").await;
    old.run("config").await;
    old.run("mmi-mode enable").await;
    let whole = say(&mut old, "display ont info 0 1 0 all\r", "#").await;
    assert!(
        whole.starts_with("\r\n  ---") && !whole.contains(PAGER),
        "no echo, no pages: {whole:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_and_the_way_out() {
    let simulation = network(1, 40, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    let mut terminal = Terminal::open(cli.address(0), false).await;
    for (command, prompt) in [
        ("display ont autofind all", "RJO-01>"),
        ("enable", "RJO-01#"),
        ("interface gpon 0/1", "RJO-01#"),
        ("diagnose", "RJO-01(diagnose)%%"),
        ("quit", "RJO-01#"),
        ("config", "RJO-01(config)#"),
        ("interface gpon 0/9", "RJO-01(config)#"),
        ("interface gpon 0/1", "RJO-01(config-if-gpon-0/1)#"),
        ("quit", "RJO-01(config)#"),
        ("sysname OLT_b.2-x", "OLT_b.2-x(config)#"),
        ("sysname RJO-01", "RJO-01(config)#"),
        ("return", "RJO-01#"),
        ("disable", "RJO-01>"),
    ] {
        let answer = say(&mut terminal, &format!("{command}\r"), prompt).await;
        assert!(answer.ends_with(&format!("\r\n\r\n{prompt}")), "{command}: {answer:?}");
    }
    let quit = say(&mut terminal, "quit\r", "[n]:").await;
    assert_eq!(
        quit,
        "quit\r\n  Check whether system data has been changed. Please save data before logout.\r\n  \
         Are you sure to log out? (y/n)[n]:"
    );
    assert_eq!(say(&mut terminal, "\r", ">").await, "\r\n\r\nRJO-01>");
    say(&mut terminal, "quit\r", "[n]:").await;
    let bye = say(&mut terminal, "y\r", "on\r\n").await;
    assert_eq!(bye, "y\r\n  Configuration console exit, please retry to log on\r\n");
    assert!(terminal.is_closed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_and_a_while_after_it_none() {
    let simulation = network(
        1,
        40,
        CliConfig {
            forgets_after: Duration::from_millis(400),
            ..config()
        },
    );
    let cli = simulation.serve_cli().unwrap().unwrap();
    let first = Terminal::open(cli.address(0), false).await;
    let turned_away = async || {
        let Login::In(mut second) = log_in(cli.address(0), false, "secret").await.unwrap() else {
            panic!("refused")
        };
        let text = second
            .read(DEADLINE, &|t| t.contains("limit.\r\n") || t.ends_with('>'))
            .await
            .0;
        text.contains("  Reenter times have reached the upper limit.")
    };
    assert!(turned_away().await);
    first.leave().await;
    // Until the box has seen the client go, and then for a while.
    let start = Instant::now();
    while turned_away().await {
        assert!(start.elapsed() < DEADLINE, "it never forgets");
    }
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    let counts = cli.counts(0);
    assert!(
        counts.turned_away >= 2 && counts.open_max >= 2 && counts.refused == 0,
        "{counts:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_with_a_terminal_and_nothing_else() {
    let simulation = network(1, 40, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    let (mut session, _) = connect(cli.address(0), false).await.unwrap();
    assert!(!session.authenticate_password("root", "secret").await.unwrap().success());
    let (mut session, _) = connect(cli.address(0), false).await.unwrap();
    assert!(session.authenticate_password("noc", "secret").await.unwrap().success());
    let mut channel = session.channel_open_session().await.unwrap();
    for what in ["exec", "shell without pty", "sftp"] {
        match what {
            "exec" => channel.exec(true, "display version").await.unwrap(),
            "sftp" => channel.request_subsystem(true, "sftp").await.unwrap(),
            _ => channel.request_shell(true).await.unwrap(),
        }
        let said = tokio::time::timeout(DEADLINE, channel.wait()).await.unwrap();
        assert!(matches!(said, Some(russh::ChannelMsg::Failure)), "{what}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn families_do_not_speak_each_others_algorithms() {
    let simulation = network(2, 40, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    for (olt, legacy, expected) in [(0, false, true), (0, true, false), (1, false, false), (1, true, true)] {
        let connected = connect(cli.address(olt), legacy).await;
        assert_eq!(connected.is_ok(), expected, "{olt} {legacy}: {:?}", connected.err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_nobody_asked_for_and_slow_answers() {
    let simulation = network(
        1,
        10,
        CliConfig {
            alarm_every_lines: Some(4),
            pace: Pace {
                before: Duration::from_millis(50),
                per_line: Duration::from_millis(5),
                per_optics: Duration::from_millis(10),
            },
            ..config()
        },
    );
    let cli = simulation.serve_cli().unwrap().unwrap();
    let mut terminal = Terminal::open(cli.address(0), false).await;
    for command in ["enable", "undo smart", "scroll"] {
        terminal.run(command).await;
    }
    let loud = terminal.run("display ont info 0 1 0 all").await;
    assert!(
        loud.contains("\r\n! 1[") && loud.contains("\r\n  --- END\r\n"),
        "{loud}"
    );
    assert!(loud.contains("\r\n! RUNNING WARNING ") && loud.contains("\r\n  EVENT NAME :"));
    terminal.run("infoswitch cli OFF").await;
    let quiet = terminal.run("display ont info 0 1 0 all").await;
    assert!(!quiet.contains("RUNNING WARNING"));
    for command in ["config", "interface gpon 0/1"] {
        terminal.run(command).await;
    }
    let start = Instant::now();
    let lines = terminal
        .run("display ont optical-info 0 all")
        .await
        .matches("\r\n")
        .count();
    assert!(
        lines >= 15 && start.elapsed() >= Duration::from_millis(15 * 14),
        "{lines} {:?}",
        start.elapsed()
    );
    let start = Instant::now();
    terminal.run("display sysuptime").await;
    assert!(start.elapsed() >= Duration::from_millis(55), "{:?}", start.elapsed());
    // Ctrl+C breaks it off.
    terminal.send("display ont optical-info 0 all\r").await;
    terminal.read_until(|t| t.contains("Rx power")).await;
    terminal.send("\x03").await;
    let broken = terminal.read_until(is_prompt).await;
    assert!(broken.matches("\r\n").count() < 12, "{broken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn three_prompts_and_a_slower_pace() {
    let simulation = network(1, 10, CliConfig { prompts: 3, ..config() });
    let cli = simulation.serve_cli().unwrap().unwrap();
    let mut terminal = Terminal::open(cli.address(0), false).await;
    let three = "\r\nRJO-01#\r\nRJO-01#\r\nRJO-01#";
    assert_eq!(
        say(&mut terminal, "enable\r", three).await,
        format!("enable\r\n{three}")
    );
    cli.set_pace(
        0,
        Pace {
            before: Duration::from_millis(80),
            ..Pace::default()
        },
    );
    let start = Instant::now();
    say(&mut terminal, "display sysuptime\r", three).await;
    assert!(start.elapsed() >= Duration::from_millis(80), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_is_sent_home() {
    let simulation = network(
        1,
        10,
        CliConfig {
            idle_timeout: Duration::from_millis(200),
            ..config()
        },
    );
    let cli = simulation.serve_cli().unwrap().unwrap();
    let mut terminal = Terminal::open(cli.address(0), false).await;
    let text = terminal.read_until(|t| t.ends_with("log on\r\n")).await;
    assert!(text.contains("Please check whether system data has been changed, and save data in time"));
    assert!(text.contains("Configuration console time out, please retry to log on"));
    assert!(terminal.is_closed().await);
}

#[test]
fn telnet_is_the_same_box() {
    let simulation = network(
        2,
        40,
        CliConfig {
            telnet_port: Some(0),
            ..config()
        },
    );
    let cli = simulation.serve_cli().unwrap().unwrap();
    for (olt, eol) in [(0, "\r\n"), (1, "\r\r\n")] {
        let mut line = TcpStream::connect(cli.telnet_address(olt).unwrap()).unwrap();
        line.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut talk = |typed: &str, end: &str| {
            line.write_all(typed.as_bytes()).unwrap();
            let mut seen = Vec::new();
            let mut byte = [0];
            while !seen.ends_with(end.as_bytes()) {
                line.read_exact(&mut byte).unwrap();
                seen.push(byte[0]);
            }
            String::from_utf8_lossy(&seen).into_owned()
        };
        let offer = talk("", ">>User name:");
        assert!(offer.starts_with('\u{FFFD}'), "it says that it will echo: {offer:?}");
        let password = talk("noc\r\0", ">>User password:");
        assert_eq!(password, "noc\r\n>>User password:");
        let again = talk("wrong\r\n", ">>User name:");
        assert_eq!(again, "\r\n  Username or password invalid.\r\n\r\n>>User name:");
        talk("noc\r\n", ">>User password:");
        let banner = talk("secret\r\n", "-01>");
        assert!(!banner.contains("secret") && banner.contains(&format!("User last login information:{eol}")));
        let answer = talk("display sysuptime\r\0", &format!("second{eol}"));
        assert!(answer.contains("System up time: "), "{answer:?}");
    }
}
