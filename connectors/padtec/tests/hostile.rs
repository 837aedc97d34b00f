//! Any bytes as an answer: no panic, no row that is more than it may be, and every row of a list is a good one or an issue.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::sync::Arc;

use connector_padtec::decode::{Decoder, KEY_BYTES_MAX, Page, TEXT_BYTES_MAX};
use connector_padtec::mapping::{BUILT_IN, Mapping};
use model::Micros;
use proptest::prelude::*;
use serde_json::{Value, json};

fn names() -> Vec<String> {
    let text = [
        "cardUid",
        "cardSerial",
        "cardFamily",
        "cardIsUp",
        "locationSite",
        "measureUid",
        "measureName",
        "measureGroup",
        "measureValue",
        "measureKey",
        "updatedAt",
        "update",
        "alarmOid",
        "alarmGroup",
        "alarmName",
        "alarmSeverity",
        "alarmIsActive",
        "alarmStartDate",
        "id",
        "card_id",
        "measure_name",
        "measure_value",
        "timestamp",
        "status",
        "alarm_id",
        "alarm_type",
        "severity",
        "triggered_at",
        "scope",
    ];
    text.map(str::to_owned).to_vec()
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,200}".prop_map(Value::from),
        "-?[0-9]{0,30}[.,]?[0-9]{0,30}".prop_map(Value::from),
        Just(json!("2025-12-04 22:35:38")),
        Just(json!("9999-12-31 23:59:59")),
        Just(json!("2025-12-05T02:35:38Z")),
        Just(json!([[[1]]])),
        Just(json!({ "a": {} })),
    ]
}

fn row() -> impl Strategy<Value = Value> {
    let field = (proptest::sample::select(names()), value());
    prop_oneof![
        9 => proptest::collection::vec(field, 0..16).prop_map(|fields| fields.into_iter().collect()),
        1 => value(),
    ]
}

fn check(bytes: &[u8]) {
    for name in BUILT_IN {
        let mapping = Arc::new(Mapping::built_in(name).unwrap());
        let Ok(page) = Page::parse(bytes, Some("totalCount")) else {
            continue;
        };
        let mut decoder = Decoder::new(mapping, connector_padtec::zone("Europe/Lisbon").unwrap());
        let now = Micros(1_764_902_168_000_000);
        let (cards, measures, alarms) = (
            decoder.cards(&page, now),
            decoder.measures(&page, now),
            decoder.alarms(&page, now),
        );
        assert_eq!(cards.rows.len() + cards.issues.len(), page.rows.len());
        assert_eq!(measures.rows.len() + measures.issues.len(), page.rows.len());
        assert_eq!(alarms.rows.len() + alarms.issues.len(), page.rows.len());
        for card in &cards.rows {
            assert!((1..=KEY_BYTES_MAX).contains(&card.key.len()));
            assert!(card.site.as_ref().is_none_or(|site| site.len() <= TEXT_BYTES_MAX));
        }
        for row in &measures.rows {
            assert!(row.value.is_finite() && (1..=TEXT_BYTES_MAX).contains(&row.measure.len()));
        }
        for alarm in &alarms.rows {
            assert!((1..=TEXT_BYTES_MAX).contains(&alarm.id.len()) && alarm.text.len() <= 2 * TEXT_BYTES_MAX);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rows_of_any_fields(rows in proptest::collection::vec(row(), 0..8), is_wrapped: bool) {
        let page = if is_wrapped { json!({ "data": rows, "totalCount": rows.len() }) } else { Value::from(rows) };
        check(page.to_string().as_bytes());
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\",:0-9a-z ]{0,200}") {
        check(&bytes);
        check(text.as_bytes());
    }

    #[test]
    fn any_mapping(text in ".{0,300}", cut in 0_usize..4_000) {
        drop(Mapping::parse("a", "a", &text));
        let whole = include_str!("../mappings/smart-api.toml");
        drop(Mapping::parse("a", "a", &whole[..whole.floor_char_boundary(cut)]));
    }
}
