//! As much of HTTP/1.1 as a management system needs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::System;

/// Longest head of a request, and longest body, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
const BODY_BYTES_MAX: usize = 64 << 10;
/// A connection on which nothing comes ends.
const IDLE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub authorization: Option<String>,
    pub body: Vec<u8>,
}

impl Request {
    /// A number of the query.
    pub fn number(&self, name: &str) -> Option<usize> {
        self.parameter(name)?.parse().ok()
    }

    /// A text of the query, as it stands there.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| text)
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        // What is in it is of no use, and looks like something.
        let body = format!("{{\"status\":{status},\"error\":\"see the log\"}}").into_bytes();
        Self { status, body }
    }

    pub fn json(value: &Value) -> Self {
        let body = value.to_string().into_bytes();
        Self { status: 200, body }
    }

    pub fn text(text: &str) -> Self {
        let body = text.as_bytes().to_vec();
        Self { status: 200, body }
    }
}

/// Takes connections for ever.
pub(crate) async fn accept(listener: TcpListener, system: Arc<System>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if !system.is_away() => drop(tokio::spawn(talk(stream, system.clone()))),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "a connection to the simulated management system failed");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

async fn talk(mut stream: TcpStream, system: Arc<System>) {
    let mut buffer = Vec::new();
    while let Some(request) = next(&mut stream, &mut buffer).await {
        tokio::time::sleep(system.pause()).await;
        if system.is_away() {
            return;
        }
        let Answer { status, body } = system.answer(&request);
        let head = format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            if status == 200 { "OK" } else { "No" },
            body.len()
        );
        if stream.write_all(&[head.as_bytes(), &body].concat()).await.is_err() {
            return;
        }
    }
}

/// The next request; `None` at the end, or where it is none.
async fn next(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Request> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if buffer.len() > HEAD_BYTES_MAX || !more(stream, buffer).await {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let mut request = Request {
        method: words.next()?.to_owned(),
        ..Request::default()
    };
    let target = words.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (request.path, request.query) = (path.to_owned(), query.to_owned());
    let mut length = 0;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.to_ascii_lowercase().as_str() {
            "authorization" => request.authorization = Some(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let body = head_end + 4;
    while length <= BODY_BYTES_MAX && buffer.len() < body + length {
        if !more(stream, buffer).await {
            return None;
        }
    }
    request.body = buffer.get(body..body + length)?.to_vec();
    buffer.drain(..body + length);
    Some(request)
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> bool {
    let read = tokio::time::timeout(IDLE, stream.read_buf(buffer)).await;
    matches!(read, Ok(Ok(bytes)) if bytes > 0)
}
