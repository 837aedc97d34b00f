//! Where a trap says it happened: frame, slot, port and ONU id from varbinds, an ifIndex, or an instance suffix.

use model::{ONU_ID_MAX, Place};

/// Highest number of a frame, slot or port that is believed: what an entity's id can hold.
const NUMBER_MAX: i64 = u8::MAX as i64;

/// An interface number of a Huawei OLT: type, frame, slot, port packed into 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// A PON port: type 125 (GPON), 126 (EPON) or 127 (XG-PON); `type<<25 | frame<<19 | slot<<13 | port<<8`.
    Pon(Port),
    /// An Ethernet port: type 7; `type<<25 | frame<<19 | slot<<13 | port<<6`.
    Ethernet(Port),
    /// Anything else.
    Other,
}

/// Frame, slot and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Frame.
    pub frame: u8,
    /// Slot.
    pub slot: u8,
    /// Port.
    pub port: u8,
}

impl Interface {
    /// Takes an ifIndex apart. It arrives as Gauge32, or as a negative Integer32 with the same 32 bits.
    pub fn from_if_index(bits: u32) -> Self {
        let field = |shift: u32, mask: u8| (bits >> shift).to_le_bytes()[0] & mask;
        let port = |shift: u32, mask: u8| Port {
            frame: field(19, 0x3F),
            slot: field(13, 0x3F),
            port: field(shift, mask),
        };
        match bits >> 25 {
            125..=127 => Self::Pon(port(8, 0x1F)),
            7 => Self::Ethernet(port(6, 0x7F)),
            _ => Self::Other,
        }
    }

    fn port(self) -> Option<Port> {
        match self {
            Self::Pon(port) | Self::Ethernet(port) => Some(port),
            Self::Other => None,
        }
    }
}

/// Why a place is less than the trap should have said. A closed set: it goes into the event's detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issue {
    /// A part that the trap must name is not there.
    PlaceMissing,
    /// A number that no device has.
    PlaceOutOfRange,
    /// Its sender has named more boards or ports than a device has.
    TooManyPlaces,
    /// Two varbinds name different places; frame, slot and port go before the ifIndex, and that before an instance.
    PlaceConflict,
}

impl Issue {
    /// The word in the detail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlaceMissing => "place_missing",
            Self::PlaceOutOfRange => "place_out_of_range",
            Self::PlaceConflict => "place_conflict",
            Self::TooManyPlaces => "too_many_places",
        }
    }
}

/// What the varbinds said, as they said it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// Value of the frame varbind.
    pub frame: Option<i64>,
    /// Value of the slot varbind.
    pub slot: Option<i64>,
    /// Value of the port varbind.
    pub port: Option<i64>,
    /// Value of the ONU id varbind.
    pub ont: Option<i64>,
    /// Value of the ifIndex varbind.
    pub if_index: Option<u32>,
    /// First two numbers of an instance whose first is a PON ifIndex.
    pub instance: Option<(u32, Option<u32>)>,
}

/// What could be made of it. Zero is a valid value of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// Frame.
    pub frame: Option<u8>,
    /// Slot.
    pub slot: Option<u8>,
    /// Port.
    pub port: Option<u8>,
    /// ONU id.
    pub ont: Option<u16>,
    /// The port is an Ethernet port.
    pub ethernet: bool,
    /// What is wrong with it.
    pub issue: Option<Issue>,
}

impl Placed {
    /// Frame, slot and port, when all are known.
    pub fn port(&self) -> Option<Port> {
        Some(Port {
            frame: self.frame?,
            slot: self.slot?,
            port: self.port?,
        })
    }

    /// Frame and slot, when both are known.
    pub fn board(&self) -> Option<(u8, u8)> {
        Some((self.frame?, self.slot?))
    }

    /// Fills what is not known yet, and answers `true`; from a port at another place nothing is taken, for the mixture would
    /// be a place that nobody named.
    fn take(&mut self, port: Port) -> bool {
        let parts = [
            (&mut self.frame, port.frame),
            (&mut self.slot, port.slot),
            (&mut self.port, port.port),
        ];
        if parts.iter().any(|(mine, theirs)| mine.is_some_and(|m| m != *theirs)) {
            self.issue = Some(Issue::PlaceConflict);
            return false;
        }
        for (mine, theirs) in parts {
            *mine = Some(theirs);
        }
        true
    }

    /// The whole place of an ONU, when it is known.
    pub fn onu(&self) -> Option<Place> {
        let Port { frame, slot, port } = self.port()?;
        Some(Place {
            frame,
            slot,
            port,
            onu: self.ont?,
        })
    }
}

