//! One client: its connection, its subscriptions, its place in the ring.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use tokio::sync::watch;
use tokio::time::{Instant as Deadline, sleep_until, timeout};

use super::Hub;
use super::delta::{delta, snapshot_frames};
use super::frames::{ClientFrame, CloseReason, Resume, ServerFrame, Subscribe};
use super::sessions::Session;
use super::subscription::Subscription;
use crate::auth::Caller;
use crate::auth::limiter::{Limiter, Rate};
use crate::metrics_names as names;
use crate::time::{Instant3339, now};
use crate::{ApiState, Code};

/// A spell without slow writes after which earlier ones are forgiven.
const FORGIVEN_AFTER: Duration = Duration::from_secs(10);

/// Why a client's loop ends.
enum End {
    /// The other side has gone.
    Gone,
    /// We close, with this code.
    Close(CloseReason),
}

type Turn = Result<(), End>;

/// Serves a WebSocket until it ends.
pub async fn serve_client(mut socket: WebSocket, api: Arc<ApiState>) {
    let hub = &api.hub;
    let _guard = Counted::new(hub);
    let end = match greet(&mut socket, &api).await {
        Ok(mut client) => {
            let end = client.run(&mut socket).await;
            client.session.touch();
            hub.sessions.sweep();
            end
        }
        Err(end) => end,
    };
    if let End::Close(reason) = end {
        metrics::counter!(names::WS_CLOSED, "code" => reason.code().to_string()).increment(1);
        let frame = CloseFrame {
            code: reason.code(),
            reason: reason.text().into(),
        };
        // A slow client gets a while to come to this frame; it holds no more than what is on its way.
        let linger = if reason == CloseReason::TooSlow {
            hub.limits.linger
        } else {
            Duration::from_secs(2)
        };
        let closed = timeout(linger, async {
            socket.send(Message::Close(Some(frame))).await?;
            while let Some(Ok(_)) = socket.recv().await {}
            Ok::<_, axum::Error>(())
        });
        if closed.await.is_err() {
            tracing::debug!(code = reason.code(), "a client was gone before its close frame was");
        }
    }
}

struct Counted<'a>(&'a Hub);

impl<'a> Counted<'a> {
    fn new(hub: &'a Hub) -> Self {
        let clients = hub.clients.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::gauge!(names::WS_CLIENTS).set(clients as f64);
        Self(hub)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let clients = self.0.clients.fetch_sub(1, Ordering::Relaxed) - 1;
        metrics::gauge!(names::WS_CLIENTS).set(clients as f64);
    }
}

struct Client {
    api: Arc<ApiState>,
    caller: Caller,
    session: Arc<Session>,
    connection: u64,
    /// Everything up to here has been sent.
    cursor: u64,
    head: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    profile: Arc<str>,
    messages: Limiter<()>,
    last_heard: Instant,
    /// The last write took too long.
    was_slow: bool,
    slow_writes: u32,
    last_slow: Instant,
}

/// Waits for `auth`, checks it, and says welcome.
async fn greet(socket: &mut WebSocket, api: &Arc<ApiState>) -> Result<Client, End> {
    let unauthenticated = End::Close(CloseReason::Unauthenticated);
    let closing = api.hub.closing.subscribe();
    let first = timeout(api.hub.limits.auth_within, socket.recv()).await;
    let message = match first {
        Ok(Some(Ok(message))) => message,
        Ok(_) => return Err(End::Gone),
        Err(_) => return Err(unauthenticated),
    };
    let Message::Text(text) = message else {
        return Err(unauthenticated);
    };
    let Ok(ClientFrame::Auth { token, resume }) = serde_json::from_str(&text) else {
        return Err(unauthenticated);
    };
    let Ok(caller) = api.authenticate(&token).await else {
        return Err(unauthenticated);
    };
    if *closing.borrow() {
        return Err(End::Close(CloseReason::GoingAway));
    }
    api.live.know_tenant(&caller.tenant);
    let connection = api.hub.sessions.connection();
    let (session, from) = match resume.and_then(|r| resumed(api, &r, &caller, connection)) {
        Some((session, seq)) => (session, Some(seq)),
        None => (api.hub.sessions.open(api.live.instance(), &caller, connection), None),
    };
    let (rate, limits) = (api.hub.limits.messages, api.hub.live.ring());
    let mut client = Client {
        api: api.clone(),
        session,
        connection,
        cursor: from.unwrap_or_else(|| limits.last()),
        head: limits.subscribe(),
        closing,
        profile: "".into(),
        messages: Limiter::new(
            Rate {
                burst: rate.0,
                per_minute: rate.1 * 60.0,
            },
            1,
        ),
        last_heard: Instant::now(),
        was_slow: false,
        slow_writes: 0,
        last_slow: Instant::now(),
        caller,
    };
    client.welcome(socket, from.is_some()).await?;
    Ok(client)
}

