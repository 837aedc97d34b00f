//! Which algorithms are offered to a device, and which were agreed to.

use std::borrow::Cow;

use russh::client::GexParams;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Names, Preferred, cipher, compression, kex, mac};

use crate::session::pins::Pin;
use crate::session::target::Profile;

/// Bits of an RSA host key at the least, by profile: old boxes have 1,024.
const RSA_BITS_MIN: [(Profile, u32); 2] = [(Profile::Modern, 2_048), (Profile::Legacy, 1_024)];

/// What was agreed to with a device, to be shown and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Key exchange.
    pub kex: String,
    /// Kind of signature of the host key.
    pub host_key: String,
    /// Cipher.
    pub cipher: String,
    /// Authentication of messages; `None` where the cipher does it.
    pub mac: Option<String>,
    /// Whether something of it is offered by the legacy profile alone.
    pub legacy: bool,
}

const ED25519: Algorithm = Algorithm::Ed25519;
const P256: Algorithm = Algorithm::Ecdsa {
    curve: EcdsaCurve::NistP256,
};
const P384: Algorithm = Algorithm::Ecdsa {
    curve: EcdsaCurve::NistP384,
};
const P521: Algorithm = Algorithm::Ecdsa {
    curve: EcdsaCurve::NistP521,
};
const RSA_SHA512: Algorithm = Algorithm::Rsa {
    hash: Some(HashAlg::Sha512),
};
const RSA_SHA256: Algorithm = Algorithm::Rsa {
    hash: Some(HashAlg::Sha256),
};
const RSA_SHA1: Algorithm = Algorithm::Rsa { hash: None };

/// The last two are no key exchanges, but say what we understand besides.
const KEX_MODERN: &[kex::Name] = &[
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::DH_GEX_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];
/// Fixed groups before the exchange of a group: some boxes would offer one of 1,024 bits there, which is refused.
const KEX_LEGACY: &[kex::Name] = &[
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_G16_SHA512,
    kex::DH_G14_SHA256,
    kex::DH_GEX_SHA256,
    kex::DH_G14_SHA1,
    kex::DH_G1_SHA1,
    kex::DH_GEX_SHA1,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];
const KEYS_MODERN: &[Algorithm] = &[ED25519, P256, P384, P521, RSA_SHA512, RSA_SHA256];
const KEYS_LEGACY: &[Algorithm] = &[ED25519, P256, P384, P521, RSA_SHA512, RSA_SHA256, RSA_SHA1];
const CIPHERS_MODERN: &[cipher::Name] = &[
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];
const CIPHERS_LEGACY: &[cipher::Name] = &[
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
    cipher::AES_256_CBC,
    cipher::AES_192_CBC,
    cipher::AES_128_CBC,
    cipher::TRIPLE_DES_CBC,
];
const MACS_MODERN: &[mac::Name] = &[
    mac::HMAC_SHA512_ETM,
    mac::HMAC_SHA256_ETM,
    mac::HMAC_SHA512,
    mac::HMAC_SHA256,
];
const MACS_LEGACY: &[mac::Name] = &[
    mac::HMAC_SHA512_ETM,
    mac::HMAC_SHA256_ETM,
    mac::HMAC_SHA512,
    mac::HMAC_SHA256,
    mac::HMAC_SHA1_ETM,
    mac::HMAC_SHA1,
];

/// What is offered to a device. A kind of key that is trusted already goes first: a device that has got another kind besides
/// did not change the old one.
pub fn preferred(profile: Profile, pinned: Option<&Pin>) -> Preferred {
    let (kex, keys, cipher, mac) = match profile {
        Profile::Modern => (KEX_MODERN, KEYS_MODERN, CIPHERS_MODERN, MACS_MODERN),
        Profile::Legacy => (KEX_LEGACY, KEYS_LEGACY, CIPHERS_LEGACY, MACS_LEGACY),
    };
    let key = match pinned {
        None => Cow::Borrowed(keys),
        Some(pin) => {
            let (first, rest): (Vec<_>, Vec<_>) = keys.iter().cloned().partition(|key| kind(key) == pin.algorithm());
            Cow::Owned([first, rest].concat())
        }
    };
    Preferred {
        kex: Cow::Borrowed(kex),
        key,
        host_key_certificates: Cow::Borrowed(&[]),
        cipher: Cow::Borrowed(cipher),
        mac: Cow::Borrowed(mac),
        compression: Cow::Borrowed(&[compression::NONE]),
    }
}

/// Groups of a group exchange: not under 2,048 bits, and not so large that it takes seconds.
pub fn gex() -> GexParams {
    GexParams::new(2_048, 2_048, 4_096).expect("2,048 is the least that is taken, and they increase")
}

/// Bits of an RSA host key at the least.
pub fn rsa_bits_min(profile: Profile) -> u32 {
    let of = RSA_BITS_MIN.iter().find(|(of, _)| *of == profile);
    of.map_or(u32::MAX, |(_, bits)| *bits)
}

/// The kind of a host key, whatever signs with it.
fn kind(algorithm: &Algorithm) -> &str {
    match algorithm {
        Algorithm::Rsa { .. } => "ssh-rsa",
        other => other.as_str(),
    }
}

impl Negotiated {
    /// Of what the library says.
    pub(super) fn of(names: &Names) -> Self {
        let authenticated = [cipher::CHACHA20_POLY1305, cipher::AES_256_GCM, cipher::AES_128_GCM];
        let mac = (!authenticated.contains(&names.cipher)).then_some(names.client_mac);
        let modern = KEX_MODERN.contains(&names.kex)
            && KEYS_MODERN.contains(&names.key)
            && CIPHERS_MODERN.contains(&names.cipher)
            && mac.is_none_or(|mac| MACS_MODERN.contains(&mac));
        Self {
            kex: names.kex.as_ref().to_owned(),
            host_key: names.key.as_str().to_owned(),
            cipher: names.cipher.as_ref().to_owned(),
            mac: mac.map(|mac| mac.as_ref().to_owned()),
            legacy: !modern,
        }
    }
}
