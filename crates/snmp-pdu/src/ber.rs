//! The part of BER that SNMP uses (RFC 3417 §8): definite lengths, one-octet tags. Public for the crates that read what
//! stands around a PDU (`snmp-usm`).

use thiserror::Error;

/// Tags, as RFC 1155, RFC 1157 and RFC 3416 assign them.
#[allow(missing_docs, reason = "named as the RFCs name them")]
pub mod tag {
    pub const INTEGER: u8 = 0x02;
    pub const OCTET_STRING: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const OID: u8 = 0x06;
    pub const SEQUENCE: u8 = 0x30;
    pub const IP_ADDRESS: u8 = 0x40;
    pub const COUNTER32: u8 = 0x41;
    pub const GAUGE32: u8 = 0x42;
    pub const TIME_TICKS: u8 = 0x43;
    pub const OPAQUE: u8 = 0x44;
    pub const COUNTER64: u8 = 0x46;
    pub const NO_SUCH_OBJECT: u8 = 0x80;
    pub const NO_SUCH_INSTANCE: u8 = 0x81;
    pub const END_OF_MIB_VIEW: u8 = 0x82;
    pub const GET: u8 = 0xA0;
    pub const GET_NEXT: u8 = 0xA1;
    pub const RESPONSE: u8 = 0xA2;
    pub const SET: u8 = 0xA3;
    pub const V1_TRAP: u8 = 0xA4;
    pub const GET_BULK: u8 = 0xA5;
    pub const INFORM: u8 = 0xA6;
    pub const V2_TRAP: u8 = 0xA7;
    pub const REPORT: u8 = 0xA8;
}

/// Why bytes are not an SNMP notification: a closed set, fit for a metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Ends before what a length or a field promises.
    Truncated,
    /// Indefinite, reserved or impossibly long length.
    Length,
    /// Another tag than the one that must stand here.
    Tag,
    /// Bytes are left over after the end of something.
    TrailingBytes,
    /// An integer without octets, or with more than it needs.
    Integer,
    /// A number or a fixed-size string outside its range.
    Range,
    /// An object identifier that is empty, padded, cut, over 128 sub-identifiers, or with one over 2^32−1.
    Oid,
    /// A message version other than 0 (v1), 1 (v2c) and 3 (v3).
    Version,
    /// A PDU that is not a notification of the message's version.
    PduType,
    /// A type of value that the message's version does not know.
    ValueType,
    /// No `snmpTrapOID.0` in the list.
    NoTrapOid,
}

impl Reason {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Truncated,
        Self::Length,
        Self::Tag,
        Self::TrailingBytes,
        Self::Integer,
        Self::Range,
        Self::Oid,
        Self::Version,
        Self::PduType,
        Self::ValueType,
        Self::NoTrapOid,
    ];

    /// The word for a label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Length => "length",
            Self::Tag => "tag",
            Self::TrailingBytes => "trailing_bytes",
            Self::Integer => "integer",
            Self::Range => "range",
            Self::Oid => "oid",
            Self::Version => "version",
            Self::PduType => "pdu_type",
            Self::ValueType => "value_type",
            Self::NoTrapOid => "no_trap_oid",
        }
    }
}

/// Bytes are not an SNMP notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{} at byte {at}, in {field}", reason.as_str())]
pub struct PduError {
    /// Why.
    pub reason: Reason,
    /// Where, counted from the start of what was given.
    pub at: usize,
    /// What was being read.
    pub field: &'static str,
}

