//! Who may say what, and what each is told: the two roles, the levels, the reports, the window, and what is remembered.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::time::Duration;

use common::{inform_pdu, message, our_engine, s, their_engine, trap_header, trap_pdu, user, usm, verdict, word};
use hmac::{Hmac, KeyInit, Mac};
use snmp_pdu::encode::V2Notification;
use snmp_pdu::{Oid, encode};
use snmp_usm::{
    AuthProtocol, BOOTS_MAX, Data, EngineId, Header, Level, Limits, PrivProtocol, Stat, User, Usm, V3Message, key,
    scoped_pdu, write,
};

const SHA: Option<AuthProtocol> = Some(AuthProtocol::Sha1);
const AES: Option<PrivProtocol> = Some(PrivProtocol::Aes128);
/// Ten minutes after our engine started.
const NOW: Duration = s(1_600);

fn bert() -> User {
    user("bert", SHA, AES)
}

/// An inform's header: to our engine, whose clock its sender knows.
fn inform_header(user: &User) -> Header<'_> {
    static OURS: std::sync::OnceLock<EngineId> = std::sync::OnceLock::new();
    Header {
        reportable: true,
        boots: 3,
        time: 600,
        ..trap_header(user, OURS.get_or_init(|| our_engine().id))
    }
}

/// What a report says: its level, which counter, and its value.
fn report(usm: &mut Usm, datagram: &[u8]) -> (&'static str, Option<(Level, String, u32)>) {
    let mut plain = Vec::new();
    let rejected = usm.receive(datagram, &mut plain, NOW, |_| true).unwrap_err();
    let said = rejected.report.as_ref().map(|report| {
        let message = V3Message::parse(report).unwrap();
        assert_eq!(message.id, V3Message::parse(datagram).unwrap().id);
        assert_eq!(
            (message.engine_id, message.boots, message.time, message.reportable),
            (our_engine().id.as_bytes(), 3, 600, false)
        );
        let Data::Plain(scoped) = message.data else {
            return (message.level, "encrypted".to_owned(), 0);
        };
        // …A8 PDU: request id, 0, 0, list of one pair: an OID and a Counter32.
        let at = scoped.windows(2).position(|w| w[0] == 0x41 && usize::from(w[1]) <= 5);
        let count = scoped[at.unwrap() + 2..].iter().fold(0, |n, o| n << 8 | u32::from(*o));
        let stat = Stat::ALL.iter().find(|stat| {
            let oid: Vec<u8> = stat.oid().arcs()[2..]
                .iter()
                .map(|a| u8::try_from(*a).unwrap())
                .collect();
            scoped.windows(oid.len()).any(|w| w == oid)
        });
        (message.level, format!("{:?}", stat.unwrap()), count)
    });
    (word(&rejected), said)
}

fn told(level: Level, stat: Stat, count: u32) -> Option<(Level, String, u32)> {
    Some((level, format!("{stat:?}"), count))
}

#[test]
fn discovery_then_clock_then_inform_then_answer() {
    let bert = bert();
    let mut usm = usm(vec![bert.clone()]);
    // RFC 3414 §4: nothing known, nobody named.
    let ask = Header {
        level: Level::NoAuth,
        engine_id: b"",
        user: b"",
        boots: 0,
        time: 0,
        ..inform_header(&bert)
    };
    let question = write(&ask, None, scoped_pdu(b"", b"", &inform_pdu()));
    let expected = told(Level::NoAuth, Stat::UnknownEngineIds, 1);
    assert_eq!(report(&mut usm, &question), ("v3_discovery", expected));
    // The clock is told to the authenticated only, and signed.
    let clockless = Header {
        boots: 0,
        time: 0,
        ..inform_header(&bert)
    };
    let expected = told(Level::Auth, Stat::NotInTimeWindows, 1);
    let datagram = message(&clockless, &bert, &inform_pdu());
    assert_eq!(report(&mut usm, &datagram), ("v3_time_window", expected.clone()));
    // Some set their clock before they encrypt: that is no downgrade, and taking the PDU would be.
    let unencrypted = Header {
        level: Level::Auth,
        ..clockless
    };
    let datagram = message(&unencrypted, &bert, &inform_pdu());
    let expected = expected.map(|(level, stat, _)| (level, stat, 2));
    assert_eq!(report(&mut usm, &datagram), ("v3_time_window", expected));

    let datagram = message(&inform_header(&bert), &bert, &inform_pdu());
    let mut plain = Vec::new();
    let received = usm.receive(&datagram, &mut plain, NOW, |_| true).unwrap();
    assert_eq!(
        (received.envelope.level, received.trap.request_id),
        (Level::AuthPriv, Some(77))
    );
    let answer = usm.response(&received.envelope, &received.trap, NOW).unwrap();
    assert_eq!(opened(&answer), encode::response(&received.trap).unwrap());
    // A second answer has another salt.
    let again = usm.response(&received.envelope, &received.trap, NOW).unwrap();
    assert_ne!(
        V3Message::parse(&answer).unwrap().salt,
        V3Message::parse(&again).unwrap().salt
    );
}

