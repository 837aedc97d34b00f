//! Words of the vendor that are a closed set as far as anybody saw; any other is kept as it is.

use serde::{Serialize, Serializer};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name<'s> {
            $($(#[$vdoc])* $variant,)+
            /// A word nobody recorded.
            Other(&'s str),
        }
        impl<'s> $name<'s> {
            /// Reads a word; `-` and nothing are null.
            pub fn of(word: &'s str) -> Option<Self> {
                Some(match super::value::present(word)? {
                    $($text => Self::$variant,)+
                    other => Self::Other(other),
                })
            }
            /// The word.
            pub fn as_str(&self) -> &'s str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(other) => other,
                }
            }
            /// Whether it is one of the set.
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }
        impl Serialize for $name<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// Whether an ONU works. `-` is neither.
    RunState {
        /// It does.
        Online = "online",
        /// It does not.
        Offline = "offline",
    }
}

words! {
    /// What the operator wants of an ONU.
    ControlFlag {
        /// On.
        Active = "active",
        /// Switched off.
        Deactivated = "deactivated",
        /// Being set up.
        Configuring = "configuring",
    }
}

words! {
    /// Whether its configuration has reached an ONU.
    ConfigState {
        /// It has.
        Normal = "normal",
        /// Not yet.
        Initial = "initial",
        /// It was refused.
        Failed = "failed",
        /// On its way.
        Config = "config",
    }
}

words! {
    /// Whether an ONU is what its service profile says.
    MatchState {
        /// It is.
        Match = "match",
        /// It is not.
        Mismatch = "mismatch",
        /// Not yet known.
        Initial = "initial",
    }
}

words! {
    /// Board status.
    BoardStatus {
        /// Works.
        Normal = "Normal",
        /// Works and leads.
        ActiveNormal = "Active_normal",
        /// Works and waits.
        StandbyNormal = "Standby_normal",
        /// Failed.
        Failed = "Failed",
        /// The standby failed.
        StandbyFailed = "Standby_failed",
        /// Found, not confirmed.
        AutoFind = "Auto_find",
        /// Being set up.
        Config = "Config",
        /// Switched off.
        Prohibited = "Prohibited",
    }
}
