//! What we say to the SSH library when it asks, and what is noted of what it tells.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::client::{DisconnectReason, Handler, Session};
use russh::keys::{HashAlg, PublicKeyOrCertificate};
use russh::{Disconnect, Names, SshId};

use super::algorithms::{Negotiated, rsa_bits_min};
use crate::dialogue::Failure;
use crate::session::pins::Pin;
use crate::session::target::Profile;

/// Bytes of a banner or of the last words of a peer that are looked at.
const TEXT_BYTES_MAX: usize = 4_096;

/// What was seen of the peer so far.
#[derive(Debug, Default)]
pub struct Seen {
    /// The host key that was shown.
    pub offered: Option<Pin>,
    /// Bits of an RSA host key that is too short, and the least.
    pub weak_bits: Option<(u32, u32)>,
    /// An RSA host key that the legacy profile alone takes.
    pub short_key: bool,
    /// What was agreed to.
    pub negotiated: Option<Negotiated>,
    /// What a banner or the peer's last words mean.
    pub said: Option<Failure>,
    /// The peer ended the connection with a message of the protocol, or found no method left: not just a line cut.
    pub ended: bool,
}

/// Shared with who opens the session.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Seen>>);

impl Notes {
    /// Looks at them, or adds to them.
    pub fn look(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The client's side of one connection.
#[derive(Debug)]
pub struct Client {
    /// The key that is trusted; with none, the first one shown is, for as long as the connection lasts.
    pub trusted: Option<Pin>,
    /// Bits of an RSA key at the least.
    pub rsa_bits_min: u32,
    /// What is seen.
    pub notes: Notes,
}

impl Client {
    fn hear(&self, text: &str) {
        let mut end = text.len().min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if let Some(failure) = Failure::in_login(&text[..end]) {
            self.notes.look().said.get_or_insert(failure);
        }
    }
}

impl Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        // Certificates are not offered: nobody here knows who may sign one.
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return Ok(false);
        };
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let Some(offered) = Pin::new(key.algorithm().as_str(), &fingerprint) else {
            return Ok(false);
        };
        let mut notes = self.notes.look();
        notes.offered = Some(offered.clone());
        if let Some(rsa) = key.key_data().rsa() {
            let bits = bits_of(rsa.n().as_positive_bytes().unwrap_or_default());
            notes.short_key = bits < rsa_bits_min(Profile::Modern);
            if bits < self.rsa_bits_min {
                notes.weak_bits = Some((bits, self.rsa_bits_min));
                return Ok(false);
            }
        }
        // Again at every new key exchange.
        Ok(*self.trusted.get_or_insert_with(|| offered.clone()) == offered)
    }

    async fn kex_done(
        &mut self,
        _shared_secret: Option<&[u8]>,
        names: &Names,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        let mut notes = self.notes.look();
        let mut negotiated = Negotiated::of(names);
        negotiated.legacy |= notes.short_key;
        notes.negotiated = Some(negotiated);
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _session: &mut Session) -> Result<(), russh::Error> {
        self.hear(banner);
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<russh::Error>) -> Result<(), russh::Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.hear(&info.message);
                let mut notes = self.notes.look();
                notes.ended = true;
                if matches!(info.reason_code, Disconnect::TooManyConnections) {
                    notes.said.get_or_insert(Failure::TooManySessions);
                }
                Ok(())
            }
            DisconnectReason::Error(error) => {
                self.notes.look().ended |= matches!(error, russh::Error::NoAuthMethod);
                Err(error)
            }
        }
    }
}

fn bits_of(number: &[u8]) -> u32 {
    let Some(first) = number.iter().position(|byte| *byte != 0) else {
        return 0;
    };
    let bytes = u32::try_from(number.len() - first).unwrap_or(u32::MAX / 8);
    bytes * 8 - number[first].leading_zeros()
}

/// As it is sent: no more than the protocol wants.
pub fn client_id() -> SshId {
    SshId::Standard("SSH-2.0-Atalaia".into())
}