impl Said {
    /// Puts the place together: what was said outright, then the ifIndex, then the instance of another varbind. With a
    /// number out of range the whole place is unknown, so that nothing happens to a wrong entity.
    pub fn placed(&self) -> Placed {
        let mut placed = Placed::default();
        let mut out_of_range = false;
        let mut small = |said: Option<i64>, max: i64| match said {
            Some(value @ 0..) if value <= max => Some(value),
            // −1 is how these MIBs write "none".
            None | Some(-1) => None,
            Some(_) => {
                out_of_range = true;
                None
            }
        };
        let frame = small(self.frame, NUMBER_MAX);
        let slot = small(self.slot, NUMBER_MAX);
        let port = small(self.port, NUMBER_MAX);
        let from_instance = self.instance.and_then(|(_, ont)| ont).map(i64::from);
        let said_ont = small(self.ont, i64::from(ONU_ID_MAX));
        let instance_ont = small(from_instance.filter(|_| self.ont.is_none()), i64::from(ONU_ID_MAX));
        if out_of_range {
            placed.issue = Some(Issue::PlaceOutOfRange);
            return placed;
        }
        let byte = |n: Option<i64>| n.and_then(|n| u8::try_from(n).ok());
        (placed.frame, placed.slot, placed.port) = (byte(frame), byte(slot), byte(port));
        let interface = self.if_index.map(Interface::from_if_index);
        if let Some(port) = interface.and_then(Interface::port) {
            placed.take(port);
            placed.ethernet = matches!(interface, Some(Interface::Ethernet(_)));
        }
        let instance = self.instance.map(|(i, _)| Interface::from_if_index(i));
        let instance_agrees = instance.and_then(Interface::port).is_some_and(|port| placed.take(port));
        let ont = said_ont.or(instance_ont.filter(|_| instance_agrees));
        placed.ont = ont.and_then(|n| u16::try_from(n).ok());
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pon(frame: u8, slot: u8, port: u8) -> Interface {
        Interface::Pon(Port { frame, slot, port })
    }

    #[test]
    fn an_if_index_is_read_as_32_bits() {
        #[track_caller]
        fn check(bits: u32, expected: Interface) {
            assert_eq!(Interface::from_if_index(bits), expected, "{bits}");
        }
        check(4_194_304_000, pon(0, 0, 0));
        check(4_194_312_192, pon(0, 1, 0));
        check(4_194_313_472, pon(0, 1, 5));
        check((-100_653_824_i32).cast_unsigned(), pon(0, 1, 5)); // seen in a real log
        check(0xFC00_0000 | 3 << 19 | 63 << 13 | 31 << 8, pon(3, 63, 31));
        check(0xFE00_0000 | 2 << 13, pon(0, 2, 0));
        check(
            234_938_368,
            Interface::Ethernet(Port {
                frame: 0,
                slot: 7,
                port: 0,
            }),
        );
        check(1, Interface::Other);
        check(u32::MAX, pon(63, 63, 31));
    }

    #[test]
    fn a_place_is_put_together_from_what_there_is() {
        #[track_caller]
        fn check(said: Said, expected: (Option<u8>, Option<u8>, Option<u8>, Option<u16>), issue: Option<Issue>) {
            let placed = said.placed();
            assert_eq!(
                (placed.frame, placed.slot, placed.port, placed.ont),
                expected,
                "{said:?}"
            );
            assert_eq!(placed.issue, issue, "{said:?}");
        }
        let index = 0xFA00_0000 | 1 << 13 | 5 << 8;
        let plain = Said {
            frame: Some(0),
            slot: Some(1),
            port: Some(5),
            ont: Some(0),
            ..Said::default()
        };
        let all = (Some(0), Some(1), Some(5), Some(0));
        check(plain, all, None);
        check(
            Said {
                if_index: Some(index),
                ont: Some(0),
                ..Said::default()
            },
            all,
            None,
        );
        check(
            Said {
                instance: Some((index, Some(0))),
                ..Said::default()
            },
            all,
            None,
        );
        check(
            Said {
                port: None,
                instance: Some((index, Some(9))),
                ..plain
            },
            all,
            None,
        );
        check(
            Said {
                port: Some(-1),
                if_index: Some(index),
                ..plain
            },
            all,
            None,
        );
        check(
            Said {
                slot: Some(2),
                if_index: Some(index),
                ..plain
            },
            (Some(0), Some(2), Some(5), Some(0)),
            Some(Issue::PlaceConflict),
        );
        check(
            Said {
                if_index: Some(7),
                ..plain
            },
            all,
            None,
        );
        let nowhere = (None, None, None, None);
        check(
            Said {
                slot: Some(999),
                ..plain
            },
            nowhere,
            Some(Issue::PlaceOutOfRange),
        );
        check(
            Said {
                ont: Some(1024),
                ..plain
            },
            nowhere,
            Some(Issue::PlaceOutOfRange),
        );
        check(
            Said {
                frame: Some(-2),
                ..plain
            },
            nowhere,
            Some(Issue::PlaceOutOfRange),
        );
        check(Said::default(), nowhere, None);
        // What a varbind leaves out is not taken from one that names another place: nobody named the mixture.
        let frame_and_slot = (Some(0), Some(2), None, Some(0));
        check(
            Said {
                slot: Some(2),
                port: None,
                if_index: Some(index),
                ..plain
            },
            frame_and_slot,
            Some(Issue::PlaceConflict),
        );
        check(
            Said {
                ont: None,
                instance: Some((index + (1 << 8), Some(9))),
                ..plain
            },
            (Some(0), Some(1), Some(5), None),
            Some(Issue::PlaceConflict),
        );
        check(
            Said {
                if_index: Some(index),
                instance: Some((index + (1 << 8), Some(9))),
                ..Said::default()
            },
            (Some(0), Some(1), Some(5), None),
            Some(Issue::PlaceConflict),
        );
    }
}
