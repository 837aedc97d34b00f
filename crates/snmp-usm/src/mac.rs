//! Authentication: HMAC, cut to the protocol's length, compared in constant time.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac as _};

use crate::AuthProtocol;
use crate::key::Key;

/// The longest `msgAuthenticationParameters`: SHA-512's.
pub(crate) const MAC_OCTETS_MAX: usize = 48;

/// HMAC states with the key already in them, so that a message costs no key schedule.
#[derive(Clone)]
pub(crate) struct Authenticator {
    protocol: AuthProtocol,
    // Boxed: the SHA-512 one is large, and it is wiped where it lies.
    state: Box<State>,
}

#[derive(Clone)]
enum State {
    Md5(Hmac<md5::Md5>),
    Sha1(Hmac<sha1::Sha1>),
    Sha224(Hmac<sha2::Sha224>),
    Sha256(Hmac<sha2::Sha256>),
    Sha384(Hmac<sha2::Sha384>),
    Sha512(Hmac<sha2::Sha512>),
}

/// Does the same with whichever HMAC it is.
macro_rules! with {
    ($state:expr, $hmac:ident => $body:expr) => {
        match $state {
            State::Md5($hmac) => $body,
            State::Sha1($hmac) => $body,
            State::Sha224($hmac) => $body,
            State::Sha256($hmac) => $body,
            State::Sha384($hmac) => $body,
            State::Sha512($hmac) => $body,
        }
    };
}

impl Authenticator {
    pub fn new(protocol: AuthProtocol, key: &Key) -> Self {
        const ANY: &str = "HMAC takes a key of any length";
        let key = key.expose();
        let state = match protocol {
            AuthProtocol::Md5 => State::Md5(Hmac::new_from_slice(key).expect(ANY)),
            AuthProtocol::Sha1 => State::Sha1(Hmac::new_from_slice(key).expect(ANY)),
            AuthProtocol::Sha224 => State::Sha224(Hmac::new_from_slice(key).expect(ANY)),
            AuthProtocol::Sha256 => State::Sha256(Hmac::new_from_slice(key).expect(ANY)),
            AuthProtocol::Sha384 => State::Sha384(Hmac::new_from_slice(key).expect(ANY)),
            AuthProtocol::Sha512 => State::Sha512(Hmac::new_from_slice(key).expect(ANY)),
        };
        Self {
            protocol,
            state: Box::new(state),
        }
    }

    pub fn mac_octets(&self) -> usize {
        self.protocol.mac_octets()
    }

    /// Whether the octets at `at` are the digest of `message` with zeros in their place. `length` is what the sender wrote
    /// there: any other than the protocol's is wrong.
    pub fn verify(&self, message: &[u8], at: usize, length: usize) -> bool {
        if length != self.mac_octets() {
            return false;
        }
        let (Some(before), Some(mac), Some(after)) = (
            message.get(..at),
            message.get(at..at + length),
            message.get(at + length..),
        ) else {
            return false;
        };
        with!(&*self.state, hmac => {
            let mut hmac = hmac.clone();
            hmac.update(before);
            hmac.update(&[0; MAC_OCTETS_MAX][..length]);
            hmac.update(after);
            hmac.verify_truncated_left(mac).is_ok()
        })
    }

    /// Writes the digest of `message` over the zeros at `at`.
    pub fn sign(&self, message: &mut [u8], at: usize) {
        let length = self.mac_octets();
        let Some(end) = at.checked_add(length).filter(|end| *end <= message.len()) else {
            return;
        };
        with!(&*self.state, hmac => {
            let mut hmac = hmac.clone();
            hmac.update(message);
            let digest = hmac.finalize().into_bytes();
            message[at..end].copy_from_slice(&digest[..length]);
        });
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authenticator({})", self.protocol.as_str())
    }
}
