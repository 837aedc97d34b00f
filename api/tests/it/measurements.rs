//! Measurements: any span in a bounded number of points, what is not closed yet, pages of single samples, sites with their cards.

use api::Role;
use axum::http::StatusCode;
use model::rollup::{Summary, Window};
use model::{EntityId, Micros};
use serde_json::{Value, json};
use store::Row;
use store::rows::{LatestRow, RollupRow, SampleRow};

use crate::support::{World, now, row};

const ONU: &str = "default/olt/rjo-01/onu/0/3/5/17";
const MINUTE: i64 = 60 * Micros::SECOND;
const HOUR: i64 = 60 * MINUTE;

fn sample(entity: &str, at: Micros, value: f64) -> Row {
    let row = SampleRow {
        entity: EntityId::parse(entity).unwrap(),
        measure: "onu_rx_power".into(),
        value,
        unit: "dBm".into(),
        quality: "good".into(),
        observed_at: at,
    };
    row.to_row()
}

fn latest(entity: &str, measure: &str, at: Micros) -> Row {
    let row = LatestRow {
        entity: EntityId::parse(entity).unwrap(),
        measure: measure.into(),
        value: -20.5,
        unit: "dBm".into(),
        group: Some("optical".into()),
        quality: "good".into(),
        observed_at: at,
        wts: at,
    };
    row.to_row()
}

/// Samples of the last minutes, and the newest of them.
pub fn rows(entity: &str, minutes: i64) -> Vec<Row> {
    let to = now();
    let samples = (1..=minutes).map(|n| sample(entity, to.plus(-n * MINUTE), -20.5));
    samples
        .chain([latest(entity, "onu_rx_power", to.plus(-MINUTE))])
        .collect()
}

fn path(query: &str) -> String {
    format!("/api/v1/devices/{}/measurements{query}", ONU.replace('/', "%2F"))
}

async fn world() -> (World, String) {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    world.status(row(ONU, "online", 7));
    world.shows(&token, ONU, "online").await;
    (world, token)
}

fn points(body: &Value) -> &Vec<Value> {
    body["points"].as_array().unwrap()
}

