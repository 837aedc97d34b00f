//! Canary communities and passwords, everything logged at trace level: nothing of them is in any line or metric. In a file of its own,
//! because the subscriber and the recorder are the process's.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::{Bench, COMMUNITY_V2C, inform_pdu, sender, trap_pdu, v2c, v3_config, v3_trap, v3_user};
use snmp_pdu::{Version, encode};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_log_line_and_no_metric_holds_a_community() {
    let lines = Lines::default();
    let writer = lines.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new()
        .install_recorder()
        .unwrap();

    let folder = tempfile::tempdir().unwrap();
    let user = v3_user("noc-v3", Some("sha256"), Some("aes128"));
    let bench = Bench::start(v3_config(vec![user], &folder));
    let from = sender("127.0.0.1");
    from.send_to(&v2c(&trap_pdu(1)), bench.address()).unwrap();
    from.send_to(&v2c(&inform_pdu(2)), bench.address()).unwrap();
    from.send_to(&v2c(&trap_pdu(1))[..40], bench.address()).unwrap();
    let elsewhere = sender("127.0.3.1");
    elsewhere
        .send_to(
            &encode::message(Version::V1, COMMUNITY_V2C.as_bytes(), &[0xA4, 0]),
            bench.address(),
        )
        .unwrap();
    elsewhere.send_to(&v2c(&trap_pdu(3)), bench.address()).unwrap();
    let v3 = v3_trap("noc-v3", 7, 1);
    from.send_to(&v3, bench.address()).unwrap();
    let forged = [&v3[..v3.len() - 1], &[v3[v3.len() - 1] ^ 1]].concat();
    sender("127.0.3.2").send_to(&forged, bench.address()).unwrap();
    from.recv_from(&mut [0; 1_500]).unwrap();
    bench.wait_counts("all", |c| c.received == 7 && c.acknowledged == 4);
    assert!(bench.running.stop().1);

    let logged = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    let metrics = recorder.render();
    assert!(
        logged.contains("listening for traps")
            && logged.contains("refused a trap")
            && logged.contains("ready for SNMPv3"),
        "{logged}"
    );
    assert!(!logged.contains("canary"), "{logged}");
    assert!(!metrics.contains("canary"), "{metrics}");
    let kept = std::fs::read_to_string(folder.path().join("snmp-engine.json")).unwrap();
    assert!(!kept.contains("canary"), "{kept}");
    for line in [
        r#"atalaia_trap_datagrams_total{listener="main",outcome="accepted",reason=""} 4"#,
        r#"atalaia_trap_datagrams_total{listener="main",outcome="undecodable",reason="truncated"} 1"#,
        r#"atalaia_trap_datagrams_total{listener="main",outcome="refused",reason="community"} 1"#,
        r#"atalaia_trap_datagrams_total{listener="main",outcome="refused",reason="v3_digest"} 1"#,
        r#"atalaia_trap_informs_total{listener="main",outcome="answered"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}