fn resumed(api: &ApiState, resume: &Resume, caller: &Caller, connection: u64) -> Option<(Arc<Session>, u64)> {
    if !api.live.ring().reaches(resume.seq) {
        return None;
    }
    let session = api.hub.sessions.resume(&resume.instance, caller, connection)?;
    Some((session, resume.seq))
}

impl Client {
    async fn welcome(&mut self, socket: &mut WebSocket, resumed: bool) -> Turn {
        let welcome = ServerFrame::Welcome {
            seq: self.cursor,
            instance: &self.session.token,
            user: &self.caller.user,
            role: self.caller.role,
            tenant: &self.caller.tenant,
            server_time: Instant3339(now()),
            resumed,
        };
        let welcome = welcome.text();
        self.write(socket, vec![welcome.into()]).await?;
        if resumed {
            self.catch_up(socket).await?;
        }
        Ok(())
    }

    /// What a client that came back has missed: snapshots it never got whole, and every change since.
    async fn catch_up(&mut self, socket: &mut WebSocket) -> Turn {
        self.renew_profile();
        let came_with = self.cursor;
        self.send_delta(socket, self.api.live.ring().last(), usize::MAX).await?;
        let missed: Vec<_> = self.subscriptions(|all| all.iter().filter(|s| s.since > came_with).cloned().collect());
        for subscription in missed {
            self.send_snapshot(socket, subscription).await?;
        }
        Ok(())
    }

    async fn run(&mut self, socket: &mut WebSocket) -> End {
        let expires =
            Duration::from_secs(u64::try_from(self.caller.expires_at_s - now().millis() / 1_000).unwrap_or(0));
        let mut expiry = pin!(sleep_until(Deadline::now() + expires));
        let ask_every = self.api.hub.limits.silent_max / 3;
        let mut ask = tokio::time::interval_at(Deadline::now() + ask_every, ask_every);
        loop {
            let turn = tokio::select! {
                biased;
                _ = self.closing.changed() => Err(End::Close(CloseReason::GoingAway)),
                () = &mut expiry => Err(End::Close(CloseReason::Unauthenticated)),
                _ = ask.tick() => self.ask(socket).await,
                message = socket.recv() => match message {
                    Some(Ok(message)) => self.hear(socket, message).await,
                    _ => Err(End::Gone),
                },
                changed = self.head.changed() => match changed {
                    Ok(()) => self.tell(socket).await,
                    Err(_) => Err(End::Close(CloseReason::GoingAway)),
                },
            };
            if let Err(end) = turn {
                return end;
            }
        }
    }

    /// Asks a silent client whether it is there, and a session whether it stands.
    async fn ask(&mut self, socket: &mut WebSocket) -> Turn {
        if self.last_heard.elapsed() >= self.api.hub.limits.silent_max {
            return Err(End::Gone);
        }
        if !self.api.sessions.stands(&self.caller).await {
            return Err(End::Close(CloseReason::Unauthenticated));
        }
        self.session.touch();
        self.write_messages(socket, vec![Message::Ping(Default::default())])
            .await
    }

