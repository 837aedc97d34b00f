//! How many alarms stand, by severity: of everything, of a site, of a root.

use hashbrown::HashMap;
use model::Severity;
use schemas::Alarm;
use serde::Serialize;
use utoipa::ToSchema;

use super::board::Place;
use crate::live::node::Index;
use crate::live::row::Sym;
use crate::metrics_names as names;

type FastHash = foldhash::fast::RandomState;

/// Alarms that stand and that nobody closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AlarmCounts {
    /// Shown, critical.
    pub critical: u32,
    /// Shown, major.
    pub major: u32,
    /// Shown, minor.
    pub minor: u32,
    /// Shown, warning.
    pub warning: u32,
    /// Shown, of a severity that is not known.
    pub indeterminate: u32,
    /// Of the shown ones those that somebody looks after.
    pub acknowledged: u32,
    /// Silenced, inhibited or suppressed.
    pub hidden: u32,
}

/// Counts of one scope.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CountsItem {
    /// `all`, `site` or `root`.
    pub scope: &'static str,
    /// Which site.
    pub site: Option<String>,
    /// Which root.
    pub root: Option<String>,
    /// Of it.
    pub counts: AlarmCounts,
}

/// Of what alarms are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    All,
    Site(Box<str>),
    Root(Index),
}

/// What one alarm adds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Share {
    tenant: Sym,
    root: Index,
    site: Option<Box<str>>,
    severity: Severity,
    is_acknowledged: bool,
    is_hidden: bool,
}

/// All counters, and what each alarm has added to them.
#[derive(Default)]
pub struct Counters {
    shares: HashMap<u32, Share, FastHash>,
    totals: HashMap<(Sym, Scope), AlarmCounts, FastHash>,
    severities: AlarmCounts,
    is_changed: bool,
}

impl Counters {
    /// An alarm is this now, or is no more.
    pub fn count(&mut self, number: u32, alarm: Option<(Place, &Alarm)>) {
        let after = alarm.and_then(|(place, alarm)| Share::of(place, alarm));
        let before = match &after {
            Some(share) if self.shares.get(&number) == Some(share) => return,
            Some(share) => self.shares.insert(number, share.clone()),
            None => self.shares.remove(&number),
        };
        for (share, sign) in [(before, -1), (after, 1)] {
            if let Some(share) = share {
                self.add(&share, sign);
            }
        }
    }

    /// Forgets the shares of alarms that are gone.
    pub fn retain(&mut self, is_there: impl Fn(u32) -> bool) {
        let gone: Vec<u32> = self.shares.keys().copied().filter(|n| !is_there(*n)).collect();
        gone.into_iter().for_each(|number| self.count(number, None));
    }

    fn add(&mut self, share: &Share, sign: i32) {
        self.is_changed = true;
        self.severities.add(share, sign);
        let site = share.site.clone().map(Scope::Site);
        for scope in [Some(Scope::All), Some(Scope::Root(share.root)), site]
            .into_iter()
            .flatten()
        {
            let key = (share.tenant, scope);
            let counts = self.totals.entry(key.clone()).or_default();
            counts.add(share, sign);
            if *counts == AlarmCounts::default() {
                self.totals.remove(&key);
            }
        }
    }

    /// Of one scope.
    pub fn of(&self, tenant: Sym, scope: Scope) -> AlarmCounts {
        self.totals.get(&(tenant, scope)).copied().unwrap_or_default()
    }

    /// Every scope of a tenant in which there is something, in order.
    pub fn scopes(&self, tenant: Sym) -> Vec<(&Scope, AlarmCounts)> {
        let mut scopes: Vec<_> = self
            .totals
            .iter()
            .filter(|((t, _), _)| *t == tenant)
            .map(|((_, scope), counts)| (scope, *counts))
            .collect();
        scopes.sort_by_key(|(scope, _)| (*scope).clone());
        scopes
    }

    /// Says the numbers to whoever watches the process.
    pub fn tell(&mut self) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        let mut counts = self.severities;
        for severity in Severity::ALL {
            let shown = *counts.of(*severity);
            metrics::gauge!(names::ALARMS_SHOWN, "severity" => severity.as_str()).set(f64::from(shown));
        }
        metrics::gauge!(names::ALARMS_HIDDEN).set(f64::from(counts.hidden));
    }
}

impl Share {
    fn of(place: Place, alarm: &Alarm) -> Option<Self> {
        let counts = alarm.condition == "raised" && alarm.operator_state != "closed";
        counts.then(|| Self {
            tenant: place.tenant,
            root: place.root,
            site: alarm.site.as_deref().map(Into::into),
            severity: alarm.severity.parse().unwrap_or(Severity::Indeterminate),
            is_acknowledged: alarm.operator_state == "acknowledged",
            is_hidden: alarm.visibility != "shown",
        })
    }
}

impl AlarmCounts {
    fn add(&mut self, share: &Share, sign: i32) {
        let apply = |n: &mut u32| *n = n.saturating_add_signed(sign);
        if share.is_hidden {
            return apply(&mut self.hidden);
        }
        apply(self.of(share.severity));
        if share.is_acknowledged {
            apply(&mut self.acknowledged);
        }
    }

    fn of(&mut self, severity: Severity) -> &mut u32 {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::Major => &mut self.major,
            Severity::Minor => &mut self.minor,
            Severity::Warning => &mut self.warning,
            Severity::Indeterminate => &mut self.indeterminate,
        }
    }
}
