//! The same over telnet.

use connector_olt_ssh::session::{Class, OpenError, Stage, Transport};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::cli::{self, ASKED, Fault, Terminal};
use super::server::Server;
use super::{
    MemoryPins, PASSWORD, canary, nothing_left_over, open_in_time, open_once, patient, run_in_time, short, target,
};

const IAC: u8 = 255;
const WILL_ECHO: &[u8] = &[IAC, 251, 1, IAC, 251, 3, IAC, 253, 24, IAC, 253, 31];
const AGREED: &[u8] = &[IAC, 253, 1, IAC, 253, 3, IAC, 252, 24, IAC, 252, 31];

/// How a login over telnet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    Takes(Fault),
    Refuses,
    /// In words that nobody knows, and asks again.
    AsksAgain,
    HangsAtName,
    HangsAtPassword,
    Floods,
    NegotiatesForEver,
}

async fn line_of(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte).await {
        if byte[0] == b'\n' {
            break;
        }
        line.push(byte[0]);
    }
    String::from_utf8_lossy(&line).trim_end().to_owned()
}

async fn device(mut stream: TcpStream, login: Login) -> std::io::Result<()> {
    if login == Login::Floods {
        for _ in 0..10_000 {
            stream.write_all(&b"welcome\r\n".repeat(1_000)).await?;
        }
    }
    if login == Login::NegotiatesForEver {
        for _ in 0..10_000 {
            stream.write_all(&[IAC, 251, 99]).await?;
        }
    }
    stream.write_all(WILL_ECHO).await?;
    let mut agreed = vec![0; AGREED.len()];
    stream.read_exact(&mut agreed).await?;
    assert_eq!(agreed, AGREED);
    stream
        .write_all(b"\r\n\r\nWarning: Telnet is not a secure protocol.\r\n\r\n>>User na")
        .await?;
    stream.write_all(b"me:").await?;
    let name = line_of(&mut stream).await;
    if login == Login::HangsAtName {
        return std::future::pending().await;
    }
    stream
        .write_all(format!("{name}\r\n>>User password:").as_bytes())
        .await?;
    let password = line_of(&mut stream).await;
    match login {
        Login::HangsAtPassword => return std::future::pending().await,
        Login::Refuses => {
            stream
                .write_all(b"\r\n  Username or password invalid.\r\n>>User name:")
                .await?;
            assert_eq!(line_of(&mut stream).await, "", "nothing more is tried");
            return Ok(());
        }
        Login::AsksAgain => {
            stream.write_all(b"\r\n  Usuario desconhecido.\r\n>>User name:").await?;
            assert_eq!(line_of(&mut stream).await, "", "nothing more is tried");
            return Ok(());
        }
        _ => assert_eq!((name.as_str(), password.as_str()), ("noc", PASSWORD)),
    }
    let Login::Takes(fault) = login else {
        return Ok(());
    };
    let (read, mut write) = stream.into_split();
    let (typed, input) = mpsc::channel(16);
    let (output, mut said) = mpsc::channel::<Vec<u8>>(16);
    tokio::spawn(async move {
        let mut read = read;
        let mut piece = vec![0; 1_024];
        while let Ok(count @ 1..) = read.read(&mut piece).await {
            if typed.send(piece[..count].to_vec()).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(cli::play(Terminal::new(input, output), fault));
    while let Some(bytes) = said.recv().await {
        // Its own byte is doubled.
        let escaped: Vec<u8> = bytes
            .iter()
            .flat_map(|byte| std::iter::repeat_n(*byte, if *byte == IAC { 2 } else { 1 }))
            .collect();
        write.write_all(&escaped).await?;
    }
    Ok(())
}

fn server(login: Login) -> Server {
    Server::of(move |stream| async move {
        // The peer may be gone already.
        let (Ok(()) | Err(_)) = device(stream, login).await;
    })
}

#[tokio::test]
async fn a_session_is_opened_used_and_left() {
    canary::watch();
    let server = server(Login::Takes(Fault::Garbage));
    let mut session = open_once(server.address, Transport::Telnet, &patient()).await.unwrap();
    assert_eq!((session.host(), session.negotiated()), ("OLT-1", None));
    session.set_up().await.unwrap();
    assert!(run_in_time(&mut session, ASKED).await.unwrap().ends_with("OLT-1#"));
    assert!(
        run_in_time(&mut session, "display version")
            .await
            .unwrap()
            .contains("SPH505")
    );
    session.leave().await.unwrap();
    nothing_left_over().await;
}

#[tokio::test]
async fn every_fault_ends_in_time() {
    canary::watch();
    let cases = [
        (Login::Refuses, patient(), Class::Refused),
        (Login::AsksAgain, patient(), Class::Refused),
        (
            Login::HangsAtName,
            short("login"),
            Class::Timeout(Stage::Authentication),
        ),
        (Login::HangsAtPassword, short("login"), Class::Timeout(Stage::Prompt)),
        (Login::Floods, patient(), Class::TooMuch),
        (Login::NegotiatesForEver, patient(), Class::TooMuch),
        (Login::Takes(Fault::Reenter), patient(), Class::TooManySessions),
        (Login::Takes(Fault::BannerWithoutEnd), patient(), Class::TooMuch),
        (
            Login::Takes(Fault::NoPrompt),
            short("login"),
            Class::Timeout(Stage::Prompt),
        ),
        (Login::Takes(Fault::ClosedBeforePrompt), patient(), Class::Closed),
    ];
    let opens = cases.map(|(login, limits, expected)| async move {
        let server = server(login);
        let error = open_once(server.address, Transport::Telnet, &limits).await;
        let error = error.expect_err(&format!("{login:?}"));
        assert_eq!(error.class(), expected, "{login:?}: {error:?}");
    });
    let cases = [
        (Fault::MidLine, short("answer"), Class::Timeout(Stage::Answer)),
        (Fault::AnswerWithoutEnd, patient(), Class::TooMuch),
        (Fault::ClosedMidTable, patient(), Class::Closed),
    ];
    let answers = cases.map(|(fault, limits, expected)| async move {
        let server = server(Login::Takes(fault));
        let mut session = open_once(server.address, Transport::Telnet, &limits).await.unwrap();
        run_in_time(&mut session, "enable").await.unwrap();
        let error = run_in_time(&mut session, ASKED).await.unwrap_err();
        assert_eq!(error.class(), expected, "{fault:?}");
    });
    tokio::join!(join_all(opens), join_all(answers));
}

#[tokio::test]
async fn what_cannot_be_typed_is_not_sent() {
    let server = Server::of(|_| std::future::pending());
    let mut wrong = target(server.address, Transport::Telnet);
    wrong.user = "noc\r\nreboot".to_owned();
    let error = open_in_time(&wrong, &MemoryPins::default(), &patient())
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Untypable { what: "user" }), "{error:?}");
}
