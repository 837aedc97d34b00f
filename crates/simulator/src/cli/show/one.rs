//! `display ont info` of one ONU, by place and by serial; `display ont autofind all`; `display ont version` (its layout is
//! invented: no recording of it is public).

use super::{chop, line, or_dash, rule};
use crate::cli::chassis::{Chassis, Seat};
use crate::cli::onu::{CliOnu, DownCause};
use crate::cli::optics;
use crate::cli::stamp::Stamp;

/// Width of the description's column.
const DESCRIPTION: usize = 32;

impl Chassis {
    /// All of one ONU.
    pub(crate) fn one(&self, seat: Seat, onu: &CliOnu, now: Stamp) -> String {
        let mut out = String::new();
        rule(&mut out, 77);
        for (label, value) in self.labels(seat, onu, now) {
            let mut parts = chop(&value, DESCRIPTION).into_iter();
            let first = if label == "Description" {
                parts.next()
            } else {
                Some(value.as_str())
            };
            line!(out, "  {label:<24}: {}", first.unwrap_or_default());
            if label == "Description" {
                for part in parts {
                    // The blank at the wrap is lost.
                    line!(out, "  {:<24}  {}", "", part.trim_start());
                }
            }
        }
        rule(&mut out, 77);
        out.push_str(PROFILES);
        out
    }

    /// The same behind a serial.
    pub(crate) fn by_serial(&self, seat: Seat, onu: &CliOnu, now: Stamp) -> String {
        let mut out = self.one(seat, onu, now);
        line!(out, "  The number of required ONTs : 1");
        rule(&mut out, 77);
        out
    }

    fn labels(&self, (slot, port, id): Seat, onu: &CliOnu, now: Stamp) -> Vec<(&'static str, String)> {
        let old = self.firmware.is_old();
        let m = optics::measure(onu.serial, onu.distance_m, false, now);
        let running = |value: String| if onu.up { value } else { "-".to_owned() };
        let unit = |number: u32, unit: &str| self.firmware.with_unit(number, unit).into_owned();
        let moment = |s: Option<Stamp>| or_dash(s.map(|s| s.long(self.dates())));
        let (run, config, matched) = onu.states();
        let control = if onu.deactivated { "deactivated" } else { "active" };
        let hex = onu.serial.hex();
        // The old box writes the vendor's letters behind the digits.
        let sn = if old { format!("{hex} ({})", dashed(onu)) } else { hex };
        let place = if old {
            format!("0/{slot}/{port}")
        } else {
            format!("0/{slot:>2}/{port}")
        };
        let mut all = vec![
            ("F/S/P", place),
            ("ONT-ID", id.to_string()),
            ("Control flag", control.to_owned()),
            ("Run state", run.to_owned()),
            ("Config state", config.to_owned()),
            ("Match state", matched.to_owned()),
        ];
        if !old {
            all.push(("ONT LLID", "-".to_owned()));
        }
        all.extend([
            ("ONT distance(m)", running(onu.distance_m.to_string())),
            ("ONT last distance(m)", onu.distance_m.to_string()),
        ]);
        if !old {
            all.push(("ONT RTT(TQ)", "-".to_owned()));
        }
        all.extend([
            ("Memory occupation", running(unit(38 + m.bias_ma, "%"))),
            ("CPU occupation", running(unit(m.bias_ma, "%"))),
            ("Temperature", running(unit(m.temperature_c + 8, "(C)"))),
            ("Authentic type", "SN-auth".to_owned()),
            ("SN", sn),
            ("Management mode", "OMCI".to_owned()),
            ("Software work mode", "normal".to_owned()),
            ("Isolation state", "normal".to_owned()),
            ("Description", onu.description.clone()),
            ("Last down cause", onu.cause.text().to_owned()),
            ("Last up time", moment(onu.last_up)),
            ("Last down time", moment(onu.last_down)),
            ("Last dying gasp time", moment(onu.last_gasp)),
            ("ONT online duration", running(duration(onu, now))),
        ]);
        if old {
            all.push(("Interoperability-mode", "ITU-T".to_owned()));
        } else {
            let restart = if onu.cause == DownCause::ResetByCommand {
                onu.cause.text()
            } else {
                "-"
            };
            all.extend([
                ("Last restart reason", restart.to_owned()),
                ("Type C support", "Not support".to_owned()),
                ("Type D support", "Not support".to_owned()),
                ("ONT NNI type", "auto".to_owned()),
                ("ONT actual NNI type", "auto".to_owned()),
                ("Interoperability-mode", "unknown".to_owned()),
                ("FEC upstream state", String::new()),
                ("VS-ID", "0".to_owned()),
                ("VS name", "admin-vs".to_owned()),
                ("Global ONT-ID", id.to_string()),
                ("Fiber route", "none".to_owned()),
            ]);
        }
        all
    }

