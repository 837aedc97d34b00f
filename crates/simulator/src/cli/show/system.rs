//! `display version`, `sysuptime`, `cpu` and `mem`.

use super::line;
use crate::cli::chassis::Chassis;
use crate::cli::stamp::Stamp;

impl Chassis {
    /// What the box runs; a newer one says for how long.
    pub(crate) fn version(&self, now: Stamp) -> String {
        let firmware = &self.firmware;
        let mut out = String::from("\n");
        line!(out, "  VERSION : {}", firmware.version);
        line!(out, "  PATCH   : {}", firmware.patch);
        line!(out, "  PRODUCT : {}", firmware.product);
        for which in ["Active", "Standby"] {
            line!(out, " ");
            line!(out, "  {which} Mainboard Running Area Information: ");
            line!(out, "  {:-<50}", "");
            line!(out, "  Current Program Area : Area A ");
            line!(out, "  Current Data Area : Area A");
            for kind in ["Program", "Data"] {
                line!(out, " ");
                line!(out, "  {kind} Area A Version : {} ", firmware.version);
                line!(out, "  {kind} Area B Version : {}", firmware.version);
            }
            line!(out, "  {:-<50}", "");
        }
        if !firmware.is_old() {
            let (day, hour, minute, second) = split(now.since(self.started));
            line!(out, " ");
            line!(
                out,
                "  Uptime is {day} day(s), {hour} hour(s), {minute} minute(s), {second} second(s)"
            );
        }
        out
    }

    /// For how long it has run.
    pub(crate) fn uptime(&self, now: Stamp) -> String {
        let (day, hour, minute, second) = split(now.since(self.started));
        format!("  System up time: {day} day {hour} hour {minute} minute {second} second\n")
    }

    /// How busy a board's processor is.
    pub(crate) fn cpu(&self, slot: u8, now: Stamp) -> Option<String> {
        let busy = 10 + (now.0.unsigned_abs() / 60 + u64::from(slot) * 7) % 23;
        self.has_board(slot).then(|| format!("  CPU occupancy: {busy}%\n"))
    }

    /// How full its memory is.
    pub(crate) fn memory(&self, slot: u8) -> Option<String> {
        let full = 48 + u32::from(slot) * 5 % 29;
        self.has_board(slot).then(|| format!("  Memory occupancy: {full}%\n"))
    }
}

/// Days, hours, minutes and seconds.
fn split(seconds: u64) -> (u64, u64, u64, u64) {
    (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}
