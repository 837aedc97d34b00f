//! The rows of each query, as types, and the definitions of their tables. Pure: what a row says, never when it is read.
//!
//! | table | written from | partition | clustering | answers |
//! |---|---|---|---|---|
//! | `status` | `device-status` | entity | | status of one device |
//! | `status_by_group` | `device-status` | read group | entity | devices of a PON, a board … with their status |
//! | `entities` | `inventory` | entity | | what a device is |
//! | `groups` | `inventory` | kind | read group | lists of sites, OLTs, boards, PON ports |
//! | `serials` | `inventory` | tenant, serial | entity | where a serial was sighted |
//! | `device_events` | `device-events` | entity, year | at ↓, id ↓ | what happened to a device |
//! | `alarms` | `alarms` | alarm | | one alarm |
//! | `alarm_events` | `alarm-transitions` | scope, span of time | at ↓, id ↓ | what happened to alarms: all, of a site, of an entity, of one |
//! | `incidents` | `incidents` | incident | | one incident |
//! | `incidents_by_month` | `incidents` | tenant, month | began ↓, incident ↓ | incidents by when they began |
//! | `alert_rules`, `silences` | `rules` | tenant, rule or silence | version, writer | every version of the rules and silences |
//! | `ledger` | `ledger` | read group | name, writer | what became of every datagram of a listener, of its senders |
//! | `samples_raw` | `measurements` | entity, day | measure, ts ↓, quality, value ↓ | every reading of 30 days |
//! | `latest_by_group` | `measurements` | read group | entity, measure | the newest reading of each measure |
//! | `rollup_hourly` | `rollups-hour` | entity, month | measure, ts ↓ | hours of a year |
//! | `rollup_daily`, `rollup_monthly` | `rollups-day` | entity, year; entity | measure, ts ↓ | days, months of three years |
//! | `users`, `refresh_families` | nothing: they live only here | bucket; user | name; family | who may log in |
//!
//! Instants are kept in milliseconds (CQL's `timestamp`): a type's [`model::Micros`] come back cut to the millisecond. Write times
//! keep their microseconds.

mod access;
mod alarm;
mod alarm_event;
mod event;
mod fields;
mod incident;
mod inventory;
mod ledger;
mod measured;
mod readings;
mod rule;
mod status;

use model::{EntityId, Kind, Micros};

pub use access::{REFRESH_FAMILIES, RefreshFamilyRow, USERS, UserRow};
pub use alarm::{ALARMS, AlarmRow, CommentRow, ReasonRow};
pub use alarm_event::{ALARM_EVENTS, AlarmEventRow, AlarmScope, AlarmThen};
pub use event::{DEVICE_EVENTS, DeviceEventRow};
pub use incident::{INCIDENTS, INCIDENTS_BY_MONTH, IncidentMark, IncidentRow};
pub use inventory::{ENTITIES, EntityRow, GROUPS, GroupKind, GroupRow, SERIALS, SerialRow};
pub use ledger::{LEDGER, LedgerEntryRow, LedgerOf};
pub use measured::{
    LATEST_BY_GROUP, LatestRow, ROLLUP_DAILY, ROLLUP_HOURLY, ROLLUP_MONTHLY, RollupRow, SAMPLES_RAW, SampleRow, day_of,
    rollup_bucket, rollup_table,
};
pub use readings::{StatusOptics, StatusPoll};
pub use rule::{ALERT_RULES, FlapRow, RuleRow, SILENCES, ScopeRow, SilenceRow};
pub use status::{STATUS, STATUS_BY_GROUP, StatusRow};

use crate::TableDef;

/// Every table.
pub static TABLES: &[&TableDef] = &[
    &STATUS,
    &STATUS_BY_GROUP,
    &ENTITIES,
    &GROUPS,
    &SERIALS,
    &DEVICE_EVENTS,
    &USERS,
    &REFRESH_FAMILIES,
    &LEDGER,
    &SAMPLES_RAW,
    &ROLLUP_HOURLY,
    &ROLLUP_DAILY,
    &ROLLUP_MONTHLY,
    &LATEST_BY_GROUP,
    &ALARMS,
    &ALARM_EVENTS,
    &INCIDENTS,
    &INCIDENTS_BY_MONTH,
    &ALERT_RULES,
    &SILENCES,
];

