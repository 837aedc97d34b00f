//! Whatever the bytes are: a verdict, never a panic. And snmp-parser, as an independent reader, agrees with what we accept.

use proptest::prelude::*;
use snmp_pdu::encode::{self, V1Trap, V2Notification};
use snmp_pdu::{Kind, Message, Oid, PduError, Reason, TrapPdu, Value, Version};

fn oid(text: &str) -> Oid {
    text.parse().expect("a valid object identifier")
}

/// One varbind of every type that v1 and v2 share, with edge values, and then those of v2 alone.
fn varbinds(v2: bool) -> Vec<(Oid, Value<'static>)> {
    let values = [
        Value::Integer(i32::MIN),
        Value::Integer(-1),
        Value::Integer(0),
        Value::Integer(i32::MAX),
        Value::OctetString(b""),
        Value::OctetString(&[0xFF; 200]),
        Value::Oid(oid("2.4294967295.4294967295")),
        Value::IpAddress([192, 0, 2, 1]),
        Value::Counter32(u32::MAX),
        Value::Gauge32(0x8000_0000),
        Value::TimeTicks(127),
        Value::Opaque(&[0x9F, 0x78, 4, 0, 0, 0, 0]),
        Value::Null,
        Value::Counter64(u64::MAX),
        Value::NoSuchObject,
        Value::NoSuchInstance,
        Value::EndOfMibView,
    ];
    let shared = if v2 { values.len() } else { values.len() - 4 };
    values
        .into_iter()
        .take(shared)
        .map(|v| (oid("1.3.6.1.4.1.2011.6.3.3.1.1.1.0"), v))
        .collect()
}

const HEAD: V2Notification = V2Notification {
    request_id: -2,
    uptime: 12_345,
    trap_oid: Oid::new(&[1, 3, 6, 1, 4, 1, 2011, 6, 3, 8, 2, 0, 1]),
};

fn v1_head() -> V1Trap {
    V1Trap {
        enterprise: oid("1.3.6.1.4.1.2011.6.3.8.2"),
        agent_addr: [10, 0, 0, 1],
        generic: 6,
        specific: 3,
        uptime: 7,
    }
}

/// A v2c trap, an inform and a v1 trap with everything in them.
fn valid_datagrams() -> Vec<Vec<u8>> {
    let v2 = varbinds(true);
    let v1 = varbinds(false);
    vec![
        encode::message(Version::V2c, b"public", &encode::v2_trap(&HEAD, &v2)),
        encode::message(Version::V2c, b"", &encode::inform(&HEAD, &v2)),
        encode::message(Version::V1, b"public", &encode::v1_trap(&v1_head(), &v1)),
    ]
}

/// Reads a datagram to the end, varbinds included.
fn read(datagram: &[u8]) -> Result<usize, PduError> {
    match Message::parse(datagram)? {
        Message::Community { pdu, .. } => {
            let trap = TrapPdu::parse(pdu)?;
            assert_eq!(trap.without_community().len(), pdu.len());
            Ok(trap.varbinds().count())
        }
        Message::V3 => Ok(0),
    }
}

fn check_refused(datagram: &[u8], reason: Reason) {
    let error = read(datagram).expect_err(&format!("{datagram:02x?} must be refused"));
    assert_eq!(error.reason, reason, "{error}: {datagram:02x?}");
}

#[test]
fn every_type_and_edge_value_reads_back() {
    let sent = varbinds(true);
    let pdu = encode::inform(&HEAD, &sent);
    let trap = TrapPdu::parse(&pdu).unwrap();
    assert_eq!(
        (trap.kind, trap.request_id, trap.sys_uptime),
        (Kind::Inform, Some(-2), Some(12_345))
    );
    assert_eq!(trap.trap_oid, HEAD.trap_oid);
    let got: Vec<_> = trap.varbinds().skip(2).map(|v| (v.oid, v.value)).collect();
    assert_eq!(got, sent);

    let pdu = encode::v1_trap(&v1_head(), &varbinds(false));
    let trap = TrapPdu::parse(&pdu).unwrap();
    assert_eq!((trap.request_id, trap.sys_uptime), (None, Some(7)));
    assert_eq!(trap.trap_oid.to_string(), "1.3.6.1.4.1.2011.6.3.8.2.0.3");
    assert_eq!(trap.inner_address(), Some([10, 0, 0, 1]));
}

#[test]
fn generic_v1_traps_map_to_the_standard_ones() {
    for generic in 0..6 {
        let pdu = encode::v1_trap(&V1Trap { generic, ..v1_head() }, &[]);
        let expected = format!("1.3.6.1.6.3.1.1.5.{}", generic + 1);
        assert_eq!(TrapPdu::parse(&pdu).unwrap().trap_oid.to_string(), expected);
    }
    let pdu = encode::v1_trap(
        &V1Trap {
            generic: 7,
            ..v1_head()
        },
        &[],
    );
    assert_eq!(TrapPdu::parse(&pdu).unwrap_err().reason, Reason::Range);
}