    async fn hear(&mut self, socket: &mut WebSocket, message: Message) -> Turn {
        self.last_heard = Instant::now();
        if self.messages.take(&(), self.last_heard).is_err() {
            return Err(End::Close(CloseReason::TooMuch));
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(End::Close(CloseReason::BadMessage)),
            Message::Close(_) => return Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        match serde_json::from_str(&text) {
            Ok(ClientFrame::Ping) => {
                let pong = ServerFrame::Pong { seq: self.cursor }.text();
                self.write(socket, vec![pong.into()]).await
            }
            Ok(ClientFrame::Subscribe(frame)) => self.subscribe(socket, &frame).await,
            Ok(ClientFrame::Unsubscribe { id }) => {
                self.subscriptions(|all| all.retain(|s| *s.id != *id));
                self.renew_profile();
                Ok(())
            }
            Ok(ClientFrame::Auth { .. }) => {
                self.refuse(socket, None, Code::BadRequest, "authenticated already")
                    .await
            }
            Err(_) => {
                self.refuse(socket, None, Code::BadRequest, "not a frame of the protocol")
                    .await
            }
        }
    }

    async fn subscribe(&mut self, socket: &mut WebSocket, frame: &Subscribe) -> Turn {
        if !self.api.live.is_ready() {
            let message = "the live view is being built, subscribe again in a moment";
            return self.refuse(socket, Some(&frame.id), Code::NotReady, message).await;
        }
        let known = self.subscriptions(|all| all.iter().filter(|s| *s.id != *frame.id).count());
        if known >= self.api.hub.limits.subscriptions_max {
            return self
                .refuse(socket, Some(&frame.id), Code::RateLimited, "too many subscriptions")
                .await;
        }
        let made = Subscription::new(frame, &self.caller, &self.api.live.read());
        match made {
            Ok(subscription) => self.send_snapshot(socket, subscription).await,
            Err(error) => {
                if error.code == Code::Forbidden {
                    self.api.audit.denied(
                        &self.caller,
                        &format!("ws subscribe {}", frame.topic),
                        frame.entity.as_deref(),
                    );
                }
                self.refuse(socket, Some(&frame.id), error.code, &error.message).await
            }
        }
    }

    /// A subscription's whole content, after everything the others were owed before it.
    async fn send_snapshot(&mut self, socket: &mut WebSocket, mut subscription: Subscription) -> Turn {
        let (items, seq) = {
            let state = self.api.live.read();
            (
                subscription.snapshot(&self.caller.tenant, &state),
                self.api.live.ring().reserve(),
            )
        };
        self.subscriptions(|all| all.retain(|s| s.id != subscription.id));
        self.renew_profile();
        // The snapshot has a number of its own: a client that has only heard of the changes before it asks for it again.
        self.send_delta(socket, seq - 1, self.events_max()).await?;
        subscription.since = seq;
        let frames = snapshot_frames(&subscription.id, seq - 1, seq, &items);
        self.subscriptions(|all| all.push(subscription));
        self.renew_profile();
        self.cursor = seq;
        self.write(socket, frames).await
    }

    /// There are changes: sends those that concern this client.
    async fn tell(&mut self, socket: &mut WebSocket) -> Turn {
        if !self.session.is_owned_by(self.connection) {
            return Err(End::Close(CloseReason::GoingAway));
        }
        let to = *self.head.borrow_and_update();
        if to <= self.cursor {
            return Ok(());
        }
        let events_max = self.events_max();
        self.send_delta(socket, to, events_max).await
    }

    fn events_max(&self) -> usize {
        if self.was_slow {
            self.api.hub.limits.slow_events_max
        } else {
            usize::MAX
        }
    }

    async fn send_delta(&mut self, socket: &mut WebSocket, to: u64, events_max: usize) -> Turn {
        let from = self.cursor;
        if to <= from {
            return Ok(());
        }
        let session = self.session.clone();
        let hub = &self.api.hub;
        let made = {
            let subscriptions = session.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
            let make = || delta(self.api.live.ring(), &subscriptions, from, to, events_max);
            let alike = events_max == usize::MAX && subscriptions.iter().all(|s| s.since <= from);
            if alike {
                hub.frames.get(&self.profile, from, to, make)
            } else {
                make().map(Arc::new)
            }
        };
        let Some(delta) = made else {
            hub.sessions.forget(&self.session.token);
            return Err(End::Close(CloseReason::TooSlow));
        };
        let mut frames = Vec::with_capacity(delta.frames.len() + 1);
        if self.was_slow {
            metrics::counter!(names::WS_EVENTS_DROPPED).increment(delta.dropped);
            frames.push(
                ServerFrame::Lagging {
                    seq: from,
                    dropped: delta.dropped,
                }
                .text()
                .into(),
            );
        }
        frames.extend(delta.frames.iter().cloned());
        self.cursor = to;
        if frames.is_empty() {
            Ok(())
        } else {
            self.write(socket, frames).await
        }
    }

    async fn refuse(&mut self, socket: &mut WebSocket, id: Option<&str>, code: Code, message: &str) -> Turn {
        let frame = ServerFrame::Error {
            seq: self.cursor,
            id,
            code,
            message,
        }
        .text();
        self.write(socket, vec![frame.into()]).await
    }

    async fn write(&mut self, socket: &mut WebSocket, frames: Vec<Utf8Bytes>) -> Turn {
        metrics::counter!(names::WS_FRAMES).increment(frames.len() as u64);
        self.write_messages(socket, frames.into_iter().map(Message::Text).collect())
            .await
    }

    /// Writes all with one flush, and watches how long that takes.
    async fn write_messages(&mut self, socket: &mut WebSocket, messages: Vec<Message>) -> Turn {
        let limits = &self.api.hub.limits;
        let began = Instant::now();
        let written = timeout(limits.stalled_write, async {
            for message in messages {
                socket.feed(message).await?;
            }
            socket.flush().await
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(End::Gone),
            Err(_) => return Err(End::Close(CloseReason::TooSlow)),
        }
        self.was_slow = began.elapsed() >= limits.slow_write;
        if self.was_slow {
            self.slow_writes += 1;
            self.last_slow = Instant::now();
        } else if self.last_slow.elapsed() >= FORGIVEN_AFTER {
            self.slow_writes = 0;
        }
        if self.slow_writes > limits.slow_writes_max {
            return Err(End::Close(CloseReason::TooSlow));
        }
        Ok(())
    }

    fn subscriptions<T>(&self, f: impl FnOnce(&mut Vec<Subscription>) -> T) -> T {
        f(&mut self
            .session
            .subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner))
    }

    fn renew_profile(&mut self) {
        let mut text = String::new();
        self.subscriptions(|all| all.iter().for_each(|s| s.profile(&mut text)));
        self.profile = text.into();
    }
}
