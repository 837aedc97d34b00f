//! Which algorithms there are, and their numbers.

/// Authentication: HMAC over the whole message, cut to so many octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthProtocol {
    /// usmHMACMD5AuthProtocol (RFC 3414 §6).
    Md5,
    /// usmHMACSHAAuthProtocol (RFC 3414 §7).
    Sha1,
    /// usmHMAC128SHA224AuthProtocol (RFC 7860).
    Sha224,
    /// usmHMAC192SHA256AuthProtocol (RFC 7860).
    Sha256,
    /// usmHMAC256SHA384AuthProtocol (RFC 7860).
    Sha384,
    /// usmHMAC384SHA512AuthProtocol (RFC 7860).
    Sha512,
}

impl AuthProtocol {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
    ];

    /// The word in a configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// From the word in a configuration.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.as_str() == word)
    }

    /// Octets of `msgAuthenticationParameters`: exactly so many, never what the sender chose (CVE-2008-0960).
    pub const fn mac_octets(self) -> usize {
        match self {
            Self::Md5 | Self::Sha1 => 12,
            Self::Sha224 => 16,
            Self::Sha256 => 24,
            Self::Sha384 => 32,
            Self::Sha512 => 48,
        }
    }

    /// Octets of a key, which are those of the whole hash.
    pub const fn key_octets(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// Privacy. AES-192 and AES-256 were never standardised: where the hash is shorter than the key, two drafts extend it in
/// two ways, and devices exist of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrivProtocol {
    /// usmDESPrivProtocol (RFC 3414 §8): DES-CBC.
    Des,
    /// usmAesCfb128Protocol (RFC 3826).
    Aes128,
    /// AES-192-CFB, key extended as draft-blumenthal-aes-usm-04 §3.1.2.1 (net-snmp).
    Aes192,
    /// AES-256-CFB, the same extension.
    Aes256,
    /// AES-192-CFB, key extended as draft-reeder-snmpv3-usm-3desede-00 §2.1 (Cisco and others).
    Aes192Reeder,
    /// AES-256-CFB, the same extension.
    Aes256Reeder,
}

impl PrivProtocol {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Des,
        Self::Aes128,
        Self::Aes192,
        Self::Aes256,
        Self::Aes192Reeder,
        Self::Aes256Reeder,
    ];

    /// The word in a configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Des => "des",
            Self::Aes128 => "aes128",
            Self::Aes192 => "aes192",
            Self::Aes256 => "aes256",
            Self::Aes192Reeder => "aes192-reeder",
            Self::Aes256Reeder => "aes256-reeder",
        }
    }

    /// From the word in a configuration.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|p| p.as_str() == word)
    }

    /// Octets of key it takes; of DES's 16, eight are key and eight whiten the salt.
    pub const fn key_octets(self) -> usize {
        match self {
            Self::Des | Self::Aes128 => 16,
            Self::Aes192 | Self::Aes192Reeder => 24,
            Self::Aes256 | Self::Aes256Reeder => 32,
        }
    }
}