/// Checks and opens an answer to `bert` with the primitives alone; gives the PDU.
fn opened(answer: &[u8]) -> Vec<u8> {
    use aes::cipher::KeyIvInit;
    let message = V3Message::parse(answer).unwrap();
    assert_eq!(
        (message.level, message.reportable, message.user),
        (Level::AuthPriv, false, &b"bert"[..])
    );
    let engine = our_engine().id;
    let kul = |password| {
        key::localized(
            AuthProtocol::Sha1,
            &key::of_password(AuthProtocol::Sha1, password),
            engine.as_bytes(),
        )
    };
    let mut unsigned = answer.to_vec();
    unsigned[message.mac_at..][..12].fill(0);
    let mut hmac: Hmac<sha1::Sha1> = Hmac::new_from_slice(kul(common::AUTH_PASSWORD).expose()).unwrap();
    hmac.update(&unsigned);
    assert_eq!(message.mac, &hmac.finalize().into_bytes()[..12]);
    let Data::Encrypted(octets) = message.data else {
        panic!("not encrypted")
    };
    let iv = [&3_u32.to_be_bytes()[..], &600_u32.to_be_bytes(), message.salt].concat();
    let mut plain = octets.to_vec();
    cfb_mode::Decryptor::<aes::Aes128>::new_from_slices(&kul(common::PRIV_PASSWORD).expose()[..16], &iv)
        .unwrap()
        .decrypt(&mut plain);
    let head = scoped_pdu(engine.as_bytes(), b"", b"");
    plain[head.len()..].to_vec()
}

#[test]
fn each_trouble_is_told_under_its_counter() {
    let bert = bert();
    let mut usm = usm(vec![bert.clone(), user("plain", None, None)]);
    let mut check = |datagram: &[u8], word, expected| assert_eq!(report(&mut usm, datagram), (word, expected));
    let header = inform_header(&bert);
    let good = message(&header, &bert, &inform_pdu());

    let stranger = user("ernie", SHA, AES);
    check(
        &message(&inform_header(&stranger), &stranger, &inform_pdu()),
        "v3_unknown_user",
        told(Level::NoAuth, Stat::UnknownUserNames, 1),
    );
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    check(&forged, "v3_digest", told(Level::NoAuth, Stat::WrongDigests, 1));
    let open = Header {
        level: Level::NoAuth,
        ..header
    };
    check(
        &message(&open, &bert, &inform_pdu()),
        "v3_security_level",
        told(Level::NoAuth, Stat::UnsupportedSecLevels, 1),
    );
    let signed = Header {
        level: Level::Auth,
        ..header
    };
    check(
        &message(&signed, &bert, &inform_pdu()),
        "v3_security_level",
        told(Level::Auth, Stat::UnsupportedSecLevels, 2),
    );
    let elsewhere = their_engine();
    let foreign = Header {
        engine_id: elsewhere.as_bytes(),
        ..header
    };
    check(
        &message(&foreign, &bert, &inform_pdu()),
        "v3_engine_id",
        told(Level::NoAuth, Stat::UnknownEngineIds, 1),
    );
    // A request that waits for an answer: nobody here has one.
    let mut get = inform_pdu();
    get[0] = 0xA0;
    let plain = user("plain", None, None);
    check(
        &message(&inform_header(&plain), &plain, &get),
        "pdu_type",
        told(Level::NoAuth, Stat::UnknownPduHandlers, 1),
    );
    // No report to a report, a response or a trap, whatever the flag says.
    for kind in [0xA2, 0xA7, 0xA8] {
        let mut pdu = inform_pdu();
        pdu[0] = kind;
        let stranger = user("nobody", None, None);
        check(
            &message(&inform_header(&stranger), &stranger, &pdu),
            "v3_unknown_user",
            None,
        );
    }
    // Nor to whoever does not ask.
    let silent = Header {
        reportable: false,
        ..header
    };
    let mut forged = message(&silent, &bert, &inform_pdu());
    *forged.last_mut().unwrap() ^= 1;
    check(&forged, "v3_digest", None);
    // A wrong privacy key: noise. The standard has no report for it.
    let wrong = User::new(
        b"bert",
        Some((AuthProtocol::Sha1, common::AUTH_PASSWORD)),
        Some((PrivProtocol::Aes128, b"not the password")),
        vec![],
    )
    .unwrap();
    check(&message(&header, &wrong, &inform_pdu()), "v3_decryption", None);
    assert_eq!(usm.stat(Stat::WrongDigests), 2);
    assert_eq!(usm.stat(Stat::DecryptionErrors), 0);
    assert_eq!(usm.stat(Stat::UnknownUserNames), 4);
}

