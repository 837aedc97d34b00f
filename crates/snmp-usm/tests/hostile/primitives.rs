//! Senders of hostile datagrams, and the cryptography of generator and checker: written again, with the bare block ciphers
//! and hashes, so that a mistake of the crate is not repeated here.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::sync::OnceLock;

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha1::Digest;

/// The four users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// noAuthNoPriv.
    Open,
    /// SHA-1.
    Signed,
    /// SHA-256 and AES-128.
    Aes,
    /// MD5 and DES.
    Des,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Open, Self::Signed, Self::Aes, Self::Des];

    pub fn user(self) -> &'static [u8] {
        match self {
            Self::Open => b"open",
            Self::Signed => b"signed",
            Self::Aes => b"aes",
            Self::Des => b"des",
        }
    }

    pub fn flags(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Signed => 1,
            Self::Aes | Self::Des => 3,
        }
    }

    pub fn encrypts(self) -> bool {
        self.flags() == 3
    }

    pub fn mac_octets(self) -> usize {
        match self {
            Self::Open => 0,
            Self::Signed | Self::Des => 12,
            Self::Aes => 24,
        }
    }

    /// The key of an engine: RFC 3414 A.2 again.
    fn key(self, password: &[u8], engine: &[u8]) -> Vec<u8> {
        fn derive<D: Digest>(password: &[u8]) -> Vec<u8> {
            let whole: Vec<u8> = (0..1 << 20).map(|i| password[i % password.len()]).collect();
            D::digest(&whole).to_vec()
        }
        fn localize<D: Digest>(ku: &[u8], engine: &[u8]) -> Vec<u8> {
            D::digest([ku, engine, ku].concat()).to_vec()
        }
        static KU: OnceLock<[[Vec<u8>; 3]; 2]> = OnceLock::new();
        let all = KU.get_or_init(|| {
            [&b"maplesyrup"[..], b"privsyrup"].map(|p| {
                [
                    derive::<md5::Md5>(p),
                    derive::<sha1::Sha1>(p),
                    derive::<sha2::Sha256>(p),
                ]
            })
        });
        let ku = &all[usize::from(password != b"maplesyrup")];
        match self {
            Self::Open => Vec::new(),
            Self::Des => localize::<md5::Md5>(&ku[0], engine),
            Self::Signed => localize::<sha1::Sha1>(&ku[1], engine),
            Self::Aes => localize::<sha2::Sha256>(&ku[2], engine),
        }
    }

    /// The digest of a message whose digest is zeros.
    pub fn digest(self, engine: &[u8], message: &[u8]) -> Vec<u8> {
        let mut digest = self.whole_digest(engine, message);
        digest.truncate(self.mac_octets());
        digest
    }

    /// The same before it is cut.
    pub fn whole_digest(self, engine: &[u8], message: &[u8]) -> Vec<u8> {
        macro_rules! hmac {
            ($hash:ty) => {{
                let hmac = Hmac::<$hash>::new_from_slice(&self.key(b"maplesyrup", engine)).unwrap();
                hmac.chain_update(message).finalize().into_bytes().to_vec()
            }};
        }
        match self {
            Self::Open => Vec::new(),
            Self::Des => hmac!(md5::Md5),
            Self::Signed => hmac!(sha1::Sha1),
            Self::Aes => hmac!(sha2::Sha256),
        }
    }

    /// Octet by octet, block by block. `None` where DES finds no whole blocks.
    pub fn decrypt(self, engine: &[u8], boots: u32, time: u32, salt: [u8; 8], octets: &[u8]) -> Option<Vec<u8>> {
        let key = self.key(b"privsyrup", engine);
        match self {
            Self::Open | Self::Signed => None,
            Self::Aes => Some(cfb(&key[..16], boots, time, salt, octets, false)),
            Self::Des => {
                if octets.is_empty() || !octets.len().is_multiple_of(8) {
                    return None;
                }
                let des = des::Des::new_from_slice(&key[..8]).unwrap();
                let mut last: Vec<u8> = salt.iter().zip(&key[8..16]).map(|(s, k)| s ^ k).collect();
                let mut plain = Vec::new();
                for block in octets.chunks(8) {
                    let mut out = des::cipher::Block::<des::Des>::try_from(block).unwrap();
                    des.decrypt_block(&mut out);
                    plain.extend(out.iter().zip(&last).map(|(a, b)| a ^ b));
                    last = block.to_vec();
                }
                Some(plain)
            }
        }
    }

    fn encrypt(self, engine: &[u8], boots: u32, time: u32, salt: [u8; 8], mut octets: Vec<u8>) -> Vec<u8> {
        let key = self.key(b"privsyrup", engine);
        if self == Self::Aes {
            return cfb(&key[..16], boots, time, salt, &octets, true);
        }
        octets.resize(octets.len().next_multiple_of(8), 0);
        let des = des::Des::new_from_slice(&key[..8]).unwrap();
        let mut last: Vec<u8> = salt.iter().zip(&key[8..16]).map(|(s, k)| s ^ k).collect();
        let mut out = Vec::new();
        for block in octets.chunks(8) {
            let mixed: Vec<u8> = block.iter().zip(&last).map(|(a, b)| a ^ b).collect();
            let mut block = des::cipher::Block::<des::Des>::try_from(&mixed[..]).unwrap();
            des.encrypt_block(&mut block);
            out.extend(block.iter());
            last = block.to_vec();
        }
        out
    }
}

