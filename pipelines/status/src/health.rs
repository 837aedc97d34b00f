//! How reading a root goes, as its status row shows it.

use model::{Micros, PollFailure};
use schemas::network::{Failure, Polling};
use schemas::{PendingOnus, PollHealthView};
use serde::{Deserialize, Serialize};

/// A good reading after another one is shown when this much time is between. Microseconds.
pub const GOOD_MICROS: i64 = 60 * Micros::SECOND;

/// A failure that a person has to end is told as an event at the first; any other when it has come so often in a row.
const TELLING: u32 = 3;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// When the newest reading, good or not, was asked for.
    asked_at: Micros,
    last_good_at: Option<Micros>,
    took_ms: Option<i64>,
    /// Of the newest table of ONUs: shown with the next good reading.
    table_ms: Option<i64>,
    failing: Option<Failing>,
    firmware: Option<String>,
    security: Option<String>,
    is_legacy: bool,
    rows_refused: u64,
    /// ONUs that wait to be provisioned. Written anew only when they are others.
    pending: Option<PendingOnus>,
    /// That it fails was told as an event.
    was_told: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Failing {
    since: Micros,
    class: PollFailure,
    detail: String,
    in_a_row: u32,
}

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    Nothing,
    /// It fails.
    Begins,
    /// It does no longer.
    Ends,
}

impl Health {
    /// Takes a reading's outcome. What is older than the newest one changes nothing but what is counted.
    pub fn take(&mut self, polling: &Polling) -> Telling {
        self.rows_refused = self.rows_refused.saturating_add(polling.rows_refused.into());
        let (asked_at, there_at) = (polling.seen.observed_at, polling.seen.received_at);
        self.take_pending(polling);
        if asked_at < self.asked_at {
            return Telling::Nothing;
        }
        if let Some(system) = &polling.system {
            let or = |new: &Option<String>, known: &mut Option<String>| {
                if new.is_some() {
                    known.clone_from(new);
                }
            };
            or(&system.firmware, &mut self.firmware);
            or(&system.security, &mut self.security);
            self.is_legacy = system.is_legacy;
        }
        if let Some(failure) = &polling.failed {
            self.asked_at = asked_at;
            return self.fails(failure);
        }
        if !polling.is_whole {
            // Neither good nor, by itself, a failure: whoever asked says what it makes of it.
            return Telling::Nothing;
        }
        if polling.is_table {
            self.table_ms = Some(there_at.since(asked_at).max(0) / 1_000);
        }
        let is_due = self.last_good_at.is_none_or(|last| asked_at.since(last) >= GOOD_MICROS);
        if is_due || self.failing.is_some() {
            self.asked_at = asked_at;
            self.last_good_at = Some(asked_at);
            self.took_ms = self.table_ms;
        }
        self.failing = None;
        if std::mem::take(&mut self.was_told) {
            Telling::Ends
        } else {
            Telling::Nothing
        }
    }

    fn take_pending(&mut self, polling: &Polling) {
        let Some(pending) = &polling.pending else { return };
        let observed_at = polling.seen.observed_at;
        let is_news = |known: &PendingOnus| {
            observed_at >= known.observed_at && (known.more != pending.more || known.onus != pending.onus)
        };
        if self.pending.as_ref().is_none_or(is_news) {
            self.pending = Some(PendingOnus {
                observed_at,
                more: pending.more,
                onus: pending.onus.clone(),
            });
        }
    }

    fn fails(&mut self, failure: &Failure) -> Telling {
        self.failing = Some(Failing {
            since: failure.since,
            class: failure.class,
            detail: failure.detail.clone(),
            in_a_row: failure.in_a_row,
        });
        // That the root is not reachable is told as such.
        let is_often = failure.in_a_row >= TELLING && !failure.is_unreachable;
        let is_news = failure.class.is_for_a_person() || is_often;
        if is_news && !std::mem::replace(&mut self.was_told, true) {
            Telling::Begins
        } else {
            Telling::Nothing
        }
    }

