//! What the steps of task `network` hand to each other.
//!
//! A record of `observations` enters the chain as [`NetworkEvent::Observed`]; `normalize` turns it into the other kinds,
//! each about exactly one entity. Words that decide something are closed enums; text is only what people read.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{EntityId, Micros, Root, Serial, Severity, State};
use serde::{Deserialize, Serialize};

pub use self::alarms::{
    About, AlarmChange, AlarmNews, AlarmOrigin, AlarmSlot, IncidentNews, ListedAlarm, ListedAlarms, OLT_TABLE,
    OLT_TABLE_TYPES, StatusNews,
};
pub use self::losses::{LossNews, LossStage};
pub use self::measured::{Measured, Quality, Sample, SampleView};
pub use self::polled::{
    Description, DownCause, Failure, Levels, Pending, Polled, PolledState, Polling, Reading, System,
};
use crate::{
    AnyRecord, DeviceRegistered, OperatorActed, Phase, Rule, Silence, SourceHeartbeat, Tick, TrapReceived,
    WindowRecomputed,
};

mod alarms;
mod losses;
mod measured;
mod polled;

/// One thing on its way through the chain.
#[derive(Debug, Clone, PartialEq)]
pub enum NetworkEvent {
    /// The input record itself: what `normalize` takes.
    Observed(Box<Observed>),
    /// A root spoke: it sent a trap, of whatever kind.
    Heard(Sighting),
    /// An entity must exist, because something below it was seen.
    Exists(Sighting),
    /// Something happened to an entity.
    Happened(Box<Happening>),
    /// A person, a file or an inventory system says that an entity exists, or no longer does.
    Registered(Box<Registration>),
    /// A reading says something about an entity.
    Polled(Box<Polled>),
    /// An entity cannot be seen any more: what it is seen through does not answer.
    Unseen(Sighting),
    /// How it went to read a root.
    Polling(Box<Polling>),
    /// Something was measured of a card.
    Measured(Box<Measured>),
    /// The status of an entity is another one than before, or the entity is gone: what `status` says.
    Status(Box<StatusNews>),
    /// Another system or a device says which alarms stand: what `normalize` makes of such a reading.
    Listed(Box<ListedAlarms>),
    /// An alarm begins, changes or ends: what `detect` says.
    Alarm(Box<AlarmNews>),
    /// Losses of a PON port that came within seconds: what `gather` says.
    Losses(Box<LossNews>),
    /// An incident begins, changes or ends: what `correlate` says.
    Incident(Box<IncidentNews>),
    /// A version of a rule.
    Rule(Arc<Rule>),
    /// A version of a silence.
    Silence(Arc<Silence>),
    /// A person did something to an alarm.
    Acted(Box<OperatorActed>),
    /// A window was added up again.
    Recomputed(Box<WindowRecomputed>),
}

/// A record of `observations`, with what was checked of it.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "boxed where it is kept")]
pub enum Observed {
    /// An SNMP trap or inform.
    Trap {
        /// Its sender's root; the record's key.
        root: Root,
        /// As it came.
        record: TrapReceived,
    },
    /// A registration.
    Registered {
        /// The root it is behind; the record's key.
        root: Root,
        /// As it came.
        record: DeviceRegistered,
    },
    /// A reading that we asked for, or that it did not come.
    Read {
        /// The root that was asked; the record's key.
        root: Root,
        /// As it came.
        reading: Reading,
    },
    /// A connector watches a root.
    Heartbeat(SourceHeartbeat),
    /// Log time moves on.
    Tick(Tick),
}

/// Why a record of `observations` cannot enter the chain: reasons of dead letters, a closed set.
pub mod undecodable {
    /// A record type that has no place in `observations`.
    pub const UNKNOWN_TYPE: &str = "unknown_type";
    /// The record's root, or the key, is not a root's id.
    pub const BAD_ROOT: &str = "bad_root";
    /// The record is about another root than its key says, so it may be in another root's partition.
    pub const OTHER_ROOT: &str = "other_root";
}

