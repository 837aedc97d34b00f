//! The bytes of a message (RFC 3412 §6, RFC 3414 §2.4): read once, strictly, borrowed.

use std::fmt;

use snmp_pdu::ber::{Element, Reader, tag};
use snmp_pdu::{PduError, Reason};
use thiserror::Error;

use crate::{Refusal, USER_NAME_OCTETS_MAX};

/// `msgSecurityModel` of the user-based model (RFC 3411 §5).
const SECURITY_MODEL_USM: i32 = 3;
/// Least `msgMaxSize` (RFC 3412 §6).
pub(crate) const MAX_SIZE_MIN: i32 = 484;

const FLAG_AUTH: u8 = 1;
const FLAG_PRIV: u8 = 2;
const FLAG_REPORTABLE: u8 = 4;

/// How a message is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Not at all.
    NoAuth,
    /// Authenticated.
    Auth,
    /// Authenticated and encrypted.
    AuthPriv,
}

impl Level {
    /// As net-snmp writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAuth => "noAuthNoPriv",
            Self::Auth => "authNoPriv",
            Self::AuthPriv => "authPriv",
        }
    }

    pub(crate) const fn flags(self, reportable: bool) -> u8 {
        let level = match self {
            Self::NoAuth => 0,
            Self::Auth => FLAG_AUTH,
            Self::AuthPriv => FLAG_AUTH | FLAG_PRIV,
        };
        if reportable { level | FLAG_REPORTABLE } else { level }
    }
}

/// `msgData`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Data<'a> {
    /// A scoped PDU, from its tag to its end.
    Plain(&'a [u8]),
    /// The octets of an encrypted one.
    Encrypted(&'a [u8]),
}

/// A message of the user-based model, used up to its last byte. Nothing in it is believed yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct V3Message<'a> {
    /// `msgID`.
    pub id: i32,
    /// `msgMaxSize`: the longest answer its sender takes, in octets.
    pub max_size: usize,
    /// From `msgFlags`.
    pub level: Level,
    /// Whether its sender wants a report when something is wrong.
    pub reportable: bool,
    /// `msgAuthoritativeEngineID`: of any length.
    pub engine_id: &'a [u8],
    /// `msgAuthoritativeEngineBoots`.
    pub boots: u32,
    /// `msgAuthoritativeEngineTime`, in seconds.
    pub time: u32,
    /// `msgUserName`: at most 32 octets.
    pub user: &'a [u8],
    /// `msgAuthenticationParameters`.
    pub mac: &'a [u8],
    /// Where they begin in the message.
    pub mac_at: usize,
    /// `msgPrivacyParameters`.
    pub salt: &'a [u8],
    /// What it carries.
    pub data: Data<'a>,
}

/// A message cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum V3Error {
    /// Its form is wrong.
    #[error(transparent)]
    Form(#[from] PduError),
    /// Its security model or flags are not ours to read on with.
    #[error("refused: {}", .0.as_str())]
    Refused(Refusal),
}

impl<'a> V3Message<'a> {
    /// Reads a whole datagram, in the order of RFC 3412 §7.2.
    ///
    /// # Errors
    /// When it is not a well-formed SNMPv3 message, or not one of the user-based model.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, V3Error> {
        let mut outer = Reader::new(datagram);
        let message = outer.expect(tag::SEQUENCE, "message")?;
        outer.end("message")?;
        let mut fields = Reader::within(&message);
        let at_version = fields;
        if fields.int32("version")? != 3 {
            return Err(at_version.error(Reason::Version, "version").into());
        }
        let header = Header::read(&fields.expect(tag::SEQUENCE, "header data")?)?;
        let parameters = fields.expect(tag::OCTET_STRING, "security parameters")?;
        let at_data = fields;
        let data = fields.element("scoped pdu")?;
        fields.end("message")?;
        if header.security_model != SECURITY_MODEL_USM {
            return Err(V3Error::Refused(Refusal::SecurityModel));
        }
        let level = match header.flags & (FLAG_AUTH | FLAG_PRIV) {
            0 => Level::NoAuth,
            FLAG_AUTH => Level::Auth,
            FLAG_PRIV => return Err(V3Error::Refused(Refusal::Flags)),
            _ => Level::AuthPriv,
        };
        let data = match (data.tag, level) {
            (tag::SEQUENCE, Level::NoAuth | Level::Auth) => Data::Plain(data.whole),
            (tag::OCTET_STRING, Level::AuthPriv) => Data::Encrypted(data.content),
            _ => return Err(at_data.error(Reason::Tag, "scoped pdu").into()),
        };
        Ok(Self::with_parameters(&header, level, &parameters, data)?)
    }

    fn with_parameters(
        header: &Header,
        level: Level,
        parameters: &Element<'a>,
        data: Data<'a>,
    ) -> Result<Self, PduError> {
        let mut outer = Reader::within(parameters);
        let sequence = outer.expect(tag::SEQUENCE, "security parameters")?;
        outer.end("security parameters")?;
        let mut fields = Reader::within(&sequence);
        let engine_id = fields.expect(tag::OCTET_STRING, "engine id")?.content;
        let boots = natural(&mut fields, 0, "engine boots")?;
        let time = natural(&mut fields, 0, "engine time")?;
        let user = fields.expect(tag::OCTET_STRING, "user name")?;
        if user.content.len() > USER_NAME_OCTETS_MAX {
            return Err(user.error(Reason::Range, "user name"));
        }
        let mac = fields.expect(tag::OCTET_STRING, "authentication parameters")?;
        let salt = fields.expect(tag::OCTET_STRING, "privacy parameters")?;
        fields.end("security parameters")?;
        Ok(Self {
            id: header.id,
            max_size: header.max_size,
            level,
            reportable: header.flags & FLAG_REPORTABLE != 0,
            engine_id,
            boots: boots.cast_unsigned(),
            time: time.cast_unsigned(),
            user: user.content,
            mac: mac.content,
            mac_at: mac.at,
            salt: salt.content,
            data,
        })
    }

    /// The PDU of a plain message, from its tag to its end; not believed: nothing is authenticated here. For people.
    ///
    /// # Errors
    /// When there is no well-formed scoped PDU, or it is encrypted.
    pub fn scoped_pdu(&self) -> Result<&'a [u8], PduError> {
        match self.data {
            Data::Plain(scoped) => Ok(Scoped::parse(scoped, 0)?.pdu),
            Data::Encrypted(octets) => Err(Reader::new(octets).error(Reason::Tag, "scoped pdu")),
        }
    }

    /// The PDU of a plain message: its tag and, where it can be read, its request id. For reports only.
    pub(crate) fn plain_pdu(&self) -> Option<(u8, Option<i32>)> {
        let Data::Plain(scoped) = self.data else { return None };
        let scoped = Scoped::parse(scoped, 0).ok()?;
        Some((*scoped.pdu.first()?, request_id(scoped.pdu)))
    }
}

