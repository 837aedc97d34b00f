//! Answers cut off, damaged and made up: nothing panics, and no read is called complete that has fewer rows than the device says.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use connector_olt_ssh::decode::{self, Command, Reading, Row, Screen, Settings};
use proptest::prelude::*;

fn read<R>(command: &str, bytes: &[u8], settings: &Settings, look: impl FnOnce(&Reading<'_, Row<'_>>) -> R) -> R {
    let text = decode::text_of(bytes);
    let screen = Screen::of(&text);
    look(&decode::read(&screen, &Command::parse(command).unwrap(), settings))
}

/// Everything an issue, a row or an alarm can say, said.
fn say(reading: &Reading<'_, Row<'_>>) -> String {
    let mut said = String::new();
    for row in &reading.rows {
        said.push_str(&serde_json::to_string(row).unwrap());
    }
    for issue in &reading.issues {
        said.push_str(&issue.to_string());
    }
    for alarm in &reading.unasked {
        said.push_str(&serde_json::to_string(alarm).unwrap());
    }
    said
}

/// What the device's own counts add up to, as far as they can be read; by the plainest means, not the readers'.
fn counted(text: &str) -> Option<usize> {
    const LABELS: [&str; 7] = [
        "the total of ONTs are: ",
        "the total number of ONTs are: ",
        "autofind ONT is ",
        "required ONTs : ",
        "  Total: ",
        "GEM ports is: ",
        "total number of SSID : ",
    ];
    let mut sum = None;
    for line in text.lines() {
        for label in LABELS {
            if let Some((_, rest)) = line.split_once(label) {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                sum = Some(sum.unwrap_or(0) + digits.parse::<usize>().unwrap_or(0));
            }
        }
    }
    sum
}

#[test]
fn an_answer_cut_off_anywhere_is_incomplete() {
    for fixture in common::all() {
        let bytes = fixture.text.as_bytes();
        let end = fixture.text.trim_end().len();
        for cut in 0..end {
            let complete = read(&fixture.command, &bytes[..cut], &Settings::default(), |reading| {
                reading.complete
            });
            assert!(!complete, "{} complete after {cut} of {end} bytes", fixture.command);
        }
    }
}

#[test]
fn counts_hold_even_where_the_caller_says_that_it_saw_the_prompt() {
    let settings = Settings {
        whole: true,
        ..Settings::default()
    };
    for fixture in common::all() {
        let rows = read(&fixture.command, fixture.text.as_bytes(), &settings, |reading| {
            reading.rows.len()
        });
        let Some(total) = counted(&fixture.text) else { continue };
        assert_eq!(rows, total, "{}", fixture.command);
        for cut in 0..fixture.text.trim_end().len() {
            let bytes = &fixture.text.as_bytes()[..cut];
            let said = counted(&String::from_utf8_lossy(bytes)).unwrap_or(0);
            let (complete, rows) = read(&fixture.command, bytes, &settings, |reading| {
                (reading.complete, reading.rows.len())
            });
            assert!(
                !complete || rows >= said,
                "{}: {rows} of {said} rows complete after {cut} bytes",
                fixture.command
            );
        }
    }
}

#[test]
fn a_line_taken_out_of_a_counted_table_is_missed() {
    for fixture in common::all().iter().filter(|fixture| counted(&fixture.text).is_some()) {
        let rows = read(
            &fixture.command,
            fixture.text.as_bytes(),
            &Settings::default(),
            |reading| reading.rows.len(),
        );
        let lines: Vec<&str> = fixture.text.split_inclusive('\n').collect();
        for gone in 0..lines.len() {
            let text: String = lines
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != gone)
                .map(|(_, line)| *line)
                .collect();
            let (complete, left) = read(&fixture.command, text.as_bytes(), &Settings::default(), |reading| {
                (reading.complete, reading.rows.len())
            });
            assert!(
                !complete || left >= rows,
                "{}: complete without {:?}",
                fixture.command,
                lines[gone]
            );
        }
    }
}

