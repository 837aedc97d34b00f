//! A person at a terminal: a small SSH client that types and reads.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::client::{self, AuthResult, KeyboardInteractiveAuthResponse};
use russh::keys::{Algorithm, HashAlg, PublicKeyOrCertificate};
use russh::{ChannelMsg, Preferred, cipher, kex, mac};
use simulator::cli::CliConfig;
use simulator::{SimConfig, Simulation};
use tokio::time::timeout;

/// Nothing in these tests takes longer.
pub const DEADLINE: Duration = Duration::from_secs(10);
pub const PAGER: &str = "---- More ( Press 'Q' to break ) ----";

/// A network with command lines on free ports, that are quick to forget a session.
pub fn network(olts: usize, onus: usize, cli: CliConfig) -> Simulation {
    Simulation::new(SimConfig {
        olts,
        onus,
        cli: Some(cli),
        ..SimConfig::default()
    })
    .unwrap()
}

pub fn config() -> CliConfig {
    CliConfig {
        port: 0,
        password: "secret".to_owned(),
        forgets_after: Duration::ZERO,
        keeps_dropped: Duration::ZERO,
        ..CliConfig::default()
    }
}

/// What one connection came to.
pub struct Terminal {
    session: client::Handle<Client>,
    channel: russh::Channel<client::Msg>,
    pub fingerprint: String,
}

#[derive(Default, Clone)]
pub struct Client {
    fingerprint: Arc<Mutex<String>>,
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let key = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.fingerprint(HashAlg::Sha256).to_string(),
            PublicKeyOrCertificate::Certificate(_) => String::new(),
        };
        *self.fingerprint.lock().unwrap() = key;
        Ok(true)
    }
}

/// How far a login came.
pub enum Login {
    In(Terminal),
    Refused,
}

pub async fn connect(address: SocketAddr, legacy: bool) -> Result<(client::Handle<Client>, Client), russh::Error> {
    let preferred = if legacy {
        Preferred {
            kex: Cow::Borrowed(&[kex::DH_G14_SHA1]),
            key: Cow::Borrowed(&[Algorithm::Rsa { hash: None }]),
            cipher: Cow::Borrowed(&[cipher::AES_128_CBC]),
            mac: Cow::Borrowed(&[mac::HMAC_SHA1]),
            ..Preferred::DEFAULT
        }
    } else {
        Preferred::DEFAULT
    };
    let config = client::Config {
        preferred,
        nodelay: true,
        ..client::Config::default()
    };
    let client = Client::default();
    let session = client::connect(Arc::new(config), address, client.clone()).await?;
    Ok((session, client))
}

/// Logs in by what the box offers.
pub async fn log_in(address: SocketAddr, legacy: bool, password: &str) -> Result<Login, russh::Error> {
    let (mut session, client) = connect(address, legacy).await?;
    let AuthResult::Failure { remaining_methods, .. } = session.authenticate_none("noc").await? else {
        panic!("it let us in without a password");
    };
    let by_password = remaining_methods.contains(&russh::MethodKind::Password);
    let accepted = if by_password {
        session.authenticate_password("noc", password).await?.success()
    } else {
        let asked = session.authenticate_keyboard_interactive_start("noc", None).await?;
        let KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } = asked else {
            panic!("it asks for nothing");
        };
        assert!(prompts.len() == 1 && !prompts[0].echo);
        let answer = session
            .authenticate_keyboard_interactive_respond(vec![password.to_owned()])
            .await?;
        matches!(answer, KeyboardInteractiveAuthResponse::Success)
    };
    if !accepted {
        return Ok(Login::Refused);
    }
    let mut channel = session.channel_open_session().await?;
    channel.request_pty(true, "vt100", 200, 0, 0, 0, &[]).await?;
    channel.request_shell(true).await?;
    for _ in 0..2 {
        let granted = channel.wait().await;
        assert!(matches!(granted, Some(ChannelMsg::Success)), "{granted:?}");
    }
    let fingerprint = client.fingerprint.lock().unwrap().clone();
    Ok(Login::In(Terminal {
        session,
        channel,
        fingerprint,
    }))
}

