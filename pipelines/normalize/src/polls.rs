//! Readings to events: each row about exactly one entity, checked here, so that no later step meets a place or a number that no device
//! can have. A row that cannot be placed is counted and left out; the good rows of the same record go on.

use model::{EntityId, Measure, Micros, ONU_ID_MAX, Place, PollFailure, Root, Serial, State};
use runtime::{Change, Now, Out, Reason, Verdict};
use schemas::network::{
    Description, Failure, Levels, ListedAlarms, NetworkEvent, OLT_TABLE, Pending, Polled, PolledState, Polling,
    Reading, Seen, Sighting, Source, System,
};
use schemas::{
    AlarmTableRead, AutofindRead, AutofindRow, BoardsRead, OnuRow, OnuTableRead, OpticsRead, OpticsRow, PollFailed,
    SystemRead,
};

use crate::alarm_table;
use crate::places::{Onus, Places, Spot};
use crate::reads::{Head, NUMBER_MAX, Scope};
use crate::text;
use crate::words::{board_state, down_cause};

/// Failures in a row from which on a root counts as not reachable, if it was not heard since the first.
pub const FAILURES_MIN: i32 = 3;

/// One reading on its way.
struct Turn<'a> {
    root: &'a Root,
    seen: Seen,
    places: Places,
    refused: u32,
    /// Every row was placed.
    is_sound: bool,
    out: &'a mut Out<NetworkEvent>,
}

/// Takes a reading of an OLT.
pub(crate) fn take(
    root: &Root,
    reading: &Reading,
    known: Option<&Places>,
    now: &Now,
    out: &mut Out<NetworkEvent>,
) -> Verdict<Places> {
    let (started_at, received_at) = reading.times();
    let mut turn = Turn {
        root,
        seen: Seen {
            observed_at: started_at,
            received_at,
            uptime: None,
            source: Source::Poll,
        },
        places: known.cloned().unwrap_or_default(),
        refused: 0,
        is_sound: true,
        out,
    };
    let mut system = None;
    let mut pending = None;
    let mut failed = None;
    let mut word = "handed_on";
    match reading {
        Reading::Failed(failure) => failed = Some(turn.failure(failure, now)),
        _ => turn.places.see_again(turn.out),
    }
    match reading {
        Reading::OnuTable(read) => turn.onu_table(read),
        Reading::Optics(read) => turn.optics(read),
        Reading::Boards(read) => turn.boards(read),
        Reading::System(read) => system = Some(system_of(read)),
        Reading::Autofind(read) => pending = pending_of(read),
        Reading::Alarms(read) => turn.alarm_table(read),
        // An OLT has none.
        Reading::Cards(_) | Reading::Measures(_) | Reading::ForeignAlarms(_) => word = "optical_network",
        Reading::Failed(_) => {}
    }
    let polling = Polling {
        entity: root.entity(),
        seen: turn.seen,
        failed,
        is_whole: reading.is_whole(),
        is_table: matches!(reading, Reading::OnuTable(_)),
        rows_refused: turn.refused,
        system,
        pending,
    };
    turn.out.event(NetworkEvent::Polling(Box::new(polling)));
    Verdict {
        change: match known {
            Some(known) if *known == turn.places => Change::Keep,
            None if turn.places == Places::default() => Change::Keep,
            _ => Change::Put(turn.places),
        },
        reason: Reason::Absorbed(word),
    }
}