#[test]
fn flipped_bits_lose_no_row_silently() {
    let mut flips = 0;
    for fixture in common::all() {
        let total = counted(&fixture.text);
        let bytes = fixture.text.as_bytes();
        let rows = read(&fixture.command, bytes, &Settings::default(), |reading| {
            reading.rows.len()
        });
        // What nobody described is read by its form, and a damaged form is another form.
        let unverified = fixture.expected.contains(r#""layout":"unverified""#);
        let labels: Vec<_> = ["Password", "password", "Checkcode"]
            .iter()
            .flat_map(|label| {
                fixture
                    .text
                    .match_indices(label)
                    .map(|(at, label)| at..at + label.len())
            })
            .collect();
        // Every bit of small answers, every third of the others.
        let step = if bytes.len() < 1_500 { 1 } else { 3 };
        for bit in (0..bytes.len() * 8).step_by(step) {
            let mut damaged = bytes.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            flips += 1;
            read(&fixture.command, &damaged, &Settings::default(), |reading| {
                let said = say(reading);
                // A label that is hit is another label: then only the form of the value can tell.
                let label_hit = labels.iter().any(|label| label.contains(&(bit / 8)));
                assert!(
                    label_hit || !said.contains("CANARY"),
                    "{} bit {bit}: {said}",
                    fixture.command
                );
                // Where the device counts, a damaged count is another count. A row of one letter (an empty slot) may turn blank.
                let blanked = damaged[bit / 8] == b' ' && reading.rows.len() + 1 == rows;
                let counts = !blanked && total == counted(&String::from_utf8_lossy(&damaged));
                if reading.complete && counts && !unverified {
                    assert!(
                        reading.rows.len() >= rows,
                        "{} bit {bit}: {:?}",
                        fixture.command,
                        reading.issues
                    );
                }
            });
        }
    }
    eprintln!("{flips} flips");
}

/// Pieces that readers look at, in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let fixtures: Vec<String> = common::all()
        .iter()
        .flat_map(|f| f.text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let noise = prop::collection::vec(any::<u8>(), 0..40);
    let line = prop_oneof![
        6 => prop::sample::select(fixtures).prop_map(String::into_bytes),
        1 => noise,
        1 => prop::sample::select(vec!["\x1b[37D", "\x1b[", "\r", "! 1[x]:", "! RUNNING", "HOST#", "Failure:", "%", "<T-CONT 1>", "|a:b|", ":"])
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.join(&b'\n'))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_for_any_command_are_read(bytes in pieces(), which in 0..200_usize, whole: bool, day_first: bool) {
        let fixtures = common::all();
        let command = &fixtures[which % fixtures.len()].command;
        let settings = Settings { whole, day_first, host: None };
        read(command, &bytes, &settings, |reading| {
            say(reading);
            for issue in &reading.issues {
                prop_assert!(issue.line >= 1 && issue.column >= 1);
            }
            prop_assert_eq!(reading.complete, !reading.issues.iter().any(|issue| issue.effect == decode::Effect::Loss));
            Ok(())
        })?;
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..2_000), which in 0..200_usize) {
        let fixtures = common::all();
        let command = &fixtures[which % fixtures.len()].command;
        read(command, &bytes, &Settings::default(), say);
        decode::scrubbed(&String::from_utf8_lossy(&bytes));
    }
}

/// Megabytes of the worst lines known: each is read in well under a second when optimised; the limit here is for a busy machine.
#[test]
fn megabytes_of_anything_are_read_in_linear_time() {
    let row = "  0   48575443A1B2C3D4 EG8145X6-10      1807  -21.92/2.21  x\n";
    let rule = format!("  {}\n", "-".repeat(78));
    let worst = [
        "display ont info summary 0".to_owned(),
        "display ont info 0 all".to_owned(),
        "display ont info 0 1 2 3".to_owned(),
        "display ont autofind all".to_owned(),
        "display alarm active all".to_owned(),
        "display board 0/3".to_owned(),
        "display ont wan-info 0/1 0 7".to_owned(),
        "display ont optical-info 0 all".to_owned(),
    ];
    let lines = [
        row.to_owned(),
        "x".to_owned(),
        "a\n".to_owned(),
        "a : b\n".to_owned(),
        "  F/S/P : 0/1/2\n".to_owned(),
        format!("{rule}a  b  c\n{rule}1  2  3\n"),
        "! 1[2026-01-01 1:1:1]:\n".to_owned(),
        "\x1b[37D".to_owned(),
        "ab\x1b[K\r".to_owned(),
        "  ALARM 1 FAULT MINOR 0x1 S 2026-01-01 00:00:00\n".to_owned(),
        "H#\n".to_owned(),
        " ".repeat(60) + "y\n",
    ];
    for line in &lines {
        for (at, command) in worst.iter().enumerate() {
            // The whole length for one reader of each, a part for the others: what grows with the square shows in that too.
            let bytes = line.repeat((if at == 0 { 10 << 20 } else { 2 << 20 }) / line.len());
            let started = std::time::Instant::now();
            read(command, bytes.as_bytes(), &Settings::default(), |reading| {
                assert!(!reading.complete)
            });
            let took = started.elapsed();
            assert!(
                took.as_secs() < 20,
                "{command} of {:?}: {took:?}",
                &line[..line.len().min(40)]
            );
        }
    }
}
