//! What traps and varbinds mean: `catalogue/*.csv`, compiled in and read once.
//!
//! The MIBs are the source (column `mib`); our names, severities and effects are ours. A trap's varbinds are not matched
//! by place: any varbind of the table is understood in any trap, with or without an instance suffix.

use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use model::{Severity, State};
use schemas::Phase;
use schemas::network::Fault;
use snmp_pdu::Oid;
use thiserror::Error;

use crate::prefixes::Prefixes;

const TRAPS_CSV: &str = include_str!("../catalogue/traps.csv");
const VARBINDS_CSV: &str = include_str!("../catalogue/varbinds.csv");

/// A line of the catalogue is wrong: a bug of whoever changed it, found by the first test that runs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file} line {line}: {what}")]
pub struct CatalogueError {
    file: &'static str,
    line: usize,
    what: String,
}

/// What a trap is about, and so where its place has to be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// An ONU: frame, slot, port and ONU id.
    Ont,
    /// A PON port.
    Port,
    /// An Ethernet port of a board: the board is the entity.
    Ethernet,
    /// A board.
    Board,
    /// A frame: the root is the entity.
    Frame,
    /// The device.
    System,
    /// Whatever the ifIndex says.
    Interface,
}

/// What a trap says about the state of its entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowEffect {
    /// Nothing.
    Nothing,
    /// A fault begins or ends.
    Fault(Fault),
    /// The run-state varbind says it.
    RunState,
    /// The operational-status varbind says it, or this state if it does not.
    BoardStatus(Option<State>),
    /// This state.
    State(State),
}

/// One kind of trap.
#[derive(Debug)]
pub struct TrapRow {
    /// Its OID, dotted.
    pub oid: Arc<str>,
    /// Our name of what happened.
    pub event: Arc<str>,
    /// Begins, ends, or just happens.
    pub phase: Phase,
    /// What it is about.
    pub scope: Scope,
    /// What it says about state.
    pub effect: RowEffect,
    /// Severity of what begins or happens (X.733), our default.
    pub severity: Option<Severity>,
    /// OID of the trap that this one clears.
    pub clears: Option<&'static str>,
    /// MIB it is defined in.
    pub mib: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Names of the varbinds that the MIB lists.
    pub varbinds: &'static str,
    /// Whether one of them is an ONU id: autofind traps are about an ONU that has none yet.
    pub names_onu: bool,
    arcs: Box<[u32]>,
}

/// How a varbind's value is used and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Frame number.
    Frame,
    /// Slot number.
    Slot,
    /// Port number.
    Port,
    /// ifIndex.
    IfIndex,
    /// ONU id.
    Ont,
    /// Serial number of the ONU that the trap is about.
    Serial,
    /// Serial number of an ONU that has no place yet, or another one's.
    NewSerial,
    /// Equipment id of the ONU: its model.
    Model,
    /// Up 1, down 2.
    RunStatus,
    /// Operational status of a board.
    BoardStatus,
    /// Add 1, modify 2, delete 3.
    Operation,
    /// Kind of optical reading.
    OpticsKind,
    /// A count; −1 is unknown.
    Count,
    /// Octets without meaning to people.
    Octets,
    /// A MAC address.
    Mac,
    /// Never written anywhere: passwords, communities, logical ids.
    Secret,
    /// Said elsewhere already.
    Ignored,
    /// Anything else, written as it is.
    Plain,
}

/// One kind of varbind.
#[derive(Debug)]
pub struct VarbindRow {
    /// Column's or scalar's OID, without instance.
    pub oid: &'static str,
    /// Our name of it.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// Its name in the MIB.
    pub mib_name: &'static str,
    arcs: Box<[u32]>,
}

/// Traps and varbinds by OID.
#[derive(Debug)]
pub struct Catalogue {
    traps: Vec<TrapRow>,
    varbinds: Vec<VarbindRow>,
    /// By the content octets of each varbind's OID, its place in `varbinds`.
    names: Prefixes,
}

