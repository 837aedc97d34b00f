//! net-snmp's own senders against the listener: what other people's code sends is understood, and it understands us.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::process::{Command, Output};

use common::{Bench, COMMUNITY_V1, COMMUNITY_V2C, config};
use connector_snmp_traps::Refusal;
use schemas::SnmpVersion;
use snmp_pdu::{Kind, TrapPdu, Value};

/// Runs `snmptrap` or `snmpinform`; a machine without them fails the test rather than skipping it.
fn net_snmp(program: &str, bench: &Bench, version: &str, community: &str, rest: &[&str]) -> Output {
    let to = format!("udp:{}", bench.address());
    Command::new(program)
        // No MIB files: names are numbers here, and none are missing.
        .args(["-m", "", "-v", version, "-c", community, "-r", "0", "-t", "5", &to])
        .args(rest)
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{program}`: {error}; install it: apt-get install snmp"))
}

fn check_sent(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn snmptrap_v1() {
    let mut bench = Bench::start(config());
    let rest = [
        "1.3.6.1.4.1.2011.6.3.8.3.3",
        "192.0.2.77",
        "6",
        "3",
        "4242",
        "1.3.6.1.4.1.2011.6.3.3.2.1.21.0.3",
        "s",
        "H901",
    ];
    check_sent(&net_snmp("snmptrap", &bench, "1", COMMUNITY_V1, &rest));
    let record = bench.wait_traps(1).remove(0);
    assert_eq!((record.version, record.credential.as_str()), (SnmpVersion::V1, "old"));
    assert_eq!(record.inner_address.as_deref(), Some("192.0.2.77"));
    let trap = TrapPdu::parse(&record.pdu).unwrap();
    assert!(matches!(
        trap.kind,
        Kind::V1 {
            generic: 6,
            specific: 3,
            ..
        }
    ));
    assert_eq!(
        (trap.trap_oid.to_string().as_str(), trap.sys_uptime),
        ("1.3.6.1.4.1.2011.6.3.8.3.3.0.3", Some(4_242))
    );
    assert_eq!(trap.varbinds().next().unwrap().value, Value::OctetString(b"H901"));
}

#[test]
fn snmptrap_v2c_with_every_type() {
    let mut bench = Bench::start(config());
    let column = "1.3.6.1.4.1.2011.6.3.1";
    let mut rest = vec!["4242", "1.3.6.1.6.3.1.1.5.3"];
    for (kind, value) in [
        ("i", "-1"),
        ("u", "4194312192"),
        ("c", "4294967295"),
        ("t", "86400"),
        ("a", "192.0.2.1"),
        ("o", "1.3.6.1.4.1.2011.2.248"),
        ("s", "Ação"),
        ("x", "485754431234ABCD"),
        ("C", "18446744073709551615"),
    ] {
        rest.extend([column, kind, value]);
    }
    // Lower-case c and upper-case C are 32 and 64 bits; a build without the latter says so and fails here.
    check_sent(&net_snmp("snmptrap", &bench, "2c", COMMUNITY_V2C, &rest));
    let record = bench.wait_traps(1).remove(0);
    assert!(!record.inform);
    let trap = TrapPdu::parse(&record.pdu).unwrap();
    assert_eq!(
        (trap.trap_oid.to_string().as_str(), trap.sys_uptime),
        ("1.3.6.1.6.3.1.1.5.3", Some(4_242))
    );
    let values: Vec<_> = trap.varbinds().skip(2).map(|v| v.value).collect();
    let expected = [
        Value::Integer(-1),
        Value::Gauge32(4_194_312_192),
        Value::Counter32(u32::MAX),
        Value::TimeTicks(86_400),
        Value::IpAddress([192, 0, 2, 1]),
        Value::Oid("1.3.6.1.4.1.2011.2.248".parse().unwrap()),
        Value::OctetString("Ação".as_bytes()),
        Value::OctetString(b"HWTC\x12\x34\xAB\xCD"),
        Value::Counter64(u64::MAX),
    ];
    assert_eq!(values, expected);
}

#[test]
fn snmpinform_v2c_is_answered() {
    let mut bench = Bench::start(config());
    // It waits for the answer, and fails without one.
    let rest = ["4242", "1.3.6.1.6.3.1.1.5.4", "1.3.6.1.2.1.2.2.1.1.7", "i", "7"];
    check_sent(&net_snmp("snmpinform", &bench, "2c", COMMUNITY_V2C, &rest));
    let record = bench.wait_traps(1).remove(0);
    assert!(record.inform);
    assert!(TrapPdu::parse(&record.pdu).unwrap().is_inform());
}

#[test]
fn a_wrong_community_is_refused_and_its_inform_not_answered() {
    let bench = Bench::start(config());
    let to = format!("udp:{}", bench.address());
    let output = Command::new("snmpinform")
        .args([
            "-m",
            "",
            "-v",
            "2c",
            "-c",
            "public",
            "-r",
            "0",
            "-t",
            "0.3",
            &to,
            "1",
            "1.3.6.1.6.3.1.1.5.4",
        ])
        .output()
        .unwrap_or_else(|error| panic!("cannot run `snmpinform`: {error}; install it: apt-get install snmp"));
    assert!(!output.status.success(), "it was answered");
    bench.wait_counts("refusal", |c| c.refused_for(Refusal::Community) == 1 && c.accepted == 0);
}

#[test]
fn snmptrap_v3_is_refused_where_nobody_is_configured() {
    let bench = Bench::start(config());
    let to = format!("udp:{}", bench.address());
    let output = Command::new("snmptrap")
        .args([
            "-m",
            "",
            "-v",
            "3",
            "-e",
            "0x8000000001020304",
            "-u",
            "noc",
            "-l",
            "noAuthNoPriv",
            &to,
        ])
        .args(["1", "1.3.6.1.6.3.1.1.5.1"])
        .output()
        .unwrap_or_else(|error| panic!("cannot run `snmptrap`: {error}; install it: apt-get install snmp"));
    check_sent(&output);
    bench.wait_counts("refusal", |c| c.refused_for(Refusal::V3NotConfigured) == 1);
}