/// Checks that a record belongs into `observations` and under its key.
///
/// # Errors
/// With a reason of [`undecodable`].
pub fn decode(record: AnyRecord, root_key: &str) -> Result<NetworkEvent, &'static str> {
    let key = |named: &str| -> Result<Root, &'static str> {
        let root = Root::parse(root_key).map_err(|_| undecodable::BAD_ROOT)?;
        if named == root_key {
            Ok(root)
        } else {
            Err(undecodable::OTHER_ROOT)
        }
    };
    Ok(NetworkEvent::Observed(Box::new(match record {
        // Those of every partition have no root, and what they decide is not this or that entity's.
        AnyRecord::RulesChanged(record) => return Ok(NetworkEvent::Rule(Arc::new(record.rule))),
        AnyRecord::SilencesChanged(record) => return Ok(NetworkEvent::Silence(Arc::new(record.silence))),
        AnyRecord::OperatorActed(record) => {
            key(&record.root)?;
            key(root_of(&record.entity))?;
            return Ok(NetworkEvent::Acted(Box::new(record)));
        }
        AnyRecord::WindowRecomputed(record) => {
            key(&record.root)?;
            key(root_of(&record.entity))?;
            return Ok(NetworkEvent::Recomputed(Box::new(record)));
        }
        AnyRecord::TrapReceived(record) => Observed::Trap {
            root: key(&record.root)?,
            record,
        },
        AnyRecord::DeviceRegistered(record) => Observed::Registered {
            root: key(root_of(&record.entity))?,
            record,
        },
        AnyRecord::SourceHeartbeat(record) => {
            key(&record.root)?;
            Observed::Heartbeat(record)
        }
        AnyRecord::Tick(record) => Observed::Tick(record),
        record => {
            let reading = Reading::of(record).ok_or(undecodable::UNKNOWN_TYPE)?;
            Observed::Read {
                root: key(reading.root())?,
                reading,
            }
        }
    })))
}

/// The first three segments of an entity's id.
fn root_of(entity: &str) -> &str {
    entity
        .match_indices('/')
        .nth(2)
        .map_or(entity, |(end, _)| &entity[..end])
}

/// An entity was seen, or heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Which.
    pub entity: EntityId,
    /// When, and by which clock.
    pub seen: Seen,
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Source {
    /// A reading that we asked for.
    Poll,
    /// A trap.
    Trap,
    /// The process's own configuration.
    Config,
    /// A file that a person imported.
    Import,
    /// A call of the API, or another inventory system.
    Api,
}

impl Source {
    /// The word that records carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Trap => "trap",
            Self::Config => "config",
            Self::Import => "import",
            Self::Api => "api",
        }
    }
}

/// Two clocks of one boot: traps whose `received_at − sysUpTime` differ by no more are of the same boot (design §4).
pub const SAME_BOOT_MICROS: i64 = 300 * Micros::SECOND;

/// `sysUpTime` counts hundredths of a second in 32 bits: after 497 days it begins again from 0, within one boot.
const UPTIME_WRAP_TICKS: i64 = 1 << 32;
/// Microseconds of a tick of `sysUpTime`.
const TICK_MICROS: i64 = 10_000;

/// When something was seen: enough to tell which of two observations of one sender is the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When the device or the reading says it was; of a trap the time it was received.
    pub observed_at: Micros,
    /// When we received it.
    pub received_at: Micros,
    /// The sender's `sysUpTime` in hundredths of a second, if it told.
    pub uptime: Option<u32>,
    /// Who says so.
    pub source: Source,
}

impl Seen {
    /// When the sender booted, by its own count; `None` if it did not tell.
    pub fn booted_at(&self) -> Option<Micros> {
        self.uptime
            .map(|ticks| self.received_at.plus(-i64::from(ticks) * TICK_MICROS))
    }

    /// Whether this is older than `other`: by `sysUpTime` within one boot of a sender, else by time observed; on a tie a
    /// poll is older than anything else, and what came first is *not* older (arrival decides between equals).
    pub fn is_older_than(&self, other: &Self) -> bool {
        if let Some(ticks) = self.ticks_after(other) {
            return ticks < 0;
        }
        let poll = |seen: &Self| seen.source != Source::Poll;
        (self.observed_at, poll(self)) < (other.observed_at, poll(other))
    }

