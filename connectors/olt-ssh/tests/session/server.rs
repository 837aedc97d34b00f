//! An SSH server that plays a device, on a runtime of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session, run_stream};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Preferred, Pty, SshId};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::PASSWORD;
use super::cli::{self, Fault, Terminal};

/// What the server does about a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// Takes the right password, over these methods.
    Takes(&'static [MethodKind]),
    /// Never answers the question for the methods.
    HangsAtNone,
    /// Never answers the password.
    HangsAtPassword,
    /// Refuses every password; both methods are offered.
    Refuses,
    /// Cuts the line instead of an answer to the password.
    CutsAtPassword,
    /// Asks more than a password.
    AsksTwo,
    /// Asks for something that is shown.
    AsksShown,
    /// Asks for the password again and again.
    AsksAgain,
    /// Says this before anything, and takes nothing.
    Says(&'static str),
}

/// What it does about the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// Opens it, and this goes wrong on its command line.
    Opens(Fault),
    HangsAtChannel,
    RefusesChannel,
    HangsBeforeOpening,
    Refuses,
    /// Has no terminal, but a shell.
    RefusesTerminal,
}

/// One device.
#[derive(Debug, Clone)]
pub struct Device {
    pub login: Login,
    pub shell: Shell,
    pub version: &'static str,
    pub preferred: Preferred,
    pub keys: Vec<PrivateKey>,
    /// Bytes we may send it before it takes any.
    pub window: u32,
}

impl Device {
    /// One that logs in well and then has this fault.
    pub fn with(fault: Fault) -> Self {
        Self {
            login: Login::Takes(&[MethodKind::Password]),
            shell: Shell::Opens(fault),
            version: "SSH-2.0-HUAWEI-1.5",
            preferred: Preferred::DEFAULT,
            keys: vec![new_key()],
            window: 100_000,
        }
    }

    /// One that has this to say about a login.
    pub fn that(login: Login) -> Self {
        Self {
            login,
            ..Self::with(Fault::None)
        }
    }
}

pub fn new_key() -> PrivateKey {
    PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap()
}

/// What was seen of those who came.
#[derive(Debug, Default)]
pub struct Counts {
    pub connections: AtomicUsize,
    /// Passwords and answers that were shown to us.
    pub passwords: AtomicUsize,
}

/// A device that listens. Dropped, everything of it ends.
pub struct Server {
    pub address: SocketAddr,
    pub counts: Arc<Counts>,
    runtime: Option<Runtime>,
}

impl Server {
    pub fn start(device: Device) -> Self {
        let counts = Arc::new(Counts::default());
        let of_connections = Arc::clone(&counts);
        Self::serve(counts, move |stream| {
            of_connections.connections.fetch_add(1, Ordering::SeqCst);
            connection(stream, device.clone(), Arc::clone(&of_connections))
        })
    }

    /// Whatever speaks to each connection.
    pub fn of<F>(speak: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::serve(Arc::default(), speak)
    }

    fn serve<F>(counts: Arc<Counts>, speak: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(speak(stream));
            }
        });
        Self {
            address,
            counts,
            runtime: Some(runtime),
        }
    }

    pub fn passwords(&self) -> usize {
        self.counts.passwords.load(Ordering::SeqCst)
    }

    pub fn connections(&self) -> usize {
        self.counts.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn connection(stream: TcpStream, device: Device, counts: Arc<Counts>) {
    let methods = match device.login {
        Login::Takes(methods) => methods,
        Login::AsksTwo | Login::AsksShown | Login::AsksAgain => &[MethodKind::KeyboardInteractive],
        _ => &[MethodKind::Password, MethodKind::KeyboardInteractive],
    };
    let config = Config {
        server_id: SshId::Standard(device.version.into()),
        methods: MethodSet::from(methods),
        auth_rejection_time: Duration::from_millis(10),
        keys: device.keys.clone(),
        preferred: device.preferred.clone(),
        window_size: device.window,
        nodelay: true,
        ..Config::default()
    };
    let player = Player {
        device,
        counts,
        typed: None,
        held: Vec::new(),
    };
    if let Ok(session) = run_stream(Arc::new(config), stream, player).await {
        // However it ends.
        let (Ok(()) | Err(_)) = session.await;
    }
}

struct Player {
    device: Device,
    counts: Arc<Counts>,
    typed: Option<mpsc::Sender<Vec<u8>>>,
    /// Requests that are never answered.
    held: Vec<ChannelOpenHandle>,
}

impl Player {
    fn judge(&self, password: &[u8]) -> Auth {
        self.counts.passwords.fetch_add(1, Ordering::SeqCst);
        match self.device.login {
            Login::Refuses => Auth::reject(),
            _ if password == PASSWORD.as_bytes() => Auth::Accept,
            _ => Auth::reject(),
        }
    }

    fn ask(prompts: &'static [(&'static str, bool)]) -> Auth {
        let prompts: Vec<_> = prompts.iter().map(|(text, echo)| ((*text).into(), *echo)).collect();
        Auth::Partial {
            name: "".into(),
            instructions: "User Authentication".into(),
            prompts: prompts.into(),
        }
    }
}

