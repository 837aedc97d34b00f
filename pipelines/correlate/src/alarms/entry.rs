//! One alarm.

use std::sync::Arc;

use model::{Micros, Position, Severity};
use schemas::network::{AlarmNews, AlarmOrigin};
use schemas::{AlarmComment, AlarmReason};
use serde::{Deserialize, Serialize};

/// Most bytes of what a device or a rule says.
pub const TEXT_BYTES_MAX: usize = 256;
/// Most bytes of a word or a name.
pub const WORD_BYTES_MAX: usize = 80;

/// What operators did to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorState {
    /// Nothing.
    None,
    /// One has taken it.
    Acknowledged,
    /// One has ended it, whatever the device says.
    Closed,
}

/// A silence that holds, as rows tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hush {
    /// Until when, in log time.
    pub until: Micros,
    /// Of a silence by matcher its id.
    pub silence: Option<Arc<str>>,
}

/// One alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id in rows.
    pub id: Arc<str>,
    /// Its id in what `detect` says, if that is another one: it came again after an operator had ended it.
    pub known_as: Option<Arc<str>>,
    /// Its type.
    pub alarm_type: Arc<str>,
    /// Its qualifier.
    pub qualifier: Arc<str>,
    /// Version and name of its rule; `None`: the device says it.
    pub rule: Option<(i64, Arc<str>)>,
    /// How bad.
    pub severity: Severity,
    /// It stands.
    pub raised: bool,
    /// What operators did.
    pub operator: OperatorState,
    /// Silenced by an act on it alone, until then in log time.
    pub hushed: Option<Micros>,
    /// Silenced by a matcher.
    pub matched: Option<Hush>,
    /// A symptom of this incident.
    pub incident: Option<Arc<str>>,
    /// It comes and goes too often.
    pub suppressed: bool,
    /// What people read.
    pub text: String,
    /// Why it is as it is.
    pub reason: AlarmReason,
    /// When what raised it was observed.
    pub raised_at: Micros,
    /// When what cleared it was observed.
    pub cleared_at: Option<Micros>,
    /// Log time of its last change.
    pub changed_at: Micros,
    /// When and by whom it was acknowledged.
    pub acknowledged: Option<(Micros, String)>,
    /// What people wrote.
    pub comments: Vec<AlarmComment>,
    /// How often it came again.
    pub reopened: u32,
    /// It stood before we first asked.
    pub is_old: bool,
    /// The input that raised it.
    pub raise_position: Position,
}

/// Who hides an alarm. Several may at once; the strongest is told: a person, then an incident, then a flap policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Nobody.
    Shown,
    /// A person.
    Silenced,
    /// An incident.
    Inhibited,
    /// A rule's flap policy.
    Suppressed,
}

impl Entry {
    /// Of what is said.
    pub fn of(news: &AlarmNews, now: Micros) -> Self {
        let mut entry = Self {
            id: news.alarm_id.clone(),
            known_as: None,
            alarm_type: cut(&news.slot.alarm_type, WORD_BYTES_MAX).into(),
            qualifier: cut(&news.slot.qualifier, WORD_BYTES_MAX).into(),
            rule: None,
            severity: news.severity,
            raised: true,
            operator: OperatorState::None,
            hushed: None,
            matched: None,
            incident: None,
            suppressed: false,
            text: String::new(),
            reason: news.reason.clone(),
            raised_at: news.raised_at,
            cleared_at: None,
            changed_at: now,
            acknowledged: None,
            comments: Vec::new(),
            reopened: 0,
            is_old: news.is_old,
            raise_position: news.raise_position,
        };
        entry.describe(news);
        entry
    }

    /// Takes over what is said of it now. True if a reader can tell; other numbers in the reason are no news, or there would be a
    /// row with each reading.
    pub fn describe(&mut self, news: &AlarmNews) -> bool {
        let rule = match &news.origin {
            AlarmOrigin::Rule { version, name } => Some((*version, Arc::from(cut(name, WORD_BYTES_MAX)))),
            AlarmOrigin::Device => None,
        };
        let text = cut(&news.text, TEXT_BYTES_MAX).to_owned();
        let is_same = (self.severity, &self.rule, &self.text) == (news.severity, &rule, &text);
        (self.severity, self.rule, self.text) = (news.severity, rule, text);
        self.reason = bounded(&news.reason);
        !is_same
    }

    /// Whether `detect` means this one.
    pub fn is_known_as(&self, id: &str) -> bool {
        self.known_as.as_deref().unwrap_or(&self.id) == id
    }

    /// The silence that is told: the one that lasts longest, of two the operator's own.
    pub fn hush(&self) -> Option<Hush> {
        let own = self.hushed.map(|until| Hush { until, silence: None });
        match (own, &self.matched) {
            (Some(own), Some(matched)) if matched.until > own.until => Some(matched.clone()),
            (Some(own), _) => Some(own),
            (None, matched) => matched.clone(),
        }
    }

    /// What is told of who hides it.
    pub fn visibility(&self) -> Visibility {
        if self.hushed.is_some() || self.matched.is_some() {
            Visibility::Silenced
        } else if self.incident.is_some() {
            Visibility::Inhibited
        } else if self.suppressed {
            Visibility::Suppressed
        } else {
            Visibility::Shown
        }
    }
}

/// A reason whose words have an end.
fn bounded(reason: &AlarmReason) -> AlarmReason {
    let mut reason = reason.clone();
    let shorten = |text: &mut String| {
        let end = cut(text, WORD_BYTES_MAX).len();
        text.truncate(end);
    };
    shorten(&mut reason.word);
    let words = [
        &mut reason.measure,
        &mut reason.unit,
        &mut reason.state,
        &mut reason.cause,
        &mut reason.detail,
    ];
    words.into_iter().flatten().for_each(shorten);
    reason
}

/// The beginning of a text that takes no more bytes.
pub fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
