//! T6 and T2 at the product's edge: hostile datagrams are counted once each, with a reason, and good traps in between all
//! become events.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints its figures"
)]

mod common;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use common::FirstLife;
use load_tests::client::{list, login, request_text};
use load_tests::device::{Devices, Note};
use load_tests::product::olt_address;

const OLTS: u8 = 1;

/// Sum of a counter over its labels, from Prometheus text.
fn total(metrics: &str, name: &str, label: &str) -> u64 {
    metrics
        .lines()
        .filter(|l| l.starts_with(name) && l.contains(label))
        .filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok())
        .map(|v| v as u64)
        .sum()
}

#[test]
fn every_hostile_datagram_is_counted_once_and_good_traps_in_between_arrive() {
    let FirstLife {
        folder: _folder,
        setup,
        runtime,
        mut product,
        first,
    } = FirstLife::start(OLTS);

    let valid = Note::nth(900, OLTS).datagram(false, 100);
    let mut hostile: Vec<Vec<u8>> = (0..valid.len()).map(|cut| valid[..cut].to_vec()).collect();
    let mut x: u64 = 88_172_645_463_325_252;
    for _ in 0..1_000 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        let bit = usize::try_from(x % (valid.len() as u64 * 8)).unwrap();
        let mut flipped = valid.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        hostile.push(flipped);
    }

    let attacker = UdpSocket::bind((olt_address(0), 0)).unwrap();
    let devices = Devices::new(OLTS, setup.trap_target()).unwrap();
    let mut good = 0;
    for (n, datagram) in hostile.iter().enumerate() {
        attacker.send_to(datagram, setup.trap_target()).unwrap();
        if n % 10 == 0 {
            devices.send(&Note::nth(good, OLTS), false);
            good += 1;
        }
        // Paced, so that the kernel's buffer is not what is tested here.
        std::thread::sleep(Duration::from_micros(200));
    }
    let sent = hostile.len() as u64 + u64::from(good);

    let name = "atalaia_trap_datagrams_total";
    let end = Instant::now() + Duration::from_secs(20);
    let metrics = loop {
        let (_, metrics) = runtime
            .block_on(request_text(setup.http(), "GET", "/metrics", None, None))
            .unwrap();
        if total(&metrics, name, "") >= sent {
            break metrics;
        }
        assert!(Instant::now() < end, "counted {} of {sent}", total(&metrics, name, ""));
    };
    let of = |outcome: &str| total(&metrics, name, &format!("outcome=\"{outcome}\""));
    let (accepted, refused, undecodable) = (of("accepted"), of("refused"), of("undecodable"));
    println!("{sent} datagrams: {accepted} accepted, {refused} refused, {undecodable} undecodable");
    assert_eq!(
        accepted + refused + undecodable + of("over_limit") + of("kernel_drop"),
        sent,
        "each counted once"
    );
    assert!(undecodable as usize >= valid.len(), "every truncation is undecodable");

    let token = runtime
        .block_on(login(setup.http(), &first.user, &first.password))
        .unwrap();
    let wanted: std::collections::BTreeSet<_> = (0..good).map(|n| Note::nth(n, OLTS).entity()).collect();
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let items = runtime
            .block_on(list(
                setup.http(),
                "/api/v1/devices?kind=onu&state=offline&limit=500",
                &token,
            ))
            .unwrap();
        let there: std::collections::BTreeSet<_> = items
            .iter()
            .filter_map(|i| i["entity"].as_str().map(str::to_owned))
            .collect();
        if wanted.is_subset(&there) {
            break;
        }
        assert!(
            Instant::now() < end,
            "{} good traps are missing",
            wanted.difference(&there).count()
        );
    }
    assert!(product.child.try_wait().unwrap().is_none(), "the process lives");
    let log = setup.log_text();
    assert!(
        !log.contains(load_tests::product::COMMUNITY),
        "the community is in no log line"
    );
}

#[test]
fn a_configuration_with_five_mistakes_gives_five_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("atalaia.toml");
    std::fs::write(
        &file,
        "[http]\nlisten = \"127.0.0.1:99999\"\n[log]\nbackend = \"embeded\"\n[[snmp_traps.listener]]\nbnd = \"0.0.0.0:162\"\n\
         [[snmp_traps.credential]]\nname = \"noc\"\nversion = \"2c\"\ncommunity = \"public\"\n[[olt]]\nname = \"rjo-01\"\n\
         vendor = \"huawei\"\naddress = \"192.0.2.300\"\n",
    )
    .unwrap();
    let output = std::process::Command::new(common::binary())
        .arg("check")
        .arg(&file)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    println!("{text}");
    for (line, key) in [
        (2, "http.listen"),
        (4, "log.backend"),
        (6, "bnd"),
        (10, "community"),
        (14, "address"),
    ] {
        let place = format!("atalaia.toml:{line}:");
        assert!(
            text.lines().any(|l| l.contains(&place) && l.contains(key)),
            "no error for {key} in line {line}:\n{text}"
        );
    }
    assert!(
        !text.contains("\"public\""),
        "a secret written in clear is not repeated"
    );
}
