//! Which command an answer belongs to: its words decide the reader, its letters find the echo.

use thiserror::Error;

/// Bytes of the longest command read.
const COMMAND_BYTES_MAX: usize = 512;

/// A command that nobody here can read the answer of.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown command: known are those that begin with {}", known().join(", "))]
pub struct UnknownCommand;

/// A command line, in small letters and single blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    text: String,
    kind: Kind,
}

/// Families of commands with one reader each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `display ont info summary F[/S[/P]]`.
    OnuSummary,
    /// `display ont info …`: a list, or one ONU.
    OnuInfo,
    /// `display ont optical-info P all|ID`.
    Optics,
    /// `display ont autofind all|P`.
    Autofind,
    /// `display board F`; `F/S` has no known layout.
    Board,
    /// `display version`.
    Version,
    /// `display sysuptime`.
    Uptime,
    /// `display temperature`.
    Temperature,
    /// `display cpu F/S`.
    Cpu,
    /// `display mem F/S`.
    Memory,
    /// `display alarm active …`.
    ActiveAlarms,
    /// `display alarm history …`.
    AlarmHistory,
    /// `display port info F/S P`.
    PortInfo,
    /// `display service-port …`.
    ServicePorts,
    /// `display mac-address …`, `display location MAC`.
    MacAddresses,
    /// `display mac-address ont …`.
    OnuMacAddresses,
    /// `display ont port state …`.
    OnuPortState,
    /// `display ont port vlan …`.
    OnuPortVlan,
    /// `display ont gemport …`.
    GemPorts,
    /// `display ont version summary F`.
    OnuVersions,
    /// `display ont wan-info …`.
    Wan,
    /// `display ont wlan-info …`.
    WlanInfo,
    /// `display ont wlan-status …`.
    WlanStatus,
    /// `display ont-lineprofile gpon all`; one profile has no known layout.
    LineProfiles,
    /// Commands that change: their one line of success.
    Change,
    /// A command whose layout no recording shows.
    Unverified,
}

/// The longer first where one begins with another.
const KINDS: &[(&str, Kind)] = &[
    ("display ont info summary", Kind::OnuSummary),
    ("display ont info", Kind::OnuInfo),
    ("display ont optical-info", Kind::Optics),
    ("display ont autofind", Kind::Autofind),
    ("display board", Kind::Board),
    ("display version", Kind::Version),
    ("display sysuptime", Kind::Uptime),
    ("display temperature", Kind::Temperature),
    ("display cpu", Kind::Cpu),
    ("display mem", Kind::Memory),
    ("display alarm active", Kind::ActiveAlarms),
    ("display alarm history", Kind::AlarmHistory),
    ("display port info", Kind::PortInfo),
    ("display port state", Kind::Unverified),
    ("display service-port", Kind::ServicePorts),
    ("display mac-address ont", Kind::OnuMacAddresses),
    ("display mac-address", Kind::MacAddresses),
    ("display location", Kind::MacAddresses),
    ("display ont port state", Kind::OnuPortState),
    ("display ont port vlan", Kind::OnuPortVlan),
    ("display ont gemport", Kind::GemPorts),
    ("display ont version summary", Kind::OnuVersions),
    ("display ont version", Kind::Unverified),
    ("display ont wan-info", Kind::Wan),
    ("display ont wlan-info", Kind::WlanInfo),
    ("display ont wlan-status", Kind::WlanStatus),
    ("display ont register-info", Kind::Unverified),
    ("display ont-lineprofile", Kind::LineProfiles),
    ("display ont-srvprofile", Kind::Unverified),
    ("display dba-profile", Kind::Unverified),
    ("display traffic table", Kind::Unverified),
    ("ont add", Kind::Change),
    ("ont confirm", Kind::Change),
    ("ont delete", Kind::Change),
    ("ont port vlan", Kind::Change),
    ("ont port native-vlan", Kind::Change),
];

impl Command {
    /// Reads a command line.
    ///
    /// # Errors
    /// When no reader knows its words.
    pub fn parse(line: &str) -> Result<Self, UnknownCommand> {
        if line.len() > COMMAND_BYTES_MAX {
            return Err(UnknownCommand);
        }
        let words: Vec<String> = line.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        let text = words.join(" ");
        let begins = |prefix: &str| {
            text.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let kind = KINDS.iter().find(|(prefix, _)| begins(prefix)).ok_or(UnknownCommand)?.1;
        Ok(Self { text, kind })
    }

    /// The command line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its family.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a form of this command was recorded, so that another layout than the known one is a surprise.
    pub fn is_recorded(&self) -> bool {
        let word = |number: usize| self.text.split(' ').nth(number).unwrap_or_default();
        match self.kind {
            Kind::Unverified | Kind::AlarmHistory | Kind::Memory => false,
            // `display board 0/3`, `display service-port 12`, one line profile.
            Kind::Board => !word(2).contains('/'),
            Kind::ServicePorts => !word(2).starts_with(|c: char| c.is_ascii_digit()),
            Kind::LineProfiles => self.text.ends_with(" all"),
            _ => true,
        }
    }
}

/// How the known commands begin.
pub fn known() -> Vec<String> {
    KINDS.iter().map(|(prefix, _)| format!("`{prefix}`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decide() {
        let kind = |line| Command::parse(line).map(|command| command.kind());
        assert_eq!(kind("display ont info summary 0/1"), Ok(Kind::OnuSummary));
        assert_eq!(kind(" Display  ont info 0 1 2 all "), Ok(Kind::OnuInfo));
        assert_eq!(kind("display ont version 0 1 2 3"), Ok(Kind::Unverified));
        assert_eq!(kind("display ont versions"), Err(UnknownCommand));
        assert_eq!(kind("reboot system"), Err(UnknownCommand));
        assert_eq!(kind(""), Err(UnknownCommand));
        assert_eq!(kind(&"display version ".repeat(100)), Err(UnknownCommand));
    }

    #[test]
    fn no_command_hides_behind_a_shorter_one() {
        for (at, (prefix, _)) in KINDS.iter().enumerate() {
            let hidden = KINDS[..at]
                .iter()
                .any(|(earlier, _)| prefix.starts_with(&format!("{earlier} ")));
            assert!(!hidden, "{prefix}");
        }
    }
}
