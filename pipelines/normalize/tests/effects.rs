//! Which traps say something about a state, written down a second time by the MIBs' names: nothing else does. A clear has
//! the effect of what it clears (a test of the catalogue).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use model::State;
use pipeline_normalize::{Catalogue, RowEffect};
use schemas::Phase;
use schemas::network::Fault;

const EFFECTS: &[(RowEffect, &str)] = &[
    (
        RowEffect::Fault(Fault::DyingGasp),
        "hwGponOntDGAlarmTrap hwGponProfOntDGAlarmTrap hwEponProfOntDGAlarmTrap",
    ),
    (
        RowEffect::Fault(Fault::OnuLos),
        "hwGponOntLOSAlarmTrap hwGponProfOntLOSAlarmTrap hwEponProfOntLOSAlarmTrap",
    ),
    (
        RowEffect::Fault(Fault::OnuLof),
        "hwGponOntLOFAlarmTrap hwGponProfOntLOFAlarmTrap",
    ),
    (
        RowEffect::RunState,
        "hwGponDeviceOntRunStateChangeTrap hwXponProfOntRunStateChangeTrap",
    ),
    (
        RowEffect::Fault(Fault::PonLos),
        "hwGponOltLOSAlarmTrap hwGponProfOltLOSAlarmTrap hwEponProfOltLOSAlarmTrap hwXponProfOltLOSAlarmTrap",
    ),
    (
        RowEffect::Fault(Fault::TransmitterFailure),
        "hwGponOltTFlarmTrap hwGponProfOltTFAlarmTrap",
    ),
    (
        RowEffect::Fault(Fault::TransceiverAbsent),
        "hwGponOltOpticalTransceiverAbsentAlarmTrap hwGponProfOltOpticalTransceiverAbsentAlarmTrap \
         hwXponProfOltOpticalTransceiverAbsentAlarmTrap",
    ),
    (
        RowEffect::Fault(Fault::PortFault),
        "hwEponOpticalTransceiverStateFaultAlarmTrap hwXponPortFaultAlarmTrap",
    ),
    (RowEffect::Fault(Fault::LinkDown), "linkDown"),
    (RowEffect::Fault(Fault::BoardFault), "hwDevBoardFaultTrap"),
    (RowEffect::BoardStatus(Some(State::Normal)), "hwDevBoardDetectTrap"),
    (
        RowEffect::BoardStatus(None),
        "hwDevBoardStateChangedTrap hwDevBoardOnlineStateTrap",
    ),
    (RowEffect::State(State::Absent), "hwDevBoardDisappearedTrap"),
    (RowEffect::State(State::Offline), "hwDevBoardStaChgOffLineTrap"),
];

#[test]
fn only_these_traps_say_something_about_a_state() {
    let expected: BTreeSet<(&str, String)> = EFFECTS
        .iter()
        .flat_map(|(effect, names)| names.split_whitespace().map(move |name| (name, format!("{effect:?}"))))
        .collect();
    let said: BTreeSet<(&str, String)> = Catalogue::builtin()
        .traps()
        .iter()
        .filter(|row| row.phase != Phase::Clear && row.effect != RowEffect::Nothing)
        .map(|row| (row.name, format!("{:?}", row.effect)))
        .collect();
    assert_eq!(said, expected);
}