/// A cursor over bytes, with the place of its first byte in the whole.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// One element: its tag, its content, and where the content begins.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// Its tag.
    pub tag: u8,
    /// Its content octets.
    pub content: &'a [u8],
    /// Place of the first content octet in the whole.
    pub at: usize,
    /// Tag, length and content.
    pub whole: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Over a whole.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Over the content of an element; places still count from the start of the whole.
    pub fn within(element: &Element<'a>) -> Self {
        Self {
            bytes: element.content,
            at: element.at,
        }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// An error at the next octet.
    pub fn error(&self, reason: Reason, field: &'static str) -> PduError {
        PduError {
            reason,
            at: self.at,
            field,
        }
    }

    /// Reads the next element, whatever its tag.
    ///
    /// # Errors
    /// When it is cut, or its length is not definite.
    pub fn element(&mut self, field: &'static str) -> Result<Element<'a>, PduError> {
        let (&tag, &first) = match self.bytes {
            [tag, first, ..] => (tag, first),
            _ => return Err(self.error(Reason::Truncated, field)),
        };
        let (head, length) = match first {
            0..=0x7F => (2, usize::from(first)),
            0x80 | 0xFF => return Err(self.error(Reason::Length, field)),
            _ => self.long_length(usize::from(first & 0x7F), field)?,
        };
        let end = head + length;
        if end > self.bytes.len() {
            return Err(self.error(Reason::Truncated, field));
        }
        let (whole, rest) = self.bytes.split_at(end);
        let element = Element {
            tag,
            content: &whole[head..],
            at: self.at + head,
            whole,
        };
        self.bytes = rest;
        self.at += end;
        Ok(element)
    }

    /// Length in the long form: `octets` octets after the first, leading zeros allowed.
    fn long_length(&self, octets: usize, field: &'static str) -> Result<(usize, usize), PduError> {
        let Some(digits) = self.bytes.get(2..2 + octets) else {
            return Err(self.error(Reason::Truncated, field));
        };
        let mut length: u32 = 0;
        for &digit in digits {
            if length >> 24 != 0 {
                return Err(self.error(Reason::Length, field));
            }
            length = length << 8 | u32::from(digit);
        }
        // A length over 2^31 cannot be met by any input here, and must not overflow what is added to it.
        match usize::try_from(length) {
            Ok(length) if length <= i32::MAX as usize => Ok((2 + octets, length)),
            _ => Err(self.error(Reason::Length, field)),
        }
    }

    /// Reads an element that must have this tag.
    ///
    /// # Errors
    /// As [`Reader::element`], and for another tag.
    pub fn expect(&mut self, tag: u8, field: &'static str) -> Result<Element<'a>, PduError> {
        let start = *self;
        let element = self.element(field)?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(start.error(Reason::Tag, field))
        }
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// When something is.
    pub fn end(&self, field: &'static str) -> Result<(), PduError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.error(Reason::TrailingBytes, field))
        }
    }

    /// `INTEGER` within 32 bits.
    ///
    /// # Errors
    /// For anything else.
    pub fn int32(&mut self, field: &'static str) -> Result<i32, PduError> {
        let element = self.expect(tag::INTEGER, field)?;
        element.int32(field)
    }
}

impl Element<'_> {
    /// An error at its first content octet.
    pub fn error(&self, reason: Reason, field: &'static str) -> PduError {
        PduError {
            reason,
            at: self.at,
            field,
        }
    }

    /// Two's complement, minimal, at most 9 octets (which is what a `Counter64` needs).
    fn signed(&self, field: &'static str) -> Result<i128, PduError> {
        let (&first, rest) = self.content.split_first().ok_or(self.error(Reason::Integer, field))?;
        if let Some(&second) = rest.first() {
            let padded = (first == 0x00 && second < 0x80) || (first == 0xFF && second >= 0x80);
            if padded {
                return Err(self.error(Reason::Integer, field));
            }
        }
        if rest.len() > 8 {
            return Err(self.error(Reason::Range, field));
        }
        let head = i128::from(first.cast_signed());
        Ok(rest.iter().fold(head, |value, &octet| value << 8 | i128::from(octet)))
    }

    /// `INTEGER` within 32 bits.
    ///
    /// # Errors
    /// For anything else.
    #[inline]
    pub fn int32(&self, field: &'static str) -> Result<i32, PduError> {
        if let [octet] = *self.content {
            return Ok(i32::from(octet.cast_signed()));
        }
        i32::try_from(self.signed(field)?).map_err(|_| self.error(Reason::Range, field))
    }

    /// A number from 0 to 2^32−1.
    ///
    /// # Errors
    /// For anything else.
    pub fn uint32(&self, field: &'static str) -> Result<u32, PduError> {
        u32::try_from(self.signed(field)?).map_err(|_| self.error(Reason::Range, field))
    }

    /// A number from 0 to 2^64−1.
    ///
    /// # Errors
    /// For anything else.
    pub fn uint64(&self, field: &'static str) -> Result<u64, PduError> {
        u64::try_from(self.signed(field)?).map_err(|_| self.error(Reason::Range, field))
    }

    /// Four octets.
    ///
    /// # Errors
    /// For anything else.
    pub fn ip_address(&self, field: &'static str) -> Result<[u8; 4], PduError> {
        self.content.try_into().map_err(|_| self.error(Reason::Range, field))
    }

    /// No content.
    ///
    /// # Errors
    /// For anything else.
    pub fn empty(&self, field: &'static str) -> Result<(), PduError> {
        if self.content.is_empty() {
            Ok(())
        } else {
            Err(self.error(Reason::Range, field))
        }
    }
}
