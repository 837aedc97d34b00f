//! How long 2,048 ONUs of `display ont info summary` take: `cargo run --release -p connector-olt-ssh --example summary_speed`.

#![allow(clippy::print_stdout, reason = "a program for the command line")]

use std::time::{Duration, Instant};

use connector_olt_ssh::decode::{self, Command, Screen, Settings, UnknownCommand};

const PORTS: u32 = 16;
const ONUS: u32 = 128;
const ROUNDS: usize = 200;

fn main() -> Result<(), UnknownCommand> {
    let answer = answer();
    let command = Command::parse("display ont info summary 0")?;
    let settings = Settings::default();
    let mut typed = Vec::with_capacity(ROUNDS);
    let mut any = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        typed.push(timed(|| {
            let text = decode::text_of(answer.as_bytes());
            let screen = Screen::of(&text);
            let reading = decode::read_summary(&screen, &command, &settings);
            assert!(
                reading.complete && reading.rows.len() == (PORTS * ONUS) as usize,
                "{:?}",
                reading.issues
            );
        }));
        any.push(timed(|| {
            let text = decode::text_of(answer.as_bytes());
            let screen = Screen::of(&text);
            assert!(decode::read(&screen, &command, &settings).complete);
        }));
    }
    println!("{} ONUs, {} bytes, {ROUNDS} rounds", PORTS * ONUS, answer.len());
    for (what, mut times) in [("read_summary", typed), ("read", any)] {
        times.sort();
        let median = times[ROUNDS / 2];
        let a_row = median.as_nanos() / u128::from(PORTS * ONUS);
        println!(
            "{what:<13} median {median:?}, best {:?}, worst {:?}, {a_row} ns a row",
            times[0],
            times[ROUNDS - 1]
        );
    }
    Ok(())
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

/// The answer as a device prints it, with its line ends.
fn answer() -> String {
    let rule = format!("  {}", "-".repeat(78));
    let mut lines = vec!["OLT-1(config)#display ont info summary 0".to_owned()];
    for port in 0..PORTS {
        let online = ONUS - ONUS / 8;
        lines.push(rule.clone());
        lines.push(format!(
            "  In port 0/1/{port}, the total of ONTs are: {ONUS}, online: {online}"
        ));
        lines.push(rule.clone());
        lines.push("  ONT  Run     Last                Last                Last".to_owned());
        lines.push("  ID   State   UpTime              DownTime            DownCause".to_owned());
        lines.push(rule.clone());
        lines.extend((0..ONUS).map(|onu| {
            let state = if onu % 8 == 0 { "offline" } else { "online" };
            format!("  {onu:<4} {state:<7} 2026-02-14 13:05:18 2026-02-14 05:16:56 dying-gasp")
        }));
        lines.push(rule.clone());
        lines.push("  ONT        SN        Type          Distance Rx/Tx power  Description".to_owned());
        lines.push("  ID                                    (m)      (dBm)".to_owned());
        lines.push(rule.clone());
        lines.extend((0..ONUS).map(|onu| {
            let (distance, power) = if onu % 8 == 0 {
                ("-", "-/-")
            } else {
                ("1807", "-21.92/2.21")
            };
            let serial = format!("48575443{:08X}", port * 1_000 + onu);
            format!(
                "  {onu:<3} {serial} {:<16} {distance:<5} {power:<12} customer-{onu:04}",
                "EG8145X6-10"
            )
        }));
        lines.push(rule.clone());
    }
    lines.push("OLT-1(config)#".to_owned());
    lines.join("\r\n")
}
