//! One datagram made of every row of the catalogue becomes the right entity, event, state and cause: with and without
//! instance suffix, with the ifIndex as Integer32 and as Gauge32, with its varbinds in any order.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Network, oid, seconds, trap};
use pipeline_normalize::{Catalogue, Role, RowEffect, Scope, TrapRow};
use schemas::Phase;
use schemas::network::Fault;
use snmp_pdu::encode::{V2Notification, v2_trap};
use snmp_pdu::{Oid, Value};

const SECRET: &[u8] = b"hunter2";
const IF_INDEX: u32 = 125 << 25 | 3 << 13 | 5 << 8;
const ONU_ID: u32 = 17;

#[derive(Debug, Clone, Copy)]
struct Form {
    instance: bool,
    gauge: bool,
    shuffle: u64,
}

#[test]
fn every_row_becomes_the_right_thing() {
    let catalogue = Catalogue::builtin();
    let mut network = Network::default();
    let mut datagrams = 0_u32;
    let rows = || catalogue.traps().iter().filter(|row| row.scope != Scope::Interface);
    for row in rows() {
        for form in forms() {
            let root = format!("default/olt/t{datagrams}");
            check_row(&mut network, catalogue, row, form, &root);
            datagrams += 1;
        }
    }
    let wanted = rows().filter(|r| matches!(r.scope, Scope::Ont | Scope::Port | Scope::Board | Scope::Ethernet));
    eprintln!(
        "{datagrams} datagrams of {} rows, {} of an ONU, port or board",
        rows().count(),
        wanted.count()
    );
    assert!(
        !format!("{:?}{:?}", network.events, network.slots).contains("hunter2"),
        "a secret went on"
    );
}

fn forms() -> impl Iterator<Item = Form> {
    [false, true].into_iter().flat_map(|instance| {
        [false, true].into_iter().flat_map(move |gauge| {
            [0, 7, 99].map(|shuffle| Form {
                instance,
                gauge,
                shuffle,
            })
        })
    })
}

#[track_caller]
fn check_row(network: &mut Network, catalogue: &Catalogue, row: &TrapRow, form: Form, root: &str) {
    if let Some(raise) = row.clears.and_then(|raise| catalogue.trap(&oid(raise))) {
        network.feed(
            trap(root, datagram(catalogue, raise, form, 1), seconds(0)),
            root,
            seconds(0),
        );
    }
    let did = network.feed(
        trap(root, datagram(catalogue, row, form, 2), seconds(60)),
        root,
        seconds(60),
    );
    let event = did.events.last().unwrap();
    let context = format!("{} {form:?}: {event:?}", row.name);
    let below = match row.scope {
        Scope::Ont if row.names_onu => "/onu/0/3/5/17",
        Scope::Ont | Scope::Port => "/pon/0/3/5",
        Scope::Board | Scope::Ethernet => "/board/0/3",
        Scope::Frame | Scope::System | Scope::Interface => "",
    };
    assert_eq!(event.entity, format!("{root}{below}"), "{context}");
    assert_eq!((&*event.event, event.phase), (&*row.event, row.phase), "{context}");
    assert_eq!(event.trap_oid.as_deref(), Some(&*row.oid));
    assert_eq!(event.detail.get("issue"), None, "{context}");
    let status = &network.status[&event.entity];
    let (state, cause) = expected(row, below);
    assert_eq!(
        (status.state.as_str(), status.cause.as_deref()),
        (state, cause),
        "{context}"
    );
    for above in ["", "/board/0/3", "/pon/0/3/5"]
        .iter()
        .filter(|above| above.len() < below.len())
    {
        assert!(
            network.inventory.contains_key(&format!("{root}{above}")),
            "{context}: {above} exists too"
        );
    }
}