    /// As the status row has it.
    pub fn row(&self) -> PollHealthView<'_> {
        let failing = self.failing.as_ref();
        PollHealthView {
            last_good_at: self.last_good_at,
            took_ms: self.took_ms,
            failing_since: failing.map(|f| f.since),
            class: failing.map(|f| f.class.as_str()),
            detail: failing.map(|f| f.detail.as_str()),
            in_a_row: failing.map_or(0, |f| i32::try_from(f.in_a_row).unwrap_or(i32::MAX)),
            firmware: self.firmware.as_deref(),
            security: self.security.as_deref(),
            legacy: self.is_legacy,
            rows_refused: i64::try_from(self.rows_refused).unwrap_or(i64::MAX),
            pending: self.pending.as_ref().map(PendingOnus::view),
        }
    }

    /// At least the bytes it takes in the changelog: a number has at most ten.
    pub(crate) fn bytes_max(&self) -> usize {
        const NUMBER: usize = 10;
        let text = |text: &Option<String>| 1 + text.as_ref().map_or(0, |t| NUMBER + t.len());
        let failing = |f: &Failing| 4 * NUMBER + f.detail.len();
        let failing = 1 + self.failing.as_ref().map_or(0, failing);
        let onu = |onu: &schemas::AutofindRow| {
            let texts = [
                &onu.serial,
                &onu.serial_text,
                &onu.vendor,
                &onu.equipment,
                &onu.version,
                &onu.software_version,
                &onu.found_time,
            ];
            3 * (1 + NUMBER) + texts.into_iter().map(text).sum::<usize>() + 1
        };
        let pending = |p: &PendingOnus| 2 * NUMBER + 1 + p.onus.iter().map(onu).sum::<usize>();
        let pending = 1 + self.pending.as_ref().map_or(0, pending);
        NUMBER + 3 * (1 + NUMBER) + failing + text(&self.firmware) + text(&self.security) + 1 + NUMBER + pending + 1
    }
}

#[cfg(test)]
mod tests {
    use model::EntityId;
    use schemas::network::{Seen, Source};

    use super::*;

    fn good(at_s: i64) -> Polling {
        Polling {
            entity: EntityId::parse("default/olt/a").unwrap(),
            seen: Seen {
                observed_at: Micros(at_s * Micros::SECOND),
                received_at: Micros((at_s + 2) * Micros::SECOND),
                uptime: None,
                source: Source::Poll,
            },
            failed: None,
            is_whole: true,
            is_table: true,
            rows_refused: 0,
            system: None,
            pending: None,
        }
    }

    fn bad(at_s: i64, class: &str, in_a_row: u32) -> Polling {
        Polling {
            failed: Some(Failure {
                class: class.parse().unwrap(),
                detail: "no answer in 30 s".into(),
                in_a_row,
                since: Micros(Micros::SECOND),
                is_unreachable: false,
            }),
            ..good(at_s)
        }
    }

    #[test]
    fn a_good_reading_a_minute_is_shown() {
        let mut health = Health::default();
        let shown = |health: &Health| health.row().last_good_at.map(|at| at.0 / Micros::SECOND);
        let mut check = |at_s: i64, expected: i64| {
            assert_eq!(health.take(&good(at_s)), Telling::Nothing);
            assert_eq!((shown(&health), health.row().took_ms), (Some(expected), Some(2_000)));
        };
        check(100, 100);
        check(110, 100);
        check(159, 100);
        check(160, 160);
        check(150, 160);
    }

    #[test]
    fn how_long_it_takes_is_that_of_the_table() {
        let mut health = Health::default();
        let table = |at_s: i64, took_s: i64| Polling {
            is_table: true,
            seen: Seen {
                received_at: Micros((at_s + took_s) * Micros::SECOND),
                ..good(at_s).seen
            },
            ..good(at_s)
        };
        let other = |at_s: i64| Polling {
            is_table: false,
            ..good(at_s)
        };
        let mut check = |polling: Polling, expected: Option<i64>| {
            health.take(&polling);
            assert_eq!(health.row().took_ms, expected);
        };
        check(other(100), None);
        check(table(110, 7), None);
        check(other(170), Some(7_000));
        check(table(240, 9), Some(9_000));
    }

    #[test]
    fn a_failure_is_told_once_and_so_is_its_end() {
        let mut health = Health::default();
        assert_eq!(health.take(&bad(10, "timeout", 1)), Telling::Nothing);
        assert_eq!(health.take(&bad(20, "timeout", 2)), Telling::Nothing);
        assert_eq!(health.take(&bad(30, "timeout", 3)), Telling::Begins);
        assert_eq!(health.take(&bad(40, "timeout", 4)), Telling::Nothing);
        assert_eq!((health.row().class, health.row().in_a_row), (Some("timeout"), 4));
        assert_eq!(health.take(&good(35)), Telling::Nothing, "older than what is known");
        assert_eq!(health.take(&good(50)), Telling::Ends);
        assert_eq!((health.row().class, health.row().in_a_row), (None, 0));
        assert_eq!(health.take(&bad(60, "refused", 1)), Telling::Begins);
    }
}
