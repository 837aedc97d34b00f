//! What each command prints, against lines written from what is known of real boxes: the columns, not the values.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::net::SocketAddr;

use simulator::cli::{Cli, PonAddress};
use support::{Terminal, body, config, network};

/// Whether a line has the columns of a pattern, in which `9` stands for a digit, a sign or nothing, `x` for any letter and
/// `~` for the rest of the line.
fn fits(line: &str, pattern: &str) -> bool {
    let (head, open) = match pattern.strip_suffix('~') {
        Some(head) => (head, true),
        None => (pattern, false),
    };
    let (mut shown, mut wanted) = (line.chars(), head.chars());
    loop {
        match (shown.next(), wanted.next()) {
            (None, None) => return true,
            (Some(_), None) => return open,
            (None, Some(w)) => return " 9".contains(w) && wanted.all(|c| " 9".contains(c)),
            (Some(s), Some(w)) => {
                let same = match w {
                    '9' => s.is_ascii_digit() || s == '-' || s == '.' || s == ' ' || s == '/',
                    'x' => true,
                    w => s == w,
                };
                if !same {
                    return false;
                }
            }
        }
    }
}

#[test]
fn a_pattern_can_fail() {
    for (line, pattern, expected) in [
        ("  0/ 1/0    3", "  0/ 9/9  999", true),
        ("  0/ 1/0     3", "  0/ 9/9  999", false),
        ("ab", "a~", true),
        ("b", "a~", false),
        ("  7", "  99", true),
        ("  7 x", "  99", false),
        ("a", "a  ", true),
    ] {
        assert_eq!(fits(line, pattern), expected, "{line:?} {pattern:?}");
    }
}

/// Runs a command, whose lines must begin with these patterns; `…` skips to the next that fits.
async fn check(terminal: &mut Terminal, command: &str, patterns: &[&str]) {
    let answer = terminal.run(command).await;
    let lines = body(&answer);
    let mut rest = lines.as_slice();
    let mut skip = false;
    for &pattern in patterns {
        if pattern == "…" {
            skip = true;
            continue;
        }
        let found = if skip {
            rest.iter().position(|l| fits(l, pattern))
        } else {
            rest.first().filter(|l| fits(l, pattern)).map(|_| 0)
        };
        let Some(found) = found else {
            panic!("{command}: no line {pattern:?} at\n{}", rest.join("\n"))
        };
        rest = &rest[found + 1..];
        skip = false;
    }
    assert!(skip || rest.is_empty(), "{command}: more lines\n{}", rest.join("\n"));
}

const RULE: &str = "  -----------------------------------------------------------------------------";
const SUMMARY_RULE: &str = "  ------------------------------------------------------------------------------";
const STATE_HEAD: [&str; 3] = [
    RULE,
    "  F/S/P   ONT         SN         Control     Run      Config   Match    Protect",
    "          ID                     flag        state    state    state    side",
];

fn served() -> Cli {
    let simulation = network(4, 160, config());
    let cli = simulation.serve_cli().unwrap().unwrap();
    for olt in 0..4 {
        let on = PonAddress { olt, slot: 1, port: 1 };
        let serial = format!("ZTEG0000000{olt}");
        cli.find_stranger(on, model::Serial::parse(&serial).unwrap()).unwrap();
        let offline = cli.shown(olt)[1].serial;
        cli.activate_onu(offline, false).unwrap();
    }
    cli
}