impl fmt::Debug for V3Message<'_> {
    /// Without digest and data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("V3Message")
            .field("id", &self.id)
            .field("level", &self.level)
            .field("boots", &self.boots)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// `HeaderData`.
struct Header {
    id: i32,
    max_size: usize,
    flags: u8,
    security_model: i32,
}

impl Header {
    fn read(element: &Element<'_>) -> Result<Self, PduError> {
        let mut fields = Reader::within(element);
        let id = natural(&mut fields, 0, "message id")?;
        let max_size = natural(&mut fields, MAX_SIZE_MIN, "max size")?;
        let flags = fields.expect(tag::OCTET_STRING, "flags")?;
        let [octet] = *flags.content else {
            return Err(flags.error(Reason::Range, "flags"));
        };
        let security_model = natural(&mut fields, 1, "security model")?;
        fields.end("header data")?;
        Ok(Self {
            id,
            max_size: usize::try_from(max_size).unwrap_or(usize::MAX),
            flags: octet,
            security_model,
        })
    }
}

/// An `INTEGER` from `least` to 2^31−1.
fn natural(fields: &mut Reader<'_>, least: i32, field: &'static str) -> Result<i32, PduError> {
    let at = *fields;
    let number = fields.int32(field)?;
    if number < least {
        return Err(at.error(Reason::Range, field));
    }
    Ok(number)
}

/// `ScopedPDU`: whose values, in which context, and the PDU from its tag to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scoped<'a> {
    pub context_engine_id: &'a [u8],
    pub context_name: &'a [u8],
    pub pdu: &'a [u8],
}

impl<'a> Scoped<'a> {
    /// Reads it, allowing so many octets of padding after it.
    pub fn parse(bytes: &'a [u8], padding_max: usize) -> Result<Self, PduError> {
        let mut outer = Reader::new(bytes);
        let scoped = outer.expect(tag::SEQUENCE, "scoped pdu")?;
        if bytes.len() - scoped.whole.len() > padding_max {
            outer.end("scoped pdu")?;
        }
        let mut fields = Reader::within(&scoped);
        let context_engine_id = fields.expect(tag::OCTET_STRING, "context engine id")?.content;
        let context_name = fields.expect(tag::OCTET_STRING, "context name")?.content;
        let pdu = fields.element("pdu")?.whole;
        fields.end("scoped pdu")?;
        Ok(Self {
            context_engine_id,
            context_name,
            pdu,
        })
    }
}

/// The first field of a PDU, which in every one but v1's trap is its request id.
pub(crate) fn request_id(pdu: &[u8]) -> Option<i32> {
    let element = Reader::new(pdu).element("pdu").ok()?;
    Reader::within(&element).int32("request id").ok()
}

/// Whether a PDU with this tag waits for an answer (RFC 3411 §2.8, Confirmed Class).
pub(crate) fn is_confirmed(pdu_tag: u8) -> bool {
    matches!(
        pdu_tag,
        tag::GET | tag::GET_NEXT | tag::GET_BULK | tag::SET | tag::INFORM
    )
}
