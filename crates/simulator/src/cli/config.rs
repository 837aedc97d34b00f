//! How the command lines of a network are served.

use std::fmt;
use std::time::Duration;

use super::personality::Personality;

/// The command lines of all OLTs.
#[derive(Clone)]
pub struct CliConfig {
    /// SSH port of every OLT, on its own address; 0 lets the system choose one for each.
    pub port: u16,
    /// The same for telnet, where it is served at all.
    pub telnet_port: Option<u16>,
    /// Who may log in. One user: the limit on sessions is his.
    pub user: String,
    /// His password.
    pub password: String,
    /// The families of the OLTs: the first OLT is of the first, and round again. Empty: as the network's models say.
    pub personalities: Vec<Personality>,
    /// Sessions at once.
    pub sessions_max: usize,
    /// A closed session counts as open for so long.
    pub forgets_after: Duration,
    /// One that its client dropped without a word counts as open for so long. Real boxes: until the idle time-out.
    pub keeps_dropped: Duration,
    /// After so many wrong passwords in a row the user is locked.
    pub refusals_max: u32,
    /// For so long.
    pub locked_for: Duration,
    /// A session without a keystroke ends, until `idle-timeout` says otherwise.
    pub idle_timeout: Duration,
    /// How slowly every OLT answers at first.
    pub pace: Pace,
    /// Lines of a page, until `scroll` says otherwise.
    pub page_lines: usize,
    /// Prompts behind every answer: some boxes print up to three.
    pub prompts: usize,
    /// An alarm block nobody asked for stands after so many lines of every output, until `infoswitch cli OFF`.
    pub alarm_every_lines: Option<usize>,
    /// Every n-th ONU of the network is on its OLT but in no registration; 0: none.
    pub unregistered_every: usize,
    /// How far the boxes' clocks are behind.
    pub clock_behind: Duration,
}

/// How slowly a box answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// Silence before the first line of an output.
    pub before: Duration,
    /// Before each line of an output.
    pub per_line: Duration,
    /// Before each ONU whose optics it asks.
    pub per_optics: Duration,
}

impl Default for CliConfig {
    fn default() -> Self {
        Self {
            port: 2_222,
            telnet_port: None,
            user: "noc".to_owned(),
            password: "noc".to_owned(),
            personalities: vec![Personality::Ma5800, Personality::Ma5680t],
            sessions_max: 1,
            forgets_after: Duration::from_secs(8),
            keeps_dropped: Duration::from_secs(8),
            refusals_max: 3,
            locked_for: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(300),
            pace: Pace::default(),
            page_lines: 22,
            prompts: 1,
            alarm_every_lines: None,
            unregistered_every: 0,
            clock_behind: Duration::ZERO,
        }
    }
}

impl fmt::Debug for CliConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CliConfig")
            .field("port", &self.port)
            .field("telnet_port", &self.telnet_port)
            .field("user", &self.user)
            .field("password", &"…")
            .field("personalities", &self.personalities)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}