impl Turn<'_> {
    fn onu_table(&mut self, read: &OnuTableRead) {
        match Scope::parse(&read.scope).filter(|_| read.of > 0) {
            Some(scope) => {
                let head = Head {
                    id: hash(&read.read_id),
                    of: read.of,
                    scope,
                    started_at: read.started_at,
                };
                self.places.begin_part(head, read.part);
            }
            None => self.is_sound = false,
        }
        for port in &read.ports {
            let Some(place) = self.port(port.frame, port.slot, port.port) else {
                self.refuse(port.onus.len().max(1));
                continue;
            };
            let mut named = Onus::default();
            for row in &port.onus {
                self.onu(place, row, &mut named);
            }
            self.places.named(place, &named, read.started_at);
        }
        let absent = self.places.end_part(self.is_sound && read.complete, read.received_at);
        for [frame, slot, port, onu] in absent {
            let onu = onu.into();
            let entity = self.root.onu(Place { frame, slot, port, onu });
            self.tell(entity, PolledState::State(State::Absent), |_| {});
        }
    }

    fn onu(&mut self, place: [u8; 3], row: &OnuRow, named: &mut Onus) {
        let Some((entity, spot)) = self.onu_id(place, row.onu) else {
            return self.refuse(1);
        };
        let onu = spot.onu_place();
        let read_at = onu.and_then(|onu| self.places.read_after(Micros(0), onu));
        if let Some(onu) = onu {
            named.add(onu[3]);
        }
        let state = match row.run_state.as_deref() {
            Some("online") => PolledState::Up,
            Some("offline") => PolledState::Down(down_cause(row)),
            _ => PolledState::Unclear,
        };
        let levels = levels_of(&[
            (Measure::OnuRxPower, row.rx_dbm),
            (Measure::OnuTxPower, row.tx_dbm),
            (Measure::OnuDistance, row.distance_m.map(f64::from)),
        ]);
        self.tell(entity, state, |polled| {
            polled.read_at = read_at;
            polled.serial = row.serial.as_deref().and_then(|text| Serial::parse(text).ok());
            polled.model = row.equipment.as_deref().and_then(text::word);
            polled.description = row
                .description
                .as_deref()
                .and_then(text::description)
                .map(|text| Description {
                    text,
                    is_cut: row.description_cut,
                });
            polled.levels = levels;
        });
    }

    fn optics(&mut self, read: &OpticsRead) {
        for port in &read.ports {
            let Some(place) = self.port(port.frame, port.slot, port.port) else {
                self.refuse(port.onus.len().max(1));
                continue;
            };
            for row in &port.onus {
                let Some((entity, spot)) = self.onu_id(place, row.onu) else {
                    self.refuse(1);
                    continue;
                };
                if !self.places.knows(&spot) {
                    self.places.add(&spot);
                }
                self.tell(entity, PolledState::There, |polled| polled.levels = optics_of(row));
            }
        }
    }

    fn boards(&mut self, read: &BoardsRead) {
        let scope = Scope::parse(&read.scope);
        let mut there: Vec<[u8; 2]> = Vec::new();
        for row in &read.boards {
            let Some(board) = number(row.frame).and_then(|frame| Some([frame, number(row.slot)?])) else {
                self.refuse(1);
                continue;
            };
            let Some(name) = row.name.as_deref().and_then(text::word) else {
                continue;
            };
            let spot = Spot {
                board,
                port: None,
                onu: None,
            };
            if !self.places.has_room(&spot) {
                self.refuse(1);
                continue;
            }
            self.places.add(&spot);
            there.push(board);
            let state = board_state(row).map_or(PolledState::There, PolledState::State);
            let entity = self.root.board(board[0], board[1]);
            self.tell(entity, state, |polled| polled.model = Some(name));
        }
        // The boards of a frame fit one record many times over. One that is gone stays on the list, which is what bounds it.
        let is_whole = read.complete && self.is_sound && (read.part, read.of) == (0, 1);
        let Some(scope) = scope.filter(|_| is_whole) else {
            return;
        };
        let gone = |board: &&[u8; 2]| scope.covers_board(**board) && !there.contains(*board);
        for [frame, slot] in self.places.boards.clone().iter().filter(gone) {
            let entity = self.root.board(*frame, *slot);
            self.tell(entity, PolledState::State(State::Absent), |_| {});
        }
    }

    /// The parts of one reading follow each other in the log without a gap: when the last one is there, all are.
    fn alarm_table(&mut self, read: &AlarmTableRead) {
        let (alarms, refused) = alarm_table::standing(self.root, read);
        if refused > 0 {
            self.refuse(refused);
        }
        let is_last = read.part.checked_add(1) == Some(read.of);
        let is_frame = Scope::parse(&read.scope).is_some_and(|scope| scope.is_frame());
        self.out.event(NetworkEvent::Listed(Box::new(ListedAlarms {
            root: self.root.clone(),
            seen: self.seen,
            list: OLT_TABLE,
            is_whole: read.complete && is_last && is_frame && self.is_sound,
            alarms,
        })));
    }

    fn failure(&mut self, failed: &PollFailed, now: &Now) -> Failure {
        let class: PollFailure = failed.class.parse().unwrap_or(PollFailure::Other);
        // What still sends traps is reachable, though we cannot read it.
        let silent = self.places.heard_at < failed.since;
        let is_unreachable = class.is_silence() && failed.in_a_row >= FAILURES_MIN && silent;
        if is_unreachable {
            self.places.go_blind(self.root, failed.since, now, self.out);
        }
        Failure {
            class,
            detail: text::description(&failed.detail).unwrap_or_default(),
            in_a_row: u32::try_from(failed.in_a_row).unwrap_or(0),
            since: failed.since,
            is_unreachable,
        }
    }

    /// A port that a reading names, with what it hangs on; `None` if it cannot be.
    fn port(&mut self, frame: i32, slot: i32, port: i32) -> Option<[u8; 3]> {
        let place = [number(frame)?, number(slot)?, number(port)?];
        let [frame, slot, port] = place;
        let spot = Spot {
            board: [frame, slot],
            port: Some(place),
            onu: None,
        };
        if !self.places.has_room(&spot) {
            return None;
        }
        self.places.add(&spot);
        for entity in [self.root.board(frame, slot), self.root.pon(frame, slot, port)] {
            let seen = self.seen;
            self.out.event(NetworkEvent::Exists(Sighting { entity, seen }));
        }
        Some(place)
    }

    fn onu_id(&self, place: [u8; 3], onu: i32) -> Option<(EntityId, Spot)> {
        let onu = u16::try_from(onu).ok().filter(|&onu| onu <= ONU_ID_MAX)?;
        let [frame, slot, port] = place;
        let spot = Spot {
            board: [frame, slot],
            port: Some(place),
            onu: Some(onu),
        };
        Some((self.root.onu(Place { frame, slot, port, onu }), spot))
    }

    /// Rows that cannot be placed: whatever they meant, nobody is concluded to be absent from this reading.
    fn refuse(&mut self, rows: usize) {
        self.refused = self.refused.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
        self.is_sound = false;
    }

    fn tell(&mut self, entity: EntityId, state: PolledState, more: impl FnOnce(&mut Polled)) {
        let mut polled = Polled {
            entity,
            seen: self.seen,
            state,
            read_at: None,
            serial: None,
            model: None,
            description: None,
            levels: None,
        };
        more(&mut polled);
        self.out.event(NetworkEvent::Polled(Box::new(polled)));
    }
}

