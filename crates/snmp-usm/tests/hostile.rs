//! Hostile datagrams against an independent checker: nothing is taken that the standards refuse, nothing refused that they
//! allow, and nothing panics.
//!
//! The checker below is written from RFC 3412, 3414, 3416, 3417 and X.690 alone, with its own parser and, in
//! `hostile/primitives.rs`, its own key derivation, digests and modes over bare block ciphers. It says only yes or no.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;
#[path = "hostile/generate.rs"]
mod generate;
#[path = "hostile/primitives.rs"]
mod primitives;

use std::collections::BTreeMap;

use common::{our_engine, s, word};
use primitives::Kind;
use snmp_usm::{AuthProtocol, Limits, PrivProtocol, User, Usm};

/// Ten minutes after our engine started.
const NOW_S: u64 = 1_600;

fn users() -> Vec<User> {
    vec![
        common::user("open", None, None),
        common::user("signed", Some(AuthProtocol::Sha1), None),
        common::user("aes", Some(AuthProtocol::Sha256), Some(PrivProtocol::Aes128)),
        common::user("des", Some(AuthProtocol::Md5), Some(PrivProtocol::Des)),
    ]
}

#[test]
fn the_right_verdict_for_each() {
    let seed = std::env::var("ATALAIA_SEED").map_or(0xA7A1A1A, |s| s.parse().unwrap());
    let users = users();
    let mut plain = Vec::new();
    let mut verdicts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut classes: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    let mut wrong = Vec::new();
    generate::all(seed, |class, datagram| {
        // A new one each time: what one datagram teaches must not decide about the next.
        let mut usm = Usm::new(our_engine(), users.clone(), Limits::default(), 1).unwrap();
        let allowed = allows(&datagram).is_some();
        let (taken, word) = match usm.receive(&datagram, &mut plain, s(NOW_S), |_| true) {
            Ok(received) => {
                let answer = received.trap.is_inform();
                assert_eq!(
                    usm.response(&received.envelope, &received.trap, s(NOW_S)).is_some(),
                    answer
                );
                (true, "accepted")
            }
            Err(rejected) => {
                assert!(
                    rejected.report.as_ref().is_none_or(|r| r.len() < 484),
                    "{datagram:02x?}"
                );
                (false, word(&rejected))
            }
        };
        *verdicts.entry(word).or_default() += 1;
        classes.entry(class).or_default()[usize::from(taken)] += 1;
        if taken != allowed && wrong.len() < 5 {
            wrong.push(format!(
                "{class}: {word}, the checker says {allowed}: {}",
                shown(&datagram)
            ));
        }
    });
    let total: u64 = verdicts.values().sum();
    let table: Vec<String> = classes
        .iter()
        .map(|(c, [no, yes])| format!("{c}: {no} refused, {yes} taken"))
        .collect();
    println!("seed {seed}: {total} datagrams\n{}\n{verdicts:?}", table.join("\n"));
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    assert!(total >= 30_000, "{total}");
    // Each road was walked: a generator that no longer reaches one has lost its use.
    for expected in [
        "accepted",
        "truncated",
        "length",
        "tag",
        "trailing_bytes",
        "integer",
        "range",
        "oid",
        "version",
        "pdu_type",
        "value_type",
        "no_trap_oid",
        "v3_security_model",
        "v3_flags",
        "v3_discovery",
        "v3_engine_id",
        "v3_unknown_user",
        "v3_security_level",
        "v3_digest",
        "v3_time_window",
        "v3_decryption",
    ] {
        assert!(verdicts.contains_key(expected), "{expected} never came: {verdicts:?}");
    }
}

/// Every bit of an authenticated message: whichever is flipped, it is not taken.
#[test]
fn no_flipped_bit_is_taken() {
    let users = users();
    for sender in primitives::Sender::all() {
        if sender.kind == Kind::Open {
            continue;
        }
        let whole = generate::Draft::new(sender.clone()).datagram();
        let mut plain = Vec::new();
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut usm = Usm::new(our_engine(), users.clone(), Limits::default(), 1).unwrap();
            let taken = usm.receive(&flipped, &mut plain, s(NOW_S), |_| true).is_ok();
            assert!(!taken, "bit {bit} of {:?}", sender.kind);
        }
    }
}

