//! The message around a PDU: version and community.

use std::fmt;

use crate::ber::{PduError, Reader, Reason, tag};

/// Version of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// RFC 1157.
    V1,
    /// RFC 1901.
    V2c,
    /// RFC 3412.
    V3,
}

impl Version {
    /// As written in a configuration: `1`, `2c`, `3`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2c => "2c",
            Self::V3 => "3",
        }
    }
}

/// A message whose frame is well formed and used up to its last byte. The PDU inside is not yet looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// SNMPv1 or SNMPv2c.
    Community {
        /// `V1` or `V2c`.
        version: Version,
        /// A secret of its network: never shown, logged or kept.
        community: &'a [u8],
        /// The PDU, from its tag to its end.
        pdu: &'a [u8],
    },
    /// SNMPv3: header data, security parameters and a scoped PDU are there; none is opened.
    V3,
}

impl<'a> Message<'a> {
    /// Reads a whole datagram.
    ///
    /// # Errors
    /// When it is not an SNMP message, or holds a PDU that is not a notification of its version.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, PduError> {
        let mut outer = Reader::new(datagram);
        let message = outer.expect(tag::SEQUENCE, "message")?;
        outer.end("message")?;
        let mut fields = Reader::within(&message);
        let at_version = fields;
        let version = match fields.int32("version")? {
            0 => Version::V1,
            1 => Version::V2c,
            3 => return Self::v3(&mut fields),
            _ => return Err(at_version.error(Reason::Version, "version")),
        };
        let community = fields.expect(tag::OCTET_STRING, "community")?.content;
        let at_pdu = fields;
        let pdu = fields.element("pdu")?;
        let fits = match version {
            Version::V1 => pdu.tag == tag::V1_TRAP,
            _ => matches!(pdu.tag, tag::V2_TRAP | tag::INFORM),
        };
        if !fits {
            return Err(at_pdu.error(Reason::PduType, "pdu"));
        }
        fields.end("message")?;
        Ok(Self::Community {
            version,
            community,
            pdu: pdu.whole,
        })
    }

    fn v3(fields: &mut Reader<'a>) -> Result<Self, PduError> {
        fields.expect(tag::SEQUENCE, "header data")?;
        fields.expect(tag::OCTET_STRING, "security parameters")?;
        let at_scoped = *fields;
        let scoped = fields.element("scoped pdu")?;
        if !matches!(scoped.tag, tag::SEQUENCE | tag::OCTET_STRING) {
            return Err(at_scoped.error(Reason::Tag, "scoped pdu"));
        }
        fields.end("message")?;
        Ok(Self::V3)
    }
}

impl fmt::Debug for Message<'_> {
    /// Without the community.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Community {
                version,
                community,
                pdu,
            } => f
                .debug_struct("Community")
                .field("version", version)
                .field("community_bytes", &community.len())
                .field("pdu_bytes", &pdu.len())
                .finish(),
            Self::V3 => f.write_str("V3"),
        }
    }
}