fn cfb(key: &[u8], boots: u32, time: u32, salt: [u8; 8], octets: &[u8], encrypt: bool) -> Vec<u8> {
    let aes = aes::Aes128::new_from_slice(key).unwrap();
    let mut feed = [&boots.to_be_bytes()[..], &time.to_be_bytes(), &salt].concat();
    let mut out = Vec::with_capacity(octets.len());
    for chunk in octets.chunks(16) {
        let mut stream = aes::cipher::Block::<aes::Aes128>::try_from(&feed[..]).unwrap();
        aes.encrypt_block(&mut stream);
        let mixed: Vec<u8> = chunk.iter().zip(stream.iter()).map(|(a, b)| a ^ b).collect();
        feed = if encrypt { mixed.clone() } else { chunk.to_vec() };
        out.extend(mixed);
    }
    out
}

/// Who sends, and what it believes of the clocks.
#[derive(Debug, Clone)]
pub struct Sender {
    pub kind: Kind,
    pub inform: bool,
    pub engine: Vec<u8>,
    pub boots: u32,
    pub time: u32,
}

impl Sender {
    /// Each user with a trap of its own engine and with an inform to ours (boots 3, time 600).
    pub fn all() -> Vec<Self> {
        let theirs = [0x80, 0, 0x1F, 0x88, 0x80, 0xC0, 0xFF, 0xEE, 1].to_vec();
        let ours = [&[0x80, 0, 0, 0, 5][..], &[0xA7; 16]].concat();
        let of = |kind, inform| Self {
            kind,
            inform,
            engine: if inform { ours.clone() } else { theirs.clone() },
            boots: if inform { 3 } else { 7 },
            time: if inform { 600 } else { 1_234 },
        };
        Kind::ALL
            .into_iter()
            .flat_map(|kind| [of(kind, false), of(kind, true)])
            .collect()
    }

    pub fn encrypt(&self, scoped: Vec<u8>) -> Vec<u8> {
        self.kind.encrypt(&self.engine, self.boots, self.time, [9; 8], scoped)
    }

    /// Signs where the zeros of the digest can still be found: at the parameters' own place for them.
    pub fn sign(&self, datagram: &mut [u8], parameters: &[u8]) {
        let length = self.kind.mac_octets();
        let zeros = vec![0; length];
        let place = parameters.windows(length.max(1)).rposition(|w| w == zeros);
        let start = datagram.windows(parameters.len().max(1)).position(|w| w == parameters);
        if let (true, Some(place), Some(start)) = (length > 0, place, start) {
            let digest = self.kind.digest(&self.engine, datagram);
            datagram[start + place..][..length].copy_from_slice(&digest);
        }
    }
}