/// CVE-2008-0960: a sender that chooses how much of its digest is compared guesses one octet. Whatever the length, only the
/// protocol's own is taken, even where every octet that is there is right.
#[test]
fn no_other_length_of_digest_is_taken() {
    let users = users();
    for sender in primitives::Sender::all() {
        let whole = sender.kind.mac_octets();
        for length in 0..=64 {
            let datagram = generate::Draft::new(sender.clone()).with_digest_of(length);
            let mut usm = Usm::new(our_engine(), users.clone(), Limits::default(), 1).unwrap();
            let taken = usm.receive(&datagram, &mut Vec::new(), s(NOW_S), |_| true).is_ok();
            assert_eq!(
                taken,
                length == whole || sender.kind == Kind::Open,
                "{length} of {:?}",
                sender.kind
            );
        }
    }
}

fn shown(datagram: &[u8]) -> String {
    let head = &datagram[..datagram.len().min(400)];
    head.iter().map(|o| format!("{o:02x}")).collect()
}

// ---- The checker -----------------------------------------------------------------------------------------------------

/// (tag, content, what follows). X.690 §8.1.3: definite lengths, in any number of octets up to 126.
fn tlv(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let tag = *bytes.first()?;
    let first = *bytes.get(1)?;
    let (length, head) = if first < 0x80 {
        (first as u128, 2)
    } else {
        let n = usize::from(first - 0x80);
        if n == 0 || n == 127 {
            return None;
        }
        let mut length: u128 = 0;
        for octet in bytes.get(2..2 + n)? {
            length = (length.min(1 << 64)) * 256 + u128::from(*octet);
        }
        (length, 2 + n)
    };
    let length = usize::try_from(length).ok()?;
    let end = head.checked_add(length)?;
    Some((tag, bytes.get(head..end)?, &bytes[end..]))
}

/// All elements of a sequence's content.
fn all(mut content: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut out = Vec::new();
    while !content.is_empty() {
        let (tag, inner, rest) = tlv(content)?;
        out.push((tag, inner));
        content = rest;
    }
    Some(out)
}

/// X.690 §8.3: at least one octet, and no more than it takes.
fn integer(octets: &[u8], from: i128, to: i128) -> Option<i128> {
    if octets.is_empty() || octets.len() > 16 {
        return None;
    }
    let nine = octets.len() > 1 && (octets[0] == 0 && octets[1] < 128 || octets[0] == 255 && octets[1] > 127);
    let mut value: i128 = if octets[0] > 127 { -1 } else { 0 };
    for octet in octets {
        value = value * 256 + i128::from(*octet);
    }
    (!nine && (from..=to).contains(&value)).then_some(value)
}

/// X.690 §8.19, RFC 2578 §3.5.
fn identifier(octets: &[u8]) -> Option<Vec<u64>> {
    let mut numbers: Vec<u64> = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let end = rest.iter().position(|o| o & 0x80 == 0)?;
        if rest[0] == 0x80 || end > 5 {
            return None;
        }
        let number = rest[..=end].iter().fold(0_u64, |n, o| n * 128 + u64::from(o & 0x7F));
        if numbers.is_empty() {
            let root = (number / 40).min(2);
            numbers.push(root);
            numbers.push(number - root * 40);
        } else {
            numbers.push(number);
        }
        rest = &rest[end + 1..];
    }
    let fits = numbers.iter().all(|n| *n <= 0xFFFF_FFFF) && (2..=128).contains(&numbers.len());
    fits.then_some(numbers)
}

const I31: i128 = 0x7FFF_FFFF;

