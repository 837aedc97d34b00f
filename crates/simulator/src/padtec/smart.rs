//! The vendor's shape: bare arrays by page and size, counts of their own, local times, values as texts.

use model::Micros;
use serde_json::{Value, json};

use super::fault::{self, NoPage, PadtecFault};
use super::http::{Answer, Request};
use super::plant::{Card, Plant};
use super::{Inner, PadtecConfig, stamp};

/// The system that gathers from it.
const PROVIDER: &str = "192.0.2.21";

pub(super) fn answer(request: &Request, inner: &mut Inner, now: Micros, config: &PadtecConfig) -> Answer {
    let shown = Shown { inner, now, config };
    let rows = |list: &str| match list {
        "inventory" => shown.cards(),
        "measures" => shown.measures(),
        _ => shown.alarms(),
    };
    match request.path.strip_prefix("/nms-api/v1/") {
        Some("inventory/state") => page(request, &shown, rows("inventory"), 10),
        Some("measures/state") => page(request, &shown, rows("measures"), 100),
        Some("alarm/state") => page(request, &shown, rows("alarm"), 10),
        Some("inventory/count") => Answer::json(&json!(shown.count(rows("inventory").len()))),
        Some("measures/count") => Answer::json(&json!(shown.count(rows("measures").len()))),
        Some("alarm/count") => shown.alarm_count(),
        _ => Answer::status(404),
    }
}

fn page(request: &Request, shown: &Shown<'_>, rows: Vec<Value>, size: usize) -> Answer {
    let size = request.number("size").unwrap_or(size).clamp(1, shown.config.page_max);
    let number = request.number("page").unwrap_or(0);
    match fault::page(shown.inner, rows, number as u64, number.saturating_mul(size), size) {
        Ok(rows) => Answer::json(&Value::Array(rows)),
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

    fn count(&self, rows: usize) -> usize {
        rows + usize::from(self.has(PadtecFault::WrongCount))
    }

    fn local(&self, at: Micros) -> String {
        stamp::local(at, self.config.zone_minutes + fault::clock_ahead(&self.inner.faults))
    }

    /// What every row says of a card.
    fn card_fields(&self, card: &Card) -> Value {
        let family = if self.has(PadtecFault::OldBuild) {
            card.family().to_lowercase()
        } else {
            card.family().to_owned()
        };
        let number = |number: u32| {
            if self.has(PadtecFault::OtherForms) {
                json!(number.to_string())
            } else {
                json!(number)
            }
        };
        json!({
            "locationDataprovider": PROVIDER, "locationCollector": null, "locationSite": card.site,
            "cardUid": card.uid, "cardModel": card.model(), "cardFamily": family,
            "cardPart": number(card.part()), "cardSerial": number(card.serial),
        })
    }

    fn stamped(&self, mut row: Value, at: Micros) -> Value {
        let name = if self.has(PadtecFault::OldBuild) {
            "update"
        } else {
            "updatedAt"
        };
        row[name] = json!(self.local(at));
        row
    }

    fn cards(&self) -> Vec<Value> {
        let at = Plant::collected_at(self.now, self.config);
        let row = |card: &Card| {
            let mut row = self.card_fields(card);
            row["cardName"] = json!(card.uid);
            row["cardFirmwareVersion"] = json!(card.firmware());
            self.stamped(row, at)
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
                row["cardIsUp"] = json!(card.up);
                row["cardUpdate"] = json!(self.local(at));
                row["measureUid"] = json!(format!("{}-{}-0", card.uid, kind.key));
                row["measureName"] = json!(kind.name);
                row["measureResource"] = Value::Null;
                row["measureGroup"] = json!(kind.group);
                row["port"] = json!(kind.port);
                row["measureValue"] = match (rows.len(), value.parse::<f64>()) {
                    (0, _) if self.has(PadtecFault::WordForValue) => json!("N/A"),
                    (_, Ok(number)) if self.has(PadtecFault::OtherForms) => json!(number),
                    _ => json!(value),
                };
                if !self.has(PadtecFault::OldBuild) {
                    row["measureKey"] = json!(kind.key);
                    row["measureSubKey"] = json!(0);
                }
                rows.push(self.stamped(row, at));
            }
        }
        rows
    }

    fn alarms(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        for alarm in self.inner.plant.alarms(self.now, self.config) {
            let card = self.inner.plant.card(&alarm.card);
            let mut row = card.map_or_else(
                || json!({ "locationDataprovider": PROVIDER }),
                |card| self.card_fields(card),
            );
            row["alarmOid"] = json!(alarm.oid);
            row["alarmName"] = json!(alarm.name);
            row["alarmGroup"] = json!(alarm.group);
            row["alarmResource"] = json!("");
            row["alarmSeverity"] = json!(alarm.severity);
            row["alarmIsActive"] = json!(true);
            row["alarmIsInstant"] = json!(false);
            row["alarmStartDate"] = json!(self.local(alarm.since));
            row["alarmEndDate"] = Value::Null;
            row["alarmAckDate"] = Value::Null;
            row["port"] = Value::Null;
            rows.push(self.stamped(row, self.now));
        }
        rows
    }

    fn alarm_count(&self) -> Answer {
        let alarms = self.inner.plant.alarms(self.now, self.config);
        let of = |severity: &str| alarms.iter().filter(|alarm| alarm.severity == severity).count();
        Answer::json(&json!({
            "TOTAL": self.count(alarms.len()), "CRITICAL": of("CRITICAL"), "MAJOR": of("MAJOR"), "MINOR": of("MINOR"),
            "WARNING": of("WARNING"), "UNKNOWN": 0, "CLEARED": 0,
        }))
    }
}
