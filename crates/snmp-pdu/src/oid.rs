//! Object identifiers, without allocation.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use thiserror::Error;

use crate::ber::{Element, PduError, Reason};

/// Most sub-identifiers an object identifier may have (RFC 2578 §3.5).
pub const OID_ARCS_MAX: usize = 128;

/// A text is not an object identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an object identifier: 2 to 128 numbers up to 4294967295 with dots between, the first 0, 1 or 2")]
pub struct OidTextError;

/// An object identifier. Compares and sorts by its numbers, as a MIB walk does.
#[derive(Clone, Copy)]
pub struct Oid {
    len: u8,
    arcs: [u32; OID_ARCS_MAX],
}

impl Oid {
    /// The one with no numbers: a start for [`Oid::push`], never read from the wire.
    pub const EMPTY: Self = Self {
        len: 0,
        arcs: [0; OID_ARCS_MAX],
    };

    /// From its numbers; for constants.
    ///
    /// # Panics
    /// When there are more than 128.
    pub const fn new(arcs: &[u32]) -> Self {
        assert!(
            arcs.len() <= OID_ARCS_MAX,
            "an object identifier has at most 128 numbers"
        );
        let mut oid = Self::EMPTY;
        let mut i = 0;
        while i < arcs.len() {
            oid.arcs[i] = arcs[i];
            i += 1;
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most 128")]
        let len = arcs.len() as u8;
        oid.len = len;
        oid
    }

    /// From its numbers; `None` when there are more than 128.
    pub fn from_arcs(arcs: &[u32]) -> Option<Self> {
        (arcs.len() <= OID_ARCS_MAX).then(|| Self::new(arcs))
    }

    /// Its numbers.
    pub fn arcs(&self) -> &[u32] {
        &self.arcs[..usize::from(self.len)]
    }

    /// Adds a number; `None` when it is full.
    #[must_use]
    pub fn push(mut self, arc: u32) -> Option<Self> {
        *self.arcs.get_mut(usize::from(self.len))? = arc;
        self.len += 1;
        Some(self)
    }

    /// Whether it begins with all numbers of `prefix` (or is equal).
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.arcs().starts_with(prefix.arcs())
    }

    /// The numbers after `prefix`: empty when equal, `None` when it does not begin with it.
    pub fn suffix_after(&self, prefix: &Self) -> Option<&[u32]> {
        self.arcs().strip_prefix(prefix.arcs())
    }

    /// Its content octets (X.690 §8.19): one encoding for each.
    pub fn content(&self) -> Vec<u8> {
        crate::encode::oid_content(self)
    }

    /// Reads the content octets of an `OBJECT IDENTIFIER` (X.690 §8.19).
    pub(crate) fn decode(element: &Element<'_>, field: &'static str) -> Result<Self, PduError> {
        let mut oid = Self::EMPTY;
        let mut len = 0;
        each_arc(element, field, |arc| {
            oid.arcs[len] = arc;
            len += 1;
        })?;
        oid.len = u8::try_from(len).map_err(|_| element.error(Reason::Oid, field))?;
        Ok(oid)
    }

    /// Whether [`Oid::decode`] would read it, without building one.
    #[inline]
    pub(crate) fn check(element: &Element<'_>, field: &'static str) -> Result<(), PduError> {
        // Nearly every name has numbers of at most four octets, which are within range whatever they are.
        let mut arcs = 1;
        let mut octets = 0;
        for &octet in element.content {
            if octets == 0 && octet == 0x80 {
                return each_arc(element, field, |_| ());
            }
            octets += 1;
            if octet < 0x80 {
                if octets > 4 {
                    return each_arc(element, field, |_| ());
                }
                arcs += 1;
                octets = 0;
            }
        }
        if octets == 0 && (2..=OID_ARCS_MAX).contains(&arcs) {
            Ok(())
        } else {
            each_arc(element, field, |_| ())
        }
    }
}