/// The tables that come from the log alone: what a rebuild empties and fills again.
pub static DERIVED_TABLES: &[&TableDef] = &[
    &STATUS,
    &STATUS_BY_GROUP,
    &ENTITIES,
    &GROUPS,
    &SERIALS,
    &DEVICE_EVENTS,
    &LEDGER,
    &SAMPLES_RAW,
    &ROLLUP_HOURLY,
    &ROLLUP_DAILY,
    &ROLLUP_MONTHLY,
    &LATEST_BY_GROUP,
    &ALARMS,
    &ALARM_EVENTS,
    &INCIDENTS,
    &INCIDENTS_BY_MONTH,
    &ALERT_RULES,
    &SILENCES,
];

/// The tables that live only here, written with `put_if` alone.
pub static CONDITIONAL_TABLES: &[&TableDef] = &[&USERS, &REFRESH_FAMILIES];

/// What entities are read together with: an ONU with the others of its PON port (whose entity id this is), anything else
/// behind a root with that root, and roots of one kind with each other (`default/olt`: the root's id without its name).
pub fn read_group(entity: &EntityId) -> String {
    match (entity.kind(), entity.parent()) {
        (Kind::Onu, Some(pon)) => pon.as_str().to_owned(),
        (_, Some(_)) => entity.root_str().to_owned(),
        (_, None) => {
            let id = entity.as_str();
            id[..id.rfind('/').unwrap_or(id.len())].to_owned()
        }
    }
}

/// The UTC year in which an instant lies, cut to 1970…9999: the second half of an event's partition key.
pub fn year_of(at_ms: i64) -> i32 {
    /// 9999-12-31T23:59:59.999Z.
    const AT_MS_MAX: i64 = 253_402_300_799_999;
    let (year, _) = year_month(at_ms.clamp(0, AT_MS_MAX));
    i32::try_from(year).expect("at most 9999")
}

/// Year and month (1 to 12) of an instant in milliseconds, UTC.
pub(crate) fn year_month(at_ms: i64) -> (i64, u32) {
    model::rollup::year_month(Micros(at_ms.saturating_mul(1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entity_has_one_read_group() {
        let check = |entity: &str, expected: &str| assert_eq!(read_group(&EntityId::parse(entity).unwrap()), expected);
        check("default/olt/a/onu/0/3/5/17", "default/olt/a/pon/0/3/5");
        check("default/olt/a/pon/0/3/5", "default/olt/a");
        check("default/olt/a/board/0/3", "default/olt/a");
        check("default/olt/a", "default/olt");
        check("default/unknown/192.0.2.7", "default/unknown");
        check("t/padtec/nms-1/card/ROA1-HA#374", "t/padtec/nms-1");
    }

    #[test]
    fn years_turn_at_midnight_utc() {
        let check = |at_ms: i64, expected: (i64, u32)| assert_eq!(year_month(at_ms), expected);
        check(0, (1970, 1));
        check(-1, (1969, 12));
        check(951_782_400_000, (2000, 2)); // 2000-02-29
        check(1_704_067_199_999, (2023, 12));
        check(1_704_067_200_000, (2024, 1));
        check(1_709_251_200_000, (2024, 3)); // 2024-03-01
        assert_eq!(year_of(i64::MIN), 1970);
        assert_eq!(year_of(i64::MAX), 9999);
    }

    #[test]
    fn each_table_comes_from_the_log_or_lives_only_here() {
        let mut both: Vec<_> = DERIVED_TABLES
            .iter()
            .chain(CONDITIONAL_TABLES)
            .map(|t| t.name)
            .collect();
        let mut all: Vec<_> = TABLES.iter().map(|t| t.name).collect();
        both.sort_unstable();
        all.sort_unstable();
        assert_eq!(both, all);
    }

    #[test]
    fn names_of_tables_and_columns_are_unique() {
        for (i, table) in TABLES.iter().enumerate() {
            assert!(TABLES[..i].iter().all(|t| t.name != table.name), "{}", table.name);
            let mut names: Vec<_> = table
                .partition_key
                .iter()
                .chain(table.columns)
                .map(|c| c.name)
                .collect();
            names.extend(table.clustering_key.iter().map(|(c, _)| c.name));
            names.sort_unstable();
            assert!(names.windows(2).all(|w| w[0] != w[1]), "{}", table.name);
        }
    }
}
