//! Notification PDUs: `Trap-PDU` of RFC 1157, `SNMPv2-Trap-PDU` and `InformRequest-PDU` of RFC 3416.

use crate::ber::{Element, PduError, Reader, Reason, tag};
use crate::{Oid, Value};

/// `sysUpTime.0`.
pub const SYS_UP_TIME: Oid = Oid::new(&[1, 3, 6, 1, 2, 1, 1, 3, 0]);
/// `snmpTrapOID.0`.
pub const SNMP_TRAP_OID: Oid = Oid::new(&[1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0]);
/// `snmpTrapAddress.0` (RFC 3584 §3.1): the address a proxy found inside a v1 trap.
pub const SNMP_TRAP_ADDRESS: Oid = Oid::new(&[1, 3, 6, 1, 6, 3, 18, 1, 3, 0]);

/// `snmpTrapCommunity` (RFC 3584 §3.1): a proxy writes the community it was given here, inside the PDU.
const SNMP_TRAP_COMMUNITY: Oid = Oid::new(&[1, 3, 6, 1, 6, 3, 18, 1, 4]);
/// Content octets of the four names above.
const SYS_UP_TIME_BER: &[u8] = &[0x2B, 6, 1, 2, 1, 1, 3, 0];
const SNMP_TRAP_OID_BER: &[u8] = &[0x2B, 6, 1, 6, 3, 1, 1, 4, 1, 0];
const SNMP_TRAP_ADDRESS_BER: &[u8] = &[0x2B, 6, 1, 6, 3, 18, 1, 3, 0];
const SNMP_TRAP_COMMUNITY_BER: &[u8] = &[0x2B, 6, 1, 6, 3, 18, 1, 4];
/// `snmpTraps`: what the generic traps 0 to 5 are under (RFC 3584 §3.1).
const SNMP_TRAPS: Oid = Oid::new(&[1, 3, 6, 1, 6, 3, 1, 1, 5]);
/// `generic-trap` value for a trap of the enterprise's own.
const ENTERPRISE_SPECIFIC: i32 = 6;
/// Highest `error-status` (RFC 3416 §3: inconsistentName).
const ERROR_STATUS_MAX: i32 = 18;

/// Which PDU it is, with what only that one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "an Oid on the stack is the price of no allocation"
)]
pub enum Kind {
    /// RFC 1157 `Trap-PDU`.
    V1 {
        /// Type of the object that speaks, or what its traps are under.
        enterprise: Oid,
        /// Address the sender believes it has: an attribute, never believed except from a relay.
        agent_addr: [u8; 4],
        /// 0 to 6.
        generic: u8,
        /// Meaningful where `generic` is 6.
        specific: i32,
    },
    /// RFC 3416 `SNMPv2-Trap-PDU`.
    V2Trap,
    /// RFC 3416 `InformRequest-PDU`: wants an answer.
    Inform,
}

/// One (name, value).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Varbind<'a> {
    /// Name.
    pub oid: Oid,
    /// Value.
    pub value: Value<'a>,
}

impl Varbind<'_> {
    /// Whether its value is a community: a secret that must not be shown or kept.
    pub fn is_community(&self) -> bool {
        self.oid.starts_with(&SNMP_TRAP_COMMUNITY)
    }
}

/// A notification, checked whole when it was parsed.
#[derive(Debug, Clone, Copy)]
pub struct TrapPdu<'a> {
    /// Which PDU.
    pub kind: Kind,
    /// `request-id`; v1 traps have none.
    pub request_id: Option<i32>,
    /// `sysUpTime.0` or v1's `time-stamp`, in hundredths of a second; wraps after 497 days.
    pub sys_uptime: Option<u32>,
    /// What happened: `snmpTrapOID.0`, or made from v1's fields as RFC 3584 §3.1 says.
    pub trap_oid: Oid,
    whole: &'a [u8],
    /// The `VarBindList` with its tag.
    pub(crate) list: &'a [u8],
    varbinds: Varbinds<'a>,
}

impl<'a> TrapPdu<'a> {
    /// Reads a PDU from its tag to its end.
    ///
    /// # Errors
    /// When it is not a notification, or not well formed; see [`Reason`].
    pub fn parse(pdu: &'a [u8]) -> Result<Self, PduError> {
        let mut outer = Reader::new(pdu);
        let element = outer.element("pdu")?;
        let kind = match element.tag {
            tag::V1_TRAP | tag::V2_TRAP | tag::INFORM => element.tag,
            _ => {
                return Err(PduError {
                    reason: Reason::PduType,
                    at: 0,
                    field: "pdu",
                });
            }
        };
        outer.end("pdu")?;
        let mut fields = Reader::within(&element);
        let parsed = if kind == tag::V1_TRAP {
            Self::v1(pdu, &mut fields)
        } else {
            Self::v2(pdu, kind, &mut fields)
        }?;
        fields.end("pdu")?;
        Ok(parsed)
    }

