//! From a password to the keys of one engine (RFC 3414 A.2, RFC 7860 §9.3, and the two drafts for longer AES keys).

use std::fmt;

use hmac::digest::{Digest, OutputSizeUser};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{AuthProtocol, PrivProtocol};

/// Octets hashed to make a key of a password (RFC 3414 A.2).
const EXPANSION_OCTETS: usize = 1 << 20;
/// The longest key: SHA-512's.
const KEY_OCTETS_MAX: usize = 64;

/// A key. Wiped when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key {
    octets: [u8; KEY_OCTETS_MAX],
    len: usize,
}

impl Key {
    fn empty() -> Self {
        Self {
            octets: [0; KEY_OCTETS_MAX],
            len: 0,
        }
    }

    /// As much of `octets` as there is room for.
    fn push(&mut self, octets: &[u8]) {
        let room = &mut self.octets[self.len..];
        let take = octets.len().min(room.len());
        room[..take].copy_from_slice(&octets[..take]);
        self.len += take;
    }

    fn truncate(&mut self, len: usize) {
        let len = len.min(self.len);
        self.octets[len..].zeroize();
        self.len = len;
    }

    /// Its octets: a secret.
    pub fn expose(&self) -> &[u8] {
        &self.octets[..self.len]
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} octets)", self.len)
    }
}

/// `Ku`: the key of a password, the same for all engines. Hashes 1 MiB: once a user, never per message.
pub fn of_password(auth: AuthProtocol, password: &[u8]) -> Key {
    if password.is_empty() {
        return Key::empty();
    }
    // Whole repetitions of the password, at least 1 KiB of them, so that few calls feed the hash.
    let mut chunk: Vec<u8> = password
        .iter()
        .copied()
        .cycle()
        .take(password.len() * 1_024_usize.div_ceil(password.len()))
        .collect();
    let whole = EXPANSION_OCTETS / chunk.len();
    let rest = EXPANSION_OCTETS % chunk.len();
    let parts = std::iter::repeat_n(&chunk[..], whole).chain([&chunk[..rest]]);
    let key = hash(auth, parts);
    chunk.zeroize();
    key
}

/// `Kul`: the key of one engine, `H(Ku, engine id, Ku)`.
pub fn localized(auth: AuthProtocol, ku: &Key, engine_id: &[u8]) -> Key {
    hash(auth, [ku.expose(), engine_id, ku.expose()].into_iter())
}

/// The privacy key of one engine: `Kul`, extended where it is too short, cut where too long. Reeder's extension hashes
/// 1 MiB for each engine, so it must not be asked for before a message of that engine is authenticated.
pub fn privacy(auth: AuthProtocol, privacy: PrivProtocol, ku: &Key, engine_id: &[u8]) -> Key {
    let wanted = privacy.key_octets();
    let mut key = localized(auth, ku, engine_id);
    while key.len < wanted {
        let more = match privacy {
            PrivProtocol::Aes192Reeder | PrivProtocol::Aes256Reeder => {
                // The last key is the next password.
                let last = &key.expose()[key.len - auth.key_octets()..];
                localized(auth, &of_password(auth, last), engine_id)
            }
            _ => hash(auth, std::iter::once(key.expose())),
        };
        key.push(more.expose());
    }
    key.truncate(wanted);
    key
}

fn hash<'a>(auth: AuthProtocol, parts: impl Iterator<Item = &'a [u8]>) -> Key {
    match auth {
        AuthProtocol::Md5 => hash_with::<md5::Md5>(parts),
        AuthProtocol::Sha1 => hash_with::<sha1::Sha1>(parts),
        AuthProtocol::Sha224 => hash_with::<sha2::Sha224>(parts),
        AuthProtocol::Sha256 => hash_with::<sha2::Sha256>(parts),
        AuthProtocol::Sha384 => hash_with::<sha2::Sha384>(parts),
        AuthProtocol::Sha512 => hash_with::<sha2::Sha512>(parts),
    }
}

fn hash_with<'a, D: Digest + OutputSizeUser>(parts: impl Iterator<Item = &'a [u8]>) -> Key {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    let mut key = Key::empty();
    let mut output = digest.finalize();
    key.push(&output);
    output.as_mut_slice().zeroize();
    key
}