#[test]
fn the_answer_to_an_inform_echoes_request_and_varbinds() {
    let pdu = encode::inform(&HEAD, &varbinds(true));
    let answer = encode::response(&TrapPdu::parse(&pdu).unwrap()).unwrap();
    assert_eq!(answer[0], 0xA2);
    assert_eq!(
        answer[1..],
        pdu[1..],
        "only the tag differs where the inform had no error fields set"
    );
}

#[test]
fn a_community_inside_the_pdu_is_masked_and_nothing_else_changes() {
    let community = (oid("1.3.6.1.6.3.18.1.4.0"), Value::OctetString(b"hunter2"));
    let other = (oid("1.3.6.1.6.3.18.1.5.0"), Value::OctetString(b"hunter2"));
    let pdu = encode::v2_trap(&HEAD, &[community, other]);
    let kept = TrapPdu::parse(&pdu).unwrap().without_community();
    let values: Vec<_> = TrapPdu::parse(&kept)
        .unwrap()
        .varbinds()
        .skip(2)
        .map(|v| v.value)
        .collect();
    assert_eq!(values, [Value::OctetString(b"*******"), Value::OctetString(b"hunter2")]);
    let plain = encode::v2_trap(&HEAD, &[other]);
    assert_eq!(TrapPdu::parse(&plain).unwrap().without_community(), plain);
}

#[test]
fn every_truncation_and_every_bit_flip_gets_a_verdict() {
    let mut cases = 0;
    for datagram in valid_datagrams() {
        read(&datagram).unwrap();
        for cut in 0..datagram.len() {
            assert!(read(&datagram[..cut]).is_err(), "cut at {cut}");
            cases += 1;
        }
        for bit in 0..datagram.len() * 8 {
            let mut flipped = datagram.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::hint::black_box(read(&flipped)).ok();
            cases += 1;
        }
        let mut longer = datagram.clone();
        longer.push(0);
        check_refused(&longer, Reason::TrailingBytes);
    }
    assert!(cases > 1_000, "{cases}");
}

#[test]
fn forms_of_length() {
    let minimal = encode::message(Version::V2c, b"c", &encode::v2_trap(&HEAD, &[]));
    let content = &minimal[2..];
    let with_length = |length: &[u8]| [&[0x30], length, content].concat();
    let len = u8::try_from(content.len()).unwrap();
    read(&with_length(&[len])).unwrap();
    // Long forms need not be minimal (RFC 3417 §8).
    read(&with_length(&[0x81, len])).unwrap();
    read(&with_length(&[0x84, 0, 0, 0, len])).unwrap();
    read(&with_length(&[0x87, 0, 0, 0, 0, 0, 0, len])).unwrap();
    check_refused(&with_length(&[0x80]), Reason::Length);
    check_refused(&with_length(&[0xFF]), Reason::Length);
    check_refused(&with_length(&[0x84, 0xFF, 0xFF, 0xFF, 0xFF]), Reason::Length);
    check_refused(&with_length(&[0x85, 1, 0, 0, 0, len]), Reason::Length);
    check_refused(&with_length(&[len + 1]), Reason::Truncated);
    check_refused(&with_length(&[len - 1]), Reason::TrailingBytes);
}

/// A v2c trap whose last varbind is these bytes (a whole name and value).
fn with_varbind(name_and_value: &[u8]) -> Vec<u8> {
    let first_two = encode::v2_trap(&HEAD, &[]);
    let tlv =
        |tag: u8, content: &[u8]| [&[tag, 0x82, (content.len() >> 8) as u8, content.len() as u8], content].concat();
    // tag, length, request id (3), status (3), index (3), list header (2): what follows are the varbinds.
    let varbinds = [&first_two[2 + 3 + 3 + 3 + 2..], &tlv(0x30, name_and_value)[..]].concat();
    let fields = [&first_two[2..2 + 9], &tlv(0x30, &varbinds)[..]].concat();
    encode::message(Version::V2c, b"c", &tlv(0xA7, &fields))
}