    /// All varbinds in the order sent; in v2 with `sysUpTime.0` and `snmpTrapOID.0`.
    pub fn varbinds(&self) -> Varbinds<'a> {
        self.varbinds
    }

    /// Address of the agent as written inside: v1 `agent-addr`, or `snmpTrapAddress.0`. `0.0.0.0` says nothing.
    pub fn inner_address(&self) -> Option<[u8; 4]> {
        let address = match self.kind {
            Kind::V1 { agent_addr, .. } => Some(agent_addr),
            _ => self.varbinds.raw().find_map(|v| {
                let named = v.value.tag == tag::IP_ADDRESS && v.name.content == SNMP_TRAP_ADDRESS_BER;
                if named { v.value.ip_address("value").ok() } else { None }
            }),
        };
        address.filter(|a| *a != [0; 4])
    }

    /// The PDU's bytes as they may be kept: the octets of any `snmpTrapCommunity` are `*`.
    pub fn without_community(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.copy_without_community(&mut bytes);
        bytes
    }

    /// As [`TrapPdu::without_community`], into a buffer that is used again.
    pub fn copy_without_community(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend_from_slice(self.whole);
        for secret in self
            .varbinds
            .raw()
            .filter(|v| v.name.content.starts_with(SNMP_TRAP_COMMUNITY_BER))
        {
            // The value borrows from `whole`, so the difference is its place in it.
            let at = secret.value.content.as_ptr().addr() - self.whole.as_ptr().addr();
            if let Some(octets) = bytes.get_mut(at..at + secret.value.content.len())
                && matches!(secret.value.tag, tag::OCTET_STRING | tag::OPAQUE)
            {
                octets.fill(b'*');
            }
        }
    }

    /// Whether the sender waits for an answer.
    pub fn is_inform(&self) -> bool {
        self.kind == Kind::Inform
    }

    fn v1(whole: &'a [u8], fields: &mut Reader<'a>) -> Result<Self, PduError> {
        let enterprise = Oid::decode(&fields.expect(tag::OID, "enterprise")?, "enterprise")?;
        let agent_addr = fields.expect(tag::IP_ADDRESS, "agent-addr")?.ip_address("agent-addr")?;
        let at_generic = *fields;
        let generic = fields.int32("generic-trap")?;
        let at_specific = *fields;
        let specific = fields.int32("specific-trap")?;
        let uptime = fields.expect(tag::TIME_TICKS, "time-stamp")?.uint32("time-stamp")?;
        let (list, varbinds) = Varbinds::read(fields, false, |_| Ok(()))?;
        let generic_octet = u8::try_from(generic)
            .ok()
            .filter(|g| i32::from(*g) <= ENTERPRISE_SPECIFIC)
            .ok_or(at_generic.error(Reason::Range, "generic-trap"))?;
        let trap_oid = if generic == ENTERPRISE_SPECIFIC {
            let arc = u32::try_from(specific).map_err(|_| at_specific.error(Reason::Range, "specific-trap"))?;
            enterprise.push(0).and_then(|o| o.push(arc))
        } else {
            SNMP_TRAPS.push(u32::from(generic_octet) + 1)
        };
        Ok(Self {
            kind: Kind::V1 {
                enterprise,
                agent_addr,
                generic: generic_octet,
                specific,
            },
            request_id: None,
            sys_uptime: Some(uptime),
            // An enterprise of 127 or 128 numbers leaves no room for a trap under it.
            trap_oid: trap_oid.ok_or(at_specific.error(Reason::Oid, "specific-trap"))?,
            whole,
            list,
            varbinds,
        })
    }

    fn v2(whole: &'a [u8], kind: u8, fields: &mut Reader<'a>) -> Result<Self, PduError> {
        let request_id = fields.int32("request-id")?;
        let at_status = *fields;
        let status = fields.int32("error-status")?;
        if !(0..=ERROR_STATUS_MAX).contains(&status) {
            return Err(at_status.error(Reason::Range, "error-status"));
        }
        let at_index = *fields;
        if fields.int32("error-index")? < 0 {
            return Err(at_index.error(Reason::Range, "error-index"));
        }
        let at_list = *fields;
        let mut sys_uptime = None;
        let mut trap_oid = None;
        let (list, varbinds) = Varbinds::read(fields, true, |raw| {
            match raw.value.tag {
                tag::TIME_TICKS if sys_uptime.is_none() && raw.name.content == SYS_UP_TIME_BER => {
                    sys_uptime = Some(raw.value.uint32("value")?);
                }
                tag::OID if trap_oid.is_none() && raw.name.content == SNMP_TRAP_OID_BER => {
                    trap_oid = Some(Oid::decode(&raw.value, "value")?);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self {
            kind: if kind == tag::INFORM {
                Kind::Inform
            } else {
                Kind::V2Trap
            },
            request_id: Some(request_id),
            sys_uptime,
            trap_oid: trap_oid.ok_or(at_list.error(Reason::NoTrapOid, "variable-bindings"))?,
            whole,
            list,
            varbinds,
        })
    }
}

/// The varbinds of a checked PDU, in the order sent.
#[derive(Debug, Clone, Copy)]
pub struct Varbinds<'a> {
    rest: Reader<'a>,
    v2: bool,
}

impl<'a> Varbinds<'a> {
    /// Reads a `VarBindList` and checks every varbind in it, showing each to `see`; answers its bytes and a walk over them.
    #[inline]
    fn read(
        fields: &mut Reader<'a>,
        v2: bool,
        mut see: impl FnMut(&RawVarbind<'a>) -> Result<(), PduError>,
    ) -> Result<(&'a [u8], Self), PduError> {
        let list = fields.expect(tag::SEQUENCE, "variable-bindings")?;
        let start = Self {
            rest: Reader::within(&list),
            v2,
        };
        let mut walk = start;
        while !walk.rest.is_empty() {
            let raw = walk.step()?;
            Oid::check(&raw.name, "name")?;
            Value::check(&raw.value, v2)?;
            see(&raw)?;
        }
        Ok((list.whole, start))
    }

    fn step(&mut self) -> Result<RawVarbind<'a>, PduError> {
        let pair = self.rest.expect(tag::SEQUENCE, "varbind")?;
        let mut fields = Reader::within(&pair);
        let name = fields.expect(tag::OID, "name")?;
        let value = fields.element("value")?;
        fields.end("varbind")?;
        let v2 = self.v2;
        Ok(RawVarbind { name, value, v2 })
    }

    /// The walk without taking anything apart.
    pub fn raw(mut self) -> impl Iterator<Item = RawVarbind<'a>> {
        std::iter::from_fn(move || if self.rest.is_empty() { None } else { self.step().ok() })
    }
}