/// The numbers that content octets stand for, of a name that was checked and from its third number on: what follows a
/// prefix, say.
pub fn sub_identifiers(octets: &[u8]) -> impl Iterator<Item = u32> + '_ {
    octets.split_inclusive(|octet| *octet < 0x80).map(|number| {
        number
            .iter()
            .fold(0, |value: u32, octet| value << 7 | u32::from(octet & 0x7F))
    })
}

/// Calls `take` with each number, at most [`OID_ARCS_MAX`] times.
fn each_arc(element: &Element<'_>, field: &'static str, mut take: impl FnMut(u32)) -> Result<(), PduError> {
    let error = || element.error(Reason::Oid, field);
    let mut count = 0;
    let mut value: u64 = 0;
    let mut inside = false;
    for &octet in element.content {
        if !inside && octet == 0x80 {
            return Err(error());
        }
        value = value << 7 | u64::from(octet & 0x7F);
        // The first number holds two, and may be 80 larger than the limit.
        if value > u64::from(u32::MAX) + 80 {
            return Err(error());
        }
        inside = octet & 0x80 != 0;
        if inside {
            continue;
        }
        if count == 0 {
            let first = (value / 40).min(2);
            take(u32::try_from(first).map_err(|_| error())?);
            value -= first * 40;
            count = 1;
        }
        if count == OID_ARCS_MAX {
            return Err(error());
        }
        take(u32::try_from(value).map_err(|_| error())?);
        count += 1;
        value = 0;
    }
    if inside || count == 0 { Err(error()) } else { Ok(()) }
}

impl PartialEq for Oid {
    fn eq(&self, other: &Self) -> bool {
        self.arcs() == other.arcs()
    }
}

impl Eq for Oid {}

impl Hash for Oid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.arcs().hash(state);
    }
}

impl PartialOrd for Oid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Oid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.arcs().cmp(other.arcs())
    }
}

impl fmt::Display for Oid {
    /// Numbers with dots between, none in front.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, arc) in self.arcs().iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            write!(f, "{arc}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

impl FromStr for Oid {
    type Err = OidTextError;

    /// Reads `1.3.6.1`, with or without a dot in front.
    fn from_str(text: &str) -> Result<Self, OidTextError> {
        let mut oid = Self::EMPTY;
        for part in text.strip_prefix('.').unwrap_or(text).split('.') {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(OidTextError);
            }
            oid = oid.push(part.parse().map_err(|_| OidTextError)?).ok_or(OidTextError)?;
        }
        match oid.arcs() {
            [0 | 1, second, ..] if *second < 40 => Ok(oid),
            [2, _, ..] => Ok(oid),
            _ => Err(OidTextError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        for text in [
            "1.3",
            "1.3.6.1.4.1.2011.6.128.1.1.12.2.2.0.18",
            "2.4294967295.4294967295",
            "0.0",
        ] {
            assert_eq!(text.parse::<Oid>().unwrap().to_string(), text);
        }
        assert_eq!(".1.3.6".parse::<Oid>().unwrap().arcs(), [1, 3, 6]);
        for bad in [
            "",
            ".",
            "1",
            "1.",
            "3.1",
            "1.40",
            "1.3.4294967296",
            "1.3.x",
            "1..3",
            "1.+3",
            "1.3.-1",
        ] {
            assert!(bad.parse::<Oid>().is_err(), "{bad}");
        }
        assert!(vec!["1"; 128].join(".").parse::<Oid>().is_ok());
        assert!(vec!["1"; 129].join(".").parse::<Oid>().is_err());
    }

    #[test]
    fn prefixes() {
        let column: Oid = "1.3.6.1.2.1.2.2.1.1".parse().unwrap();
        let cell: Oid = "1.3.6.1.2.1.2.2.1.1.4194312192".parse().unwrap();
        assert!(cell.starts_with(&column) && column.starts_with(&column) && !column.starts_with(&cell));
        assert_eq!(cell.suffix_after(&column), Some(&[4_194_312_192][..]));
        assert_eq!(column.suffix_after(&column), Some(&[][..]));
        let neighbour: Oid = "1.3.6.1.2.1.2.2.1.10".parse().unwrap();
        assert!(!neighbour.starts_with(&column));
        assert!(column < cell && cell < neighbour);
    }
}