impl Terminal {
    /// A terminal that is logged in, with the prompts read.
    pub async fn open(address: SocketAddr, legacy: bool) -> Self {
        let Login::In(mut terminal) = timeout(DEADLINE, log_in(address, legacy, "secret"))
            .await
            .unwrap()
            .unwrap()
        else {
            panic!("refused")
        };
        let banner = terminal.read_until(|text| text.ends_with('>')).await;
        assert!(banner.contains("Huawei Integrated Access Software"), "{banner:?}");
        if legacy {
            // Two prompts stand ready.
            let more = if banner.matches('>').count() < 2 {
                terminal.read_until(|text| text.ends_with('>')).await
            } else {
                String::new()
            };
            assert_eq!((banner + &more).matches('>').count(), 2);
        }
        terminal
    }

    /// The same without pages, questions and alarms, in config mode.
    pub async fn ready(address: SocketAddr, legacy: bool) -> Self {
        let mut terminal = Self::open(address, legacy).await;
        for command in ["enable", "undo smart", "scroll 512", "infoswitch cli OFF", "config"] {
            terminal.run(command).await;
        }
        terminal.run("mmi-mode enable").await;
        terminal
    }

    pub async fn send(&mut self, text: &str) {
        self.channel.data(text.as_bytes()).await.unwrap();
    }

    /// Reads until the text is as it should be, or panics at the deadline.
    pub async fn read_until(&mut self, enough: impl Fn(&str) -> bool) -> String {
        let (text, whole) = self.read(DEADLINE, &enough).await;
        assert!(whole, "not what was waited for: {text:?}");
        text
    }

    /// Reads until the text is as it should be, the box closes or the time is over. Whether it was the first.
    pub async fn read(&mut self, longest: Duration, enough: &impl Fn(&str) -> bool) -> (String, bool) {
        let mut bytes = Vec::new();
        let end = tokio::time::Instant::now() + longest;
        loop {
            match tokio::time::timeout_at(end, self.channel.wait()).await {
                Ok(Some(ChannelMsg::Data { data })) => bytes.extend_from_slice(&data),
                Ok(Some(_)) => continue,
                Ok(None) | Err(_) => return (String::from_utf8_lossy(&bytes).into_owned(), false),
            }
            let text = String::from_utf8_lossy(&bytes);
            if enough(&text) {
                return (text.into_owned(), true);
            }
        }
    }

    /// Types a command, answers its questions with Enter, and returns what stands on the screen up to the next prompt.
    pub async fn run(&mut self, command: &str) -> String {
        self.send(&format!("{command}\r")).await;
        let mut all = String::new();
        loop {
            let part = self.read_until(|t| is_prompt(t) || t.ends_with("}: ")).await;
            all.push_str(&part);
            if is_prompt(&part) {
                return all;
            }
            self.send("\r").await;
        }
    }

    /// Whether the box has closed the channel.
    pub async fn is_closed(&mut self) -> bool {
        let (_, _) = self.read(DEADLINE, &|_| false).await;
        matches!(timeout(DEADLINE, self.channel.wait()).await, Ok(None))
    }

    /// Goes without a word, if the box has not gone before.
    pub async fn leave(self) {
        let gone = self.session.disconnect(russh::Disconnect::ByApplication, "", "").await;
        drop(gone);
    }
}

/// Whether a text ends in a prompt of a simulated box.
pub fn is_prompt(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or_default();
    let named = last.starts_with(|c: char| c.is_ascii_uppercase()) && last.contains('-');
    named && (last.ends_with('>') || last.ends_with('#') || last.ends_with("%%"))
}

/// The answer without echo and prompt, its lines without what stands at their ends.
pub fn body(answer: &str) -> Vec<String> {
    let mut lines: Vec<String> = answer.split("\r\n").map(|l| l.trim_end().to_owned()).collect();
    lines.pop();
    if !lines.is_empty() {
        lines.remove(0);
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}
