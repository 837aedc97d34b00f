//! Why a datagram that could be read is not taken: closed sets, fit for labels.

/// Why a well-formed message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No credential of its version has its community.
    Community,
    /// The community is right, but not from this address.
    Source,
    /// No credential has its version.
    VersionNotConfigured,
    /// No credential is of version 3.
    V3NotConfigured,
    /// The user-based security model says no.
    V3(snmp_usm::Refusal),
}

impl Refusal {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Community,
        Self::Source,
        Self::VersionNotConfigured,
        Self::V3NotConfigured,
        Self::V3(snmp_usm::Refusal::SecurityModel),
        Self::V3(snmp_usm::Refusal::Flags),
        Self::V3(snmp_usm::Refusal::Discovery),
        Self::V3(snmp_usm::Refusal::EngineId),
        Self::V3(snmp_usm::Refusal::UnknownUser),
        Self::V3(snmp_usm::Refusal::Source),
        Self::V3(snmp_usm::Refusal::EngineNotAllowed),
        Self::V3(snmp_usm::Refusal::SecurityLevel),
        Self::V3(snmp_usm::Refusal::Digest),
        Self::V3(snmp_usm::Refusal::TimeWindow),
        Self::V3(snmp_usm::Refusal::Decryption),
        Self::V3(snmp_usm::Refusal::OwnEngine),
    ];

    /// The word for a label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Community => "community",
            Self::Source => "source",
            Self::VersionNotConfigured => "version_not_configured",
            Self::V3NotConfigured => "v3_not_configured",
            Self::V3(refusal) => refusal.as_str(),
        }
    }

    /// Its place in [`Refusal::ALL`].
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Community => 0,
            Self::Source => 1,
            Self::VersionNotConfigured => 2,
            Self::V3NotConfigured => 3,
            Self::V3(refusal) => 4 + refusal as usize,
        }
    }

    /// Whether a person should hear of a sender's first one: not of what every sender of informs begins with, to ask who
    /// we are and what time it is.
    pub(crate) const fn is_remarkable(self) -> bool {
        !matches!(
            self,
            Self::V3(snmp_usm::Refusal::Discovery | snmp_usm::Refusal::TimeWindow)
        )
    }
}

/// Which limit a sender nobody configured ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// As many such senders as may be are kept already.
    UnknownSenders,
    /// It sends faster than such a sender may.
    UnknownRate,
}

impl Limit {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::UnknownSenders, Self::UnknownRate];

    /// The word for a label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownSenders => "unknown_senders",
            Self::UnknownRate => "unknown_rate",
        }
    }
}