#[test]
fn exactly_the_level_of_the_user() {
    let levels = [(None, None), (SHA, None), (SHA, AES)];
    let engine = their_engine();
    for (user_at, (auth, privacy)) in levels.into_iter().enumerate() {
        // The sender has all keys: only what it chose to use differs.
        let sender = bert();
        let mut usm = usm(vec![user("bert", auth, privacy)]);
        for (sent_at, level) in [Level::NoAuth, Level::Auth, Level::AuthPriv].into_iter().enumerate() {
            let header = Header {
                level,
                ..trap_header(&sender, &engine)
            };
            let expected = if user_at == sent_at {
                "accepted"
            } else {
                "v3_security_level"
            };
            let datagram = message(&header, &sender, &trap_pdu());
            assert_eq!(
                verdict(&mut usm, &datagram, NOW),
                expected,
                "{auth:?} {privacy:?} {level:?}"
            );
        }
    }
}

#[test]
fn replays_are_refused_at_the_windows_edge() {
    let bert = bert();
    let engine = their_engine();
    let mut usm = usm(vec![bert.clone()]);
    let mut check = |boots, time, now, expected| {
        let header = Header {
            boots,
            time,
            ..trap_header(&bert, &engine)
        };
        let datagram = message(&header, &bert, &trap_pdu());
        assert_eq!(
            verdict(&mut usm, &datagram, s(now)),
            expected,
            "{boots} {time} at {now}"
        );
    };
    check(7, 1_000, 10, "accepted");
    check(7, 851, 10, "accepted");
    check(7, 850, 10, "accepted");
    check(7, 849, 10, "v3_time_window");
    check(7, 1_000, 160, "accepted");
    check(7, 1_000, 161, "v3_time_window");
    check(7, 1_149, 10, "accepted");
    check(7, 1_300, 10, "accepted");
    check(7, 1_149, 10, "v3_time_window");
    check(6, 9_000, 10, "v3_time_window");
    check(8, 0, 10, "accepted");
    check(7, 1_300, 10, "v3_time_window");
    check(BOOTS_MAX, 1, 10, "v3_time_window");
}

#[test]
fn informs_must_be_within_our_own_time() {
    let bert = bert();
    let mut usm = usm(vec![bert.clone()]);
    let mut check = |boots, time, expected| {
        let header = Header {
            boots,
            time,
            ..inform_header(&bert)
        };
        let datagram = message(&header, &bert, &inform_pdu());
        assert_eq!(verdict(&mut usm, &datagram, NOW), expected, "{boots} {time}");
    };
    check(3, 600, "accepted");
    check(3, 749, "accepted");
    check(3, 750, "accepted");
    check(3, 751, "v3_time_window");
    check(3, 451, "accepted");
    check(3, 449, "v3_time_window");
    check(2, 600, "v3_time_window");
    check(4, 600, "v3_time_window");
}

#[test]
fn only_allowed_engines_and_sources() {
    let engine = their_engine();
    let other: EngineId = "80001f8880c0ffee02".parse().unwrap();
    let bound = User::new(
        b"bert",
        Some((AuthProtocol::Sha1, common::AUTH_PASSWORD)),
        None,
        vec![engine],
    )
    .unwrap();
    let mut usm = usm(vec![bound.clone()]);
    let from = |engine| message(&trap_header(&bound, engine), &bound, &trap_pdu());
    assert_eq!(verdict(&mut usm, &from(&engine), NOW), "accepted");
    assert_eq!(verdict(&mut usm, &from(&other), NOW), "v3_engine_not_allowed");
    let mut plain = Vec::new();
    let rejected = usm
        .receive(&from(&engine), &mut plain, NOW, |user| user != 0)
        .unwrap_err();
    assert_eq!((word(&rejected), rejected.report), ("v3_source", None));
    // Informs name our engine: the list is about traps.
    let inform = message(&inform_header(&bound), &bound, &inform_pdu());
    assert_eq!(verdict(&mut usm, &inform, NOW), "accepted");
    // A trap that comes back from ourselves.
    let ours = our_engine().id;
    let reflected = Header {
        boots: 3,
        time: 600,
        ..trap_header(&bound, &ours)
    };
    let datagram = message(&reflected, &bound, &trap_pdu());
    assert_eq!(verdict(&mut usm, &datagram, NOW), "v3_own_engine");
}

