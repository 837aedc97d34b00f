//! Users, and their keys for one engine.

use std::fmt;

use thiserror::Error;

use crate::cipher::Privacy;
use crate::key::{self, Key};
use crate::mac::Authenticator;
use crate::{AuthProtocol, EngineId, Level, PrivProtocol};

/// Longest user name (RFC 3414 §2.4, msgUserName), in octets.
pub const USER_NAME_OCTETS_MAX: usize = 32;
/// Shortest password (RFC 3414 §11.2), in octets.
pub const PASSWORD_OCTETS_MIN: usize = 8;

/// A user cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UserError {
    /// RFC 3414 §2.4.
    #[error("a user name has 1 to {USER_NAME_OCTETS_MAX} octets")]
    Name,
    /// RFC 3414 §11.2.
    #[error("a password has at least {PASSWORD_OCTETS_MIN} octets")]
    Password,
    /// RFC 3414 §2.1: the third level needs the second.
    #[error("privacy needs authentication: give the user an authentication protocol and password too")]
    PrivacyAlone,
}

/// One who may send, with keys made of passwords once.
#[derive(Clone)]
pub struct User {
    name: Box<[u8]>,
    auth: Option<(AuthProtocol, Key)>,
    privacy: Option<(PrivProtocol, Key)>,
    engines: Vec<EngineId>,
}

impl User {
    /// Makes the keys: some milliseconds for each password. `engines`: whose traps it may send; none: any.
    ///
    /// # Errors
    /// When the name or a password has a wrong length, or privacy comes without authentication.
    pub fn new(
        name: &[u8],
        auth: Option<(AuthProtocol, &[u8])>,
        privacy: Option<(PrivProtocol, &[u8])>,
        engines: Vec<EngineId>,
    ) -> Result<Self, UserError> {
        if name.is_empty() || name.len() > USER_NAME_OCTETS_MAX {
            return Err(UserError::Name);
        }
        let passwords = auth.map(|(_, p)| p).into_iter().chain(privacy.map(|(_, p)| p));
        if passwords.into_iter().any(|p| p.len() < PASSWORD_OCTETS_MIN) {
            return Err(UserError::Password);
        }
        let privacy = match (auth, privacy) {
            (Some((hash, _)), Some((protocol, password))) => Some((protocol, key::of_password(hash, password))),
            (None, Some(_)) => return Err(UserError::PrivacyAlone),
            (_, None) => None,
        };
        Ok(Self {
            name: name.into(),
            auth: auth.map(|(protocol, password)| (protocol, key::of_password(protocol, password))),
            privacy,
            engines,
        })
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// How its messages must be protected: exactly so.
    pub fn level(&self) -> Level {
        match (&self.auth, &self.privacy) {
            (None, _) => Level::NoAuth,
            (Some(_), None) => Level::Auth,
            (Some(_), Some(_)) => Level::AuthPriv,
        }
    }

    /// Whether it may send traps of this engine.
    pub(crate) fn may_speak_for(&self, engine: EngineId) -> bool {
        self.engines.is_empty() || self.engines.contains(&engine)
    }

    /// All its keys for an engine. With Reeder's extension this hashes 1 MiB.
    pub fn keys_for(&self, engine: EngineId) -> Keys {
        let mut keys = self.auth_keys_for(engine);
        self.add_privacy(&mut keys, engine);
        keys
    }

    /// Its authentication key for an engine: two short hashes.
    pub(crate) fn auth_keys_for(&self, engine: EngineId) -> Keys {
        let auth = self.auth.as_ref().map(|(protocol, ku)| {
            let kul = key::localized(*protocol, ku, engine.as_bytes());
            Authenticator::new(*protocol, &kul)
        });
        Keys { auth, privacy: None }
    }

    pub(crate) fn add_privacy(&self, keys: &mut Keys, engine: EngineId) {
        if let (Some((hash, _)), Some((protocol, ku))) = (&self.auth, &self.privacy) {
            let kul = key::privacy(*hash, *protocol, ku, engine.as_bytes());
            keys.privacy = Some(Privacy::new(*protocol, &kul));
        }
    }
}

impl fmt::Debug for User {
    /// Without keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("name", &String::from_utf8_lossy(&self.name))
            .field("auth", &self.auth.as_ref().map(|(p, _)| p))
            .field("privacy", &self.privacy.as_ref().map(|(p, _)| p))
            .field("engines", &self.engines)
            .finish()
    }
}

/// A user's keys for one engine.
#[derive(Debug, Clone)]
pub struct Keys {
    pub(crate) auth: Option<Authenticator>,
    pub(crate) privacy: Option<Privacy>,
}
