//! Privacy: DES-CBC (RFC 3414 §8) and AES-CFB128 (RFC 3826 §3), in place.

use std::fmt;

use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use des::Des;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::PrivProtocol;
use crate::key::Key;

/// Octets of `msgPrivacyParameters`: the salt.
pub(crate) const SALT_OCTETS: usize = 8;
/// A block of DES, and the longest padding a sender may leave.
pub(crate) const DES_BLOCK: usize = 8;

/// A cipher with its key in it. The expanded keys wipe themselves.
#[derive(Clone)]
pub(crate) struct Privacy {
    protocol: PrivProtocol,
    keyed: Box<Keyed>,
}

#[derive(Clone)]
enum Keyed {
    Des { cipher: Des, whitening: Whitening },
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

/// The second half of a DES key ("pre-IV").
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Whitening([u8; SALT_OCTETS]);

/// Octets that cannot be decrypted: no whole number of DES blocks, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBlocks;

impl Privacy {
    /// `key` has the protocol's length: [`crate::key::privacy`] made it.
    pub fn new(protocol: PrivProtocol, key: &Key) -> Self {
        const MADE: &str = "a privacy key is made with its protocol's length";
        let key = key.expose();
        let keyed = match protocol {
            PrivProtocol::Des => {
                let (key, whitening) = key.split_at(DES_BLOCK);
                Keyed::Des {
                    cipher: Des::new_from_slice(key).expect(MADE),
                    whitening: Whitening(whitening.try_into().expect(MADE)),
                }
            }
            PrivProtocol::Aes128 => Keyed::Aes128(Aes128::new_from_slice(key).expect(MADE)),
            PrivProtocol::Aes192 | PrivProtocol::Aes192Reeder => {
                Keyed::Aes192(Aes192::new_from_slice(key).expect(MADE))
            }
            PrivProtocol::Aes256 | PrivProtocol::Aes256Reeder => {
                Keyed::Aes256(Aes256::new_from_slice(key).expect(MADE))
            }
        };
        Self {
            protocol,
            keyed: Box::new(keyed),
        }
    }

    /// How many octets of padding may follow the plain text.
    pub fn padding_max(&self) -> usize {
        match *self.keyed {
            Keyed::Des { .. } => DES_BLOCK,
            _ => 0,
        }
    }

    pub fn decrypt(&self, octets: &mut [u8], boots: u32, time: u32, salt: [u8; SALT_OCTETS]) -> Result<(), NotBlocks> {
        let iv = aes_iv(boots, time, salt);
        match &*self.keyed {
            Keyed::Des { cipher, whitening } => {
                let (blocks, rest) = des::cipher::Block::<Des>::slice_as_chunks_mut(octets);
                if blocks.is_empty() || !rest.is_empty() {
                    return Err(NotBlocks);
                }
                cbc::Decryptor::inner_iv_init(cipher.clone(), &des_iv(whitening, salt).into()).decrypt_blocks(blocks);
            }
            Keyed::Aes128(cipher) => cfb_mode::Decryptor::inner_iv_init(cipher.clone(), &iv.into()).decrypt(octets),
            Keyed::Aes192(cipher) => cfb_mode::Decryptor::inner_iv_init(cipher.clone(), &iv.into()).decrypt(octets),
            Keyed::Aes256(cipher) => cfb_mode::Decryptor::inner_iv_init(cipher.clone(), &iv.into()).decrypt(octets),
        }
        Ok(())
    }

    /// Encrypts; DES pads with zeros to whole blocks first. Answers the salt to be sent.
    pub fn encrypt(&self, octets: &mut Vec<u8>, boots: u32, time: u32, salt: u64) -> [u8; SALT_OCTETS] {
        let aes_salt = salt.to_be_bytes();
        let iv = aes_iv(boots, time, aes_salt);
        match &*self.keyed {
            Keyed::Des { cipher, whitening } => {
                octets.resize(octets.len().next_multiple_of(DES_BLOCK), 0);
                let (blocks, _) = des::cipher::Block::<Des>::slice_as_chunks_mut(octets);
                let salt = des_salt(boots, aes_salt);
                cbc::Encryptor::inner_iv_init(cipher.clone(), &des_iv(whitening, salt).into()).encrypt_blocks(blocks);
                return salt;
            }
            Keyed::Aes128(cipher) => cfb_mode::Encryptor::inner_iv_init(cipher.clone(), &iv.into()).encrypt(octets),
            Keyed::Aes192(cipher) => cfb_mode::Encryptor::inner_iv_init(cipher.clone(), &iv.into()).encrypt(octets),
            Keyed::Aes256(cipher) => cfb_mode::Encryptor::inner_iv_init(cipher.clone(), &iv.into()).encrypt(octets),
        }
        aes_salt
    }
}

impl fmt::Debug for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Privacy({})", self.protocol.as_str())
    }
}

/// RFC 3826 §3.1.2.1: boots, time, salt.
fn aes_iv(boots: u32, time: u32, salt: [u8; SALT_OCTETS]) -> [u8; 16] {
    let mut iv = [0; 16];
    iv[..4].copy_from_slice(&boots.to_be_bytes());
    iv[4..8].copy_from_slice(&time.to_be_bytes());
    iv[8..].copy_from_slice(&salt);
    iv
}