    /// The strangers; `None` when there are none.
    pub(crate) fn autofind(&self) -> Option<String> {
        if self.strangers.is_empty() {
            return None;
        }
        // The oldest firmware writes the digits alone, and one label in its own way.
        let oldest = !self.firmware.summary;
        let vendor = if oldest { "VenderID" } else { "VendorID" };
        let rule = format!("   {:-<76}\n", "");
        let mut out = rule.clone();
        for (i, stranger) in self.strangers.iter().enumerate() {
            let hex = stranger.serial.hex();
            let text = stranger.serial.to_string();
            let (letters, digits) = text.split_at_checked(4).unwrap_or((&text, ""));
            let sn = if oldest {
                hex.clone()
            } else {
                format!("{hex} ({letters}-{digits})")
            };
            let mut labels = vec![
                ("Number", (i + 1).to_string()),
                ("F/S/P", format!("0/{}/{}", stranger.slot, stranger.port)),
                ("Ont SN", sn),
                ("Password", "0x00000000000000000000".to_owned()),
                ("Loid", String::new()),
                ("Checkcode", String::new()),
                (vendor, letters.to_owned()),
                ("Ont Version", "14ED.A".to_owned()),
                ("Ont SoftwareVersion", "V5R019C00S050".to_owned()),
                ("Ont EquipmentID", "HG8310M     ".to_owned()),
            ];
            if !oldest {
                labels.push(("Ont Customized Info", "COMMON".to_owned()));
            }
            labels.push(("Ont autofind time", stranger.found.long(self.dates()).to_string()));
            for (label, value) in labels {
                line!(out, "   {label:<20}: {value}");
            }
            out.push_str(&rule);
        }
        line!(out, "   The number of GPON autofind ONT is {}", self.strangers.len());
        Some(out)
    }

    /// What an ONU runs.
    pub(crate) fn version_of((slot, port, id): Seat, onu: &CliOnu) -> String {
        let mut out = String::new();
        rule(&mut out, 77);
        for (label, value) in [
            ("F/S/P", format!("0/{slot}/{port}")),
            ("ONT-ID", id.to_string()),
            ("Vendor-ID", onu.serial.to_string().chars().take(4).collect()),
            ("ONT Version", "15AD.A".to_owned()),
            ("Product-ID", "0".to_owned()),
            ("Equipment-ID", onu.model.clone()),
            ("Main Software Version", "V5R020C10S115".to_owned()),
            ("Standby Software Version", "V5R019C00S050".to_owned()),
            ("Support XML Version", "1.0.0.0".to_owned()),
        ] {
            line!(out, "  {label:<25}: {value}");
        }
        rule(&mut out, 77);
        out
    }
}

/// `HWTC-1234ABCD`.
fn dashed(onu: &CliOnu) -> String {
    let text = onu.serial.to_string();
    match text.split_at_checked(4) {
        Some((vendor, number)) if text.len() == 12 => format!("{vendor}-{number}"),
        _ => text,
    }
}

fn duration(onu: &CliOnu, now: Stamp) -> String {
    let seconds = onu.last_up.map_or(0, |up| now.since(up));
    format!(
        "{} day(s), {} hour(s), {} minute(s), {} second(s)",
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The profiles of every ONU: they are all configured alike.
const PROFILES: &str = "  Line profile ID      : 10
  Line profile name    : internet
  -----------------------------------------------------------------------------
  FEC upstream switch :Disable
  OMCC Encrypt switch :On
  Qos mode            :PQ
  Mapping mode        :VLAN
  TR069 management    :Disable
  -----------------------------------------------------------------------------
  Notes: * indicates Discrete TCONT(TCONT Unbound)
  -----------------------------------------------------------------------------
  <T-CONT   0>          DBA Profile-ID:1
  <T-CONT   1>          DBA Profile-ID:10
    <Gem Index 1>
    ------------------------------------------------------------------------
    |Serv-Type:ETH |Encrypt:on  |Cascade:off |GEM-CAR:-            |
    |Upstream-priority-queue:0  |Downstream-priority-queue:-       |
    ------------------------------------------------------------------------
     Mapping VLAN  Priority Port   Port  Bundle  Flow  Transparent
     index                  type   ID    ID      CAR
    ------------------------------------------------------------------------
     1       100   -        -      -     -       -     -
    ------------------------------------------------------------------------
  -----------------------------------------------------------------------------
  Service profile ID   : 10
  Service profile name : internet
  -----------------------------------------------------------------------------
  Port-type     Port-number
  -----------------------------------------------------------------------------
  POTS          adaptive
  ETH           adaptive
  CATV          0
  -----------------------------------------------------------------------------
  TDM port type                     : E1
  TDM service type                  : TDMoGem
  MAC learning function switch      : enable
  ONT transparent function switch   : disable
  Multicast mode                    : Unconcern
  Native VLAN option                : Concern
  -----------------------------------------------------------------------------
  Alarm policy profile ID      : 0
  Alarm policy profile name    : alarm-policy_0
  -----------------------------------------------------------------------------
";