/// Written down here a second time, by what the facts say of each fault.
fn expected(row: &TrapRow, below: &str) -> (&'static str, Option<&'static str>) {
    let raised = row.phase == Phase::Raise;
    match row.effect {
        _ if below.is_empty() => ("reachable", None),
        RowEffect::Nothing => ("unknown", None),
        RowEffect::RunState => ("offline", Some("unknown")),
        RowEffect::BoardStatus(_) => ("failed", Some("other")), // the datagram says status 3
        RowEffect::State(state) => match state {
            model::State::Absent => ("absent", None),
            _ => ("offline", Some("unknown")),
        },
        RowEffect::Fault(fault) => match fault {
            Fault::DyingGasp if raised => ("offline", Some("power")),
            Fault::OnuLos | Fault::OnuLof if raised => ("offline", Some("fibre")),
            Fault::DyingGasp | Fault::OnuLos | Fault::OnuLof => ("online", None),
            Fault::PonLos if raised => ("down", Some("fibre")),
            Fault::TransceiverAbsent | Fault::TransmitterFailure | Fault::PortFault if raised => {
                ("down", Some("other"))
            }
            Fault::PonLos | Fault::TransceiverAbsent | Fault::TransmitterFailure | Fault::PortFault => ("up", None),
            Fault::BoardFault if raised => ("failed", Some("other")),
            Fault::BoardFault => ("normal", None),
            Fault::LinkDown => unreachable!("interfaces have their own test"),
        },
    }
}

fn datagram(catalogue: &Catalogue, row: &TrapRow, form: Form, request_id: i32) -> Vec<u8> {
    let names = row.varbinds.split(' ').filter(|name| !name.is_empty());
    let mut varbinds: Vec<(Oid, Value<'_>)> = names.map(|name| varbind(catalogue, name, form)).collect();
    let mut random = form.shuffle;
    for i in (1..varbinds.len()).rev() {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        varbinds.swap(i, usize::try_from((random >> 33) % (i as u64 + 1)).unwrap());
    }
    let uptime = 100_000 + u32::try_from(request_id).unwrap() * 6_000;
    v2_trap(
        &V2Notification {
            request_id,
            uptime,
            trap_oid: oid(&row.oid),
        },
        &varbinds,
    )
}

fn varbind(catalogue: &Catalogue, name: &str, form: Form) -> (Oid, Value<'static>) {
    let row = catalogue.varbinds().iter().find(|v| v.mib_name == name).unwrap();
    let mut instance: &[u32] = match row.role {
        Role::Frame => &[0],
        Role::Slot => &[0, 3],
        Role::Port => &[0, 3, 5],
        Role::IfIndex => &[IF_INDEX],
        Role::Ont | Role::Model | Role::RunStatus | Role::Serial => &[IF_INDEX, ONU_ID],
        _ => &[0],
    };
    if !form.instance {
        instance = &[];
    }
    let number = |n: u32| {
        if form.gauge {
            Value::Gauge32(n)
        } else {
            Value::Integer(n.cast_signed())
        }
    };
    let value = match row.role {
        Role::Frame => number(0),
        Role::Slot | Role::BoardStatus => number(3),
        Role::Port => number(5),
        Role::Ont => number(ONU_ID),
        Role::IfIndex => number(IF_INDEX),
        Role::RunStatus => number(2),
        Role::Serial | Role::NewSerial => Value::OctetString(b"HWTC\xb6\x11\x3c\x9d"),
        Role::Model => Value::OctetString(b"EG8145V5\0 "),
        Role::Secret => Value::OctetString(SECRET),
        Role::Mac | Role::Octets => Value::OctetString(&[0, 1, 2, 253, 254, 255]),
        Role::Count => Value::Integer(-1),
        _ => number(1),
    };
    let oid = instance
        .iter()
        .try_fold(oid(row.oid), |oid, &arc| oid.push(arc))
        .unwrap();
    (oid, value)
}

#[test]
fn the_catalogue_says_what_the_mibs_say() {
    let Some(folder) = common::recordings() else { return };
    let csv = std::fs::read_to_string(folder.join("huawei/trap-catalogue.csv")).unwrap();
    let catalogue = Catalogue::builtin();
    let mut rows = 0;
    for line in csv.lines().skip(1) {
        let [number, name, mib, kind, scope, clears, varbind_names, _] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let row = catalogue
            .trap(&oid(number))
            .unwrap_or_else(|| panic!("{name} is missing"));
        let ours = match row.scope {
            Scope::Ont => "ont",
            // An uplink's Ethernet port is no PON port: its board is the entity.
            Scope::Port | Scope::Ethernet => "port",
            Scope::Board => "board",
            Scope::Frame => "frame",
            Scope::System | Scope::Interface => "system",
        };
        let phase = match kind {
            "raise" => Phase::Raise,
            "clear" => Phase::Clear,
            _ => Phase::Event,
        };
        assert_eq!((row.name, row.mib, row.phase, ours), (name, mib, phase, scope));
        assert_eq!(
            (row.clears.unwrap_or(""), row.varbinds),
            (clears, varbind_names),
            "{name}"
        );
        rows += 1;
    }
    assert_eq!(rows, 449);
}
