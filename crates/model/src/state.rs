//! Closed sets of words: kinds, states, causes, severities. Their text is what records, tables and the API carry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A word outside a closed set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{word}` is not a {what}")]
pub struct UnknownWord {
    /// The set.
    pub what: &'static str,
    /// The word.
    pub word: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant),+
        }
        impl $name {
            /// Every word of the set, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The word itself.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { what: $what, word: word.chars().take(40).collect() }),
                }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// What an entity is.
    Kind, "kind" {
        /// Optical line terminal.
        Olt = "olt",
        /// Line card of an OLT.
        Board = "board",
        /// PON port of a board.
        Pon = "pon",
        /// Optical network unit at a customer's.
        Onu = "onu",
        /// Padtec management system.
        Padtec = "padtec",
        /// A site of an optical network.
        Site = "site",
        /// A card of an optical network.
        Card = "card",
        /// Customer-premises router behind an ACS.
        Cpe = "cpe",
        /// A sender nobody configured.
        Unknown = "unknown",
        /// Our own freshness probe: it has events only, and no status.
        Probe = "probe",
    }
}

words! {
    /// The present state of an entity. Which words a kind uses: [`State::allowed`].
    State, "state" {
        /// An ONU that works.
        Online = "online",
        /// An ONU that does not.
        Offline = "offline",
        /// Gone from a complete read.
        Absent = "absent",
        /// Nothing is known yet, or it cannot be seen any more.
        Unknown = "unknown",
        /// A PON port or a card that works.
        Up = "up",
        /// A PON port or a card that does not.
        Down = "down",
        /// A board that works.
        Normal = "normal",
        /// A board with a fault.
        Failed = "failed",
        /// An OLT that answers or speaks.
        Reachable = "reachable",
        /// An OLT that does not.
        Unreachable = "unreachable",
    }
}

impl State {
    /// The states an entity of this kind may have.
    pub fn allowed(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Onu => &[Self::Online, Self::Offline, Self::Absent, Self::Unknown],
            Kind::Pon => &[Self::Up, Self::Down, Self::Unknown],
            Kind::Board => &[Self::Normal, Self::Failed, Self::Offline, Self::Absent, Self::Unknown],
            Kind::Olt | Kind::Padtec | Kind::Cpe | Kind::Unknown => {
                &[Self::Reachable, Self::Unreachable, Self::Unknown]
            }
            Kind::Probe => &[Self::Unknown],
            Kind::Card | Kind::Site => &[Self::Up, Self::Down, Self::Absent, Self::Unknown],
        }
    }

    /// Whether an operator would call it out of service: the states that can have a [`Cause`].
    pub fn is_out(self) -> bool {
        matches!(
            self,
            Self::Offline | Self::Down | Self::Failed | Self::Unreachable | Self::Absent
        )
    }
}

words! {
    /// Why something is out of service.
    Cause, "cause" {
        /// The customer's power failed (dying gasp).
        Power = "power",
        /// The fibre is broken, or the light is gone.
        Fibre = "fibre",
        /// An operator switched it off.
        Admin = "admin",
        /// It was restarted.
        Reset = "reset",
        /// It disturbed others and was shut.
        Rogue = "rogue",
        /// A cause without a word of its own; the vendor's words say which.
        Other = "other",
        /// Not known.
        Unknown = "unknown",
    }
}

words! {
    /// Severity of an alarm (ITU-T X.733). Clearing is a transition, not a severity.
    Severity, "severity" {
        /// Service affecting, act at once.
        Critical = "critical",
        /// Service affecting, act soon.
        Major = "major",
        /// Not service affecting.
        Minor = "minor",
        /// May become one.
        Warning = "warning",
        /// Not known.
        Indeterminate = "indeterminate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert!(
                State::allowed(*kind).contains(&State::Unknown),
                "every entity starts unknown"
            );
        }
        assert!("ONLINE".parse::<State>().is_err());
    }
}
