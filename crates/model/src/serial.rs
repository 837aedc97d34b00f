//! The serial number of an ONU (ITU-T G.984.3, 4 octets of vendor id and 4 octets of number).

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not a serial number.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a GPON serial number: 16 hexadecimal digits, or 4 letters and 8 hexadecimal digits")]
pub struct SerialError(String);

/// Eight octets. Every written form is the same serial: `HWTC1234ABCD`, `HWTC-1234ABCD`, `485754431234ABCD`, any case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial([u8; 8]);

impl Serial {
    /// From the octets of a MIB's `OCTET STRING (SIZE (8))`.
    pub fn from_octets(octets: [u8; 8]) -> Self {
        Self(octets)
    }

    /// The octets.
    pub fn octets(&self) -> [u8; 8] {
        self.0
    }

    /// Reads any written form.
    ///
    /// # Errors
    /// When the text is none of them.
    pub fn parse(text: &str) -> Result<Self, SerialError> {
        let error = || SerialError(text.chars().take(40).collect());
        let plain: Vec<u8> = text.trim().bytes().filter(|&b| b != b'-').collect();
        let mut octets = [0; 8];
        match plain.len() {
            16 => decode_hex(&plain, &mut octets).ok_or_else(error)?,
            12 if plain[..4].iter().all(u8::is_ascii_alphanumeric) => {
                for (octet, letter) in octets.iter_mut().zip(&plain[..4]) {
                    *octet = letter.to_ascii_uppercase();
                }
                decode_hex(&plain[4..], &mut octets[4..]).ok_or_else(error)?;
            }
            _ => return Err(error()),
        }
        Ok(Self(octets))
    }

    /// The 16 hexadecimal digits, upper case: the form used as a key.
    pub fn hex(&self) -> String {
        self.0.iter().map(|b| format!("{b:02X}")).collect()
    }
}

fn decode_hex(digits: &[u8], out: &mut [u8]) -> Option<()> {
    for (octet, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *octet = u8::try_from(high * 16 + low).ok()?;
    }
    Some(())
}

impl fmt::Display for Serial {
    /// `HWTC1234ABCD` where the vendor is four letters or digits, else 16 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (vendor, number) = self.0.split_at(4);
        if vendor.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            for &b in vendor {
                write!(f, "{}", char::from(b))?;
            }
            number.iter().try_for_each(|b| write!(f, "{b:02X}"))
        } else {
            f.write_str(&self.hex())
        }
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({self})")
    }
}

impl TryFrom<String> for Serial {
    type Error = SerialError;
    fn try_from(text: String) -> Result<Self, SerialError> {
        Self::parse(&text)
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_form_is_one_serial() {
        let serial = Serial::parse("48575443B6113C9D").unwrap();
        for form in [
            "HWTCB6113C9D",
            "hwtc-b6113c9d",
            "HWTC-B6113C9D",
            "48575443b6113c9d",
            " HWTCB6113C9D ",
        ] {
            assert_eq!(Serial::parse(form).unwrap(), serial, "{form}");
        }
        assert_eq!(serial.to_string(), "HWTCB6113C9D");
        assert_eq!(serial.hex(), "48575443B6113C9D");
    }

    #[test]
    fn a_vendor_that_is_not_letters_is_shown_in_hex() {
        let serial = Serial::from_octets([0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(serial.to_string(), "0001020304050607");
        assert_eq!(Serial::parse(&serial.to_string()).unwrap(), serial);
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "HWTC",
            "HWTCB6113C9",
            "HWTCB6113C9DD",
            "HW C12345678",
            "zzzzzzzzzzzzzzzz",
            "HWTCXXXXXXXX",
        ] {
            assert!(Serial::parse(bad).is_err(), "{bad}");
        }
    }
}
