//! What a `display` command asks for: its words read, then answered by a box.

use model::Serial;

use super::chassis::{At, Chassis, Seat};
use super::personality::Firmware;
use super::stamp::Stamp;

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `HOST>`
    User,
    /// `HOST#`
    Enable,
    /// `HOST(config)#`
    Config,
    /// `HOST(config-if-gpon-0/3)#`
    Gpon(u8),
    /// `HOST(diagnose)%%`
    Diagnose,
}

/// A `display` command that was understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Query {
    Version,
    Uptime,
    Frame,
    Board(u8),
    Temperature,
    Cpu(u8),
    Memory(u8),
    /// All ONUs, those of a slot, or of a port.
    Summary(At),
    /// The same.
    List(At),
    One(Seat),
    BySerial(Serial),
    OpticsOfPort(u8, u8),
    OpticsOf(Seat),
    VersionOf(Seat),
    Autofind,
    AlarmDetail,
    AlarmList,
    PortInfo(u8, u8),
    PortState(u8, u8),
    Flows,
}

/// What is wrong with a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) kind: Error,
    /// The word the caret points at; one past the last is the end of the line.
    pub(crate) word: usize,
    /// What the box asks for instead, until `undo smart`.
    pub(crate) question: Option<&'static str>,
}

/// Kinds of syntax errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Error {
    Unknown,
    Parameter,
    Incomplete,
    TooMany,
}

impl Error {
    /// The box's words.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unknown => "% Unknown command",
            Self::Parameter => "% Parameter error",
            Self::Incomplete => "% Incomplete command",
            Self::TooMany => "% Too many parameters",
        }
    }
}

pub(crate) fn wrong<T>(kind: Error, word: usize) -> Result<T, Wrong> {
    Err(Wrong {
        kind,
        word,
        question: None,
    })
}

impl Query {
    /// Reads the words behind `display`. Positions in errors count from that word.
    pub(crate) fn read(mode: Mode, firmware: &Firmware, words: &[&str]) -> Result<Self, Wrong> {
        let gpon = if let Mode::Gpon(slot) = mode { Some(slot) } else { None };
        match *words {
            ["version"] => Ok(Self::Version),
            ["sysuptime"] => Ok(Self::Uptime),
            _ if mode == Mode::User || mode == Mode::Diagnose => wrong(Error::Unknown, 1),
            ["board", "0"] => Ok(Self::Frame),
            ["board", at] => slot_of(at, 2).map(Self::Board),
            ["board"] => incomplete("{ frameid/slotid<S><Length 1-15> }:", 2),
            ["temperature"] => Ok(Self::Temperature),
            ["cpu", at] => slot_of(at, 2).map(Self::Cpu),
            ["mem", at] => slot_of(at, 2).map(Self::Memory),
            ["alarm", "active", "all"] | ["alarm", "active", "all", "detail"] => Ok(Self::AlarmDetail),
            ["alarm", "active", "all", "list"] => Ok(Self::AlarmList),
            ["service-port", "all"] => Ok(Self::Flows),
            ["port", "info", at] => match gpon {
                Some(slot) => Ok(Self::PortInfo(slot, number(at, 3)?)),
                None => pair_and_port(at, None, 3),
            },
            ["port", "info", at, port] if gpon.is_none() => pair_and_port(at, Some(port), 3),
            ["port", "state", port] => match gpon {
                Some(slot) => Ok(Self::PortState(slot, number(port, 3)?)),
                None => wrong(Error::Unknown, 2),
            },
            ["port", "state"] if gpon.is_some() => incomplete("{ portid<U><0,7> }:", 3),
            ["ont", ref rest @ ..] => ont(gpon, firmware, rest),
            _ => wrong(Error::Unknown, 1),
        }
    }

