//! A fault at every stage: the right class, in time, with nothing left over.

use std::time::{Duration, Instant};

use connector_olt_ssh::dialogue::Failure;
use connector_olt_ssh::session::{Class, Mode, RunError, SessionLimits, Stage, open};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::cli::{ASKED, Fault, VERSION};
use super::server::{Device, Login, Server, Shell};
use super::{
    MODERN, MemoryPins, canary, nothing_left_over, open_in_time, open_once, patient, run_in_time, short, target,
};

/// Opens a session with a device that has a fault on the way to its prompt.
async fn check_open(server: &Server, limits: &SessionLimits, expected: &[Class]) {
    let begun = Instant::now();
    let opened = open_once(server.address, MODERN, limits).await;
    let error = opened.expect_err("a session with a fault");
    let took = begun.elapsed();
    assert!(
        expected.contains(&error.class()),
        "{error:?} instead of {expected:?} after {took:?}"
    );
}

#[tokio::test]
async fn a_session_is_opened_set_up_used_and_left() {
    canary::watch();
    let server = Server::start(Device::with(Fault::None));
    let limits = patient();
    let mut session = open_once(server.address, MODERN, &limits).await.unwrap();
    assert_eq!((session.host(), session.mode()), ("OLT-1", None));
    let set_up = session.set_up().await.unwrap();
    assert_eq!(set_up.refused, ["infoswitch cli OFF"]);
    assert_eq!(session.mode(), Some(&Mode::Enable));
    let before = std::time::SystemTime::now();
    let said = session.run("display version", false).await.unwrap();
    assert!(said.sent_at >= before && said.took < Duration::from_secs(5));
    assert_eq!(
        String::from_utf8_lossy(&said.bytes),
        format!("display version\r\n{VERSION}\r\nOLT-1#")
    );
    let boards = run_in_time(&mut session, ASKED).await.unwrap();
    assert!(boards.contains("H902GPHF") && boards.ends_with("OLT-1#"), "{boards}");
    assert!(session.config().await.unwrap() && session.config().await.unwrap());
    assert!(
        run_in_time(&mut session, ASKED)
            .await
            .unwrap()
            .ends_with("OLT-1(config)#")
    );
    assert_eq!(
        run_in_time(&mut session, "display ?").await.unwrap_err().class(),
        Class::Command
    );
    assert!(session.is_ready());
    session.leave().await.unwrap();
    nothing_left_over().await;
    assert_eq!((server.connections(), server.passwords()), (1, 1));
}

/// On a runtime of several threads a session moves between them.
#[tokio::test]
async fn a_session_may_be_opened_and_used_on_any_thread() {
    let server = Server::start(Device::with(Fault::None));
    let opening = target(server.address, MODERN);
    let used = tokio::spawn(async move {
        let mut session = open(&opening, &MemoryPins::default(), &patient()).await.unwrap();
        session.set_up().await.unwrap();
        let said = session.run("display version", false).await.unwrap();
        session.leave().await.unwrap();
        said.bytes.len()
    });
    assert!(used.await.unwrap() > VERSION.len());
}

#[tokio::test]
async fn a_session_that_is_dropped_leaves_nothing() {
    let server = Server::start(Device::with(Fault::None));
    let opening = target(server.address, MODERN);
    let session = open_in_time(&opening, &MemoryPins::default(), &patient())
        .await
        .unwrap();
    drop(session);
    nothing_left_over().await;
    // In the middle of opening, wherever that is.
    for millis in [0, 1, 3, 10, 30, 60] {
        let (pins, limits) = (MemoryPins::default(), patient());
        let opened = tokio::time::timeout(Duration::from_millis(millis), open(&opening, &pins, &limits)).await;
        drop(opened);
        nothing_left_over().await;
    }
}

/// Reads and never says anything more.
async fn hang(mut stream: TcpStream) {
    let mut piece = vec![0; 1_024];
    while let Ok(1..) = stream.read(&mut piece).await {}
}

async fn says_and_hangs(mut stream: TcpStream, text: &'static [u8]) {
    if stream.write_all(text).await.is_ok() {
        hang(stream).await;
    }
}

async fn floods(mut stream: TcpStream, first: &'static [u8], row: &'static [u8]) {
    let piece = row.repeat(64_000 / row.len());
    if stream.write_all(first).await.is_err() {
        return;
    }
    for _ in 0..100_000_000 / piece.len() {
        if stream.write_all(&piece).await.is_err() {
            return;
        }
    }
    hang(stream).await;
}