/// RFC 3414 §8.1.1.1: our boots, and a number that is new for each message.
fn des_salt(boots: u32, counter: [u8; SALT_OCTETS]) -> [u8; SALT_OCTETS] {
    let mut salt = counter;
    salt[..4].copy_from_slice(&boots.to_be_bytes());
    salt
}

fn des_iv(whitening: &Whitening, salt: [u8; SALT_OCTETS]) -> [u8; DES_BLOCK] {
    let mut iv = salt;
    for (octet, white) in iv.iter_mut().zip(whitening.0) {
        *octet ^= white;
    }
    iv
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        digits
            .chunks(2)
            .map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap())
            .collect()
    }

    const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
                         30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710";

    /// NIST SP 800-38A F.3.13 to F.3.18: CFB128 with AES-128, AES-192, AES-256. The RFC's IV is the whole of theirs:
    /// boots and time are its first eight octets, the salt its last.
    #[test]
    fn nist_cfb128() {
        let check = |protocol: PrivProtocol, key: &str, cipher: &str| {
            let key = hex(key);
            let keyed = match protocol {
                PrivProtocol::Aes128 => Keyed::Aes128(Aes128::new_from_slice(&key).unwrap()),
                PrivProtocol::Aes192 => Keyed::Aes192(Aes192::new_from_slice(&key).unwrap()),
                _ => Keyed::Aes256(Aes256::new_from_slice(&key).unwrap()),
            };
            let privacy = Privacy {
                protocol,
                keyed: Box::new(keyed),
            };
            let mut octets = hex(PLAIN);
            let salt = privacy.encrypt(&mut octets, 0x0001_0203, 0x0405_0607, 0x0809_0a0b_0c0d_0e0f);
            assert_eq!(octets, hex(cipher), "{protocol:?}");
            privacy.decrypt(&mut octets, 0x0001_0203, 0x0405_0607, salt).unwrap();
            assert_eq!(octets, hex(PLAIN), "{protocol:?}");
        };
        check(
            PrivProtocol::Aes128,
            "2b7e151628aed2a6abf7158809cf4f3c",
            "3b3fd92eb72dad20333449f8e83cfb4a c8a64537a0b3a93fcde3cdad9f1ce58b
             26751f67a3cbb140b1808cf187a4f4df c04b05357c5d1c0eeac4c66f9ff7f2e6",
        );
        check(
            PrivProtocol::Aes192,
            "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
            "cdc80d6fddf18cab34c25909c99a4174 67ce7f7f81173621961a2b70171d3d7a
             2e1e8a1dd59b88b1c8e60fed1efac4c9 c05f9f9ca9834fa042ae8fba584b09ff",
        );
        check(
            PrivProtocol::Aes256,
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "dc7e84bfda79164b7ecd8486985d3860 39ffed143b28b1c832113c6331e5407b
             df10132415e54b92a13ed0a8267ae2f9 75a385741ab9cef82031623d55b1e471",
        );
    }

    /// FIPS 81, table C1: DES-CBC of "Now is the time for all " with key 0123456789abcdef and IV 1234567890abcdef.
    #[test]
    fn fips_81_des_cbc() {
        let cipher = Des::new_from_slice(&hex("0123456789abcdef")).unwrap();
        let whitening = Whitening(hex("1234567890abcdef").try_into().unwrap());
        let privacy = Privacy {
            protocol: PrivProtocol::Des,
            keyed: Box::new(Keyed::Des { cipher, whitening }),
        };
        let mut octets = hex("e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6");
        privacy.decrypt(&mut octets, 0, 0, [0; 8]).unwrap();
        assert_eq!(octets, b"Now is the time for all ");
        assert_eq!(privacy.encrypt(&mut octets, 0, 0, 0), [0; 8]);
        assert_eq!(octets, hex("e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"));
    }

    #[test]
    fn des_takes_whole_blocks_only_and_pads() {
        let key = crate::key::privacy(
            crate::AuthProtocol::Sha1,
            PrivProtocol::Des,
            &crate::key::of_password(crate::AuthProtocol::Sha1, b"maplesyrup"),
            &[0; 12],
        );
        let privacy = Privacy::new(PrivProtocol::Des, &key);
        for length in [0, 1, 7, 9, 15] {
            assert_eq!(
                privacy.decrypt(&mut vec![0; length], 1, 1, [0; 8]),
                Err(NotBlocks),
                "{length}"
            );
        }
        for length in 1..=17 {
            let plain: Vec<u8> = (0..length).collect();
            let mut octets = plain.clone();
            let salt = privacy.encrypt(&mut octets, 7, 0, 9);
            assert_eq!((octets.len() % 8, salt), (0, [0, 0, 0, 7, 0, 0, 0, 9]));
            privacy.decrypt(&mut octets, 7, 0, salt).unwrap();
            assert!(octets.starts_with(&plain) && octets.len() - plain.len() < 8);
        }
    }
}
