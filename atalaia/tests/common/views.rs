//! What log, store and board say at the end, beside what they should say.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use load_tests::client::{list, login, wait_ready};
use load_tests::product::{FirstStart, Setup};
use log::Log;
use topology::Topic;

use super::checker::{Expected, read_all};
use super::sender::Sender;

/// What the store and the board say at the end, of every ONU.
pub async fn views(
    setup: &Setup,
    first: &FirstStart,
    sample: &[String],
) -> (BTreeMap<String, (String, String)>, BTreeMap<String, Vec<String>>) {
    let at = setup.http();
    wait_ready(at, Duration::from_secs(20)).await.unwrap();
    let token = login(at, &first.user, &first.password).await.unwrap();
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    let board = list(at, "/api/v1/devices?kind=onu&limit=500", &token)
        .await
        .unwrap()
        .iter()
        .map(|i| (text(&i["entity"]), (text(&i["state"]), text(&i["cause"]))))
        .collect();
    let mut history = BTreeMap::new();
    for entity in sample {
        let path = format!("/api/v1/devices/{}/events?limit=200", entity.replace('/', "%2F"));
        let events = list(at, &path, &token).await.unwrap();
        history.insert(entity.clone(), events.iter().map(|e| text(&e["id"])).collect());
    }
    (board, history)
}

/// Waits until board and store are the oracle's: every ONU's state, and the histories of a sample. `says` is what the product
/// has to say if they never are.
pub fn wait_views(
    runtime: &tokio::runtime::Runtime,
    (setup, first): (&Setup, &FirstStart),
    expected: &Expected,
    codec: &schemas::Codec,
    limit: Duration,
    says: impl Fn() -> String,
) {
    let onus = expected_states(expected, codec);
    let sample: Vec<String> = onus.keys().step_by(97).cloned().collect();
    let expected_history = history_of(expected, codec, &sample);
    let end = Instant::now() + limit;
    loop {
        let (board, history) = runtime.block_on(views(setup, first, &sample));
        if board == onus && history == expected_history {
            return;
        }
        assert!(
            Instant::now() < end,
            "board differs in {} of {} ONUs, store in {} of {} histories; it says:\n{}",
            onus.iter().filter(|(e, s)| board.get(*e) != Some(s)).count(),
            onus.len(),
            expected_history
                .iter()
                .filter(|(e, h)| history.get(*e) != Some(h))
                .count(),
            sample.len(),
            says()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The compacted outputs hold the oracle's last record of each key.
pub fn assert_exact_topics(log: &dyn Log, expected: &Expected) {
    for topic in [Topic::DeviceStatus, Topic::Inventory, Topic::Alarms, Topic::Incidents] {
        let got: BTreeMap<_, _> = read_all(log, topic)
            .into_iter()
            .filter(|stored| expected.covers(stored))
            .map(|s| (s.record.key.to_vec(), s.record.value.map(|v| v.to_vec())))
            .collect();
        let got: BTreeMap<_, _> = got.into_iter().filter(|(_, value)| value.is_some()).collect();
        let wanted: BTreeMap<_, _> = expected
            .exact
            .iter()
            .filter(|((t, _), value)| *t == topic && value.is_some())
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        assert_eq!(got.len(), wanted.len(), "{topic}");
        assert!(got == wanted, "{topic}: same keys, other rows");
    }
}

/// Each ONU's events alternate as they were sent: one at a time was under way.
pub fn assert_order(sender: &Sender, expected: &Expected, codec: &schemas::Codec) {
    let mut sent: BTreeMap<String, Vec<(i32, bool)>> = BTreeMap::new();
    for note in &sender.acknowledged {
        sent.entry(note.entity())
            .or_default()
            .push((note.request_id, note.raise));
    }
    let mut seen: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for output in &expected.fast {
        if let Ok(schemas::AnyRecord::DeviceEvent(event)) = codec.decode(output.4.as_deref().unwrap_or_default())
            && event.event == "dying_gasp"
        {
            seen.entry(event.entity)
                .or_default()
                .push(event.phase == schemas::Phase::Raise);
        }
    }
    for (entity, mut notes) in sent {
        notes.sort_unstable();
        let wanted: Vec<_> = notes.iter().map(|(_, raise)| *raise).collect();
        assert_eq!(
            seen.get(&entity),
            Some(&wanted),
            "{entity}: events in the order they were sent, each once"
        );
    }
}

/// State and cause of every ONU by the oracle.
pub fn expected_states(expected: &Expected, codec: &schemas::Codec) -> BTreeMap<String, (String, String)> {
    expected
        .exact
        .iter()
        .filter(|((topic, _), _)| *topic == Topic::DeviceStatus)
        .filter_map(|(_, value)| match codec.decode(value.as_deref()?).ok()? {
            schemas::AnyRecord::DeviceStatus(row) if row.kind == "onu" => {
                Some((row.entity, (row.state, row.cause.unwrap_or_default())))
            }
            _ => None,
        })
        .collect()
}

/// Ids of a few ONUs' events, newest first, as the store should have them.
pub fn history_of(expected: &Expected, codec: &schemas::Codec, sample: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut history: BTreeMap<String, Vec<String>> = sample.iter().map(|e| (e.clone(), Vec::new())).collect();
    for output in &expected.fast {
        if let Ok(schemas::AnyRecord::DeviceEvent(event)) = codec.decode(output.4.as_deref().unwrap_or_default())
            && let Some(ids) = history.get_mut(&event.entity)
        {
            ids.insert(0, output.2.iter().map(|b| format!("{b:02x}")).collect());
        }
    }
    history
}