fn number(number: i32) -> Option<u8> {
    u8::try_from(number).ok().filter(|&n| n <= NUMBER_MAX)
}

fn levels_of(values: &[(Measure, Option<f64>)]) -> Option<Box<Levels>> {
    let mut levels = Levels::default();
    for &(measure, value) in values {
        levels.set(measure, value);
    }
    (levels != Levels::default()).then(|| Box::new(levels))
}

fn optics_of(row: &OpticsRow) -> Option<Box<Levels>> {
    levels_of(&[
        (Measure::OnuRxPower, row.rx_dbm),
        (Measure::OnuTxPower, row.tx_dbm),
        (Measure::OltRxPower, row.olt_rx_dbm),
        (Measure::OnuTemperature, row.temperature_c),
        (Measure::OnuVoltage, row.voltage_v),
        (Measure::OnuBiasCurrent, row.bias_ma),
        (Measure::OnuDistance, row.distance_m.map(f64::from)),
    ])
}

fn system_of(read: &SystemRead) -> System {
    let version = read.version.as_deref().and_then(text::word);
    let patch = read.patch.as_deref().and_then(text::word);
    System {
        product: read.product.as_deref().and_then(text::word),
        firmware: match (version, patch) {
            (Some(version), Some(patch)) => Some(format!("{version} {patch}")),
            (one, other) => one.or(other),
        },
        security: read.security.as_deref().and_then(text::description),
        is_legacy: read.legacy,
    }
}

/// Those of the first part are more than are kept.
fn pending_of(read: &AutofindRead) -> Option<Pending> {
    if !read.complete || read.part != 0 {
        return None;
    }
    let short = |said: &Option<String>| {
        said.as_deref()
            .and_then(|said| text::cut(said, Pending::TEXT_BYTES_MAX))
    };
    let row = |onu: &AutofindRow| AutofindRow {
        serial: short(&onu.serial),
        serial_text: short(&onu.serial_text),
        vendor: short(&onu.vendor),
        equipment: short(&onu.equipment),
        version: short(&onu.version),
        software_version: short(&onu.software_version),
        found_time: short(&onu.found_time),
        ..onu.clone()
    };
    Some(Pending {
        onus: read.found.iter().take(Pending::MAX).map(row).collect(),
        more: read.of > 1 || read.found.len() > Pending::MAX,
    })
}

/// FNV-1a (64 bits); written here because its value must be the same in every build.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
