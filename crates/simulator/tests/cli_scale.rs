//! Many OLTs in one process, and large tables.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::{Duration, Instant};

use simulator::cli::{CliConfig, Personality};
use support::{Terminal, config, network};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_boxes_in_one_process() {
    let simulation = network(1_000, 2_000, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    // Those of the other test in this process included.
    let ours = |task: &std::path::Path| {
        std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("simulator-cli"))
    };
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let threads = tasks.filter(|t| ours(&t.path())).count();
    assert!(threads < 10, "no thread for each: {threads}");
    for olt in [0, 1, 500, 999] {
        let mut terminal = Terminal::ready(cli.address(olt), olt % 2 == 1).await;
        let answer = terminal.run("display sysuptime").await;
        assert!(answer.contains("System up time: "), "{answer}");
    }
    let commands = &cli.counts(999).commands;
    assert_eq!((commands["display sysuptime"], commands["enable"]), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_rows() {
    let simulation = network(
        1,
        2_048,
        CliConfig {
            personalities: vec![Personality::Ma5800],
            ..config()
        },
    );
    let cli = simulation.serve_cli().unwrap().unwrap();
    let mut terminal = Terminal::ready(cli.address(0), false).await;
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let answer = terminal.run("display ont info summary 0").await;
        quickest = quickest.min(start.elapsed());
        assert!(answer.len() > 200_000, "{}", answer.len());
        assert_eq!(
            answer.matches("HWTC").count() + answer.matches("48575443").count(),
            2_048
        );
    }
    eprintln!("2,048 ONUs from command to prompt in {quickest:?}");
    assert!(quickest < Duration::from_millis(500), "{quickest:?}");
}