    /// The question a box asks of this command although it is complete.
    pub(crate) fn question(self) -> Option<&'static str> {
        match self {
            Self::Uptime | Self::Temperature | Self::Cpu(_) | Self::Memory(_) | Self::Board(_) => None,
            Self::One(_) | Self::BySerial(_) | Self::OpticsOf(_) | Self::OpticsOfPort(..) | Self::VersionOf(_) => None,
            Self::PortInfo(..) | Self::PortState(..) => None,
            Self::Summary(_) => Some("{ <cr>|ont-type<K> }:"),
            Self::Flows => Some("{ <cr>|e2e<K>|gemport<K>|sort-by<K> }:"),
            Self::Version | Self::Frame | Self::List(_) | Self::Autofind | Self::AlarmDetail | Self::AlarmList => {
                Some("{ <cr>||<K> }:")
            }
        }
    }

    /// What a box says to it.
    pub(crate) fn answer(self, chassis: &Chassis, now: Stamp) -> String {
        let no_board = || failure("The board does not exist");
        let no_port = || failure("The port does not exist");
        let none = || "  There is no ONT available\n".to_owned();
        let old = chassis.firmware.is_old();
        match self {
            Self::Version => chassis.version(now),
            Self::Uptime => chassis.uptime(now),
            Self::Frame => chassis.frame(),
            Self::Board(slot) => chassis.board(slot).unwrap_or_else(no_board),
            Self::Temperature => chassis.temperature(),
            Self::Cpu(slot) => chassis.cpu(slot, now).unwrap_or_else(no_board),
            Self::Memory(slot) => chassis.memory(slot).unwrap_or_else(no_board),
            Self::Summary(at) => chassis.summary(chassis.onus_at(at), now).unwrap_or_else(none),
            Self::List(at) => chassis.list(chassis.onus_at(at)).unwrap_or_else(none),
            Self::One(seat) => match chassis.onus.get(&seat) {
                Some(onu) => chassis.one(seat, onu, now),
                None => failure("The ONT does not exist"),
            },
            Self::BySerial(serial) => match chassis.onus.iter().find(|(_, o)| o.serial == serial) {
                Some((&seat, onu)) => chassis.by_serial(seat, onu, now),
                None => "  The required ONT does not exist\n".to_owned(),
            },
            Self::OpticsOfPort(slot, port) if !chassis.ports.contains_key(&(slot, port)) => no_port(),
            Self::OpticsOfPort(slot, port) => chassis.optics_of_port(slot, port, now).unwrap_or_else(none),
            Self::OpticsOf(seat) if !chassis.onus.contains_key(&seat) => failure("The ONT does not exist"),
            Self::OpticsOf(seat) => chassis
                .optics_of(seat, now)
                .unwrap_or_else(|| failure("The ONT is not online")),
            Self::VersionOf(seat) => match chassis.onus.get(&seat) {
                Some(onu) => Chassis::version_of(seat, onu),
                None => failure("The ONT does not exist"),
            },
            Self::Autofind => chassis.autofind().unwrap_or_else(|| {
                let words = if old { "Automatically" } else { "The automatically" };
                failure(&format!("{words} found ONTs do not exist"))
            }),
            Self::AlarmDetail => chassis.alarms_in_detail(),
            Self::AlarmList => chassis.alarm_list(),
            Self::PortInfo(slot, port) => chassis.port_info(slot, port).unwrap_or_else(no_port),
            Self::PortState(slot, port) => chassis.port_state(slot, port).unwrap_or_else(no_port),
            Self::Flows => chassis
                .flows()
                .unwrap_or_else(|| failure("No service virtual port can be operated")),
        }
    }

    /// Whether every row of the answer costs a question to an ONU.
    pub(crate) fn asks_onus(self) -> bool {
        matches!(self, Self::OpticsOfPort(..) | Self::OpticsOf(_))
    }
}

/// `display ont …`
fn ont(gpon: Option<u8>, firmware: &Firmware, words: &[&str]) -> Result<Query, Wrong> {
    match *words {
        ["autofind", "all"] => Ok(Query::Autofind),
        ["version", "0", slot, port, id] => Ok(Query::VersionOf((number(slot, 4)?, number(port, 5)?, id_of(id, 6)?))),
        ["optical-info", port, at] => {
            let Some(slot) = gpon else {
                return wrong(Error::Unknown, 2);
            };
            let port = number(port, 3)?;
            match at {
                "all" => Ok(Query::OpticsOfPort(slot, port)),
                id => Ok(Query::OpticsOf((slot, port, id_of(id, 4)?))),
            }
        }
        ["info", "summary", ..] if !firmware.summary => wrong(Error::Unknown, 3),
        ["info", "summary", at] => places(at, 4).map(Query::Summary),
        ["info", "summary"] => incomplete("{ frameid/slotid/portid<S><Length 1-15> }:", 4),
        ["info", "by-sn", serial] => match Serial::parse(serial) {
            Ok(serial) => Ok(Query::BySerial(serial)),
            Err(_) => wrong(Error::Parameter, 4),
        },
        ["info", "by-sn", _, ..] => wrong(Error::TooMany, 5),
        ["info", ref rest @ ..] => info(gpon, rest),
        _ => wrong(Error::Unknown, 2),
    }
}

/// `display ont info …` by place.
fn info(gpon: Option<u8>, words: &[&str]) -> Result<Query, Wrong> {
    if let Some(slot) = gpon {
        return match *words {
            [port, "all"] => Ok(Query::List(Some((slot, Some(number(port, 3)?))))),
            [port, id] => Ok(Query::One((slot, number(port, 3)?, id_of(id, 4)?))),
            [] | [_] => wrong(Error::Incomplete, 3 + words.len()),
            _ => wrong(Error::TooMany, 5),
        };
    }
    match *words {
        ["0", "all"] => Ok(Query::List(None)),
        ["0", slot, "all"] => Ok(Query::List(Some((number(slot, 4)?, None)))),
        ["0", slot, port, "all"] => Ok(Query::List(Some((number(slot, 4)?, Some(number(port, 5)?))))),
        ["0", slot, port, id] => Ok(Query::One((number(slot, 4)?, number(port, 5)?, id_of(id, 6)?))),
        [] | ["0"] | ["0", _] | ["0", _, _] => wrong(Error::Incomplete, 3 + words.len()),
        ["0", ..] => wrong(Error::TooMany, 7),
        // `0/3/2 all` among others.
        _ => wrong(Error::Parameter, 3),
    }
}