/// RFC 3412 §6 and §7.2, RFC 3414 §3.2, for a receiver of notifications that knows four users.
fn allows(datagram: &[u8]) -> Option<()> {
    let (0x30, message, []) = tlv(datagram)? else {
        return None;
    };
    let fields = all(message)?;
    let [(2, version), (0x30, header), (4, parameters), data] = fields[..] else {
        return None;
    };
    integer(version, 3, 3)?;
    let header = all(header)?;
    let [(2, id), (2, max_size), (4, [flags]), (2, model)] = header[..] else {
        return None;
    };
    integer(id, 0, I31)?;
    integer(max_size, 484, I31)?;
    integer(model, 3, 3)?;
    if flags & 3 == 2 {
        return None;
    }
    let (0x30, inner, []) = tlv(parameters)? else {
        return None;
    };
    let inner = all(inner)?;
    let [(4, engine), (2, boots), (2, time), (4, user), (4, mac), (4, salt)] = inner[..] else {
        return None;
    };
    let boots = u32::try_from(integer(boots, 0, I31)?).unwrap();
    let time = u32::try_from(integer(time, 0, I31)?).unwrap();
    // RFC 3411 §5, SnmpEngineID.
    if !(5..=32).contains(&engine.len()) || engine.iter().all(|o| *o == 0) || engine.iter().all(|o| *o == 255) {
        return None;
    }
    let kind = Kind::ALL.into_iter().find(|k| k.user() == user)?;
    // Exactly the level configured; the reportable and reserved bits decide nothing here.
    if flags & 3 != kind.flags() {
        return None;
    }
    let ours = engine == our_engine().id.as_bytes();
    if kind != Kind::Open {
        if mac.len() != kind.mac_octets() {
            return None;
        }
        let at = mac.as_ptr().addr() - datagram.as_ptr().addr();
        let mut zeroed = datagram.to_vec();
        zeroed[at..at + mac.len()].fill(0);
        if kind.digest(engine, &zeroed) != mac {
            return None;
        }
        let timely = if ours {
            boots == 3 && (450..=750).contains(&time)
        } else {
            boots != 0x7FFF_FFFF
        };
        if !timely {
            return None;
        }
    }
    match (data, kind.encrypts()) {
        ((0x30, scoped), false) => scoped_pdu(scoped, ours),
        ((4, octets), true) => {
            let salt = salt.try_into().ok()?;
            let plain = kind.decrypt(engine, boots, time, salt, octets)?;
            let (0x30, scoped, padding) = tlv(&plain)? else {
                return None;
            };
            // RFC 3414 §8.1.1.2 pads to a block of eight (net-snmp by a whole one); RFC 3826 §3.1.3 does not pad.
            let most = if kind == Kind::Des { 8 } else { 0 };
            if padding.len() > most {
                return None;
            }
            scoped_pdu(scoped, ours)
        }
        _ => None,
    }
}

/// RFC 3412 §6.8; RFC 3416 §3 and §4.2.6, §4.2.7.
fn scoped_pdu(scoped: &[u8], ours: bool) -> Option<()> {
    let fields = all(scoped)?;
    let [(4, _), (4, _), (kind, pdu)] = fields[..] else {
        return None;
    };
    // A trap comes from its own engine, an inform goes to ours.
    if kind != if ours { 0xA6 } else { 0xA7 } {
        return None;
    }
    let fields = all(pdu)?;
    let [(2, id), (2, status), (2, index), (0x30, list)] = fields[..] else {
        return None;
    };
    integer(id, -I31 - 1, I31)?;
    integer(status, 0, 18)?;
    integer(index, 0, I31)?;
    let mut trap_oid = false;
    for (tag, pair) in all(list)? {
        let pair = all(pair)?;
        let (0x30, [(6, name), (value_tag, value)]) = (tag, &pair[..]) else {
            return None;
        };
        let name = identifier(name)?;
        varbind_value(*value_tag, value)?;
        trap_oid |= *value_tag == 6 && name == [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0];
    }
    trap_oid.then_some(())
}

/// RFC 2578 §7.1, RFC 3416 §3.
fn varbind_value(tag: u8, content: &[u8]) -> Option<()> {
    let good = match tag {
        2 => integer(content, -I31 - 1, I31).is_some(),
        4 | 0x44 => content.len() <= 65_535,
        5 | 0x80 | 0x81 | 0x82 => content.is_empty(),
        6 => identifier(content).is_some(),
        0x40 => content.len() == 4,
        0x41..=0x43 => integer(content, 0, 0xFFFF_FFFF).is_some(),
        0x46 => integer(content, 0, 0xFFFF_FFFF_FFFF_FFFF).is_some(),
        _ => false,
    };
    good.then_some(())
}
