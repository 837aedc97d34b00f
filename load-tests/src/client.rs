//! A person's side: login, REST and the live protocol.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// One request over a connection of its own: status and JSON body.
///
/// # Errors
/// When the server does not answer HTTP with a JSON body.
pub async fn request(
    at: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Result<(u16, Value)> {
    let (status, text) = request_text(at, method, path, token, body).await?;
    let value = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).context("not a JSON body")?
    };
    Ok((status, value))
}

/// As [`request`], with the body as text.
///
/// # Errors
/// When the server does not answer HTTP.
pub async fn request_text(
    at: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> Result<(u16, String)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let authorization = token
        .map(|t| format!("authorization: Bearer {t}\r\n"))
        .unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nhost: {at}\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(at).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer).context("an answer that is not text")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("not an HTTP answer")?;
    let status = head
        .split_whitespace()
        .nth(1)
        .and_then(|s| s.parse().ok())
        .context("no status")?;
    Ok((status, body.to_owned()))
}

/// An access token.
///
/// # Errors
/// When the login is refused.
pub async fn login(at: SocketAddr, user: &str, password: &str) -> Result<String> {
    let body = json!({ "username": user, "password": password });
    let (status, answer) = request(at, "POST", "/api/v1/auth/login", None, Some(&body)).await?;
    let Some(token) = answer["access_token"].as_str() else {
        bail!("login answered {status}: {answer}")
    };
    Ok(token.to_owned())
}

/// All pages of a list.
///
/// # Errors
/// When a page is not answered with 200.
pub async fn list(at: SocketAddr, path: &str, token: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = if cursor.is_empty() {
            path.to_owned()
        } else {
            format!("{path}{joint}cursor={cursor}")
        };
        let (status, mut answer) = request(at, "GET", &page, Some(token), None).await?;
        if status != 200 {
            bail!("GET {page} answered {status}: {answer}");
        }
        items.append(answer["items"].as_array_mut().context("no items")?);
        match answer["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return Ok(items),
        }
    }
}

/// Waits until `/ready` answers 200.
///
/// # Errors
/// When it does not in time.
pub async fn wait_ready(at: SocketAddr, deadline: Duration) -> Result<Duration> {
    let began = Instant::now();
    loop {
        if let Ok((200, _)) = request_text(at, "GET", "/ready", None, None).await {
            return Ok(began.elapsed());
        }
        if began.elapsed() > deadline {
            bail!("not ready within {deadline:?}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A connection of the live protocol.
pub struct Live {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Live {
    /// Connects, authenticates and subscribes.
    ///
    /// # Errors
    /// When the server does not welcome us.
    pub async fn connect(at: SocketAddr, token: &str, subscription: &Value) -> Result<Self> {
        let (stream, _) = connect_async(format!("ws://{at}/ws")).await?;
        let mut live = Self { stream };
        live.send(&json!({ "type": "auth", "token": token })).await?;
        let welcome = live.next().await?;
        if welcome["type"] != "welcome" {
            bail!("no welcome: {welcome}");
        }
        live.send(subscription).await?;
        Ok(live)
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, frame: &Value) -> Result<()> {
        Ok(self.stream.send(Message::text(frame.to_string())).await?)
    }

    /// The next frame as text.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn next_text(&mut self) -> Result<String> {
        loop {
            match self.stream.next().await.context("the connection ended")?? {
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Close(frame) => bail!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The next frame.
    ///
    /// # Errors
    /// When the connection is gone, or the frame is not JSON.
    pub async fn next(&mut self) -> Result<Value> {
        Ok(serde_json::from_str(&self.next_text().await?)?)
    }
}