async fn dribbles(mut stream: TcpStream, first: &'static [u8]) {
    if stream.write_all(first).await.is_err() {
        return;
    }
    while stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A message that says nothing: length, padding length, type, empty string, padding.
const IGNORE: &[u8] = &[0, 0, 0, 12, 6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const VERSION_LINE: &[u8] = b"SSH-2.0-HUAWEI-1.5\r\n";

#[tokio::test]
async fn every_fault_up_to_the_key_exchange_ends_in_time() {
    canary::watch();
    let (version, kex) = (Class::Timeout(Stage::Version), Class::Timeout(Stage::KeyExchange));
    // What is broken and what is too much is told apart by who notices first.
    let (hangs, broken) = (|| short("connect"), vec![Class::Protocol, Class::TooMuch]);
    let version_alone = |mut stream: TcpStream| async move {
        let (Ok(()) | Err(_)) = stream.write_all(VERSION_LINE).await;
    };
    let cases = vec![
        (Server::of(hang), hangs(), vec![version]),
        (Server::of(|stream| dribbles(stream, b"")), hangs(), vec![version]),
        (
            Server::of(|stream| says_and_hangs(stream, VERSION_LINE)),
            hangs(),
            vec![kex],
        ),
        (
            Server::of(|stream| says_and_hangs(stream, b"220 mail\r\n")),
            hangs(),
            vec![version],
        ),
        (
            Server::of(|stream| dribbles(stream, VERSION_LINE)),
            hangs(),
            vec![kex, Class::Protocol],
        ),
        (Server::of(|_| async {}), patient(), vec![Class::Closed]),
        (Server::of(version_alone), patient(), vec![Class::Closed]),
        (
            Server::of(|stream| floods(stream, b"", b"x")),
            patient(),
            broken.clone(),
        ),
        (
            Server::of(|stream| floods(stream, b"", b"SSH-1.5-old\r\n")),
            patient(),
            broken.clone(),
        ),
        (
            Server::of(|stream| floods(stream, VERSION_LINE, IGNORE)),
            patient(),
            broken.clone(),
        ),
        (
            Server::of(|stream| floods(stream, VERSION_LINE, b"\xff")),
            patient(),
            broken,
        ),
    ];
    let checks = cases
        .iter()
        .map(|(server, limits, expected)| check_open(server, limits, expected));
    join_all(checks).await;
    // While the devices still hold their ends.
    nothing_left_over().await;
    drop(cases);
}

#[tokio::test]
async fn an_address_where_nobody_answers_ends_in_time() {
    // A queue of connections that is full: further ones are not answered at all.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let listener = socket.listen(1).unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    let error = open_once(address, MODERN, &short("connect")).await;
    assert_eq!(error.unwrap_err().class(), Class::Timeout(Stage::Tcp));
    drop((listener, waiting));
    let error = open_once(address, MODERN, &patient()).await;
    assert_eq!(error.unwrap_err().class(), Class::Unreachable);
}

#[tokio::test]
async fn every_fault_up_to_the_prompt_ends_in_time() {
    canary::watch();
    let shell = |shell| Device {
        shell,
        ..Device::with(Fault::None)
    };
    let timeout = Class::Timeout;
    let cases = [
        (
            Device::that(Login::HangsAtNone),
            short("login"),
            timeout(Stage::Authentication),
        ),
        (
            Device::that(Login::HangsAtPassword),
            short("login"),
            timeout(Stage::Authentication),
        ),
        (shell(Shell::HangsAtChannel), short("login"), timeout(Stage::Shell)),
        (shell(Shell::RefusesChannel), patient(), Class::TooManySessions),
        (shell(Shell::HangsBeforeOpening), short("login"), timeout(Stage::Shell)),
        (shell(Shell::Refuses), patient(), Class::Protocol),
        (Device::with(Fault::NoBanner), short("login"), timeout(Stage::Prompt)),
        (Device::with(Fault::NoPrompt), short("login"), timeout(Stage::Prompt)),
        (
            Device::with(Fault::BannerDribbles),
            short("login"),
            timeout(Stage::Prompt),
        ),
        (Device::with(Fault::ClosedBeforePrompt), patient(), Class::Closed),
        (Device::with(Fault::BannerWithoutEnd), patient(), Class::TooMuch),
        (Device::with(Fault::FirstLogin), patient(), Class::FirstLogin),
        (Device::with(Fault::Reenter), patient(), Class::TooManySessions),
        (Device::with(Fault::Locked), patient(), Class::Locked),
    ];
    let servers = join_all(cases.map(|(device, limits, expected)| async move {
        let said = format!("{:?} {:?}", device.login, device.shell);
        let server = Server::start(device);
        let error = open_once(server.address, MODERN, &limits).await;
        let error = error.expect_err(&said);
        assert_eq!(error.class(), expected, "{said}: {error:?}");
        assert_eq!(server.connections(), 1, "{said}");
        assert!(server.passwords() <= 1, "{said}");
        server
    }))
    .await;
    nothing_left_over().await;
    drop(servers);
}

#[tokio::test]
async fn a_device_without_terminals_may_have_a_shell() {
    let server = Server::start(Device {
        shell: Shell::RefusesTerminal,
        ..Device::with(Fault::None)
    });
    let session = open_once(server.address, MODERN, &patient()).await;
    assert_eq!(session.unwrap().host(), "OLT-1");
}

#[tokio::test]
async fn every_fault_of_an_answer_ends_in_time() {
    canary::watch();
    let silent = Class::Timeout(Stage::Answer);
    let cases = [
        (Fault::NoEcho, silent),
        (Fault::MidLine, silent),
        (Fault::AfterPager, silent),
        (Fault::NoFinalPrompt, silent),
        (Fault::AnswerDribbles, silent),
        (Fault::ClosedMidTable, Class::Closed),
        (Fault::AnswerWithoutEnd, Class::TooMuch),
    ];
    let servers = join_all(cases.map(|(fault, expected)| async move {
        let server = Server::start(Device::with(fault));
        let limits = if expected == silent { short("answer") } else { patient() };
        let mut session = open_once(server.address, MODERN, &limits).await.unwrap();
        run_in_time(&mut session, "enable").await.unwrap();
        let error = run_in_time(&mut session, ASKED).await.expect_err(&format!("{fault:?}"));
        assert_eq!(error.class(), expected, "{fault:?}");
        assert!(
            matches!(error, RunError::Over { sent: true, .. }),
            "{fault:?}: {error:?}"
        );
        assert!(error.is_fatal() && !session.is_ready(), "{fault:?}");
        let again = run_in_time(&mut session, "display version").await.unwrap_err();
        assert_eq!(
            (again.class(), again.is_fatal()),
            (expected, true),
            "what is over stays over"
        );
        assert!(session.leave().await.is_err());
        server
    }))
    .await;
    nothing_left_over().await;
    drop(servers);
}

#[tokio::test]
async fn garbage_and_busy_are_answers() {
    for (fault, expected) in [(Fault::Garbage, None), (Fault::Busy, Some(Class::Busy))] {
        let server = Server::start(Device::with(fault));
        let mut session = open_once(server.address, MODERN, &patient()).await.unwrap();
        run_in_time(&mut session, "enable").await.unwrap();
        let answer = run_in_time(&mut session, ASKED).await;
        if let Err(error) = &answer {
            assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
            assert!(!error.is_fatal());
        }
        assert_eq!(answer.err().map(|error| error.class()), expected, "{fault:?}");
        let version = run_in_time(&mut session, "display version").await.unwrap();
        assert!(version.contains("SPH505"), "the session goes on after {fault:?}");
        session.leave().await.unwrap();
    }
}

#[tokio::test]
async fn a_window_that_never_opens_holds_nothing_up() {
    let server = Server::start(Device {
        window: 0,
        ..Device::with(Fault::None)
    });
    let mut session = open_once(server.address, MODERN, &short("answer")).await.unwrap();
    let error = run_in_time(&mut session, "enable").await.unwrap_err();
    assert_eq!(
        (error.class(), error.is_fatal()),
        (Class::Timeout(Stage::Sending), true)
    );
    assert!(session.leave().await.is_err());
    nothing_left_over().await;
}

#[tokio::test]
async fn what_happens_between_two_commands_is_noticed_at_the_next() {
    for (fault, expected) in [
        (Fault::EndsWhileIdle, Failure::Ended),
        (Fault::FloodWhileIdle, Failure::TooMuch),
    ] {
        let server = Server::start(Device::with(fault));
        let mut session = open_once(server.address, MODERN, &patient()).await.unwrap();
        let before = run_in_time(&mut session, "enable").await;
        assert!(before.is_ok_and(|answer| answer.ends_with("OLT-1#")));
        let begun = Instant::now();
        while session.is_ready() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{expected:?} was not noticed"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let ended = RunError::Over {
            failure: expected,
            sent: false,
        };
        assert_eq!(run_in_time(&mut session, "display version").await.unwrap_err(), ended);
        assert_eq!(session.leave().await.unwrap_err(), ended);
        nothing_left_over().await;
    }
}

#[tokio::test]
async fn a_log_out_that_is_never_done_ends_in_time() {
    let server = Server::start(Device::with(Fault::NeverLeaves));
    let mut session = open_once(server.address, MODERN, &short("answer")).await.unwrap();
    run_in_time(&mut session, "enable").await.unwrap();
    let left = tokio::time::timeout(Duration::from_secs(10), session.leave()).await;
    assert_eq!(left.unwrap().unwrap_err().class(), Class::Timeout(Stage::Leaving));
    nothing_left_over().await;
}
