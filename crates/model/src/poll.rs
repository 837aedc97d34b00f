//! Words about reading a device.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::state::{UnknownWord, words};

words! {
    /// Why a reading that we asked for did not come.
    PollFailure, "reason why a reading failed" {
        /// No way to the device.
        Unreachable = "unreachable",
        /// No answer in time.
        Timeout = "timeout",
        /// The connection was closed in the middle.
        Closed = "closed",
        /// No algorithm that both sides have.
        Algorithms = "algorithms",
        /// The device shows another key than it did.
        HostKeyChanged = "host_key_changed",
        /// It refuses the user or the password.
        Refused = "refused",
        /// It has no session left.
        TooManySessions = "too_many_sessions",
        /// It wants the password changed first.
        FirstLogin = "first_login",
        /// More output than is taken.
        TooMuch = "too_much",
        /// It asks to come again later.
        Busy = "busy",
        /// Its firmware does not know the command.
        Unsupported = "unsupported",
        /// The answer was not whole.
        Incomplete = "incomplete",
        /// It has locked the user for a while.
        Locked = "locked",
        /// It wants another login than by password.
        Methods = "methods",
        /// The trusted host keys cannot be read or written.
        Pins = "pins",
        /// It breaks the protocol.
        Protocol = "protocol",
        /// Anything else.
        Other = "other",
    }
}

impl PollFailure {
    /// Nobody answered: the device itself may be away.
    pub const fn is_silence(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::Closed)
    }

    /// It goes on until a person does something about it.
    pub const fn is_for_a_person(self) -> bool {
        matches!(
            self,
            Self::Algorithms | Self::HostKeyChanged | Self::Refused | Self::FirstLogin | Self::Methods | Self::Pins
        )
    }
}
