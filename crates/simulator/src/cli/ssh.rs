//! The command line over SSH.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use russh::keys::{Algorithm, HashAlg};
use russh::server::{self, Auth, ChannelOpenHandle, Handle, Msg, Response, Session};
use russh::{Channel, ChannelId, MethodKind, MethodSet, Preferred, Pty, SshId, cipher, kex, mac};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::console::Console;
use super::door::Visit;
use super::fault::CliFault;
use super::keys::{HostKeys, RsaBits};
use super::line::{Cuttable, Scissors, say_and_hang};
use super::login::Login;
use super::personality::{Firmware, Personality};
use super::session::{self, End};
use super::shell::Shell;

/// A key exchange, an authentication and a shell take no longer; a hang of ours ends by then too.
const HANG: Duration = Duration::from_secs(600);
/// How often a hang looks whether it is over.
const LOOK: Duration = Duration::from_millis(50);
/// What was written in front of a cut leaves within so long.
const IN_FLIGHT: Duration = Duration::from_millis(150);
/// A client that has not left by then is cut off.
const LAST_WORDS: Duration = Duration::from_secs(2);

const KEYBOARD: &[(Cow<'static, str>, bool)] = &[(Cow::Borrowed("User password:"), false)];

/// Serves one connection.
///
/// # Errors
/// Those of the connection and of the protocol: most are a client's, that left.
pub(crate) async fn serve(
    console: Arc<Console>,
    keys: Arc<HostKeys>,
    stream: TcpStream,
    from: IpAddr,
) -> Result<(), russh::Error> {
    console.door.connected();
    stream.set_nodelay(true)?;
    let firmware = console.plant.chassis(console.olt).firmware;
    let words = format!("{}\r\n", server_id(&firmware));
    match console.fault() {
        Some(CliFault::HangAtAccept) => return Ok(say_and_hang(stream, b"").await?),
        Some(CliFault::HangAtVersion) => return Ok(say_and_hang(stream, b"SSH-2.0-HUA").await?),
        Some(CliFault::HangAtKeyExchange) => return Ok(say_and_hang(stream, words.as_bytes()).await?),
        _ => {}
    }
    let config = config(&console, &keys, &firmware).await?;
    let (stream, scissors) = Cuttable::new(stream);
    let guest = Guest {
        console,
        from,
        scissors,
        visit: None,
        channel: None,
        has_pty: false,
    };
    server::run_stream(Arc::new(config), stream, guest).await?.await
}

fn server_id(firmware: &Firmware) -> &'static str {
    match firmware.personality {
        Personality::Ma5800 => "SSH-2.0--",
        Personality::Ma5680t => "SSH-2.0-HUAWEI-1.5",
    }
}

async fn config(console: &Console, keys: &HostKeys, firmware: &Firmware) -> Result<server::Config, russh::Error> {
    let changed = console.has(CliFault::ChangedHostKey);
    let keys = match firmware.personality {
        Personality::Ma5800 => vec![
            keys.ed25519(console.olt, changed),
            keys.rsa(RsaBits::Long, changed).await?,
        ],
        Personality::Ma5680t => vec![keys.rsa(firmware.rsa_bits, changed).await?],
    };
    Ok(server::Config {
        server_id: SshId::Standard(Cow::Borrowed(server_id(firmware))),
        methods: methods(firmware),
        auth_rejection_time: Duration::from_millis(100),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys,
        preferred: preferred(firmware.personality),
        max_auth_attempts: 3,
        // Our own idle time-out speaks first.
        inactivity_timeout: None,
        nodelay: true,
        ..server::Config::default()
    })
}

/// By what it asks for a password: one way only.
fn methods(firmware: &Firmware) -> MethodSet {
    let method = if firmware.keyboard_interactive {
        MethodKind::KeyboardInteractive
    } else {
        MethodKind::Password
    };
    MethodSet::from(&[method][..])
}

/// What a family speaks: an old one nothing that is safe today.
fn preferred(personality: Personality) -> Preferred {
    match personality {
        Personality::Ma5800 => Preferred {
            kex: Cow::Borrowed(&[
                kex::CURVE25519,
                kex::CURVE25519_PRE_RFC_8731,
                kex::DH_GEX_SHA256,
                kex::DH_G14_SHA256,
                kex::EXTENSION_SUPPORT_AS_SERVER,
            ]),
            key: Cow::Borrowed(&[
                Algorithm::Ed25519,
                Algorithm::Rsa {
                    hash: Some(HashAlg::Sha256),
                },
                Algorithm::Rsa { hash: None },
            ]),
            cipher: Cow::Borrowed(&[cipher::AES_256_CTR, cipher::AES_128_CTR]),
            mac: Cow::Borrowed(&[mac::HMAC_SHA256, mac::HMAC_SHA512]),
            ..Preferred::DEFAULT
        },
        Personality::Ma5680t => Preferred {
            kex: Cow::Borrowed(&[kex::DH_GEX_SHA1, kex::DH_G14_SHA1, kex::DH_G1_SHA1]),
            key: Cow::Borrowed(&[Algorithm::Rsa { hash: None }]),
            cipher: Cow::Borrowed(&[cipher::AES_128_CBC, cipher::TRIPLE_DES_CBC]),
            mac: Cow::Borrowed(&[mac::HMAC_SHA1]),
            ..Preferred::DEFAULT
        },
    }
}

/// One connection.
struct Guest {
    console: Arc<Console>,
    from: IpAddr,
    scissors: Scissors,
    visit: Option<Visit>,
    channel: Option<Channel<Msg>>,
    has_pty: bool,
}

impl Guest {
    async fn check(&mut self, user: &str, password: &str) -> Auth {
        let known = self.console.knows(user, password);
        if self.console.has(CliFault::HangAtAuthentication) {
            self.hang().await;
            return Auth::UnsupportedMethod;
        }
        if !known {
            let firmware = self.console.plant.chassis(self.console.olt).firmware;
            return Auth::Reject {
                proceed_with_methods: Some(methods(&firmware)),
                partial_success: false,
            };
        }
        self.visit = Some(self.console.enter());
        Auth::Accept
    }

    /// Says nothing until the OLT is mended, or nobody can still be waiting; then the connection is cut.
    async fn hang(&self) {
        let end = Instant::now() + HANG;
        while self.console.has(CliFault::HangAtAuthentication) && Instant::now() < end {
            tokio::time::sleep(LOOK).await;
        }
        self.scissors.cut();
    }

    /// The session, on a task of its own.
    fn play(&mut self, channel: Channel<Msg>, handle: Handle) {
        let login = Login {
            from: self.from,
            way: "SSH",
            admitted: self.visit.as_ref().is_some_and(|v| v.admitted),
        };
        let shell = Shell::new(self.console.clone(), false);
        let ended = self.visit.as_ref().map(Visit::end);
        let (scissors, id) = (self.scissors.clone(), channel.id());
        tokio::spawn(async move {
            let end = session::play(channel.into_stream(), shell, login, |_| {}).await;
            if let (Ok(End::Closed), Some(ended)) = (&end, ended) {
                ended.store(true, Ordering::Release);
            }
            let linger = match end {
                Ok(End::Cut) => IN_FLIGHT,
                // A client that has seen the end of its only channel leaves by itself, with all of the text.
                _ => match handle.close(id).await {
                    Ok(()) => LAST_WORDS,
                    Err(()) => Duration::ZERO,
                },
            };
            tokio::time::sleep(linger).await;
            scissors.cut();
        });
    }
}

impl server::Handler for Guest {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(self.check(user, password).await)
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Borrowed(""),
                prompts: Cow::Borrowed(KEYBOARD),
            });
        };
        let password = response.next().unwrap_or_default();
        Ok(self.check(user, &String::from_utf8_lossy(&password)).await)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channel = Some(channel);
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.has_pty = true;
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        if self.console.has(CliFault::HangAtShell) {
            return Ok(());
        }
        match self.channel.take().filter(|_| self.has_pty) {
            Some(line) => {
                session.channel_success(channel)?;
                self.play(line, session.handle());
                Ok(())
            }
            // Only a shell with a terminal is served.
            None => session.channel_failure(channel),
        }
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }
}
