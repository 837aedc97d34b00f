//! The command lines, as a person at a terminal sees them.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use support::{Terminal, body, config, network};

#[tokio::test(flavor = "multi_thread")]
async fn both_families_are_there() {
    let simulation = network(4, 200, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    for (olt, host, version) in [
        (0, "RJO-01", "MA5800V100R018C00"),
        (1, "SAO-01", "MA5600V800R018C10"),
        (2, "BHZ-01", "MA5800V100R022C00"),
        (3, "CWB-01", "MA5600V800R015C00"),
    ] {
        let mut terminal = Terminal::ready(cli.address(olt), olt % 2 == 1).await;
        let answer = terminal.run("display version").await;
        assert!(answer.ends_with(&format!("\r\n{host}(config)#")), "{answer:?}");
        assert_eq!(body(&answer)[0], "", "{answer:?}");
        assert_eq!(body(&answer)[1], format!("  VERSION : {version}"));
    }
}