    /// Microseconds between the two, by the clock that orders them.
    pub fn micros_apart(&self, other: &Self) -> i64 {
        match self.ticks_after(other) {
            Some(ticks) => ticks.abs() * TICK_MICROS,
            None => self.observed_at.since(other.observed_at).saturating_abs(),
        }
    }

    /// Difference of `sysUpTime`, if both are of one boot and it tells them apart. Where the counter began again between
    /// them, the boots look 497 days apart.
    fn ticks_after(&self, other: &Self) -> Option<i64> {
        const WRAP_MICROS: i64 = UPTIME_WRAP_TICKS * TICK_MICROS;
        let boots_apart = self.booted_at()?.since(other.booted_at()?);
        let wraps = match boots_apart {
            apart if apart > WRAP_MICROS / 2 => 1,
            apart if apart < -WRAP_MICROS / 2 => -1,
            _ => 0,
        };
        let ticks = i64::from(self.uptime?) - i64::from(other.uptime?) + wraps * UPTIME_WRAP_TICKS;
        let off = boots_apart.saturating_sub(wraps * WRAP_MICROS).saturating_abs();
        (off <= SAME_BOOT_MICROS && ticks != 0).then_some(ticks)
    }
}

/// Something happened to an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// To which.
    pub entity: EntityId,
    /// Our name of it: `dying_gasp`, `los`, `ont_run_state` … (from the catalogue).
    pub event: Arc<str>,
    /// Begins, ends, or just happens.
    pub phase: Phase,
    /// What it says about the entity's state.
    pub effect: Effect,
    /// When.
    pub seen: Seen,
    /// How bad, when it begins.
    pub severity: Option<Severity>,
    /// `snmpTrapOID`, dotted, when a trap said it.
    pub trap_oid: Option<Arc<str>>,
    /// A sighting of the entity's serial number.
    pub serial: Option<Serial>,
    /// A sighting of the entity's model.
    pub model: Option<String>,
    /// What else was said, by our names; never a secret.
    pub detail: BTreeMap<String, String>,
    /// By what the same PDU sent again is known.
    pub fingerprint: Option<Fingerprint>,
    /// When a reading named the entity that was asked for later than this was seen: whatever is known of the reading before holds
    /// until then.
    pub read_at: Option<Micros>,
}

/// By what the same PDU sent again is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// A hash of sender, request id, trap OID, sysUpTime and varbinds.
    pub hash: u64,
    /// An equal one within this time is the same PDU. Microseconds.
    pub within: i64,
}

impl Fingerprint {
    /// What has a request id: an inform is sent again until it is answered (design §8).
    pub const RESENT: i64 = 600 * Micros::SECOND;
    /// An SNMPv1 trap has none, and its time stamp may stand still: the same bytes later are another happening. Nobody sends it
    /// again, so only a packet that the network doubled is the same one.
    pub const DOUBLED: i64 = Micros::SECOND;
}

/// What a happening says about the state of its entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// A fault that takes it out of service begins or ends, by the happening's phase.
    Fault(Fault),
    /// An ONU's run state: it works, or not.
    Run {
        /// Up (1) or down (2).
        up: bool,
    },
    /// It was seen in this state.
    State(State),
}

/// Faults that take something out of service while they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fault {
    /// An ONU's last words: its power failed.
    DyingGasp,
    /// No light from an ONU (LOSi).
    OnuLos,
    /// No frame from an ONU (LOFi).
    OnuLof,
    /// No light from any ONU of a PON port.
    PonLos,
    /// A PON port's optical module is absent.
    TransceiverAbsent,
    /// A PON port's transmitter fails.
    TransmitterFailure,
    /// A PON port's other failure.
    PortFault,
    /// A port's link is down (IF-MIB).
    LinkDown,
    /// A board fails.
    BoardFault,
}

/// A registration with checked words.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// What is registered.
    pub entity: EntityId,
    /// When it was said.
    pub seen: Seen,
    /// Who says so, as the record has it: config, import, api, netbox.
    pub origin: String,
    /// It no longer exists.
    pub removed: bool,
    /// Serial number; an ONU's in its readable form.
    pub serial: Option<String>,
    /// Name. Here and below: `None` is not said, an empty text takes away what was said before.
    pub name: Option<String>,
    /// Site.
    pub site: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Vendor.
    pub vendor: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Management address.
    pub address: Option<String>,
    /// Anything else; empty is not said.
    pub attributes: BTreeMap<String, String>,
}

