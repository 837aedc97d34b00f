//! A silence over many alarms: its newest version, and whom it fits.

use std::sync::Arc;

use model::{EntityId, Micros};
use runtime::{Change, Deadline, Now, Out, Reason, Verdict};
use schemas::network::{About, NetworkEvent};
use schemas::rules::RuleScope;
use schemas::{Scope, Silence};
use serde::{Deserialize, Serialize};

use super::Slot;

/// Most silences of a partition.
pub const SILENCES_MAX: usize = 1_000;
/// Most bytes of a silence's id.
pub const ID_BYTES_MAX: usize = 96;
/// A silence that is over is remembered so long, so that an older version that comes late does not bring it back: as long as
/// `observations` is kept. Log time, microseconds.
const REMEMBERED_MICROS: i64 = 30 * 86_400 * Micros::SECOND;
/// The one timer of a silence.
const FORGET: u8 = 1;

/// The newest version of a silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silenced {
    id: Arc<str>,
    version: i64,
    writer: String,
    removed: bool,
    scope: Scope,
    alarm_type: Option<String>,
    until: Micros,
}

impl Silenced {
    /// Of a version.
    pub fn of(silence: &Silence) -> Self {
        Self {
            id: silence.silence_id.as_str().into(),
            version: silence.version,
            writer: silence.writer.clone(),
            removed: silence.removed,
            scope: silence.scope.clone(),
            alarm_type: silence.alarm_type.clone(),
            until: silence.until,
        }
    }
}

/// A silence ready to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Matcher {
    /// Its id.
    pub id: Arc<str>,
    /// Until when, in log time.
    pub until: Micros,
    scope: Option<RuleScope>,
    alarm_type: Option<String>,
}

impl Matcher {
    /// Of a version that can be read; one that was ended fits nothing.
    pub fn of(silenced: &Silenced) -> Option<Self> {
        let scope = RuleScope::parse(&silenced.scope).ok()?;
        Some(Self {
            id: silenced.id.clone(),
            until: silenced.until,
            scope: (!silenced.removed).then_some(scope),
            alarm_type: silenced.alarm_type.clone(),
        })
    }

    /// Whether alarms of this entity may be silenced by it.
    pub fn fits_entity(&self, entity: &EntityId, about: &About) -> bool {
        let scope = self.scope.as_ref();
        scope.is_some_and(|scope| scope.fits(entity, about, about.site.as_deref()))
    }

    /// Whether this alarm is.
    pub fn fits(&self, entity: &EntityId, about: &About, alarm_type: &str) -> bool {
        self.alarm_type.as_deref().is_none_or(|wanted| wanted == alarm_type) && self.fits_entity(entity, about)
    }
}

/// A version came.
pub fn take(
    before: Option<&Slot>,
    version: &Silence,
    silences: usize,
    now: &Now,
    out: &mut Out<NetworkEvent>,
) -> Verdict<Slot> {
    let known = match before {
        Some(Slot::Silence(known)) => Some(&**known),
        _ => None,
    };
    let is_newer = |known: &Silenced| (version.version, &version.writer) > (known.version, &known.writer);
    if known.is_some_and(|known| !is_newer(known)) {
        return Verdict::keep(Reason::Absorbed("silence_known"));
    }
    let is_short = |text: &String| text.len() <= ID_BYTES_MAX;
    let is_bounded = is_short(&version.writer) && version.alarm_type.as_ref().is_none_or(is_short);
    if !is_bounded || RuleScope::parse(&version.scope).is_err() {
        return Verdict::keep(Reason::Filtered("silence_unreadable"));
    }
    if known.is_none() && silences >= SILENCES_MAX {
        return Verdict::keep(Reason::Filtered("too_many_silences"));
    }
    let over = version.until.max(now.log_time);
    out.set_timer(FORGET, Deadline::LogTime(over.plus(REMEMBERED_MICROS)));
    Verdict::put(Slot::Silence(Box::new(Silenced::of(version))), Reason::Did("silence"))
}

/// Nobody will say an older version any more.
pub fn forget() -> Verdict<Slot> {
    Verdict {
        change: Change::Delete,
        reason: Reason::Did("silence_forgotten"),
    }
}
