//! A trap that does not name all of its place is about the nearest entity that it does name.
#![allow(clippy::unwrap_used, reason = "tests")]

use model::Root;
use pipeline_normalize::explain;
use snmp_pdu::encode::{V2Notification, v2_trap};
use snmp_pdu::{Oid, Value};

fn oid(rest: &str) -> Oid {
    format!("1.3.6.1.4.1.2011.{rest}").parse().unwrap()
}

/// A LOS of an ONU (scope ont) or of a port, with some of frame 0, slot 3, port 5, ONU 17.
#[track_caller]
fn check(trap: &str, parts: usize, below: &str) {
    let all = [
        ("6.3.3.1.1.1", 0),
        ("6.3.3.2.1.1", 3),
        ("6.3.3.4.1.1", 5),
        ("6.128.1.1.2.43.1.1", 17),
    ];
    let varbinds: Vec<(Oid, Value<'_>)> = all[..parts]
        .iter()
        .map(|(name, n)| (oid(name), Value::Integer(*n)))
        .collect();
    let pdu = v2_trap(
        &V2Notification {
            request_id: 1,
            uptime: 1,
            trap_oid: oid(trap),
        },
        &varbinds,
    );
    let explained = explain(&pdu, &Root::parse("default/olt/a").unwrap()).unwrap();
    assert_eq!(
        explained[0].entity,
        format!("default/olt/a{below}"),
        "{trap} with {parts} parts"
    );
    let is_whole = !explained[0].detail.contains_key("issue");
    assert_eq!(
        is_whole,
        below.starts_with("/onu") || trap.contains(".12.2.1.") && parts >= 3
    );
}

#[test]
fn what_is_missing_leaves_the_nearest_entity_above() {
    let (onu_los, port_los) = ("6.128.1.1.12.2.2.0.12", "6.128.1.1.12.2.1.0.1");
    check(onu_los, 4, "/onu/0/3/5/17");
    check(onu_los, 3, "/pon/0/3/5");
    check(onu_los, 2, "/board/0/3");
    check(onu_los, 1, "");
    check(onu_los, 0, "");
    check(port_los, 3, "/pon/0/3/5");
    check(port_los, 2, "/board/0/3");
    check(port_los, 1, "");
}