impl Catalogue {
    /// The one that is compiled in, read once in a process.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Catalogue> =
            LazyLock::new(|| Catalogue::parse(TRAPS_CSV, VARBINDS_CSV).expect("the compiled-in catalogue is tested"));
        &BUILTIN
    }

    fn parse(traps: &'static str, varbinds: &'static str) -> Result<Self, CatalogueError> {
        let mut traps = lines("traps.csv", traps, trap_row)?;
        let mut varbinds = lines("varbinds.csv", varbinds, varbind_row)?;
        traps.sort_by(|a, b| a.arcs.cmp(&b.arcs));
        varbinds.sort_by(|a, b| a.arcs.cmp(&b.arcs));
        for trap in &mut traps {
            let is_onu_id = |name: &str| varbinds.iter().any(|v| v.role == Role::Ont && v.mib_name == name);
            trap.names_onu = trap.varbinds.split(' ').any(is_onu_id);
        }
        let content = |row: &VarbindRow| Oid::new(&row.arcs).content();
        let names = Prefixes::new(varbinds.iter().map(content).collect());
        Ok(Self { traps, varbinds, names })
    }

    /// The trap with exactly this OID.
    pub fn trap(&self, oid: &Oid) -> Option<&TrapRow> {
        let at = self
            .traps
            .binary_search_by(|row| row.arcs.as_ref().cmp(oid.arcs()))
            .ok()?;
        Some(&self.traps[at])
    }

    /// The varbind whose OID this name begins with, and what follows it: the instance. Both as content octets of an OID.
    pub fn varbind<'o>(&self, name: &'o [u8]) -> Option<(&VarbindRow, &'o [u8])> {
        let (place, instance) = self.names.find(name)?;
        Some((&self.varbinds[place], instance))
    }

    /// Every trap, by OID.
    pub fn traps(&self) -> &[TrapRow] {
        &self.traps
    }

    /// Every varbind, by OID.
    pub fn varbinds(&self) -> &[VarbindRow] {
        &self.varbinds
    }
}

