//! `display alarm active all` in its three forms, and the blocks a box prints unasked.

use super::{line, rule, wrap};
use crate::cli::alarms::Alarm;
use crate::cli::chassis::Chassis;
use crate::cli::stamp::{DateForm, Stamp};

/// Width of the last column of the list, and where it begins.
const TEXT: usize = 34;
const AT: usize = 42;

impl Chassis {
    /// Every standing alarm with all that is known of it; nothing when there is none.
    pub(crate) fn alarms_in_detail(&self) -> String {
        let mut out = String::new();
        for alarm in self.alarms.standing() {
            if !out.is_empty() {
                line!(out);
            }
            block(&mut out, alarm, self.dates());
        }
        out
    }

    /// The same as a table. Its texts are wrapped, even between a label and its value.
    pub(crate) fn alarm_list(&self) -> String {
        let mut out = String::new();
        rule(&mut out, 72);
        line!(out, "  AlarmSN  Date&Time                      Alarm Name/Para");
        rule(&mut out, 72);
        for alarm in self.alarms.standing() {
            let text = format!("{}. {}", alarm.name, alarm.parameters);
            let parts = wrap(&text, TEXT);
            let head = format!("  {:<8} {:<30} ", alarm.number, alarm.at.long(self.dates()).to_string());
            for (i, part) in parts.iter().enumerate() {
                let left = if i == 0 { head.as_str() } else { "" };
                // All but the last line are filled up.
                let width = if i + 1 < parts.len() { TEXT } else { 0 };
                line!(out, "{left:<AT$}{part:<width$}");
            }
        }
        rule(&mut out, 72);
        out
    }

    /// A block in the middle of something else: by turns an alarm and a running warning.
    pub(crate) fn unasked(&self, turn: usize, now: Stamp) -> String {
        let mut out = String::new();
        let at = now.long(self.dates());
        if turn % 2 == 1 {
            line!(out, "! RUNNING WARNING {at}");
            line!(
                out,
                "  EVENT NAME :Parameters for automatic service port creation are incorrect"
            );
            line!(
                out,
                "  PARAMETERS :FrameID: 0, SlotID: 1, PortID: 0, ONT ID: 0, Cause: Other"
            );
            return out;
        }
        line!(out, "! 1[{}]:", now.short(self.dates()));
        line!(out, "  ALARM 2431653 FAULT MINOR 0x2e11a00b SERVICE QUALITY {at}");
        line!(out, "  ALARM NAME  : The dying-gasp of GPON ONTi (DGi) is generated");
        line!(out, "  SRVEFF      : SA");
        line!(
            out,
            "  PARAMETERS  : FrameID: 0, SlotID: 1, PortID: 0, ONT ID: 0, Equipment ID: HG8310M"
        );
        line!(out, "  DESCRIPTION : The ONT is power off");
        line!(out, "  CAUSE       : The power supply of the ONT is abnormal");
        line!(out, "  ADVICE      : Check the power supply of the ONT");
        line!(out, "  --- END");
        out
    }
}

fn block(out: &mut String, alarm: &Alarm, dates: DateForm) {
    line!(
        out,
        "  ALARM {} FAULT {} {} SERVICE QUALITY {}",
        alarm.number,
        alarm.severity,
        alarm.id,
        alarm.at.long(dates)
    );
    line!(out, "  ALARM NAME  : {}", alarm.name);
    line!(out, "  SRVEFF      : SA");
    line!(out, "  PARAMETERS  : {}", alarm.parameters);
    line!(out, "  DESCRIPTION : {}", alarm.explained.description);
    line!(out, "  CAUSE       : {}", alarm.explained.cause);
    line!(out, "  ADVICE      : {}", alarm.explained.advice);
    line!(out, "  --- END");
}