/// A varbind as it was encoded, checked. An object identifier has one encoding only (padding is refused), so names are
/// equal, or begin one another, as their octets are and do.
#[derive(Debug, Clone, Copy)]
pub struct RawVarbind<'a> {
    name: Element<'a>,
    value: Element<'a>,
    v2: bool,
}

impl<'a> RawVarbind<'a> {
    /// Content octets of its name.
    pub fn name(&self) -> &'a [u8] {
        self.name.content
    }

    /// Its name, taken apart.
    ///
    /// # Errors
    /// None for what a parsed PDU holds.
    pub fn oid(&self) -> Result<Oid, PduError> {
        Oid::decode(&self.name, "name")
    }

    /// Its value.
    ///
    /// # Errors
    /// None for what a parsed PDU holds.
    #[inline]
    pub fn value(&self) -> Result<Value<'a>, PduError> {
        Value::decode(&self.value, self.v2)
    }
}

impl<'a> Iterator for Varbinds<'a> {
    type Item = Varbind<'a>;

    fn next(&mut self) -> Option<Varbind<'a>> {
        // Every varbind was checked once by `read`, so an error here cannot be; it would end the walk.
        if self.rest.is_empty() {
            return None;
        }
        let raw = self.step().ok()?;
        Some(Varbind {
            oid: raw.oid().ok()?,
            value: raw.value().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;

    #[test]
    fn encoded_names_are_those_of_the_constants() {
        for (oid, content) in [
            (SYS_UP_TIME, SYS_UP_TIME_BER),
            (SNMP_TRAP_OID, SNMP_TRAP_OID_BER),
            (SNMP_TRAP_ADDRESS, SNMP_TRAP_ADDRESS_BER),
            (SNMP_TRAP_COMMUNITY, SNMP_TRAP_COMMUNITY_BER),
        ] {
            let head = encode::V2Notification {
                request_id: 1,
                uptime: 1,
                trap_oid: oid,
            };
            let pdu = encode::v2_trap(&head, &[]);
            let trap = TrapPdu::parse(&pdu).expect("valid");
            let last = trap.varbinds.raw().last().expect("two varbinds");
            assert_eq!(last.value.content, content, "{oid}");
        }
    }
}
