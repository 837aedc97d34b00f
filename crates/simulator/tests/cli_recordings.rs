//! The shape of our tables against recordings of real boxes, where ATALAIA_RECORDINGS names their folder: header lines
//! and rules letter by letter, rows by the columns at which words begin.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::BTreeSet;
use std::path::PathBuf;

use model::Serial;
use simulator::cli::{Cli, PonAddress};
use support::{Terminal, body, config, network};

fn recordings() -> Option<PathBuf> {
    let folder = std::env::var_os("ATALAIA_RECORDINGS").map(|f| PathBuf::from(f).join("huawei/cli"));
    if folder.is_none() {
        eprintln!("skipped: ATALAIA_RECORDINGS is not set");
    }
    folder
}

fn lines(folder: &std::path::Path, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    text.lines().map(|l| l.trim_end().to_owned()).collect()
}

/// Lines that are the same on every box: no digit in them but in rules, and not of a row.
fn fixed(lines: &[String]) -> BTreeSet<&str> {
    let is_head = |l: &&str| !l.is_empty() && !l.contains(|c: char| c.is_ascii_digit()) && !l.contains(": ");
    lines.iter().map(String::as_str).filter(is_head).collect()
}

/// Labels in front of a colon, with the blanks that bring it into its column.
fn labels(lines: &[String]) -> BTreeSet<&str> {
    let label = |l: &'_ String| l.find(':').filter(|&i| i > 8 && i < 48);
    lines.iter().filter_map(|l| Some(&l[..=label(l)?])).collect()
}

/// Columns at which words begin.
fn columns(line: &str) -> Vec<usize> {
    let bytes = line.as_bytes();
    let begins = |&i: &usize| bytes[i] != b' ' && (i == 0 || bytes[i - 1] == b' ');
    (0..bytes.len()).filter(begins).collect()
}

/// The first line that begins as a row does.
fn row<'a>(lines: &'a [String], begins: &str) -> &'a str {
    lines
        .iter()
        .find(|l| l.starts_with(begins))
        .unwrap_or_else(|| panic!("no row {begins:?} in {lines:#?}"))
}

async fn served() -> (Cli, Terminal, Terminal) {
    let cli = network(2, 240, config()).serve_cli().unwrap().unwrap();
    for olt in [0, 1] {
        let on = PonAddress { olt, slot: 1, port: 1 };
        cli.find_stranger(on, Serial::parse("HWTC00000001").unwrap()).unwrap();
    }
    let new = Terminal::ready(cli.address(0), false).await;
    let old = Terminal::ready(cli.address(1), true).await;
    (cli, new, old)
}