#[test]
fn only_the_authenticated_are_remembered_and_not_too_many() {
    let bert = bert();
    let limits = Limits { engines_per_user: 3 };
    let mut usm = Usm::new(our_engine(), vec![bert.clone()], limits, 0).unwrap();
    let engine = |n: u8| EngineId::new(&[0x80, 0, 0, 1, n]).unwrap();
    for n in 0..200 {
        let engine = engine(n);
        let mut forged = message(&trap_header(&bert, &engine), &bert, &trap_pdu());
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(verdict(&mut usm, &forged, NOW), "v3_digest");
    }
    assert_eq!(usm.engines(), 0);
    for n in 0..5 {
        let engine = engine(n);
        let datagram = message(&trap_header(&bert, &engine), &bert, &trap_pdu());
        assert_eq!(verdict(&mut usm, &datagram, s(u64::from(n))), "accepted");
    }
    assert_eq!(usm.engines(), 3);
    // The second was forgotten: an old clock of it is believed again. The last is not.
    let old = |n| {
        let engine = engine(n);
        let header = Header {
            boots: 1,
            ..trap_header(&bert, &engine)
        };
        message(&header, &bert, &trap_pdu())
    };
    assert_eq!(verdict(&mut usm, &old(4), s(9)), "v3_time_window");
    assert_eq!(verdict(&mut usm, &old(1), s(9)), "accepted");
}

#[test]
fn an_answer_too_long_for_its_reader_says_so() {
    let open = user("open", None, None);
    let mut usm = usm(vec![open.clone()]);
    let header = Header {
        max_size: 484,
        ..inform_header(&open)
    };
    let head = V2Notification {
        request_id: 5,
        uptime: 1,
        trap_oid: Oid::new(&[1, 3, 6, 1]),
    };
    let name = Oid::new(&[1, 3, 6, 1, 5]);
    let pdu = encode::inform(&head, &[(name, snmp_pdu::Value::OctetString(&[b'x'; 600]))]);
    let datagram = message(&header, &open, &pdu);
    let mut plain = Vec::new();
    let received = usm.receive(&datagram, &mut plain, NOW, |_| true).unwrap();
    let answer = usm.response(&received.envelope, &received.trap, NOW).unwrap();
    assert!(answer.len() <= 484);
    // request-id 5, error-status 1 (tooBig), error-index 0, no varbinds.
    assert!(
        answer.ends_with(&[0xA2, 11, 2, 1, 5, 2, 1, 1, 2, 1, 0, 0x30, 0]),
        "{answer:02x?}"
    );
}

#[test]
fn names_are_unique_and_nothing_shows_a_key() {
    let twice = Usm::new(our_engine(), vec![bert(), bert()], Limits::default(), 0).unwrap_err();
    assert!(twice.to_string().contains("`bert`"));
    assert!(User::new(b"", None, None, vec![]).is_err());
    assert!(User::new(&[b'x'; 33], None, None, vec![]).is_err());
    assert!(User::new(b"x", Some((AuthProtocol::Md5, b"1234567")), None, vec![]).is_err());
    assert!(User::new(b"x", None, Some((PrivProtocol::Des, b"12345678")), vec![]).is_err());
    let mut usm = usm(vec![bert()]);
    let engine = their_engine();
    let datagram = message(&trap_header(&bert(), &engine), &bert(), &trap_pdu());
    assert_eq!(verdict(&mut usm, &datagram, NOW), "accepted");
    let shown = format!("{usm:?}");
    let ku = key::of_password(AuthProtocol::Sha1, common::AUTH_PASSWORD);
    for secret in [&b"maplesyrup"[..], b"privsyrup", ku.expose(), &ku.expose()[..4]] {
        for form in [
            String::from_utf8_lossy(secret).into_owned(),
            format!("{secret:?}"),
            secret.iter().map(|o| format!("{o:02x}")).collect(),
        ] {
            assert!(!shown.contains(form.trim_matches(['[', ']'])), "{form} in {shown}");
        }
    }
}