/// Reads a table with a header line and no quoting.
fn lines<T, const N: usize>(
    file: &'static str,
    text: &'static str,
    row: fn([&'static str; N]) -> Result<T, String>,
) -> Result<Vec<T>, CatalogueError> {
    text.lines()
        .enumerate()
        .skip(1)
        .map(|(i, line)| {
            let cells: Vec<&'static str> = line.split(',').collect();
            <[&'static str; N]>::try_from(cells)
                .map_err(|cells| format!("{} cells instead of {N}", cells.len()))
                .and_then(row)
                .map_err(|what| CatalogueError {
                    file,
                    line: i + 1,
                    what,
                })
        })
        .collect()
}

fn trap_row(cells: [&'static str; 10]) -> Result<TrapRow, String> {
    let [oid, event, phase, scope, effect, severity, clears, mib, name, varbinds] = cells;
    Ok(TrapRow {
        oid: oid.into(),
        event: event.into(),
        phase: match phase {
            "raise" => Phase::Raise,
            "clear" => Phase::Clear,
            "event" => Phase::Event,
            _ => return Err(format!("phase `{phase}`")),
        },
        scope: match scope {
            "ont" => Scope::Ont,
            "port" => Scope::Port,
            "ethernet" => Scope::Ethernet,
            "board" => Scope::Board,
            "frame" => Scope::Frame,
            "system" => Scope::System,
            "interface" => Scope::Interface,
            _ => return Err(format!("scope `{scope}`")),
        },
        effect: row_effect(effect)?,
        severity: match severity {
            "" => None,
            word => Some(word.parse().map_err(|e| format!("{e}"))?),
        },
        clears: Some(clears).filter(|c| !c.is_empty()),
        mib,
        name,
        varbinds,
        names_onu: false,
        arcs: arcs(oid)?,
    })
}

fn row_effect(word: &str) -> Result<RowEffect, String> {
    Ok(match word {
        "" => RowEffect::Nothing,
        "dying_gasp" => RowEffect::Fault(Fault::DyingGasp),
        "onu_los" => RowEffect::Fault(Fault::OnuLos),
        "onu_lof" => RowEffect::Fault(Fault::OnuLof),
        "pon_los" => RowEffect::Fault(Fault::PonLos),
        "transceiver_absent" => RowEffect::Fault(Fault::TransceiverAbsent),
        "transmitter_failure" => RowEffect::Fault(Fault::TransmitterFailure),
        "port_fault" => RowEffect::Fault(Fault::PortFault),
        "link_down" => RowEffect::Fault(Fault::LinkDown),
        "board_fault" => RowEffect::Fault(Fault::BoardFault),
        "run_state" => RowEffect::RunState,
        "board_detected" => RowEffect::BoardStatus(Some(State::Normal)),
        "board_status" => RowEffect::BoardStatus(None),
        "board_gone" => RowEffect::State(State::Absent),
        "board_offline" => RowEffect::State(State::Offline),
        _ => return Err(format!("effect `{word}`")),
    })
}

fn varbind_row(cells: [&'static str; 4]) -> Result<VarbindRow, String> {
    let [oid, name, role, mib_name] = cells;
    let role = match role {
        "frame" => Role::Frame,
        "slot" => Role::Slot,
        "port" => Role::Port,
        "if_index" => Role::IfIndex,
        "ont" => Role::Ont,
        "serial" => Role::Serial,
        "new_serial" => Role::NewSerial,
        "model" => Role::Model,
        "run_status" => Role::RunStatus,
        "board_status" => Role::BoardStatus,
        "operation" => Role::Operation,
        "optics_kind" => Role::OpticsKind,
        "count" => Role::Count,
        "octets" => Role::Octets,
        "mac" => Role::Mac,
        "secret" => Role::Secret,
        "ignored" => Role::Ignored,
        "" | "text" => Role::Plain,
        _ => return Err(format!("role `{role}`")),
    };
    Ok(VarbindRow {
        oid,
        name,
        role,
        mib_name,
        arcs: arcs(oid)?,
    })
}

fn arcs(oid: &str) -> Result<Box<[u32]>, String> {
    Oid::from_str(oid)
        .map(|o| o.arcs().into())
        .map_err(|e| format!("`{oid}` is {e}"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use snmp_pdu::sub_identifiers;

    use super::*;

    #[test]
    fn the_compiled_in_catalogue_is_sound() {
        let catalogue = Catalogue::parse(TRAPS_CSV, VARBINDS_CSV).unwrap();
        let traps: BTreeMap<&str, &TrapRow> = catalogue.traps.iter().map(|t| (&*t.oid, t)).collect();
        assert_eq!(traps.len(), catalogue.traps.len(), "each OID once");
        assert!(catalogue.traps.len() >= 454);
        let names: BTreeSet<&str> = catalogue.varbinds.iter().map(|v| v.mib_name).collect();
        assert_eq!(names.len(), catalogue.varbinds.len(), "each varbind once");
        for trap in &catalogue.traps {
            let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(trap.event.chars().all(word), "{}", trap.event);
            assert_eq!(trap.clears.is_some(), trap.phase == Phase::Clear, "{}", trap.name);
            if let Some(raise) = trap.clears.map(|oid| traps[oid]) {
                assert_eq!(
                    (&raise.event, raise.effect),
                    (&trap.event, trap.effect),
                    "{}",
                    trap.name
                );
                assert_eq!(raise.phase, Phase::Raise, "{}", trap.name);
            }
            for name in trap.varbinds.split(' ').filter(|n| !n.is_empty()) {
                assert!(names.contains(name), "{}: {name}", trap.name);
            }
        }
        for pair in catalogue.varbinds.windows(2) {
            assert!(
                !pair[1].arcs.starts_with(&pair[0].arcs),
                "{} begins {}",
                pair[0].oid,
                pair[1].oid
            );
        }
    }

    #[test]
    fn whatever_smells_of_a_secret_is_one() {
        for varbind in Catalogue::builtin().varbinds() {
            let smells = ["password", "loid", "checkcode", "community", "securityname"]
                .iter()
                .any(|s| varbind.mib_name.to_ascii_lowercase().contains(s));
            assert!(!smells || varbind.role == Role::Secret, "{}", varbind.mib_name);
        }
    }

    #[test]
    fn a_varbind_is_found_with_and_without_its_instance() {
        let catalogue = Catalogue::builtin();
        let find = |oid: &str| {
            let name = oid.parse::<Oid>().unwrap().content();
            let found = catalogue.varbind(&name);
            found.map(|(row, rest)| (row.name, sub_identifiers(rest).collect::<Vec<_>>()))
        };
        assert_eq!(find("1.3.6.1.2.1.2.2.1.1"), Some(("if_index", vec![])));
        assert_eq!(
            find("1.3.6.1.2.1.2.2.1.1.4194312192"),
            Some(("if_index", vec![4_194_312_192]))
        );
        assert_eq!(find("1.3.6.1.2.1.2.2.1"), None);
        assert_eq!(find("1.3.6.1.2.1.2.2.1.10.1"), None);
        assert_eq!(find("0.0"), None);
        assert_eq!(find("2.999"), None);
    }

    #[test]
    fn a_wrong_line_is_named() {
        let parse = |text: &'static str| Catalogue::parse(text, "h\n").map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(
            parse("h\n1.3,x"),
            Err("traps.csv line 2: 2 cells instead of 10".to_owned())
        );
        assert_eq!(
            parse("h\n1.3,x,begin,ont,,,,M,n,"),
            Err("traps.csv line 2: phase `begin`".to_owned())
        );
    }
}
