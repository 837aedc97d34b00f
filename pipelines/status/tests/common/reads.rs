//! Readings as a poll of [`super::ROOT`] makes them. A reading is there three seconds after it was asked for.

use model::Micros;
use schemas::{
    BoardRow, BoardsRead, OnuRow, OnuTablePort, OnuTableRead, OpticsPort, OpticsRead, OpticsRow, PollFailed, SystemRead,
};

use super::{Did, Network, ROOT, onu_trap, seconds, trap};

/// How long a reading takes.
pub const TAKES: i64 = 3 * Micros::SECOND;

/// A row that says only whether it works: `online`, `offline`, or `offline dying-gasp`.
pub fn row(onu: i32, run: &str) -> OnuRow {
    let (run, cause) = run
        .split_once(' ')
        .map_or((run, None), |(run, cause)| (run, Some(cause)));
    OnuRow {
        onu,
        run_state: Some(run.to_owned()),
        control_flag: None,
        config_state: None,
        match_state: None,
        serial: None,
        description: None,
        description_cut: false,
        equipment: None,
        distance_m: None,
        last_up_time: None,
        last_down_time: None,
        last_down_cause: cause.map(str::to_owned),
        rx_dbm: None,
        tx_dbm: None,
    }
}

/// A whole reading, in one part.
pub fn table(scope: &str, started_at: Micros, ports: &[([i32; 3], &[OnuRow])]) -> OnuTableRead {
    let port = |([frame, slot, port], onus): &([i32; 3], &[OnuRow])| OnuTablePort {
        frame: *frame,
        slot: *slot,
        port: *port,
        onus: onus.to_vec(),
    };
    OnuTableRead {
        root: ROOT.to_owned(),
        read_id: format!("{scope}@{started_at:?}"),
        part: 0,
        of: 1,
        scope: scope.to_owned(),
        complete: true,
        way: "ssh".to_owned(),
        started_at,
        received_at: started_at.plus(TAKES),
        ports: ports.iter().map(port).collect(),
    }
}

/// Levels of one ONU of port 0/3/5.
pub fn optics(started_at: Micros, onu: i32, rx_dbm: f64, temperature_c: f64) -> OpticsRead {
    let level = OpticsRow {
        onu,
        rx_dbm: Some(rx_dbm),
        tx_dbm: Some(2.25),
        olt_rx_dbm: None,
        temperature_c: Some(temperature_c),
        voltage_v: None,
        bias_ma: None,
        distance_m: None,
    };
    OpticsRead {
        root: ROOT.to_owned(),
        read_id: format!("optics@{started_at:?}"),
        part: 0,
        of: 1,
        scope: "0/3/5".to_owned(),
        complete: true,
        way: "ssh".to_owned(),
        started_at,
        received_at: started_at.plus(TAKES),
        ports: vec![OpticsPort {
            frame: 0,
            slot: 3,
            port: 5,
            onus: vec![level],
        }],
    }
}

/// Slots of frame 0: number, name (empty: nothing in it), status.
pub fn boards(started_at: Micros, slots: &[(i32, &str, &str)]) -> BoardsRead {
    let board = |&(slot, name, status): &(i32, &str, &str)| BoardRow {
        frame: 0,
        slot,
        name: (!name.is_empty()).then(|| name.to_owned()),
        status: (!status.is_empty()).then(|| status.to_owned()),
        online: None,
    };
    BoardsRead {
        root: ROOT.to_owned(),
        read_id: format!("boards@{started_at:?}"),
        part: 0,
        of: 1,
        scope: "0".to_owned(),
        complete: true,
        way: "ssh".to_owned(),
        started_at,
        received_at: started_at.plus(TAKES),
        boards: slots.iter().map(board).collect(),
    }
}

pub fn system(started_at: Micros) -> SystemRead {
    SystemRead {
        root: ROOT.to_owned(),
        read_id: format!("system@{started_at:?}"),
        part: 0,
        of: 1,
        scope: "0".to_owned(),
        complete: true,
        way: "ssh".to_owned(),
        started_at,
        received_at: started_at.plus(TAKES),
        product: Some("MA5800-X7".to_owned()),
        version: Some("MA5800V100R018C00".to_owned()),
        patch: Some("SPH505".to_owned()),
        host: None,
        uptime_s: Some(1_000),
        security: Some("diffie-hellman-group14-sha1, aes256-ctr".to_owned()),
        legacy: true,
    }
}

/// The `in_a_row`th failure since second `since_s`.
pub fn failed(started_at: Micros, class: &str, in_a_row: i32, since: Micros) -> PollFailed {
    PollFailed {
        root: ROOT.to_owned(),
        way: "ssh".to_owned(),
        read: "onu_table".to_owned(),
        class: class.to_owned(),
        detail: "no answer within 10 s".to_owned(),
        in_a_row,
        since,
        started_at,
        received_at: started_at.plus(TAKES),
    }
}

/// The same OLT's `sysUpTime` at a second, in hundredths.
fn uptime(at_s: i64) -> u32 {
    u32::try_from(50_000_000 + at_s * 100).unwrap()
}

impl Network {
    /// An ONU trap of port 0/3/5: number 18 gasp, 12 LOS, 13 its clear; it came at one second and is processed at another.
    pub fn trap_at(&mut self, number: u32, onu: u16, received_s: i64, processed_s: i64) -> Did {
        let oid = super::huawei(&format!("6.128.1.1.12.2.2.0.{number}"));
        let request_id = i32::try_from(received_s).unwrap();
        let pdu = onu_trap(oid, [0, 3, 5], onu, request_id, uptime(received_s));
        self.feed(trap(ROOT, pdu, seconds(received_s)), ROOT, seconds(processed_s))
    }

    /// A reading of port 0/3/5 asked for at a second, processed when it is there: `(onu, run)`.
    pub fn read_at(&mut self, started_s: i64, onus: &[(i32, &str)]) -> Did {
        let rows: Vec<_> = onus.iter().map(|(onu, run)| row(*onu, run)).collect();
        let started_at = seconds(started_s);
        let read = table("0/3/5", started_at, &[([0, 3, 5], &rows)]);
        self.feed(read, ROOT, started_at.plus(TAKES))
    }
}
