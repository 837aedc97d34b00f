//! What the view says of the pipeline itself: whether what it shows is fresh, and whether every datagram is accounted for.
//! One small item of the whole, told anew whenever it changes.

mod freshness;
mod ledger;
mod notice;

use log::Stored;
use model::Micros;
use schemas::{AnyRecord, Codec, DeviceStatus, LedgerRow};
use serde::Serialize;

pub use freshness::ProbeConfig;
pub use ledger::SILENT_AFTER_US;

use freshness::{Freshness, FreshnessItem};
use ledger::{Ledger, LedgerItem};
use notice::{NoticeItem, Notices};

/// The present item of the topic `system`.
#[derive(Debug, Serialize)]
pub struct SystemItem<'a> {
    #[serde(rename = "type")]
    item_type: &'static str,
    freshness: FreshnessItem<'a>,
    ledger: Vec<LedgerItem<'a>>,
    notices: Vec<NoticeItem<'a>>,
}

/// What is known of the pipeline.
#[derive(Debug, Default)]
pub struct System {
    /// Whose it is; without one it is told to nobody.
    tenant: Option<String>,
    freshness: Freshness,
    ledger: Ledger,
    notices: Notices,
    /// Old records are being read: they are no news, and their way took as long as we were away.
    replaying: bool,
    changed: bool,
}

impl System {
    /// From now on it is this tenant's, and these probes are waited for.
    pub fn watch(&mut self, tenant: &str, probe: Option<ProbeConfig>, now: Micros) {
        self.tenant = Some(tenant.to_owned());
        self.freshness = Freshness::new(probe, now);
        self.changed = true;
    }

    /// Old records follow, until `false`.
    pub fn replaying(&mut self, replaying: bool) {
        self.replaying = replaying;
    }

    /// A freshness probe came through.
    pub fn probed(&mut self, row: &DeviceStatus, now: Micros) {
        self.changed |= self.freshness.probed(row, now, self.replaying);
    }

    /// A record of `ledger`. `false`: it is not one.
    pub fn counted(&mut self, stored: &Stored, codec: &Codec) -> bool {
        let row = stored.record.value.as_deref().map(|value| codec.decode(value));
        let Some(Ok(AnyRecord::LedgerRow(row))) = row else {
            return false;
        };
        self.count(row);
        true
    }

    fn count(&mut self, row: LedgerRow) {
        let said = self.ledger.count(row, self.replaying);
        self.changed |= said.changed;
        said.notices.into_iter().for_each(|n| self.notices.add(n));
    }

    /// Looks at the clock: what has not come in time is late, what has not spoken is silent.
    pub fn tick(&mut self, now: Micros) {
        let notices = self.freshness.tick(now);
        self.changed |= !notices.is_empty() | self.ledger.tick(now);
        notices.into_iter().for_each(|n| self.notices.add(n));
    }

    /// Whether it has changed since the last time it was asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed) && self.tenant.is_some()
    }

    /// Whether there is something to tell.
    pub fn has_changed(&self) -> bool {
        self.changed && self.tenant.is_some()
    }

    /// Whose it is.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// How fresh the view is.
    pub fn freshness(&self, now: Micros) -> FreshnessItem<'_> {
        self.freshness.item(now)
    }

    /// The whole.
    pub fn item(&self, now: Micros) -> SystemItem<'_> {
        SystemItem {
            item_type: "system",
            freshness: self.freshness.item(now),
            ledger: self.ledger.items(),
            notices: self.notices.items(),
        }
    }
}

#[cfg(test)]
mod tests;
