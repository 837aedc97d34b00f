//! What a board's operational status makes of it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Network, ROOT, huawei, seconds, trap};
use snmp_pdu::Value;
use snmp_pdu::encode::{V2Notification, v2_trap};

/// A trap `6.3.8.2.0.N` about board 0/4, with its status if there is one.
#[track_caller]
fn check(number: u32, status: Option<i32>, expected: &str) {
    let mut varbinds = vec![
        (huawei("6.3.3.1.1.1.0"), Value::Integer(0)),
        (huawei("6.3.3.2.1.1.0.4"), Value::Integer(4)),
    ];
    varbinds.extend(status.map(|status| (huawei("6.3.3.2.1.8.0.4"), Value::Integer(status))));
    let pdu = v2_trap(
        &V2Notification {
            request_id: 1,
            uptime: 1_000,
            trap_oid: huawei(&format!("6.3.8.2.0.{number}")),
        },
        &varbinds,
    );
    let mut network = Network::default();
    network.feed(trap(ROOT, pdu, seconds(0)), ROOT, seconds(0));
    assert_eq!(
        network.state("board/0/4"),
        expected,
        "status {status:?} of trap {number}"
    );
}

#[test]
fn a_board_is_what_its_status_says() {
    for (status, expected) in [
        (Some(2), "normal"),
        (Some(3), "failed(other)"),
        (Some(7), "offline(unknown)"),
        // Forbidden, autofind, config, abnormal: none of our states, and surely not the normal one.
        (Some(4), "unknown"),
        (Some(5), "unknown"),
        (Some(6), "unknown"),
        (Some(8), "unknown"),
    ] {
        check(1, status, expected);
        check(3, status, expected);
    }
    check(1, None, "normal"); // detected, and nothing else said
    check(3, None, "unknown");
}