impl Handler for Player {
    type Error = russh::Error;

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, russh::Error> {
        match self.device.login {
            Login::HangsAtNone => std::future::pending().await,
            Login::Takes(methods) if methods.contains(&MethodKind::None) => Ok(Auth::Accept),
            _ => Ok(Auth::reject()),
        }
    }

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, russh::Error> {
        match self.device.login {
            Login::HangsAtPassword => std::future::pending().await,
            Login::CutsAtPassword => {
                self.counts.passwords.fetch_add(1, Ordering::SeqCst);
                Err(russh::Error::HUP)
            }
            _ => Ok(self.judge(password.as_bytes())),
        }
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let answer = match response {
            Some(mut response) => response.next(),
            None => None,
        };
        Ok(match (self.device.login, answer) {
            (Login::AsksTwo, _) => Self::ask(&[("Password: ", false), ("Token: ", false)]),
            (Login::AsksShown, _) => Self::ask(&[("Favourite colour: ", true)]),
            (Login::AsksAgain, Some(_)) => {
                self.counts.passwords.fetch_add(1, Ordering::SeqCst);
                Self::ask(&[("Password: ", false)])
            }
            (_, None) => Self::ask(&[("Password: ", false)]),
            (_, Some(password)) => self.judge(&password),
        })
    }

    async fn authentication_banner(&mut self) -> Result<Option<String>, russh::Error> {
        Ok(match self.device.login {
            Login::Says(text) => Some(text.to_owned()),
            _ => Some("\r\nUser Authentication\r\n".to_owned()),
        })
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.device.shell {
            Shell::HangsAtChannel => self.held.push(reply),
            Shell::RefusesChannel => reply.reject(ChannelOpenFailure::ResourceShortage).await,
            _ => reply.accept().await,
        }
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
    ) -> Result<(), russh::Error> {
        match self.device.shell {
            Shell::RefusesTerminal => session.channel_failure(channel),
            _ => session.channel_success(channel),
        }
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        let fault = match self.device.shell {
            Shell::Opens(fault) => fault,
            Shell::RefusesTerminal => Fault::None,
            Shell::Refuses => return session.channel_failure(channel),
            _ => return Ok(()),
        };
        session.channel_success(channel)?;
        let (typed, input) = mpsc::channel(16);
        let (output, mut said) = mpsc::channel::<Vec<u8>>(16);
        self.typed = Some(typed);
        let handle = session.handle();
        tokio::spawn(cli::play(Terminal::new(input, output), fault));
        tokio::spawn(async move {
            while let Some(bytes) = said.recv().await {
                if handle.data(channel, bytes).await.is_err() {
                    return;
                }
            }
            // The peer may be gone already.
            let (Ok(()) | Err(())) = handle.close(channel).await;
        });
        Ok(())
    }

    async fn data(&mut self, _channel: ChannelId, data: &[u8], _session: &mut Session) -> Result<(), russh::Error> {
        if let Some(typed) = &self.typed
            && typed.send(data.to_vec()).await.is_err()
        {
            self.typed = None;
        }
        Ok(())
    }
}
