//! A datagram of SNMPv1 or v2c: what is read can be walked, answered and written without its community.

use snmp_pdu::encode::{self, V1Trap, V2Notification};
use snmp_pdu::{Message, Oid, TrapPdu, Value, Version};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target {
    name: "snmp-message",
    run,
    seeds,
    bytes_max: 1_500,
};

/// Tag of a `Response-PDU`.
const RESPONSE: u8 = 0xA2;

fn run(datagram: &[u8]) {
    let Ok(message) = Message::parse(datagram) else { return };
    let Message::Community { pdu, .. } = message else {
        return;
    };
    let Ok(trap) = TrapPdu::parse(pdu) else { return };
    assert!(trap.trap_oid.to_string().len() < 1_500);
    let mut kept = Vec::new();
    trap.copy_without_community(&mut kept);
    let again = TrapPdu::parse(&kept).expect("what is published can be read again");
    let mut communities = again.varbinds().filter(snmp_pdu::Varbind::is_community);
    assert!(communities.all(|v| is_blank(&v)), "a community is published");
    assert_eq!(again.trap_oid, trap.trap_oid);
    assert_eq!(again.varbinds().count(), trap.varbinds().count());
    assert_eq!(trap.is_inform(), again.is_inform());
    if let Some(response) = encode::response(&trap) {
        assert_eq!(response.first(), Some(&RESPONSE));
        assert!(response.len() <= pdu.len() + 32, "an answer is no amplifier");
    }
}

/// Octets are masked; a number is no community.
fn is_blank(varbind: &snmp_pdu::Varbind<'_>) -> bool {
    match varbind.value {
        Value::OctetString(octets) | Value::Opaque(octets) => octets.iter().all(|o| *o == b'*'),
        _ => true,
    }
}

/// The traps of a power cut, as a v2c trap, an inform and a v1 trap, and one with every type of value.
pub(super) fn pdus() -> Vec<Vec<u8>> {
    let head = |trap_oid| V2Notification {
        request_id: 77,
        uptime: 4_242,
        trap_oid,
    };
    let gasp = Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 128, 1, 1, 12, 2, 2, 0, 18]);
    let column = |n| Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 3, 3, 1, 1, n, 0]);
    let place: Vec<_> = (1..=4)
        .zip([0, 3, 5, 17])
        .map(|(n, v)| (column(n), Value::Integer(v)))
        .collect();
    let every = [
        (column(5), Value::OctetString(b"HWTC\x12\x34\xAB\xCD")),
        (column(6), Value::Oid(gasp)),
        (column(7), Value::IpAddress([192, 0, 2, 1])),
        (column(8), Value::Counter32(u32::MAX)),
        (column(9), Value::Gauge32(0xFA00_0000)),
        (column(10), Value::TimeTicks(1)),
        (column(11), Value::Opaque(&[0x9F, 0x78, 4, 0, 0, 0, 0])),
        (column(12), Value::Counter64(u64::MAX)),
        (column(13), Value::Null),
        (column(14), Value::EndOfMibView),
        (
            Oid::new(&[1, 3, 6, 1, 6, 3, 18, 1, 3, 0]),
            Value::IpAddress([192, 0, 2, 7]),
        ),
        (
            Oid::new(&[1, 3, 6, 1, 6, 3, 18, 1, 4, 0]),
            Value::OctetString(b"secret"),
        ),
    ];
    let v1 = V1Trap {
        enterprise: Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 128, 1, 1, 12, 2, 2]),
        agent_addr: [192, 0, 2, 10],
        generic: 6,
        specific: 18,
        uptime: 4_242,
    };
    let catalogue = pipeline_normalize::Catalogue::builtin();
    let known = catalogue.traps().iter().filter_map(|row| row.oid.parse().ok());
    let mut pdus: Vec<_> = known
        .step_by(7)
        .map(|oid: Oid| encode::v2_trap(&head(oid), &place))
        .collect();
    pdus.extend([
        encode::v2_trap(&head(gasp), &place),
        encode::inform(&head(gasp), &place),
        encode::v2_trap(&head(gasp), &every),
        encode::v1_trap(&v1, &place),
    ]);
    pdus
}

fn seeds() -> Vec<Vec<u8>> {
    let message = |pdu: &Vec<u8>| encode::message(Version::V2c, b"public", pdu);
    pdus().iter().map(message).collect()
}
