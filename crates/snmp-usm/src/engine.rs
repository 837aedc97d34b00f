//! Engine ids, and our own engine: its boots and time.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// How long an engine id may be (RFC 3411 §5, SnmpEngineID).
pub const ENGINE_ID_OCTETS: RangeInclusive<usize> = 5..=32;
/// Highest `snmpEngineBoots` (RFC 3414 §2.2.2). An engine that reached it can authenticate nothing any more.
pub const BOOTS_MAX: u32 = 2_147_483_647;
/// Enterprise number in the engine ids we make. The project has none of its own; 0 is reserved by IANA and given to
/// nobody, so no vendor's engine can have such an id, and the random octets tell ours apart.
const ENTERPRISE: [u8; 4] = [0x80, 0, 0, 0];
/// "Octets, administratively assigned" (RFC 3411 §5, SnmpEngineID, fifth octet).
const FORMAT_OCTETS: u8 = 5;

/// The name of an SNMP engine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EngineId {
    octets: [u8; 32],
    len: u8,
}

/// Not an engine id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an engine id: 10 to 64 hexadecimal digits, not all 0 and not all f")]
pub struct EngineIdError;

impl EngineId {
    /// From its octets: 5 to 32, not all zero, not all 255 (RFC 3411 §5).
    ///
    /// # Errors
    /// For anything else.
    pub fn new(octets: &[u8]) -> Result<Self, EngineIdError> {
        let valid = ENGINE_ID_OCTETS.contains(&octets.len())
            && octets.iter().any(|o| *o != 0)
            && octets.iter().any(|o| *o != 0xFF);
        if valid {
            Ok(Self::fitting(octets))
        } else {
            Err(EngineIdError)
        }
    }

    /// One of our own: 16 octets drawn at random make it different from every other.
    pub fn ours(random: [u8; 16]) -> Self {
        let mut octets = [0; 21];
        octets[..4].copy_from_slice(&ENTERPRISE);
        octets[4] = FORMAT_OCTETS;
        octets[5..].copy_from_slice(&random);
        Self::fitting(&octets)
    }

    fn fitting(octets: &[u8]) -> Self {
        let mut own = [0; 32];
        own[..octets.len()].copy_from_slice(octets);
        Self {
            octets: own,
            len: octets.len().to_le_bytes()[0],
        }
    }

    /// Its octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

impl fmt::Display for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for EngineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EngineId({self})")
    }
}

impl FromStr for EngineId {
    type Err = EngineIdError;

    /// Hexadecimal digits, with or without `0x` in front and `:` between octets.
    fn from_str(text: &str) -> Result<Self, EngineIdError> {
        let text = text.strip_prefix("0x").unwrap_or(text);
        let digits: Vec<u8> = text.bytes().filter(|b| *b != b':').collect();
        let (pairs, []) = digits.as_chunks::<2>() else {
            return Err(EngineIdError);
        };
        let octet = |[high, low]: &[u8; 2]| Some(hex_digit(*high)? << 4 | hex_digit(*low)?);
        let octets: Option<Vec<u8>> = pairs.iter().map(octet).collect();
        Self::new(&octets.ok_or(EngineIdError)?)
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Our engine: authoritative for informs. Its boots were counted up and stored before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalEngine {
    /// Its name.
    pub id: EngineId,
    /// Starts so far, this one included: 1 to [`BOOTS_MAX`].
    pub boots: u32,
    /// `now` of the moment it started.
    pub started: Duration,
}

impl LocalEngine {
    /// Seconds since it started: `snmpEngineTime`. It would wrap after 68 years.
    pub fn time(&self, now: Duration) -> u32 {
        let seconds = now.saturating_sub(self.started).as_secs();
        u32::try_from(seconds).map_or(BOOTS_MAX, |s| s.min(BOOTS_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        for text in ["8000000001", "80001f8880c0ffee00", &"ab".repeat(32)] {
            assert_eq!(text.parse::<EngineId>().unwrap().to_string(), text);
        }
        assert_eq!(
            "0x80:00:1F:88:04".parse::<EngineId>().unwrap().to_string(),
            "80001f8804"
        );
        for bad in [
            "",
            "80",
            "80000000",
            "800000000",
            "0000000000",
            "ffffffffff",
            "80000000zz",
            &"ab".repeat(33),
        ] {
            assert!(bad.parse::<EngineId>().is_err(), "{bad}");
        }
        assert_eq!(
            EngineId::ours([7; 16]).to_string(),
            format!("8000000005{}", "07".repeat(16))
        );
    }
}
