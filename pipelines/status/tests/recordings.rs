//! The constructed datagrams become the right event, entity, state and cause.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Network, ROOT, recordings, root, seconds, trap, unhex};
use serde_json::Value as Json;
use snmp_pdu::Message;

#[test]
fn constructed_traps_decode_to_what_they_should() {
    let Some(folder) = recordings() else { return };
    let text = std::fs::read_to_string(folder.join("huawei/traps-constructed.jsonl")).unwrap();
    let mut network = Network::default();
    for (i, line) in text.lines().enumerate() {
        let case: Json = serde_json::from_str(line).unwrap();
        let datagram = unhex(case["pdu_hex"].as_str().unwrap());
        let Ok(Message::Community { pdu, .. }) = Message::parse(&datagram) else {
            panic!("{}", case["id"])
        };
        check_explained(&case, pdu);
        check_chain(&mut network, &case, pdu, i64::try_from(i).unwrap() * 60);
    }
}

fn check_explained(case: &Json, pdu: &[u8]) {
    let explained = serde_json::to_value(pipeline_normalize::explain(pdu, &root()).unwrap()).unwrap();
    assert_eq!(explained.as_array().unwrap().len(), 1);
    assert_eq!(explained[0]["trap_oid"], case["trap_oid"]);
    for (field, expected) in case["expect"].as_object().unwrap() {
        let ours = if field == "ifIndex" { "if_index" } else { field };
        assert_eq!(explained[0][ours], *expected, "{} {field}: {explained}", case["id"]);
    }
}

fn check_chain(network: &mut Network, case: &Json, pdu: &[u8], at: i64) {
    let expect = &case["expect"];
    let number = |field: &str| expect[field].as_u64().unwrap_or(0);
    let (frame, slot, port, onu) = (number("frame"), number("slot"), number("port"), number("ont_id"));
    let entity = match expect["scope"].as_str().unwrap() {
        "ont" => format!("onu/{frame}/{slot}/{port}/{onu}"),
        "port" => format!("pon/{frame}/{slot}/{port}"),
        _ => format!("board/{frame}/{slot}"),
    };
    let expected = match (expect["event"].as_str().unwrap(), expect["state"].as_str().unwrap()) {
        ("dying_gasp", "raise") => "offline(power)",
        ("los", "raise") => "offline(fibre)",
        ("dying_gasp" | "los", "clear") => "online",
        ("ont_run_state", "down") => "offline(unknown)",
        ("pon_los", "raise") => "down(fibre)",
        ("pon_los", "clear") => "up",
        ("board_fault", "raise") => "failed(other)",
        ("lcdg", _) => "unknown",
        other => panic!("{other:?}"),
    };
    let received_at = seconds(at);
    let did = network.feed(trap(ROOT, pdu.to_vec(), received_at), ROOT, received_at);
    assert_eq!(network.state(&entity), expected, "{}", case["id"]);
    let event = did.events.last().unwrap();
    assert_eq!(event.entity, format!("{ROOT}/{entity}"));
    assert_eq!(event.event, expect["event"].as_str().unwrap());
    assert_eq!(event.trap_oid.as_deref(), case["trap_oid"].as_str());
    if expected != "unknown" {
        assert_eq!(event.status.as_ref(), network.status.get(&event.entity));
    }
}
