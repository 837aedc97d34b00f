//! A client of `/ws`.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::DEADLINE;

pub struct Socket {
    pub inner: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What comes next.
#[derive(Debug, PartialEq)]
pub enum Next {
    Frame(Value),
    Closed(u16),
    Gone,
}

impl Socket {
    pub async fn connect(address: SocketAddr) -> Self {
        let (inner, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
        Self { inner }
    }

    /// Connected and authenticated; answers the welcome.
    pub async fn open(address: SocketAddr, token: &str, resume: Option<(&str, u64)>) -> (Self, Value) {
        let mut socket = Self::connect(address).await;
        let resume = resume.map(|(instance, seq)| json!({ "instance": instance, "seq": seq }));
        socket
            .say(&json!({ "type": "auth", "token": token, "resume": resume }))
            .await;
        let welcome = socket.frame().await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        (socket, welcome)
    }

    pub async fn say(&mut self, frame: &Value) {
        self.inner.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub async fn next(&mut self) -> Next {
        loop {
            match timeout(DEADLINE, self.inner.next()).await.expect("a frame in time") {
                Some(Ok(Message::Text(text))) => return Next::Frame(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Next::Closed(frame.map_or(0, |f| f.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Next::Gone,
            }
        }
    }

    pub async fn frame(&mut self) -> Value {
        match self.next().await {
            Next::Frame(frame) => frame,
            other => panic!("a frame was expected, not {other:?}"),
        }
    }

    /// The next frame of this type; others before it are skipped.
    pub async fn frame_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Subscribes and answers the whole snapshot's items.
    pub async fn subscribe(&mut self, frame: Value) -> Vec<Value> {
        self.say(&frame).await;
        let mut items = Vec::new();
        loop {
            let part = self.frame_of("snapshot").await;
            assert_eq!(part["id"], frame["id"]);
            items.extend(part["items"].as_array().unwrap().iter().cloned());
            if part["last"] == true {
                return items;
            }
        }
    }

    /// Reads deltas until an item passes a test; answers all items of the way.
    pub async fn until(&mut self, mut test: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let delta = self.frame_of("delta").await;
            let changes = delta["changes"].as_array().unwrap();
            items.extend(changes.iter().map(|c| c["item"].clone()));
            if items.iter().any(&mut test) {
                return items;
            }
        }
    }
}