#[test]
fn values_and_names() {
    let name = [0x06, 2, 0x2B, 6];
    let check = |value: &[u8], expected: Result<(), Reason>| {
        let datagram = with_varbind(&[&name, value].concat());
        assert_eq!(
            read(&datagram).map(drop).map_err(|e| e.reason),
            expected,
            "{value:02x?}"
        );
    };
    check(&[0x02, 1, 0], Ok(()));
    check(&[0x02, 0], Err(Reason::Integer));
    check(&[0x02, 2, 0, 1], Err(Reason::Integer));
    check(&[0x02, 2, 0xFF, 0x80], Err(Reason::Integer));
    check(&[0x02, 5, 0, 0x80, 0, 0, 0], Err(Reason::Range));
    check(&[0x02, 10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0], Err(Reason::Range));
    check(&[0x41, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF], Ok(()));
    check(&[0x41, 5, 1, 0, 0, 0, 0], Err(Reason::Range));
    check(&[0x43, 1, 0xFF], Err(Reason::Range));
    check(&[0x46, 9, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], Ok(()));
    check(&[0x46, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0], Err(Reason::Range));
    check(&[0x40, 4, 1, 2, 3, 4], Ok(()));
    check(&[0x40, 3, 1, 2, 3], Err(Reason::Range));
    check(
        &[0x40, 16, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4],
        Err(Reason::Range),
    );
    check(&[0x05, 0], Ok(()));
    check(&[0x05, 1, 0], Err(Reason::Range));
    check(&[0x80, 0], Ok(()));
    check(&[0x83, 0], Err(Reason::ValueType));
    check(&[0x45, 1, 0], Err(Reason::ValueType));
    check(&[0x47, 1, 0], Err(Reason::ValueType));
    check(&[0x24, 3, 4, 1, 65], Err(Reason::ValueType));
    check(&[0x1F, 1, 0], Err(Reason::ValueType));
    check(&[], Err(Reason::Truncated));
    check(&[0x02, 1, 0, 0x05, 0], Err(Reason::TrailingBytes));
    check(&[0x06, 0], Err(Reason::Oid));
    check(&[0x06, 1, 0x80], Err(Reason::Oid));
    check(&[0x06, 2, 0x80, 1], Err(Reason::Oid));
    check(&[0x06, 2, 0x2B, 0x81], Err(Reason::Oid));
    check(&[0x06, 6, 0x2B, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F], Ok(()));
    check(&[0x06, 6, 0x2B, 0x90, 0x80, 0x80, 0x80, 0], Err(Reason::Oid));
    // First number 2 and second 2^32−1: 80 more than fits in 32 bits.
    check(&[0x06, 5, 0x90, 0x80, 0x80, 0x80, 0x4F], Ok(()));
    check(&[0x06, 5, 0x90, 0x80, 0x80, 0x80, 0x50], Err(Reason::Oid));
    let long = |arcs: usize| {
        [
            &[0x06, 0x81, u8::try_from(arcs - 1).unwrap(), 0x2B][..],
            &vec![1; arcs - 2],
        ]
        .concat()
    };
    check(&long(128), Ok(()));
    check(&long(129), Err(Reason::Oid));
}

#[test]
fn a_v1_trap_knows_no_value_of_v2() {
    for value in [
        Value::Counter64(1),
        Value::NoSuchObject,
        Value::NoSuchInstance,
        Value::EndOfMibView,
    ] {
        let pdu = encode::v1_trap(&v1_head(), &[(oid("1.3.6"), value)]);
        check_refused(&encode::message(Version::V1, b"c", &pdu), Reason::ValueType);
    }
}

#[test]
fn only_notifications_of_the_messages_own_version() {
    let trap = encode::v2_trap(&HEAD, &[]);
    check_refused(&encode::message(Version::V1, b"c", &trap), Reason::PduType);
    check_refused(
        &encode::message(Version::V2c, b"c", &encode::v1_trap(&v1_head(), &[])),
        Reason::PduType,
    );
    let get = [&[0xA0], &trap[1..]].concat();
    check_refused(&encode::message(Version::V2c, b"c", &get), Reason::PduType);
    let mut other_version = encode::message(Version::V2c, b"c", &trap);
    assert_eq!(other_version[2..5], [2, 1, 1]);
    other_version[4] = 2;
    check_refused(&other_version, Reason::Version);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        std::hint::black_box(read(&bytes)).ok();
        std::hint::black_box(TrapPdu::parse(&bytes)).ok();
        // Deeper: random bytes where a PDU must be.
        for tag in [0xA4, 0xA6, 0xA7] {
            let pdu = [&[tag, 0x82, (bytes.len() >> 8) as u8, bytes.len() as u8], &bytes[..]].concat();
            std::hint::black_box(read(&encode::message(Version::V2c, b"c", &pdu))).ok();
            std::hint::black_box(TrapPdu::parse(&pdu)).ok();
        }
    }

    #[test]
    fn numbers_read_back(integer: i32, gauge: u32, counter: u64, arcs in proptest::collection::vec(any::<u32>(), 0..126)) {
        let arcs = [&[1, 3][..], &arcs].concat();
        let sent = [
            (Oid::from_arcs(&arcs).unwrap(), Value::Integer(integer)),
            (oid("1.3"), Value::Gauge32(gauge)),
            (oid("1.3"), Value::Counter64(counter)),
        ];
        let pdu = encode::v2_trap(&HEAD, &sent);
        let got: Vec<_> = TrapPdu::parse(&pdu).unwrap().varbinds().skip(2).map(|v| (v.oid, v.value)).collect();
        prop_assert_eq!(got, sent);
    }
}
