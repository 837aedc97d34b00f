//! What can go wrong with a request, and which word of records that is.

use std::io;
use std::time::Duration;

use hyper::StatusCode;
use model::PollFailure;
use thiserror::Error;

/// A request that brought nothing.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No way there.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// No TLS with it.
    #[error("cannot agree on TLS")]
    Tls(#[source] io::Error),
    /// No answer in time.
    #[error("no whole answer in {} s", .0.as_secs())]
    Timeout(Duration),
    /// The connection ended.
    #[error("the connection was closed")]
    Closed(#[source] hyper::Error),
    /// It speaks no HTTP.
    #[error("the answer is no HTTP")]
    Protocol(#[source] hyper::Error),
    /// Another answer than a success.
    #[error("the answer is {status}{hint}", status = .0, hint = hint(.0))]
    Status(StatusCode),
    /// It refuses user and password, or the token.
    #[error("it refuses us: check token, or user and password")]
    Refused,
    /// A login failed not long ago.
    #[error("a login failed not long ago: the next one waits")]
    LoginRests,
    /// The mapping has no login.
    #[error("the mapping has no login: give a token")]
    NoLogin,
    /// The answer to a login has no token, or the token is none.
    #[error("there is no token that can be shown")]
    NoToken,
    /// Too many bytes.
    #[error("the answer has more than {} MiB", crate::decode::BYTES_MAX >> 20)]
    TooMuch,
    /// The address cannot be asked for.
    #[error("base address and path make no address")]
    Address,
}

fn hint(status: &StatusCode) -> &'static str {
    match status.as_u16() {
        // Seen where a token was shown to the web interface.
        403 => ": wrong port or path, or not allowed",
        404 => ": wrong base or path",
        300..=399 => ": redirects are not followed, write the address itself as base",
        _ => "",
    }
}

impl ClientError {
    /// The word of records.
    pub fn class(&self) -> PollFailure {
        match self {
            Self::Connect(_) => PollFailure::Unreachable,
            Self::Tls(_) => PollFailure::Algorithms,
            Self::Timeout(_) => PollFailure::Timeout,
            Self::Closed(_) => PollFailure::Closed,
            Self::Refused | Self::NoLogin | Self::NoToken => PollFailure::Refused,
            Self::LoginRests => PollFailure::Locked,
            Self::TooMuch => PollFailure::TooMuch,
            Self::Protocol(_) | Self::Address => PollFailure::Protocol,
            Self::Status(status) => match status.as_u16() {
                401 => PollFailure::Refused,
                404 | 405 | 410 | 501 => PollFailure::Unsupported,
                429 | 502..=504 => PollFailure::Busy,
                _ => PollFailure::Protocol,
            },
        }
    }

    /// Whether asking once more at once may go better.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Closed(_) => true,
            Self::Status(status) => status.is_server_error(),
            _ => false,
        }
    }

    /// Whether a smaller page may be what it wants.
    pub fn is_about_size(&self) -> bool {
        matches!(self, Self::Status(status) if matches!(status.as_u16(), 400 | 413 | 414 | 422))
            || matches!(self, Self::TooMuch)
    }

    /// Whether the next request cannot go better either.
    pub fn is_of_all(&self) -> bool {
        matches!(
            self,
            Self::Connect(_) | Self::Tls(_) | Self::Refused | Self::LoginRests | Self::NoLogin | Self::NoToken
        )
    }
}
