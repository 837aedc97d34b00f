//! One management system over HTTP/1.1: one connection, one request at a time, a deadline and a limit of bytes on each.
//!
//! A token is kept until it is refused; then one login gives another, and the request is made once more. Logins that fail are made
//! rarer. Redirects are not followed and no proxy of the environment is asked: what has the token goes where the configuration says.
//! Neither token nor password nor anything of an answer is in an error.

mod connect;
mod error;

use std::time::{Duration, Instant};

use bytes::Bytes;
use connector_kit::Backoff;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use model::Secret;

pub use connect::{Base, BaseError, Trust, TrustError};
pub use error::ClientError;

use crate::decode;
use crate::mapping::Mapping;

/// Logins that one request may cause.
const LOGINS_MAX: u32 = 2;
/// Between two logins, at least; and after one that failed, at first and at most.
const LOGIN_FIRST: Duration = Duration::from_secs(1);
const LOGIN_MAX: Duration = Duration::from_secs(300);

/// How to prove who we are.
#[derive(Debug, Clone)]
pub enum Login {
    /// A token, with or without the word of its scheme.
    Token(Secret),
    /// User and password give one.
    Password {
        /// User.
        user: String,
        /// Password.
        password: Secret,
    },
}

/// See the module.
#[derive(Debug)]
pub struct Client {
    base: Base,
    login: Login,
    trust: Trust,
    connection: Option<SendRequest<Full<Bytes>>>,
    /// What a login gave.
    token: Option<HeaderValue>,
    /// No login before this instant.
    login_at: Instant,
    backoff: Backoff,
    logins: u64,
}

impl Client {
    /// Connects to nothing yet.
    pub fn new(base: Base, login: Login, trust: Trust) -> Self {
        Self {
            base,
            login,
            trust,
            connection: None,
            token: None,
            login_at: Instant::now(),
            backoff: Backoff::new(LOGIN_FIRST, LOGIN_MAX),
            logins: 0,
        }
    }

    /// Logins so far.
    pub fn logins(&self) -> u64 {
        self.logins
    }

    /// Asks for a path below base address and prefix.
    ///
    /// # Errors
    /// When there is no answer, or one that is no success.
    pub async fn get(&mut self, mapping: &Mapping, path_and_query: &str) -> Result<Bytes, ClientError> {
        let path = format!("{}{}{path_and_query}", self.base.path(), mapping.api.prefix);
        let mut logins = 0;
        loop {
            let token = self.authorization(mapping).await?;
            let answer = self.send(mapping, Method::GET, &path, Some(&token), Bytes::new()).await;
            match answer {
                Err(ClientError::Status(StatusCode::UNAUTHORIZED)) if logins < LOGINS_MAX => {
                    logins += 1;
                    // A token that was given by hand may have been refused by chance: it is shown once more.
                    self.token = None;
                    if matches!(self.login, Login::Token(_)) && logins == LOGINS_MAX {
                        return Err(ClientError::Refused);
                    }
                }
                Err(ClientError::Status(StatusCode::UNAUTHORIZED)) => return Err(ClientError::Refused),
                answer => return answer,
            }
        }
    }