#[tokio::test]
async fn a_day_is_single_samples_in_a_bounded_number_of_points() {
    let (world, token) = world().await;
    let to = now();
    let samples = (1..=1_300_i64).map(|n| {
        let value = if n == 700 {
            -35.0
        } else {
            -20.0 - f64::from(i32::try_from(n % 7).unwrap())
        };
        sample(ONU, to.plus(-n * MINUTE), value)
    });
    world.store.upsert(samples.collect()).await.unwrap();
    let answer = world.get(&path("?measure=onu_rx_power"), Some(&token)).await;
    assert_eq!(
        (answer.status, &answer.body["tier"]),
        (StatusCode::OK, &json!("raw")),
        "{}",
        answer.text
    );
    assert_eq!(answer.body["unit"], "dBm");
    let n: u64 = points(&answer.body).iter().map(|p| p["n"].as_u64().unwrap()).sum();
    assert_eq!((points(&answer.body).len() <= 1_000, n), (true, 1_300));
    let few = world.get(&path("?measure=onu_rx_power&points=50"), Some(&token)).await;
    let lowest = points(&few.body)
        .iter()
        .map(|p| p["min"].as_f64().unwrap())
        .fold(0.0, f64::min);
    assert_eq!((points(&few.body).len() <= 50, lowest), (true, -35.0));

    // The same, page by page.
    let mut found = 0;
    let mut cursor = String::new();
    loop {
        let query = format!("?measure=onu_rx_power&limit=500&cursor={cursor}");
        let page = world.get(&path(&query), Some(&token)).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        found += points(&page.body).len();
        match page.body["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
        assert!(found < 2_000);
    }
    // Every page asks for the day before its own now.
    assert!((1_299..=1_300).contains(&found), "{found}");
    let foreign = world
        .get(&path("?measure=onu_rx_power&limit=5&cursor=AAAA"), Some(&token))
        .await;
    assert_eq!(foreign.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn windows_that_are_not_closed_are_shown_as_far_as_they_have_come() {
    let (world, token) = world().await;
    let this_hour = Window::Hour.start(now());
    let entity = EntityId::parse(ONU).unwrap();
    let hours = (2..=40_i64).map(|n| {
        let start = this_hour.plus(-n * HOUR);
        let row = RollupRow {
            entity: entity.clone(),
            measure: "onu_rx_power".into(),
            unit: "dBm".into(),
            window: Window::Hour,
            start,
            sum: Summary::of(start.plus(MINUTE), -20.0),
            wts: start,
        };
        row.to_row()
    });
    let mut rows: Vec<Row> = hours.collect();
    // The hour before, and the present one, have samples alone.
    rows.push(sample(ONU, this_hour.plus(-5 * MINUTE), -21.0));
    rows.push(sample(ONU, this_hour.plus(-4 * MINUTE), -23.0));
    rows.push(sample(ONU, this_hour, -25.0));
    world.store.upsert(rows).await.unwrap();
    let from = api_time(this_hour.plus(-30 * HOUR));
    let answer = world
        .get(
            &path(&format!("?measure=onu_rx_power&tier=hour&from={from}")),
            Some(&token),
        )
        .await;
    let shown = points(&answer.body);
    assert_eq!(shown.len(), 31, "{}", answer.text);
    assert_eq!(shown[29]["avg"], -22.0);
    assert_eq!((&shown[30]["last"], &shown[30]["n"]), (&json!(-25.0), &json!(1)));
    let days = world
        .get(
            &path(&format!("?measure=onu_rx_power&tier=day&from={from}")),
            Some(&token),
        )
        .await;
    let n: u64 = points(&days.body).iter().map(|p| p["n"].as_u64().unwrap()).sum();
    assert!((31..=42).contains(&n), "all hours of the days since: {}", days.text);
    let too_long = "?measure=onu_rx_power&tier=raw&from=2020-01-01T00:00:00Z";
    let refused = world.get(&path(too_long), Some(&token)).await;
    assert_eq!(refused.code(), "VALIDATION_FAILED");
}

fn api_time(at: Micros) -> String {
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_micros(u64::try_from(at.0).unwrap());
    // RFC 3339, as a client writes it.
    jiff::Timestamp::try_from(at).unwrap().to_string()
}

#[tokio::test]
async fn the_newest_values_of_a_system_are_one_read() {
    let (world, token) = world().await;
    let at = now().plus(-MINUTE);
    let card = |n: u32| format!("default/padtec/nms-1/card/C-{n}");
    let mut rows = Vec::new();
    for n in 0..5 {
        rows.push(latest(&card(n), "input_power", at));
        let mut status = row(&card(n), if n == 0 { "down" } else { "up" }, u64::from(n) + 10);
        (status.site, status.serial) = (Some("POP A".into()), Some(format!("C-{n}")));
        world.status(status);
    }
    world.status(row("default/padtec/nms-1", "reachable", 9));
    world.shows(&token, &card(4), "up").await;
    world.shows(&token, "default/padtec/nms-1", "reachable").await;
    world.store.upsert(rows).await.unwrap();
    for path in [
        "/api/v1/measurements/latest?limit=2",
        "/api/measurements/latest?device=nms-1&limit=2",
    ] {
        let first = world.get(path, Some(&token)).await;
        assert_eq!(first.entities(), [card(0), card(1)], "{path}: {}", first.text);
        let next = first.body["next"].as_str().unwrap();
        let rest = world
            .get(
                &format!("{path}&limit=9&cursor={next}").replace("limit=2&", ""),
                Some(&token),
            )
            .await;
        assert_eq!(rest.entities().len(), 3, "{}", rest.text);
    }
    for path in ["/api/v1/sites", "/api/sites"] {
        let sites = world.get(path, Some(&token)).await;
        let expected = json!([{ "root": "default/padtec/nms-1", "site": "POP A", "state": "unknown", "cards": 5,
            "cards_up": 4, "cards_down": 1, "cards_absent": 0, "cards_unknown": 0 }]);
        assert_eq!(sites.body["items"], expected, "{path}");
    }
    let cards = world.get("/api/sites/POP%20A/cards?limit=3", Some(&token)).await;
    assert_eq!(cards.entities(), [card(0), card(1), card(2)]);
    let measures = world.get("/api/cards/C-3/measurements", Some(&token)).await;
    assert_eq!(
        measures.body["items"],
        json!([{ "measure": "input_power", "unit": "dBm", "group": "optical" }])
    );
}
