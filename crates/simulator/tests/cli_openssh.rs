//! The command lines through the real OpenSSH client. Skipped with a message where there is none.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use simulator::cli::{Cli, CliFault};
use support::{config, network};

/// What a family needs of a client of today.
const LEGACY: &[&str] = &[
    "-oKexAlgorithms=+diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
    "-oHostKeyAlgorithms=+ssh-rsa",
    "-oCiphers=+aes128-cbc,3des-cbc",
    "-oMACs=+hmac-sha1",
    "-oRequiredRSASize=1024",
];

fn have_ssh() -> bool {
    let found = Command::new("ssh").arg("-V").stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("skipped: no ssh on this machine (Debian package openssh-client)");
    }
    found
}

/// Runs `ssh` with commands typed in, and returns what it wrote.
fn ssh(cli: &Cli, olt: usize, password: &str, options: &[&str], typed: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let ask = folder.path().join("ask");
    std::fs::write(&ask, format!("#!/bin/sh\necho {password}\n")).unwrap();
    std::fs::set_permissions(&ask, std::fs::Permissions::from_mode(0o700)).unwrap();
    let address = cli.address(olt);
    let mut client = Command::new("timeout")
        .args(["30", "ssh", "-F", "none", "-tt", "-oStrictHostKeyChecking=no"])
        .args(["-oNumberOfPasswordPrompts=1", "-oEscapeChar=none"])
        .arg(format!(
            "-oUserKnownHostsFile={}",
            folder.path().join("known").display()
        ))
        .args(options)
        .args(["-p", &address.port().to_string(), &format!("noc@{}", address.ip())])
        .env("SSH_ASKPASS", &ask)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.as_mut().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let end = Instant::now() + Duration::from_secs(10);
    while cli.counts(olt).open > 0 {
        assert!(Instant::now() < end, "the box has not seen the client go");
        std::thread::yield_now();
    }
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn both_families_by_openssh() {
    if !have_ssh() {
        return;
    }
    let simulation = network(4, 80, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    let typed = "enable\rundo smart\r\rdisplay version\rqdisplay sysuptime\rquit\ry\r";
    for (olt, version, options) in [
        (0, "MA5800V100R018C00", &[][..]),
        (0, "MA5800V100R018C00", &["-oHostKeyAlgorithms=rsa-sha2-256"]),
        (1, "MA5600V800R018C10", LEGACY),
        (3, "MA5600V800R015C00", LEGACY),
        (
            3,
            "MA5600V800R015C00",
            &[
                "-oKexAlgorithms=diffie-hellman-group1-sha1",
                "-oHostKeyAlgorithms=ssh-rsa",
                "-oCiphers=3des-cbc",
                "-oMACs=hmac-sha1",
            ],
        ),
    ] {
        let (screen, errors) = ssh(&cli, olt, "secret", options, typed);
        for words in [
            "Huawei Integrated Access Software",
            version,
            "System up time: ",
            "console exit",
        ] {
            assert!(
                screen.contains(words),
                "{olt} {options:?}: no {words:?} in\n{screen}\n{errors}"
            );
        }
    }
    let (_, errors) = ssh(&cli, 1, "secret", &[], typed);
    assert!(
        errors.contains("no matching"),
        "a client of today refuses the old one: {errors}"
    );
}

#[test]
fn a_wrong_password_by_openssh() {
    if !have_ssh() {
        return;
    }
    let simulation = network(1, 10, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    let (screen, errors) = ssh(&cli, 0, "wrong", &[], "");
    assert!(
        screen.is_empty() && errors.contains("Permission denied (password)"),
        "{screen} {errors}"
    );
    cli.set_fault(0, Some(CliFault::ReenterLimit));
    let (screen, _) = ssh(&cli, 0, "secret", &[], "");
    assert!(
        screen.contains("  Reenter times have reached the upper limit."),
        "{screen}"
    );
    let counts = cli.counts(0);
    assert_eq!((counts.logins, counts.refused, counts.turned_away), (2, 1, 1));
}
