//! The plain shape: `{"data": […], "totalCount": n}` by limit and offset, times in UTC, units and groups given.

use model::Micros;
use serde_json::{Value, json};

use super::fault::{self, NoPage, PadtecFault};
use super::http::{Answer, Request};
use super::plant::{Card, Plant};
use super::{Inner, PadtecConfig, stamp};

pub(super) fn answer(request: &Request, inner: &mut Inner, now: Micros, config: &PadtecConfig) -> Answer {
    let shown = Shown { inner, now, config };
    match request.path.as_str() {
        "/cards" => page(request, &shown, shown.cards()),
        "/measurements" => page(request, &shown, shown.measures()),
        "/alarms" if request.parameter("status") == Some("CLEARED") => page(request, &shown, Vec::new()),
        "/alarms" => page(request, &shown, shown.alarms()),
        _ => Answer::status(404),
    }
}

fn page(request: &Request, shown: &Shown<'_>, rows: Vec<Value>) -> Answer {
    let limit = request.number("limit").unwrap_or(100).clamp(1, shown.config.page_max);
    let offset = request.number("offset").unwrap_or(0);
    let total = rows.len() + usize::from(shown.has(PadtecFault::WrongCount));
    match fault::page(shown.inner, rows, (offset / limit) as u64, offset, limit) {
        Ok(rows) => Answer::json(&json!({ "data": rows, "totalCount": total })),
        Err(NoPage::Error) => Answer::status(500),
        Err(NoPage::Garbage) => Answer::text("<html>Bad gateway</html>"),
    }
}

struct Shown<'a> {
    inner: &'a Inner,
    now: Micros,
    config: &'a PadtecConfig,
}

impl Shown<'_> {
    fn has(&self, fault: PadtecFault) -> bool {
        self.inner.faults.contains(&fault)
    }

    fn utc(&self, at: Micros) -> String {
        stamp::utc(at.plus(fault::clock_ahead(&self.inner.faults) * 60 * Micros::SECOND))
    }

    fn card_fields(&self, card: &Card) -> Value {
        json!({
            "card_serial": card.serial.to_string(), "card_part": card.part().to_string(), "card_model": card.model(),
            "card_family": card.family(), "location_site": card.site, "provider": "192.0.2.21",
        })
    }

    fn cards(&self) -> Vec<Value> {
        let at = self.utc(Plant::collected_at(self.now, self.config));
        let row = |card: &Card| {
            let mut row = self.card_fields(card);
            row["id"] = json!(card.uid);
            row["card_name"] = json!(card.uid);
            row["firmware"] = json!(card.firmware());
            // What measures nothing says nothing of itself.
            row["status"] = match (card.measures(), card.up) {
                ([], _) => Value::Null,
                (_, true) => json!("UP"),
                (_, false) => json!("DOWN"),
            };
            row["last_updated"] = json!(at);
            row
        };
        self.inner.plant.cards.iter().map(row).collect()
    }

    fn measures(&self) -> Vec<Value> {
        let at = Plant::collected_at(self.now, self.config);
        let value_at = if self.has(PadtecFault::Frozen) { Micros(0) } else { at };
        let mut rows = Vec::new();
        for card in &self.inner.plant.cards {
            for kind in card.measures() {
                let mut row = self.card_fields(card);
                let value = self.inner.plant.value(card, kind, value_at);
                row["id"] = json!(format!("{}/{}", card.uid, kind.key));
                row["card_id"] = json!(card.uid);
                row["card_status"] = json!(if card.up { "UP" } else { "DOWN" });
                row["measure_key"] = json!(kind.key.to_string());
                row["measure_name"] = json!(kind.name);
                row["measure_value"] = match (rows.len(), value.parse::<f64>()) {
                    (0, _) if self.has(PadtecFault::WordForValue) => json!("N/A"),
                    (_, Ok(number)) if !self.has(PadtecFault::OtherForms) => json!(number),
                    _ => json!(value),
                };
                row["measure_unit"] = json!(kind.unit);
                row["measure_group"] = json!(kind.plain_group);
                row["quality"] = json!("GOOD");
                row["port"] = json!(kind.port);
                row["timestamp"] = json!(self.utc(at));
                rows.push(row);
            }
        }
        rows
    }

    fn alarms(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        for alarm in self.inner.plant.alarms(self.now, self.config) {
            let card = self.inner.plant.card(&alarm.card);
            let mut row = card.map_or_else(|| json!({ "provider": "192.0.2.21" }), |card| self.card_fields(card));
            row["card_id"] = json!(card.map(|card| &card.uid));
            row["alarm_id"] = json!(alarm.oid.to_string());
            row["alarm_type"] = json!(alarm.group);
            row["description"] = json!(alarm.name);
            row["severity"] = json!(alarm.severity);
            row["status"] = json!("ACTIVE");
            row["triggered_at"] = json!(self.utc(alarm.since));
            row["cleared_at"] = Value::Null;
            row["last_updated"] = json!(self.utc(self.now));
            rows.push(row);
        }
        rows
    }
}
