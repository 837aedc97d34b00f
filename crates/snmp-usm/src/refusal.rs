//! Why a well-formed message is not taken, and the counters of the standard.

use snmp_pdu::Oid;

/// Why a well-formed message is not taken: a closed set, fit for a metric's label. Exactly one a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// Another security model than the user-based one.
    SecurityModel,
    /// Privacy without authentication, which no message may ask for (RFC 3412 §7.2 step 4).
    Flags,
    /// A question for our engine id, boots and time: every sender of informs begins with one. Answered.
    Discovery,
    /// It names no engine, or one that cannot be meant: an inform not for us.
    EngineId,
    /// Nobody configured its user.
    UnknownUser,
    /// Its user may not send from this address.
    Source,
    /// Its user may not send from this engine.
    EngineNotAllowed,
    /// Less protected than its user must be, or in a way its user has no key for.
    SecurityLevel,
    /// Digest wrong, or of a wrong length.
    Digest,
    /// Outside the time window: a replay, a clock gone wrong, or a sender that has yet to ask for ours.
    TimeWindow,
    /// Cannot be decrypted, or what comes out is no scoped PDU: a wrong privacy key.
    Decryption,
    /// A trap that pretends to be our own.
    OwnEngine,
}

impl Refusal {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::SecurityModel,
        Self::Flags,
        Self::Discovery,
        Self::EngineId,
        Self::UnknownUser,
        Self::Source,
        Self::EngineNotAllowed,
        Self::SecurityLevel,
        Self::Digest,
        Self::TimeWindow,
        Self::Decryption,
        Self::OwnEngine,
    ];

    /// The word for a label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecurityModel => "v3_security_model",
            Self::Flags => "v3_flags",
            Self::Discovery => "v3_discovery",
            Self::EngineId => "v3_engine_id",
            Self::UnknownUser => "v3_unknown_user",
            Self::Source => "v3_source",
            Self::EngineNotAllowed => "v3_engine_not_allowed",
            Self::SecurityLevel => "v3_security_level",
            Self::Digest => "v3_digest",
            Self::TimeWindow => "v3_time_window",
            Self::Decryption => "v3_decryption",
            Self::OwnEngine => "v3_own_engine",
        }
    }

    /// The counter of RFC 3414 §3.2 it stands under; none where the standard counts elsewhere, or knows no such rule.
    pub(crate) const fn stat(self) -> Option<Stat> {
        match self {
            Self::Discovery | Self::EngineId | Self::EngineNotAllowed => Some(Stat::UnknownEngineIds),
            Self::UnknownUser => Some(Stat::UnknownUserNames),
            Self::SecurityLevel => Some(Stat::UnsupportedSecLevels),
            Self::Digest => Some(Stat::WrongDigests),
            Self::TimeWindow => Some(Stat::NotInTimeWindows),
            Self::Decryption => Some(Stat::DecryptionErrors),
            Self::SecurityModel | Self::Flags | Self::Source | Self::OwnEngine => None,
        }
    }
}

/// A counter that a report carries back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stat {
    /// `usmStatsUnsupportedSecLevels`.
    UnsupportedSecLevels,
    /// `usmStatsNotInTimeWindows`.
    NotInTimeWindows,
    /// `usmStatsUnknownUserNames`.
    UnknownUserNames,
    /// `usmStatsUnknownEngineIDs`.
    UnknownEngineIds,
    /// `usmStatsWrongDigests`.
    WrongDigests,
    /// `usmStatsDecryptionErrors`.
    DecryptionErrors,
    /// `snmpUnknownPDUHandlers` (RFC 3412 §5): a request that a receiver of notifications has no answer to.
    UnknownPduHandlers,
}

impl Stat {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::UnsupportedSecLevels,
        Self::NotInTimeWindows,
        Self::UnknownUserNames,
        Self::UnknownEngineIds,
        Self::WrongDigests,
        Self::DecryptionErrors,
        Self::UnknownPduHandlers,
    ];

    /// The instance a report names: under `usmStats` (1.3.6.1.6.3.15.1.1) or `snmpMPDStats` (1.3.6.1.6.3.11.2.1).
    pub const fn oid(self) -> Oid {
        match self {
            Self::UnsupportedSecLevels => Oid::new(&[1, 3, 6, 1, 6, 3, 15, 1, 1, 1, 0]),
            Self::NotInTimeWindows => Oid::new(&[1, 3, 6, 1, 6, 3, 15, 1, 1, 2, 0]),
            Self::UnknownUserNames => Oid::new(&[1, 3, 6, 1, 6, 3, 15, 1, 1, 3, 0]),
            Self::UnknownEngineIds => Oid::new(&[1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0]),
            Self::WrongDigests => Oid::new(&[1, 3, 6, 1, 6, 3, 15, 1, 1, 5, 0]),
            Self::DecryptionErrors => Oid::new(&[1, 3, 6, 1, 6, 3, 15, 1, 1, 6, 0]),
            Self::UnknownPduHandlers => Oid::new(&[1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0]),
        }
    }
}