impl NetworkEvent {
    /// The entity that a sign of its status is about; `None` for an input record, and for what is no sign of a status.
    pub fn entity(&self) -> Option<&EntityId> {
        match self {
            Self::Observed(_)
            | Self::Measured(_)
            | Self::Status(_)
            | Self::Listed(_)
            | Self::Alarm(_)
            | Self::Losses(_)
            | Self::Incident(_)
            | Self::Rule(_)
            | Self::Silence(_)
            | Self::Acted(_)
            | Self::Recomputed(_) => None,
            Self::Heard(s) | Self::Exists(s) | Self::Unseen(s) => Some(&s.entity),
            Self::Polled(p) => Some(&p.entity),
            Self::Polling(p) => Some(&p.entity),
            Self::Happened(h) => Some(&h.entity),
            Self::Registered(r) => Some(&r.entity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heartbeat(root: &str) -> AnyRecord {
        SourceHeartbeat {
            root: root.into(),
            connector: "snmp-traps".into(),
            sent_at: Micros(1),
        }
        .into()
    }

    #[test]
    fn a_record_enters_only_under_its_own_root() {
        assert!(decode(heartbeat("default/olt/a"), "default/olt/a").is_ok());
        assert_eq!(
            decode(heartbeat("default/olt/a"), "default/olt/b"),
            Err(undecodable::OTHER_ROOT)
        );
        assert_eq!(decode(heartbeat("olt a"), "olt a"), Err(undecodable::BAD_ROOT));
        assert!(decode(Tick { sent_at: Micros(1) }.into(), "").is_ok());
        assert_eq!(root_of("default/olt/a/onu/0/1/2/3"), "default/olt/a");
        assert_eq!(root_of("default/olt/a"), "default/olt/a");
    }

    /// Seconds since the epoch, `sysUpTime` in seconds.
    fn seen(received_s: i64, uptime_s: Option<u32>, source: Source) -> Seen {
        let at = Micros(received_s * Micros::SECOND);
        Seen {
            observed_at: at,
            received_at: at,
            uptime: uptime_s.map(|s| s * 100),
            source,
        }
    }

    #[test]
    fn within_a_boot_the_senders_clock_orders() {
        #[track_caller]
        fn check(a: Seen, b: Seen, older: bool) {
            assert_eq!(a.is_older_than(&b), older, "{a:?} / {b:?}");
        }
        let trap = |received, uptime| seen(received, uptime, Source::Trap);
        check(trap(10_015, Some(100)), trap(10_006, Some(105)), true); // resent, overtaken
        check(trap(10_006, Some(105)), trap(10_015, Some(100)), false);
        check(trap(10_400, Some(10)), trap(10_000, Some(9_000)), false); // another boot: arrival
        check(trap(10_000, Some(9_000)), trap(10_400, Some(10)), true);
        check(trap(10_001, None), trap(10_000, Some(5)), false);
        // The counter began again at 0: 497 days, 2 hours, 27 minutes and 52.96 s after the boot.
        let end = u32::MAX / 100;
        check(trap(50_000_020, Some(end - 4)), trap(50_000_008, Some(3)), true); // overtaken by what came after the wrap
        check(trap(50_000_008, Some(3)), trap(50_000_020, Some(end - 4)), false);
        check(trap(50_000_000, Some(end - 4)), trap(50_000_008, Some(3)), true);
        check(trap(50_000_020, Some(end - 4)), trap(50_001_000, Some(3)), true); // another boot: arrival
        check(trap(10_000, Some(5)), trap(10_000, Some(5)), false);
        check(seen(5, None, Source::Poll), seen(5, None, Source::Trap), true);
        check(seen(5, None, Source::Trap), seen(5, None, Source::Poll), false);
        assert_eq!(
            trap(50_000_008, Some(3)).micros_apart(&trap(50_000_020, Some(end - 4))),
            7_960_000
        );
    }
}
