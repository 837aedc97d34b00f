//! Alarms that another system, or an OLT itself, shows as standing: folded with what traps say.
//!
//! An alarm in a list stands; if nobody had said so before, it is raised, and old if the list was the first one asked for. What a whole
//! list no longer shows has ended, if that list showed it, or would show what the trap said, and nothing newer than the question says
//! otherwise. A list that is not whole ends nothing.

use model::Micros;
use runtime::Reason;
use schemas::network::{ListedAlarm, ListedAlarms, OLT_TABLE, OLT_TABLE_TYPES};

use crate::device::Sign;
use crate::slot::{DeviceAlarm, LISTS_MAX, TYPE_BYTES_MAX, cut};
use crate::turn::Turn;

/// An alarm in the first list that began less than this before is no old one (microseconds).
const RECENT: i64 = 3_600 * Micros::SECOND;

/// Types that take their entity out of service, as `normalize` has them of traps.
const FAULTS: [&str; 6] = [
    "dying_gasp",
    "lof",
    "los",
    "pon_los",
    "port_fault",
    "transceiver_absent",
];

impl Turn<'_> {
    pub fn listed(&mut self, listed: &ListedAlarms) -> Reason {
        let mine = |alarm: &&ListedAlarm| alarm.slot.entity == *self.id;
        let alarms: Vec<&ListedAlarm> = listed.alarms.iter().filter(mine).collect();
        for alarm in &alarms {
            self.listed_alarm(listed, alarm);
        }
        if listed.is_whole {
            for place in 0..self.slot.device.len() {
                let known = &self.slot.device[place];
                let is_shown = alarms.iter().any(|alarm| {
                    let qualifier = cut(&alarm.slot.qualifier, TYPE_BYTES_MAX);
                    cut(&alarm.slot.alarm_type, TYPE_BYTES_MAX) == &*known.alarm_type
                        && (qualifier.is_empty() || qualifier == &*known.qualifier)
                });
                if !is_shown && self.is_ended_by(known, listed) {
                    self.end_sign(place, &listed.seen, "not_listed");
                }
            }
            if self.id.as_str() == listed.root.as_str() {
                self.list_was_whole(listed);
            }
        }
        Reason::Absorbed("listed")
    }

    fn listed_alarm(&mut self, listed: &ListedAlarms, alarm: &ListedAlarm) {
        let sign = Sign {
            alarm_type: cut(&alarm.slot.alarm_type, TYPE_BYTES_MAX),
            qualifier: cut(&alarm.slot.qualifier, TYPE_BYTES_MAX),
            seen: listed.seen,
            severity: alarm.severity,
            text: &alarm.text,
            since: alarm.since,
        };
        let place = match self.slot.device(sign.alarm_type, sign.qualifier) {
            Ok(place) => place,
            Err(_) => match self.shown_otherwise(&sign).or_else(|| self.device_alarm(&sign)) {
                Some(place) => place,
                None => {
                    self.refused = Some("too_many_alarms");
                    return;
                }
            },
        };
        if listed.seen.is_older_than(&self.slot.device[place].seen) {
            return;
        }
        let is_out = self.slot.is_out();
        let known = &mut self.slot.device[place];
        known.is_fault |= FAULTS.contains(&&*known.alarm_type);
        known.explains |= known.is_fault && is_out;
        let is_recent = sign
            .since
            .is_some_and(|since| listed.seen.observed_at.since(since) < RECENT);
        let is_old = self.is_first(listed) && !is_recent;
        self.raise_device(place, &sign, Some(listed.list), is_old);
    }

    /// A list may not say what tells apart two alarms of one type: then it shows any of them that stands.
    fn shown_otherwise(&self, sign: &Sign<'_>) -> Option<usize> {
        let stands = |alarm: &DeviceAlarm| *alarm.alarm_type == *sign.alarm_type && alarm.life.on;
        let of_type = self.slot.device.iter().position(stands);
        of_type.filter(|_| sign.qualifier.is_empty())
    }

    /// No list of this kind was whole before this one was asked for.
    fn is_first(&self, listed: &ListedAlarms) -> bool {
        let known = self.root.and_then(|root| {
            let mut lists = root.lists.iter();
            lists.find(|(list, _)| **list == *listed.list).map(|(_, first)| *first)
        });
        known.is_none_or(|first| first >= listed.seen.observed_at)
    }

    fn is_ended_by(&self, alarm: &DeviceAlarm, listed: &ListedAlarms) -> bool {
        let shows = match alarm.list.as_deref() {
            Some(list) => list == listed.list,
            None => listed.list == OLT_TABLE && OLT_TABLE_TYPES.contains(&&*alarm.alarm_type),
        };
        // While its port is dark an OLT does not list what its ONUs have.
        let is_inhibited = alarm.is_fault && self.slot.is_out();
        shows && alarm.life.on && !is_inhibited && alarm.seen.is_older_than(&listed.seen)
    }

    fn list_was_whole(&mut self, listed: &ListedAlarms) {
        let watch = self.watch();
        let is_known = watch.lists.iter().any(|(list, _)| **list == *listed.list);
        if !is_known && watch.lists.len() < LISTS_MAX {
            watch.lists.push((listed.list.into(), listed.seen.observed_at));
        }
    }
}
