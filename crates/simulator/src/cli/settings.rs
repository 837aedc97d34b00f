//! Commands that change a session: its mode and how it talks.

use std::time::Duration;

use super::query::{Error, Mode, Wrong, wrong};
use super::shell::{Shell, Waiting};

/// How a session is set up. All of it lasts for the session only.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// Asks `{ … }:` questions.
    pub(super) smart: bool,
    /// Asks `(y/n)`.
    pub(super) interactive: bool,
    /// Prints alarms.
    pub(super) alarms: bool,
    /// Machine mode: no echo, no pages.
    pub(super) machine: bool,
    /// Lines of a page; `None` is without end.
    pub(super) page: Option<usize>,
    pub(super) idle: Option<Duration>,
}

impl Shell {
    /// Everything but `display`.
    pub(super) fn setting(&mut self, words: &[&str]) -> Result<(), Wrong> {
        let enabled = self.mode != Mode::User;
        let in_config = matches!(self.mode, Mode::Config | Mode::Gpon(_));
        match *words {
            ["enable"] if !enabled => self.mode = Mode::Enable,
            ["enable"] => {}
            ["undo", "smart"] => self.settings.smart = false,
            ["smart"] => self.settings.smart = true,
            ["disable"] if enabled => self.mode = Mode::User,
            ["config"] if self.mode == Mode::Enable => self.mode = Mode::Config,
            ["diagnose"] if enabled => self.mode = Mode::Diagnose,
            ["interface", "gpon", at] if in_config => return self.enter_board(at),
            ["return"] if enabled => self.mode = Mode::Enable,
            ["quit"] => self.quit(),
            ["scroll"] => self.scroll(None),
            ["scroll", lines] => match lines.parse::<usize>() {
                Ok(lines @ 10..=512) => self.scroll(Some(lines)),
                _ => return wrong(Error::Parameter, 1),
            },
            ["undo", "interactive"] if enabled => self.settings.interactive = false,
            ["interactive"] if enabled => self.settings.interactive = true,
            ["infoswitch", "cli", word] if enabled => match word.to_ascii_lowercase().as_str() {
                "on" => self.settings.alarms = true,
                "off" => self.settings.alarms = false,
                _ => return wrong(Error::Parameter, 2),
            },
            ["undo", "alarm", "output", "all"] if in_config => self.settings.alarms = false,
            ["undo", "idle-timeout"] if enabled => self.settings.idle = None,
            ["idle-timeout", minutes] if enabled => match minutes.parse::<u64>() {
                Ok(minutes @ 1..=255) => self.settings.idle = Some(Duration::from_secs(minutes * 60)),
                _ => return wrong(Error::Parameter, 1),
            },
            ["mmi-mode", "enable" | "original-output"] if in_config => self.settings.machine = true,
            ["undo", "mmi-mode"] | ["mmi-mode", "disable"] if in_config => self.settings.machine = false,
            ["sysname", host] if in_config => host.clone_into(&mut self.console.plant.chassis(self.console.olt).host),
            _ => return wrong(Error::Unknown, 0),
        }
        Ok(())
    }

    fn enter_board(&mut self, at: &str) -> Result<(), Wrong> {
        let Some(slot) = at.strip_prefix("0/").and_then(|s| s.parse::<u8>().ok()) else {
            return wrong(Error::Parameter, 2);
        };
        if self.console.plant.chassis(self.console.olt).boards.contains_key(&slot) {
            self.mode = Mode::Gpon(slot);
        } else {
            self.say("  Failure: The board does not exist");
        }
        Ok(())
    }

    /// Longer pages or none, where the firmware has an ear for it.
    fn scroll(&mut self, lines: Option<usize>) {
        if self.console.plant.chassis(self.console.olt).firmware.scrolls() {
            self.settings.page = lines;
        }
    }

    fn quit(&mut self) {
        match self.mode {
            Mode::Gpon(_) => self.mode = Mode::Config,
            Mode::Config | Mode::Diagnose => self.mode = Mode::Enable,
            Mode::User | Mode::Enable if self.settings.interactive => {
                self.say("  Check whether system data has been changed. Please save data before logout.");
                self.write("  Are you sure to log out? (y/n)[n]:");
                self.waiting = Waiting::Logout;
            }
            Mode::User | Mode::Enable => {
                self.waiting = Waiting::Logout;
                self.entered("y");
            }
        }
    }
}