    /// What to show: what was given by hand, what an earlier login gave, or what a new one gives.
    async fn authorization(&mut self, mapping: &Mapping) -> Result<HeaderValue, ClientError> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        let token = match self.login.clone() {
            Login::Token(token) => header_of(&mapping.auth.scheme, token.expose())?,
            Login::Password { user, password } => self.log_in(mapping, &user, &password).await?,
        };
        self.token = Some(token.clone());
        Ok(token)
    }

    /// One login. After one that failed the next has to wait; so has one that follows a good one at once.
    async fn log_in(&mut self, mapping: &Mapping, user: &str, password: &Secret) -> Result<HeaderValue, ClientError> {
        let shape = mapping.auth.login.as_ref().ok_or(ClientError::NoLogin)?;
        let wait = self.login_at.saturating_duration_since(Instant::now());
        if wait > mapping.api.timeout {
            return Err(ClientError::LoginRests);
        }
        tokio::time::sleep(wait).await;
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
        for (name, text) in &shape.extra {
            fields.insert(name.clone(), text.as_str().into());
        }
        fields.insert(shape.user.clone(), user.into());
        fields.insert(shape.password.clone(), password.expose().into());
        let body = serde_json::to_vec(&fields).expect("names and texts are JSON");
        let path = format!("{}{}{}", self.base.path(), mapping.api.prefix, shape.path);
        self.logins += 1;
        let answer = self.send(mapping, Method::POST, &path, None, body.into()).await;
        let token = answer.and_then(|answer| {
            let token = decode::token(&answer, &shape.token).map_err(|_| ClientError::NoToken)?;
            header_of(&mapping.auth.scheme, &token)
        });
        match token {
            Ok(token) => {
                self.backoff.succeed();
                self.login_at = Instant::now() + LOGIN_FIRST;
                Ok(token)
            }
            Err(error) => {
                self.login_at = Instant::now() + self.backoff.fail();
                Err(match error {
                    ClientError::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => ClientError::Refused,
                    error => error,
                })
            }
        }
    }

    /// One request, within the time of the mapping. A kept connection that the other side has closed meanwhile is made anew.
    async fn send(
        &mut self,
        mapping: &Mapping,
        method: Method,
        path: &str,
        token: Option<&HeaderValue>,
        body: Bytes,
    ) -> Result<Bytes, ClientError> {
        let limit = mapping.api.timeout;
        let exchange = async {
            let mut is_kept = true;
            loop {
                let mut connection = match self.connection.take().filter(|kept| !kept.is_closed()) {
                    Some(kept) => kept,
                    None => {
                        is_kept = false;
                        connect::open(&self.base, &self.trust).await?
                    }
                };
                let request = self.request(method.clone(), path, token, body.clone())?;
                let sent = match connection.ready().await {
                    Ok(()) => connection.send_request(request).await,
                    Err(error) => Err(error),
                };
                match sent {
                    Ok(answer) => {
                        let bytes = bytes_of(answer).await;
                        if !matches!(bytes, Err(ClientError::Closed(_) | ClientError::TooMuch)) {
                            self.connection = Some(connection);
                        }
                        return bytes;
                    }
                    Err(error) if is_kept && !error.is_parse() && !error.is_user() => is_kept = false,
                    Err(error) if error.is_parse() => return Err(ClientError::Protocol(error)),
                    Err(error) => return Err(ClientError::Closed(error)),
                }
            }
        };
        match tokio::time::timeout(limit, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(ClientError::Timeout(limit)),
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&HeaderValue>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.base.host_header())
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, "atalaia");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(body)).map_err(|_| ClientError::Address)
    }
}

/// The answer's bytes, if it is a success and not too large. Of another answer nothing is looked at, but all is read, so that the
/// connection can be kept.
async fn bytes_of(answer: hyper::Response<hyper::body::Incoming>) -> Result<Bytes, ClientError> {
    let status = answer.status();
    let limited = Limited::new(answer.into_body(), decode::BYTES_MAX);
    let bytes = limited.collect().await.map(|collected| collected.to_bytes());
    match bytes {
        Ok(_) if !status.is_success() => Err(ClientError::Status(status)),
        Ok(bytes) => Ok(bytes),
        Err(error) if error.is::<LengthLimitError>() => Err(ClientError::TooMuch),
        Err(error) => match error.downcast::<hyper::Error>() {
            Ok(error) => Err(ClientError::Closed(*error)),
            Err(_) => Err(ClientError::TooMuch),
        },
    }
}

/// The header that shows a token. Some answers hold the word of the scheme already. Its value is never printed.
fn header_of(scheme: &str, token: &str) -> Result<HeaderValue, ClientError> {
    let token = token.trim();
    let has_word = token
        .get(..scheme.len())
        .is_some_and(|word| word.eq_ignore_ascii_case(scheme))
        && token[scheme.len()..].starts_with(' ');
    let text = if has_word {
        token.to_owned()
    } else {
        format!("{scheme} {token}")
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| ClientError::NoToken)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_the_scheme_stands_once_and_a_token_is_not_printed() {
        for (token, shown) in [
            ("eyJ.a.b", "Token eyJ.a.b"),
            ("Token eyJ.a.b", "Token eyJ.a.b"),
            (" token eyJ.a.b\n", "token eyJ.a.b"),
            ("Tokenizer", "Token Tokenizer"),
        ] {
            let header = header_of("Token", token).unwrap();
            assert_eq!(header.to_str().unwrap(), shown);
            assert!(!format!("{header:?}").contains("eyJ"), "{header:?}");
        }
        assert!(matches!(header_of("Token", "a\nb"), Err(ClientError::NoToken)));
    }
}