async fn ready(address: SocketAddr, legacy: bool) -> Terminal {
    Terminal::ready(address, legacy).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_onus() {
    let cli = served();
    for (olt, description) in [
        (0, &["  F/S/P   ONT-ID   Description"][..]),
        (1, &["  F/S/P       ONT  Description", "              ID"][..]),
    ] {
        let mut terminal = ready(cli.address(olt), olt == 1).await;
        let mut wanted = STATE_HEAD.to_vec();
        wanted.extend([
            RULE,
            "  0/ 1/0    0  48575443xxxxxxxx  active      online   normal   match    no",
            "  0/ 1/0    1  48575443xxxxxxxx  deactivated offline  initial  initial  no",
        ]);
        wanted.extend(["…", RULE]);
        wanted.extend(description);
        wanted.extend([RULE, "  0/ 1/0       0   ~", "  0/ 1/0       1   ~", "…", RULE]);
        wanted.push(if olt == 0 {
            "  In port 0/ 1/0, the total of ONTs are: 99, online: 99"
        } else {
            "  In port 0/ 1/0 , the total of ONTs are: 99, online: 99"
        });
        wanted.push(RULE);
        check(&mut terminal, "display ont info 0 1 0 all", &wanted).await;
        let whole = body(&terminal.run("display ont info 0 all").await);
        let heads = whole.iter().filter(|l| l.contains("Protect")).count();
        assert_eq!(heads, 2, "each port has its own tables");
        assert!(whole.contains(&String::new()), "an empty line between two ports");
        terminal.run("interface gpon 0/1").await;
        check(&mut terminal, "display ont info 0 all", &wanted).await;
        terminal.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_summary() {
    let cli = served();
    for (olt, first) in [
        (
            0,
            "  0    online  9999-99-99 99:99:99 9999-99-99 99:99:99 xxxxxxxxxxxxxxxxxxxxxxxxx",
        ),
        (
            1,
            "  0    online  99/99/9999 99:99:99 99/99/9999 99:99:99 xxxxxxxxxxxxxxxxxxxxxxxxx",
        ),
    ] {
        let mut terminal = ready(cli.address(olt), olt == 1).await;
        let lines = body(&terminal.run("display ont info summary 0/1/0").await);
        assert_eq!(lines[0], "  Command is being executed. Please wait");
        assert_eq!((lines[1].as_str(), lines[3].as_str()), (SUMMARY_RULE, SUMMARY_RULE));
        assert!(
            fits(&lines[2], "  In port 0/1/0, the total of ONTs are: 99, online: 99"),
            "{}",
            lines[2]
        );
        assert_eq!(lines[4], "  ONT  Run     Last                Last                Last");
        assert_eq!(
            lines[5],
            "  ID   State   UpTime              DownTime            DownCause"
        );
        assert!(fits(&format!("{:<80}", lines[7]), first), "{}", lines[7]);
        let second = lines.iter().position(|l| l.contains("Rx/Tx power")).unwrap();
        assert_eq!(
            lines[second],
            "  ONT        SN        Type          Distance Rx/Tx power  Description"
        );
        assert_eq!(
            lines[second + 1],
            "  ID                                    (m)      (dBm)"
        );
        // Columns: id 2, SN 6, type 23, distance 40, levels 46, description 59.
        let row = &lines[second + 3];
        assert!(
            fits(row, "  0   48575443xxxxxxxx xxxxxxxxxxxxxxxx 99999 -99.99/9.99  ~"),
            "{row}"
        );
        let off = &lines[second + 4];
        assert!(
            fits(off, "  1   48575443xxxxxxxx xxxxxxxxxxxxxxxx -     -/-          ~"),
            "{off}"
        );
        terminal.leave().await;
    }
    let mut oldest = ready(cli.address(3), true).await;
    let lines = body(&oldest.run("display ont info summary 0").await);
    let caret = " ".repeat("CWB-01(config)#display ont info ".len()) + "^";
    assert_eq!(lines, [caret.as_str(), "  % Unknown command, the error locates at '^'"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_onu() {
    let cli = served();
    let cases: [(usize, [&str; 6]); 2] = [
        (
            0,
            [
                "  F/S/P                   : 0/ 1/0",
                "  Memory occupation       : 99",
                "  Temperature             : 99",
                "  SN                      : 48575443xxxxxxxx",
                "  Last up time            : 9999-99-99 99:99:99-03:00",
                "  VS name                 : admin-vs",
            ],
        ),
        (
            1,
            [
                "  F/S/P                   : 0/1/0",
                "  Memory occupation       : 99%",
                "  Temperature             : 99(C)",
                "  SN                      : 48575443xxxxxxxx (HWTC-xxxxxxxx)",
                "  Last up time            : 99/99/9999 99:99:99-03:00",
                "  ONT online duration     : 9~",
            ],
        ),
    ];
    for (olt, [place, memory, heat, serial, up, last]) in cases {
        let wanted = [
            RULE,
            place,
            "  ONT-ID                  : 0",
            "  Control flag            : active",
            "  Run state               : online",
            "…",
            memory,
            "…",
            heat,
            "…",
            serial,
            "…",
            "  Description             : ~",
            "…",
            up,
            "…",
            last,
            "…",
            "  Line profile ID      : 10",
            "…",
            "  <T-CONT   1>          DBA Profile-ID:10",
            "    <Gem Index 1>",
            "…",
        ];
        let mut terminal = ready(cli.address(olt), olt == 1).await;
        check(&mut terminal, "display ont info 0 1 0 0", &wanted).await;
        let serial = cli.shown(olt)[0].serial;
        let lines = body(&terminal.run(&format!("display ont info by-sn {serial}")).await);
        assert_eq!(lines[lines.len() - 2], "  The number of required ONTs : 1");
        let all = terminal
            .run(&format!("display ont info by-sn {} all", serial.hex()))
            .await;
        assert!(all.contains("% Too many parameters, the error locates at '^'"), "{all}");
        let none = terminal.run("display ont info by-sn HWTC00000000").await;
        assert!(none.contains("  The required ONT does not exist\r\n"), "{none}");
        terminal.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_description_is_wrapped_and_the_blank_lost() {
    let cli = served();
    let mut terminal = ready(cli.address(0), false).await;
    let serial = cli.shown(0)[0].serial;
    let text = "thirty-two letters without blank then more words";
    cli.describe_onu(serial, &text.replace("without blank ", "withoutblank "))
        .unwrap();
    let lines = body(&terminal.run("display ont info 0 1 0 0").await);
    let at = lines.iter().position(|l| l.contains("Description")).unwrap();
    assert_eq!(lines[at], "  Description             : thirty-two letters withoutblank");
    assert_eq!(lines[at + 1], "                            then more words");
}

#[tokio::test(flavor = "multi_thread")]
async fn optics() {
    let cli = served();
    let mut terminal = ready(cli.address(0), false).await;
    let nowhere = terminal.run("display ont optical-info 0 all").await;
    assert!(
        nowhere.contains("% Unknown command"),
        "only where the board is entered: {nowhere}"
    );
    terminal.run("interface gpon 0/1").await;
    let wanted = [
        RULE,
        "  ONT  Rx power  Tx power  OLT Rx ONT  Temperature  Voltage  Current  Distance",
        "  ID   (dBm)     (dBm)     power(dBm)  (C)          (V)      (mA)     (m)",
        RULE,
        "    0  -99.99    9.99      -99.99      99           3.999    99       99999",
        // The second is off: it is not there.
        "    2  -99.99    9.99      -99.99      99           3.999    99       99999",
        "…",
        RULE,
    ];
    check(&mut terminal, "display ont optical-info 0 all", &wanted).await;
    let wanted = [
        RULE,
        "  ONU NNI port ID                        : 0",
        "…",
        "  Rx optical power(dBm)                  : -99.99",
        "…",
        "  Tx power current alarm threshold(dBm)  : [0.0,5.0]",
        "…",
        "  OLT Rx ONT optical power(dBm)          : -99.99~",
        "  CATV Rx optical power(dBm)             : -",
        "  CATV Rx power alarm threshold(dBm)     : [-,-]",
        RULE,
    ];
    check(&mut terminal, "display ont optical-info 0 0", &wanted).await;
    check(
        &mut terminal,
        "display ont optical-info 0 1",
        &["  Failure: The ONT is not online"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers() {
    let cli = served();
    let rule = "   ----------------------------------------------------------------------------";
    for (olt, sn, vendor, moment) in [
        (
            0,
            "5A54454700000000 (ZTEG-00000000)",
            "VendorID",
            "9999-99-99 99:99:99-03:00",
        ),
        (3, "5A54454700000003", "VenderID", "99/99/9999 99:99:99-03:00"),
    ] {
        let mut terminal = ready(cli.address(olt), olt == 3).await;
        let (sn, vendor, moment) = (
            format!("   Ont SN              : {sn}"),
            format!("   {vendor}            : ZTEG"),
            format!("   Ont autofind time   : {moment}"),
        );
        let wanted = [
            rule,
            "   Number              : 1",
            "   F/S/P               : 0/1/1",
            &sn,
            "   Password            : 0x00000000000000000000",
            "   Loid                :",
            "   Checkcode           :",
            &vendor,
            "…",
            &moment,
            rule,
            "   The number of GPON autofind ONT is 1",
        ];
        check(&mut terminal, "display ont autofind all", &wanted).await;
        terminal.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_box_itself() {
    let cli = served();
    let rule = "  -------------------------------------------------------------------------";
    let mut terminal = ready(cli.address(0), false).await;
    let wanted = [
        rule,
        "  SlotID  BoardName  Status          SubType0 SubType1    Online/Offline",
        rule,
        "  0",
        "  1       H901GPHF   Normal",
        "…",
        "  9       H902MPLA   Active_normal",
        "…",
        rule,
    ];
    check(&mut terminal, "display board 0", &wanted).await;
    let board = body(&terminal.run("display board 0/1").await);
    assert!(board[1].starts_with("  Board name") && board.iter().any(|l| l.contains("Protect")));
    let wanted = [
        "  SlotID:  1      BoardName: H901GPHF       Temperature:   99C( 999F)",
        "",
        "  SlotID:  8      BoardName: H902MPLA       Temperature:   99C( 999F)",
        "…",
    ];
    check(&mut terminal, "display temperature", &wanted).await;
    check(&mut terminal, "display cpu 0/1", &["  CPU occupancy: 99%"]).await;
    check(&mut terminal, "display mem 0/9", &["  Memory occupancy: 99%"]).await;
    check(
        &mut terminal,
        "display cpu 0/7",
        &["  Failure: The board does not exist"],
    )
    .await;
    let wanted = [
        "",
        "  VERSION : MA5800V100R018C00",
        "  PATCH   : SPH505",
        "  PRODUCT : MA5800-X7",
        "",
        "  Active Mainboard Running Area Information:",
        "…",
        "  Uptime is 9~",
    ];
    check(&mut terminal, "display version", &wanted).await;
    let wanted = [
        "  -----------------------------------------------------------",
        "  F/S/P                                      0/1/0",
        "  Min distance(km)                           0",
        "…",
    ];
    check(&mut terminal, "display port info 0/1 0", &wanted).await;
    let mut old = ready(cli.address(1), true).await;
    let up = body(&old.run("display sysuptime").await);
    assert!(
        up.len() == 1 && up[0].starts_with("  System up time: ") && up[0].ends_with(" second"),
        "{up:?}"
    );
    let version = old.run("display version").await;
    assert!(
        version.contains("PRODUCT : MA5680T") && !version.contains("Uptime is"),
        "{version}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms() {
    let cli = served();
    let rule = "  ------------------------------------------------------------------------";
    for (olt, moment) in [(0, "9999-99-99 99:99:99-03:00"), (1, "99/99/9999 99:99:99-03:00")] {
        let mut terminal = ready(cli.address(olt), olt == 1).await;
        let head = format!("  ALARM 9999999 FAULT MAJOR 0x0a31a0de SERVICE QUALITY {moment}");
        let wanted = [
            &head,
            "  ALARM NAME  : The optical transceiver is absence",
            "  SRVEFF      : SA",
            "  PARAMETERS  : FrameID: 0, SlotID: 8, PortID: 0",
            "  DESCRIPTION : ~",
            "  CAUSE       : ~",
            "  ADVICE      : ~",
            "  --- END",
        ];
        check(&mut terminal, "display alarm active all detail", &wanted).await;
        let first = format!("  9999999  {moment}      The optical transceiver is");
        let wanted = [
            rule,
            "  AlarmSN  Date&Time                      Alarm Name/Para",
            rule,
            &first,
            "                                          absence. FrameID: 0, SlotID: 8,",
            "                                          PortID: 0",
            rule,
        ];
        check(&mut terminal, "display alarm active all list", &wanted).await;
        terminal.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flows() {
    let cli = served();
    let mut terminal = ready(cli.address(0), false).await;
    let wanted = [
        "Switch-Oriented Flow List",
        RULE,
        "   INDEX VLAN VLAN     PORT F/ S/ P VPI  VCI   FLOW  FLOW       RX   TX   STATE",
        "         ID   ATTR     TYPE                    TYPE  PARA",
        RULE,
        "       0 100  common   gpon 0/1 /0  0    1     vlan  100        -    -    up",
        "       1 100  common   gpon 0/1 /0  1    1     vlan  100        -    -    down",
        "…",
        RULE,
        "   Total : 40  (Up/Down :   39/1)",
        "   Note : F--Frame, S--Slot, P--Port,",
        "…",
    ];
    check(&mut terminal, "display service-port all", &wanted).await;
}
