//! Traps of net-snmp, captured: every user kind opens to the same notification.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use common::{hex, s, user, usm};
use snmp_usm::{AuthProtocol, Level, PrivProtocol};

const CAPTURED: &str = include_str!("fixtures/net-snmp-5.9.3.txt");

#[test]
fn every_kind_of_user_opens() {
    let lines = CAPTURED.lines().filter(|l| !l.starts_with('#'));
    let mut opened = 0;
    for line in lines {
        let [name, auth, privacy, datagram] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not four columns: {line}");
        };
        let auth = AuthProtocol::parse(auth);
        let privacy = PrivProtocol::parse(privacy);
        let mut usm = usm(vec![user(name, auth, privacy)]);
        let datagram = hex(datagram);
        let mut plain = Vec::new();
        let received = usm
            .receive(&datagram, &mut plain, s(1), |_| true)
            .unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let level = match (auth, privacy) {
            (None, _) => Level::NoAuth,
            (_, None) => Level::Auth,
            _ => Level::AuthPriv,
        };
        assert_eq!(received.envelope.level, level, "{name}");
        assert_eq!(
            received.trap.trap_oid.to_string(),
            "1.3.6.1.4.1.2011.6.128.1.1.12.2.2.0.18"
        );
        assert_eq!(received.trap.sys_uptime, Some(4_242));
        assert_eq!(received.trap.varbinds().count(), 7, "{name}");
        opened += 1;
    }
    assert_eq!(
        opened,
        1 + 6 * 7,
        "noAuth, and six authentications with seven privacies"
    );
}
