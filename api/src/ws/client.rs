//! One client: its connection, its subscriptions, its place in the ring.

use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use tokio::sync::watch;
use tokio::time::{Instant as Deadline, sleep_until, timeout};

use super::delta::{delta, snapshot_frames};
use super::frames::{ClientFrame, CloseReason, ServerFrame, Subscribe};
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
pub(super) enum End {
    /// The other side has gone.
    Gone,
    /// We close, with this code.
    Close(CloseReason),
}

pub(super) type Turn = Result<(), End>;

pub(super) struct Client {
    api: Arc<ApiState>,
    caller: Caller,
    pub(super) session: Arc<Session>,
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

impl Client {
    /// A client that is about to be welcomed; `from` is where it left off.
    pub(super) fn new(
        api: Arc<ApiState>,
        caller: Caller,
        session: Arc<Session>,
        connection: u64,
        from: Option<u64>,
        closing: watch::Receiver<bool>,
    ) -> Self {
        let (burst, per_second) = api.hub.limits.messages;
        let rate = Rate {
            burst,
            per_minute: per_second * 60.0,
        };
        let ring = api.live.ring();
        Self {
            cursor: from.unwrap_or_else(|| ring.last()),
            head: ring.subscribe(),
            session,
            connection,
            closing,
            profile: "".into(),
            messages: Limiter::new(rate, 1),
            last_heard: Instant::now(),
            was_slow: false,
            slow_writes: 0,
            last_slow: Instant::now(),
            caller,
            api,
        }
    }

    pub(super) async fn welcome(&mut self, socket: &mut WebSocket, resumed: bool) -> Turn {
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

    pub(super) async fn run(&mut self, socket: &mut WebSocket) -> End {
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
