//! The frames of the protocol.

use serde::{Deserialize, Deserializer, Serialize};

use crate::Code;
use crate::auth::Role;
use crate::time::Instant3339;

/// A frame from a client.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ClientFrame {
    Auth {
        token: String,
        /// Anything that is not a [`Resume`] is as good as none: the client gets a fresh snapshot.
        #[serde(default, deserialize_with = "resume")]
        resume: Option<Resume>,
    },
    Subscribe(Subscribe),
    Unsubscribe {
        id: String,
    },
    Ping,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Resume {
    pub instance: String,
    pub seq: u64,
}

fn resume<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Resume>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Subscribe {
    pub id: String,
    pub topic: String,
    pub entity: Option<String>,
    pub limit: Option<usize>,
    pub filter: Option<FilterFrame>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterFrame {
    pub root: Option<String>,
    pub site: Option<String>,
    pub kind: Option<String>,
    pub state: Option<String>,
    pub entity: Option<String>,
    pub visibility: Option<String>,
    pub severity: Option<String>,
}

/// A small frame from the server; snapshots and deltas are put together from encoded items instead.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ServerFrame<'a> {
    Welcome {
        seq: u64,
        instance: &'a str,
        user: &'a str,
        role: Role,
        tenant: &'a str,
        server_time: Instant3339,
        resumed: bool,
    },
    Lagging {
        seq: u64,
        dropped: u64,
    },
    Error {
        seq: u64,
        id: Option<&'a str>,
        code: Code,
        message: &'a str,
    },
    Pong {
        seq: u64,
    },
}

impl ServerFrame<'_> {
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("frames have text keys and no failing parts")
    }
}

/// Why a WebSocket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    GoingAway,
    BadMessage,
    TooMuch,
    Unauthenticated,
    TooSlow,
}

impl CloseReason {
    /// Code of the close frame.
    pub fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::BadMessage => 1003,
            Self::TooMuch => 1008,
            Self::Unauthenticated => 4401,
            Self::TooSlow => 4408,
        }
    }

    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::GoingAway => "going away, connect again in a moment",
            Self::BadMessage => "only text frames of the protocol",
            Self::TooMuch => "too many frames",
            Self::Unauthenticated => "not authenticated, or the token has expired",
            Self::TooSlow => "too slow",
        }
    }
}
