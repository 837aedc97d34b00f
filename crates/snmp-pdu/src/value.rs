//! The values a varbind may hold: `ObjectSyntax` of RFC 1155 (v1) and RFC 2578 with RFC 3416's exceptions (v2).

use crate::Oid;
use crate::ber::{Element, PduError, Reason, tag};

/// A varbind's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "an Oid on the stack is the price of no allocation"
)]
pub enum Value<'a> {
    /// `INTEGER`, `Integer32`, enumerations.
    Integer(i32),
    /// `OCTET STRING`, `DisplayString`, `BITS`.
    OctetString(&'a [u8]),
    /// `OBJECT IDENTIFIER`.
    Oid(Oid),
    /// `IpAddress` (IPv4).
    IpAddress([u8; 4]),
    /// `Counter32`.
    Counter32(u32),
    /// `Gauge32`, `Unsigned32`.
    Gauge32(u32),
    /// `TimeTicks`: hundredths of a second.
    TimeTicks(u32),
    /// `Opaque`: bytes as they came.
    Opaque(&'a [u8]),
    /// `Counter64`; v2 only.
    Counter64(u64),
    /// `NULL`.
    Null,
    /// Exception `noSuchObject`; v2 only.
    NoSuchObject,
    /// Exception `noSuchInstance`; v2 only.
    NoSuchInstance,
    /// Exception `endOfMibView`; v2 only.
    EndOfMibView,
}

impl<'a> Value<'a> {
    /// Name of its type, for people.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Integer(_) => "integer",
            Self::OctetString(_) => "octet_string",
            Self::Oid(_) => "oid",
            Self::IpAddress(_) => "ip_address",
            Self::Counter32(_) => "counter32",
            Self::Gauge32(_) => "gauge32",
            Self::TimeTicks(_) => "time_ticks",
            Self::Opaque(_) => "opaque",
            Self::Counter64(_) => "counter64",
            Self::Null => "null",
            Self::NoSuchObject => "no_such_object",
            Self::NoSuchInstance => "no_such_instance",
            Self::EndOfMibView => "end_of_mib_view",
        }
    }

    /// Any number of at most 32 bits, as its 32 bits: `-1` and `4294967295` are the same. An ifIndex comes as Integer32
    /// from one release and as Gauge32 from the next.
    pub fn as_u32_bits(&self) -> Option<u32> {
        match *self {
            Self::Integer(n) => Some(n.cast_unsigned()),
            Self::Counter32(n) | Self::Gauge32(n) | Self::TimeTicks(n) => Some(n),
            _ => None,
        }
    }

    /// Any number, with its sign.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Integer(n) => Some(i64::from(n)),
            Self::Counter32(n) | Self::Gauge32(n) | Self::TimeTicks(n) => Some(i64::from(n)),
            Self::Counter64(n) => i64::try_from(n).ok(),
            _ => None,
        }
    }

    /// The octets of an `OCTET STRING` or `Opaque`.
    pub fn as_octets(&self) -> Option<&'a [u8]> {
        match *self {
            Self::OctetString(octets) | Self::Opaque(octets) => Some(octets),
            _ => None,
        }
    }

    /// Decodes a varbind's value; `v2` admits what RFC 3416 added.
    pub(crate) fn decode(element: &Element<'a>, v2: bool) -> Result<Self, PduError> {
        match element.tag {
            tag::OID => Ok(Self::Oid(Oid::decode(element, FIELD)?)),
            _ => Self::decode_plain(element, v2),
        }
    }

    /// Whether [`Value::decode`] would read it, without building one.
    pub(crate) fn check(element: &Element<'a>, v2: bool) -> Result<(), PduError> {
        match element.tag {
            tag::OID => Oid::check(element, FIELD),
            _ => Self::decode_plain(element, v2).map(|_| ()),
        }
    }

    /// Anything but an object identifier.
    #[inline]
    fn decode_plain(element: &Element<'a>, v2: bool) -> Result<Self, PduError> {
        Ok(match element.tag {
            tag::INTEGER => Self::Integer(element.int32(FIELD)?),
            tag::OCTET_STRING => Self::OctetString(octets(element)?),
            tag::NULL => empty(element, Self::Null)?,
            tag::IP_ADDRESS => Self::IpAddress(element.ip_address(FIELD)?),
            tag::COUNTER32 => Self::Counter32(element.uint32(FIELD)?),
            tag::GAUGE32 => Self::Gauge32(element.uint32(FIELD)?),
            tag::TIME_TICKS => Self::TimeTicks(element.uint32(FIELD)?),
            tag::OPAQUE => Self::Opaque(octets(element)?),
            tag::COUNTER64 if v2 => Self::Counter64(element.uint64(FIELD)?),
            tag::NO_SUCH_OBJECT if v2 => empty(element, Self::NoSuchObject)?,
            tag::NO_SUCH_INSTANCE if v2 => empty(element, Self::NoSuchInstance)?,
            tag::END_OF_MIB_VIEW if v2 => empty(element, Self::EndOfMibView)?,
            _ => return Err(element.error(Reason::ValueType, FIELD)),
        })
    }
}

const FIELD: &str = "value";

fn empty<'a>(element: &Element<'a>, value: Value<'a>) -> Result<Value<'a>, PduError> {
    element.empty(FIELD).map(|()| value)
}

/// `OCTET STRING (SIZE (0..65535))`, RFC 2578 §7.1.2.
fn octets<'a>(element: &Element<'a>) -> Result<&'a [u8], PduError> {
    if element.content.len() <= 65_535 {
        Ok(element.content)
    } else {
        Err(element.error(Reason::Range, FIELD))
    }
}
