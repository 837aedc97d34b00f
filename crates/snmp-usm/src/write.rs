//! Writes messages: reports and responses here, traps and informs in simulators and tests.

use snmp_pdu::ber::tag;
use snmp_pdu::encode::{put, put_int, wrap};

use crate::{Keys, Level, V3Message};

/// Longest message we take: what fits in a UDP datagram over IPv4.
pub(crate) const OUR_MAX_SIZE: i32 = 65_507;
/// `msgSecurityModel`: user-based.
const SECURITY_MODEL: i128 = 3;

/// Everything around a scoped PDU.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    /// `msgID`, 0 to 2^31−1.
    pub id: i32,
    /// `msgMaxSize`, from 484.
    pub max_size: i32,
    /// How to protect it; the keys must have what it takes.
    pub level: Level,
    /// Whether a report is wanted.
    pub reportable: bool,
    /// Whose boots and time they are.
    pub engine_id: &'a [u8],
    /// `msgAuthoritativeEngineBoots`.
    pub boots: u32,
    /// `msgAuthoritativeEngineTime`, in seconds.
    pub time: u32,
    /// `msgUserName`.
    pub user: &'a [u8],
    /// A number that no other message under these keys has: what the salt is made of.
    pub salt: u64,
}

/// A scoped PDU: context and PDU.
pub fn scoped_pdu(context_engine_id: &[u8], context_name: &[u8], pdu: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(pdu.len() + context_engine_id.len() + context_name.len() + 8);
    put(&mut content, tag::OCTET_STRING, context_engine_id);
    put(&mut content, tag::OCTET_STRING, context_name);
    content.extend_from_slice(pdu);
    wrap(tag::SEQUENCE, &content)
}

/// A datagram: encrypted and signed as far as `header.level` says and `keys` can. `scoped` is a whole scoped PDU.
pub fn write(header: &Header<'_>, keys: Option<&Keys>, mut scoped: Vec<u8>) -> Vec<u8> {
    let auth = keys
        .and_then(|k| k.auth.as_ref())
        .filter(|_| header.level >= Level::Auth);
    let privacy = keys
        .and_then(|k| k.privacy.as_ref())
        .filter(|_| header.level == Level::AuthPriv);
    let salt = privacy.map(|p| p.encrypt(&mut scoped, header.boots, header.time, header.salt));
    let zeros = [0; crate::mac::MAC_OCTETS_MAX];
    let mac = &zeros[..auth.map_or(0, |a| a.mac_octets())];

    let mut parameters = Vec::with_capacity(160);
    put(&mut parameters, tag::OCTET_STRING, header.engine_id);
    put_int(&mut parameters, tag::INTEGER, i128::from(header.boots));
    put_int(&mut parameters, tag::INTEGER, i128::from(header.time));
    put(&mut parameters, tag::OCTET_STRING, header.user);
    put(&mut parameters, tag::OCTET_STRING, mac);
    put(
        &mut parameters,
        tag::OCTET_STRING,
        salt.as_ref().map_or(&[], <[u8; 8]>::as_slice),
    );
    let parameters = wrap(tag::SEQUENCE, &parameters);

    let mut global = Vec::with_capacity(24);
    put_int(&mut global, tag::INTEGER, i128::from(header.id));
    put_int(&mut global, tag::INTEGER, i128::from(header.max_size));
    put(&mut global, tag::OCTET_STRING, &[header.level.flags(header.reportable)]);
    put_int(&mut global, tag::INTEGER, SECURITY_MODEL);

    let mut content = Vec::with_capacity(scoped.len() + parameters.len() + 48);
    put_int(&mut content, tag::INTEGER, 3);
    put(&mut content, tag::SEQUENCE, &global);
    put(&mut content, tag::OCTET_STRING, &parameters);
    if header.level == Level::AuthPriv {
        put(&mut content, tag::OCTET_STRING, &scoped);
    } else {
        content.extend_from_slice(&scoped);
    }
    let mut message = wrap(tag::SEQUENCE, &content);
    if let Some(auth) = auth
        && let Ok(V3Message { mac_at, .. }) = V3Message::parse(&message)
    {
        auth.sign(&mut message, mac_at);
    }
    message
}
