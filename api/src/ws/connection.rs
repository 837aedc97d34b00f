//! From the upgrade to the welcome, and the end of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::time::timeout;

use super::Hub;
use super::client::{Client, End};
use super::frames::{ClientFrame, CloseReason, Resume};
use super::sessions::Session;
use crate::ApiState;
use crate::auth::Caller;
use crate::metrics_names as names;

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

/// Waits for `auth`, checks it, and says welcome.
async fn greet(socket: &mut WebSocket, api: &Arc<ApiState>) -> Result<Client, End> {
    let unauthenticated = End::Close(CloseReason::Unauthenticated);
    let mut closing = api.hub.closing.subscribe();
    let first = tokio::select! {
        () = async { drop(closing.wait_for(|closing| *closing).await) } => return Err(End::Close(CloseReason::GoingAway)),
        first = timeout(api.hub.limits.auth_within, socket.recv()) => first,
    };
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
    api.live.know_tenant(&caller.tenant);
    let connection = api.hub.sessions.connection();
    let (session, from) = match resume.and_then(|r| resumed(api, &r, &caller, connection)) {
        Some((session, seq)) => (session, Some(seq)),
        None => (api.hub.sessions.open(api.live.instance(), &caller, connection), None),
    };
    let mut client = Client::new(api.clone(), caller, session, connection, from, closing);
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