fn failure(text: &str) -> String {
    format!("  Failure: {text}\n")
}

fn incomplete<T>(question: &'static str, word: usize) -> Result<T, Wrong> {
    Err(Wrong {
        kind: Error::Incomplete,
        word,
        question: Some(question),
    })
}

fn number(text: &str, word: usize) -> Result<u8, Wrong> {
    text.parse().or_else(|_| wrong(Error::Parameter, word))
}

fn id_of(text: &str, word: usize) -> Result<u16, Wrong> {
    text.parse().or_else(|_| wrong(Error::Parameter, word))
}

/// `0/S`.
fn slot_of(text: &str, word: usize) -> Result<u8, Wrong> {
    match text.strip_prefix("0/") {
        Some(slot) => number(slot, word),
        None => wrong(Error::Parameter, word),
    }
}

/// `0`, `0/S` or `0/S/P`.
fn places(text: &str, word: usize) -> Result<At, Wrong> {
    let mut parts = text.split('/');
    if parts.next() != Some("0") {
        return wrong(Error::Parameter, word);
    }
    let slot = parts.next().map(|s| number(s, word)).transpose()?;
    let port = parts.next().map(|p| number(p, word)).transpose()?;
    match (slot, parts.next()) {
        (_, Some(_)) => wrong(Error::Parameter, word),
        (None, None) => Ok(None),
        (Some(slot), None) => Ok(Some((slot, port))),
    }
}

/// `0/S/P`, or `0/S` and `P`.
fn pair_and_port(text: &str, port: Option<&str>, word: usize) -> Result<Query, Wrong> {
    match (places(text, word)?, port) {
        (Some((slot, Some(port))), None) => Ok(Query::PortInfo(slot, port)),
        (Some((slot, None)), Some(port)) => Ok(Query::PortInfo(slot, number(port, word + 1)?)),
        (_, None) => wrong(Error::Incomplete, word + 1),
        _ => wrong(Error::Parameter, word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_large_table_is_cheap() {
        let network = crate::Network::generate(1, 1, 2_048).unwrap();
        let chassis = Chassis::new(&network.olts[0], 0, Stamp::now());
        for (query, rows) in [(Query::Summary(None), 2), (Query::List(None), 2), (Query::Flows, 1)] {
            let mut quickest = Duration::MAX;
            for _ in 0..10 {
                let start = Instant::now();
                let text = query.answer(&chassis, Stamp::now());
                quickest = quickest.min(start.elapsed());
                assert!(text.lines().count() > 2_048 * rows);
            }
            println!("{query:?}: {quickest:?}");
            // A fifth of that on an idle machine.
            assert!(quickest < Duration::from_millis(20), "{query:?}: {quickest:?}");
        }
    }

    #[test]
    fn commands_are_read_where_they_are_known() {
        let network = crate::Network::generate(1, 1, 4).unwrap();
        let firmware = Firmware::of(&network.olts[0], 0);
        let all = Some((3, Some(2)));
        let wrong_at = |kind, word| {
            Err(Wrong {
                kind,
                word,
                question: None,
            })
        };
        for (mode, words, expected) in [
            (Mode::User, "version", Ok(Query::Version)),
            (Mode::User, "board 0", wrong_at(Error::Unknown, 1)),
            (Mode::Config, "board 0/3", Ok(Query::Board(3))),
            (Mode::Config, "ont info summary 0", Ok(Query::Summary(None))),
            (Mode::Config, "ont info summary 0/3/2", Ok(Query::Summary(all))),
            (Mode::Config, "ont info summary 1", wrong_at(Error::Parameter, 4)),
            (Mode::Config, "ont info 0 3 2 all", Ok(Query::List(all))),
            (Mode::Config, "ont info 0 3 2 7", Ok(Query::One((3, 2, 7)))),
            (Mode::Config, "ont info 0/3/2 all", wrong_at(Error::Parameter, 3)),
            (Mode::Config, "ont info 0 3", wrong_at(Error::Incomplete, 5)),
            (Mode::Config, "ont info 0 3 2 7 9", wrong_at(Error::TooMany, 7)),
            (Mode::Config, "ont info by-sn 1234", wrong_at(Error::Parameter, 4)),
            (Mode::Config, "ont optical-info 2 all", wrong_at(Error::Unknown, 2)),
            (Mode::Gpon(3), "ont info 2 all", Ok(Query::List(all))),
            (Mode::Gpon(3), "ont info 2 7", Ok(Query::One((3, 2, 7)))),
            (Mode::Gpon(3), "ont optical-info 2 all", Ok(Query::OpticsOfPort(3, 2))),
            (Mode::Gpon(3), "ont optical-info x all", wrong_at(Error::Parameter, 3)),
            (Mode::Gpon(3), "port state 300", wrong_at(Error::Parameter, 3)),
            (Mode::Config, "nonsense", wrong_at(Error::Unknown, 1)),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            assert_eq!(Query::read(mode, &firmware, &words), expected, "{mode:?} {words:?}");
        }
    }
}