#[tokio::test(flavor = "multi_thread")]
async fn tables() {
    let Some(folder) = recordings() else { return };
    let (_cli, mut new, mut old) = served().await;
    let ntc = "ntc-templates/";
    for (command, file, is_old) in [
        (
            "display ont info summary 0/1/0",
            "display_ont_info_summary_ont/huawei_smartax_display_ont_info_summary_ont.raw",
            false,
        ),
        (
            "display ont info 0 1 0 all",
            "display_ont_info_0/huawei_smartax_display_ont_info_fsp.raw",
            true,
        ),
        (
            "display service-port all",
            "display_service-port_all/huawei_smartax_display_service-port_all.raw",
            false,
        ),
    ] {
        let terminal = if is_old { &mut old } else { &mut new };
        let (ours, theirs) = (
            body(&terminal.run(command).await),
            lines(&folder, &format!("{ntc}{file}")),
        );
        let (ours, theirs) = (fixed(&ours), fixed(&theirs));
        // The notes below a table differ; its rules and headers do not.
        let heads: Vec<_> = theirs
            .iter()
            .filter(|l| l.contains("  ---") || l.contains("ID") || l.contains("F/S/P"))
            .collect();
        assert!(heads.len() >= 2, "{command}: {theirs:?}");
        let missing: Vec<_> = heads.into_iter().filter(|l| !ours.contains(**l)).collect();
        assert!(missing.is_empty(), "{command}: {missing:#?} not in {ours:#?}");
    }
    new.run("interface gpon 0/1").await;
    let optics = body(&new.run("display ont optical-info 0 all").await);
    let recorded = lines(
        &folder,
        &format!("{ntc}display_ont_optical-info_0_all/huawei_smartax_display_ont_optical-info_0_all.raw"),
    );
    assert_eq!(fixed(&optics), fixed(&recorded));
    assert_eq!(columns(row(&optics, "    0  ")), columns(row(&recorded, "    0  ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows() {
    let Some(folder) = recordings() else { return };
    let (cli, mut new, mut old) = served().await;
    for onu in cli.shown(0) {
        cli.describe_onu(onu.serial, "without_a_blank").unwrap();
    }
    let ntc = folder.join("ntc-templates");
    let summary = body(&new.run("display ont info summary 0/1/0").await);
    let recorded = lines(
        &ntc,
        "display_ont_info_summary_ont/huawei_smartax_display_ont_info_summary_ont.raw",
    );
    // An ONU that has been down for a cause of one word.
    let ours = summary.iter().find(|l| l.ends_with("dying-gasp")).unwrap();
    assert_eq!(columns(ours), columns(row(&recorded, "  0    online")));
    assert_eq!(
        columns(row(&summary, "  0   4857")),
        columns(row(&recorded, "  0   1234"))
    );
    let list = body(&old.run("display ont info 0 1 0 all").await);
    let recorded = lines(&ntc, "display_ont_info_0/huawei_smartax_display_ont_info_fsp.raw");
    assert_eq!(
        columns(row(&list, "  0/ 1/0    0  ")),
        columns(row(&recorded, "  0/ 1/0    0  "))
    );
    assert_eq!(
        columns(row(&list, "  0/ 1/0   10  ")),
        columns(row(&recorded, "  0/ 1/0   10  "))
    );
    let described = row(&list, "  0/ 1/0       0   ");
    assert_eq!(
        columns(described)[..3],
        columns(row(&recorded, "  0/ 1/0       0   "))[..3]
    );
    let flows = body(&new.run("display service-port all").await);
    let recorded = lines(
        &ntc,
        "display_service-port_all/huawei_smartax_display_service-port_all.raw",
    );
    // The index is at the right of its column.
    assert_eq!(
        columns(row(&flows, "       0 "))[1..],
        columns(row(&recorded, "    5827 "))[1..]
    );
    let heat = body(&new.run("display temperature").await);
    let recorded = lines(&ntc, "display_temperature/huawei_smartax_display_temperature.raw");
    assert_eq!(
        columns(row(&heat, "  SlotID: ")),
        columns(row(&recorded, "  SlotID:  4"))
    );
    let board = body(&new.run("display board 0").await);
    let recorded = lines(&folder, "oltcore/display_board.txt");
    assert_eq!(
        columns(row(&board, "  9       H")),
        columns(row(&recorded, "  9       H"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks() {
    let Some(folder) = recordings() else { return };
    let (_cli, mut new, mut old) = served().await;
    let ours = body(&new.run("display ont info 0 1 0 0").await);
    let recorded = lines(
        &folder,
        "ntc-templates/display_ont_info_0_1/huawei_smartax_display_ont_info_1.raw",
    );
    let (ours, theirs) = (labels(&ours), labels(&recorded));
    let common = ours.intersection(&theirs).count();
    assert!(
        common >= 35,
        "{common} labels are the same: {:#?}",
        ours.difference(&theirs)
    );
    let ours = body(&new.run("display ont autofind all").await);
    let recorded = lines(&folder, "oltcore/ont_autofind.txt");
    assert!(
        labels(&ours).is_subset(&labels(&recorded)),
        "{:?} {:?}",
        labels(&ours),
        labels(&recorded)
    );
    assert_eq!(row(&ours, "   ---"), row(&recorded, "   ---"));
    old.run("interface gpon 0/1").await;
    let ours = body(&old.run("display ont optical-info 0 0").await);
    let recorded = lines(&folder, "oltcore/optical_info.txt");
    assert_eq!(labels(&ours), labels(&recorded));
    let ours = body(&new.run("display version").await);
    let recorded = lines(
        &folder,
        "ntc-templates/display_version/huawei_smartax_display_version.raw",
    );
    let shape = |lines: &[String]| {
        lines
            .iter()
            .map(|l| l.split(':').next().unwrap_or_default().trim_end().to_owned())
            .collect::<Vec<_>>()
    };
    let (ours, theirs) = (shape(&ours), shape(&recorded));
    assert_eq!(ours[..ours.len() - 1], theirs[..theirs.len() - 1]);
}
