//! What an OLT says, and its bytes. OIDs and varbinds are those of HUAWEI-XPON-TRAP-MIB V1.43, HUAWEI-XPON-MIB and
//! HUAWEI-DEVICE-MIB; which instance suffixes a real box sends is not public, so both ways are offered.

use model::{Place, Serial};
use snmp_pdu::encode::{self, V1Trap, V2Notification};
use snmp_pdu::{Oid, Value, Version};

use crate::network::Olt;

/// Something an OLT reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trap {
    /// An alarm of one ONU.
    Onu {
        /// Where.
        place: Place,
        /// Which.
        alarm: OnuAlarm,
        /// Raised, or cleared.
        raised: bool,
    },
    /// An ONU came up or went down.
    RunState {
        /// Where.
        place: Place,
        /// Up.
        up: bool,
    },
    /// A PON port lost its light.
    PortLos {
        /// Slot.
        slot: u8,
        /// Port.
        port: u8,
        /// Raised with the numbers of affected and gasping ONUs; `None` is the clear.
        raised: Option<(i32, i32)>,
    },
    /// A board failed, or works again.
    Board {
        /// Slot.
        slot: u8,
        /// Its model.
        model: &'static str,
        /// Failed.
        failed: bool,
    },
    /// An ONU nobody registered was found.
    Autofind {
        /// Slot.
        slot: u8,
        /// Port.
        port: u8,
        /// Its serial.
        serial: Serial,
    },
    /// The OLT started.
    ColdStart,
}

/// Alarms of an ONU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnuAlarm {
    /// DGi: its power failed, and it said so with its last breath.
    DyingGasp,
    /// LOSi: its light is gone.
    Los,
    /// LOFi: its frames are gone.
    Lof,
    /// LCDGi: its cells lose their boundaries.
    Lcdg,
    /// SDi: its signal is degraded.
    SignalDegraded,
    /// SFi: its signal fails.
    SignalFail,
}

impl OnuAlarm {
    /// Last number of the raise (the clear is one more), and whether the trap carries the model.
    fn number(self) -> (u32, bool) {
        match self {
            Self::Lcdg => (4, false),
            Self::SignalDegraded => (6, false),
            Self::SignalFail => (8, false),
            Self::Lof => (10, true),
            Self::Los => (12, true),
            Self::DyingGasp => (18, true),
        }
    }
}

/// How an OLT talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Message and acknowledgement.
    pub form: Form,
    /// Whether varbinds end in the instance.
    pub suffixes: bool,
    /// ifIndex as `Gauge32` instead of a negative `Integer32`.
    pub index_as_gauge: bool,
}

/// Kind of datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// SNMPv1 trap.
    V1Trap,
    /// SNMPv2c trap.
    V2cTrap,
    /// SNMPv2c inform, sent again until it is answered.
    V2cInform,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            form: Form::V2cTrap,
            suffixes: true,
            index_as_gauge: false,
        }
    }
}

/// What stands in front of every trap.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// Number of the request.
    pub request_id: i32,
    /// Hundredths of a second since the OLT started.
    pub uptime: u32,
}

/// The datagram of a trap.
pub fn datagram(trap: &Trap, olt: &Olt, head: Head, dialect: Dialect, community: &str) -> Vec<u8> {
    let (trap_oid, varbinds) = content(trap, olt, dialect);
    let varbinds: Vec<(Oid, Value<'_>)> = varbinds.iter().map(|(oid, value)| (*oid, value.borrow())).collect();
    let v2 = V2Notification {
        request_id: head.request_id,
        uptime: head.uptime,
        trap_oid,
    };
    let (version, pdu) = match dialect.form {
        Form::V1Trap => (Version::V1, encode::v1_trap(&v1_head(trap_oid, olt, head), &varbinds)),
        Form::V2cTrap => (Version::V2c, encode::v2_trap(&v2, &varbinds)),
        Form::V2cInform => (Version::V2c, encode::inform(&v2, &varbinds)),
    };
    encode::message(version, community.as_bytes(), &pdu)
}

/// RFC 3584 §3.2: the standard traps have a generic number; of others the last two numbers go, `0` and the specific.
fn v1_head(trap_oid: Oid, olt: &Olt, head: Head) -> V1Trap {
    let agent_addr = olt.address.octets();
    let arcs = trap_oid.arcs();
    let last = arcs.last().copied().unwrap_or_default();
    if trap_oid.starts_with(&SNMP_TRAPS) {
        let generic = u8::try_from(last.saturating_sub(1)).unwrap_or(6);
        return V1Trap {
            enterprise: SYS_OBJECT_ID,
            agent_addr,
            generic,
            specific: 0,
            uptime: head.uptime,
        };
    }
    let enterprise = Oid::from_arcs(&arcs[..arcs.len() - 2]).expect("shorter than what it is cut from");
    let specific = i32::try_from(last).expect("trap numbers are small");
    V1Trap {
        enterprise,
        agent_addr,
        generic: 6,
        specific,
        uptime: head.uptime,
    }
}

/// `1.3.6.1.4.1.2011` and more.
macro_rules! huawei {
    ($($arc:literal),*) => { Oid::new(&[1, 3, 6, 1, 4, 1, 2011, $($arc),*]) };
}

const SNMP_TRAPS: Oid = Oid::new(&[1, 3, 6, 1, 6, 3, 1, 1, 5]);
const SYS_OBJECT_ID: Oid = huawei!(2, 294);
const ONU_ALARMS: Oid = huawei!(6, 128, 1, 1, 12, 2, 2, 0);
const PORT_ALARMS: Oid = huawei!(6, 128, 1, 1, 12, 2, 1, 0);
const RUN_STATE: Oid = huawei!(6, 128, 1, 1, 12, 3, 0, 100);
const BOARD_ALARMS: Oid = huawei!(6, 3, 8, 3, 3, 0);

const FRAME: Oid = huawei!(6, 3, 3, 1, 1, 1);
const SLOT: Oid = huawei!(6, 3, 3, 2, 1, 1);
const PORT: Oid = huawei!(6, 3, 3, 4, 1, 1);
const BOARD_NAME: Oid = huawei!(6, 3, 3, 2, 1, 21);
const ONU_ID: Oid = huawei!(6, 128, 1, 1, 2, 43, 1, 1);
const ONU_ID_OF_EVENTS: Oid = huawei!(6, 128, 1, 1, 2, 41, 1, 1);
const EQUIPMENT: Oid = huawei!(6, 128, 1, 1, 2, 45, 1, 4);
const AUTOFIND: Oid = huawei!(6, 128, 1, 1, 2, 48, 1);
const RESERVED: Oid = huawei!(6, 158, 50, 3);
const OPERATION: Oid = huawei!(6, 128, 1, 1, 11, 502);
const RUN_STATUS: Oid = huawei!(6, 128, 1, 1, 11, 510);
const LOS_AFFECTED: Oid = huawei!(6, 145, 2, 48);
const LOS_GASPS: Oid = huawei!(6, 145, 2, 49);
const IF_INDEX: Oid = Oid::new(&[1, 3, 6, 1, 2, 1, 2, 2, 1, 1]);

enum Owned {
    Integer(i32),
    Gauge(u32),
    Octets(Vec<u8>),
}

impl Owned {
    fn borrow(&self) -> Value<'_> {
        match self {
            Self::Integer(n) => Value::Integer(*n),
            Self::Gauge(n) => Value::Gauge32(*n),
            Self::Octets(octets) => Value::OctetString(octets),
        }
    }
}

type Content = (Oid, Vec<(Oid, Owned)>);

fn content(trap: &Trap, olt: &Olt, dialect: Dialect) -> Content {
    let with = |oid: Oid, instance: &[u32]| if dialect.suffixes { extend(oid, instance) } else { oid };
    let place = |slot: u8, port: u8| {
        let (slot, port) = (u32::from(slot), u32::from(port));
        vec![
            (with(FRAME, &[0]), Owned::Integer(0)),
            (with(SLOT, &[0, slot]), int(slot)),
            (with(PORT, &[0, slot, port]), int(port)),
        ]
    };
    match *trap {
        Trap::Onu {
            place: at,
            alarm,
            raised,
        } => {
            let (number, with_model) = alarm.number();
            let instance = [if_index(at.slot, at.port), u32::from(at.onu)];
            let mut varbinds = place(at.slot, at.port);
            varbinds.push((with(ONU_ID, &instance), int(at.onu.into())));
            if with_model {
                let model = olt.onus.iter().find(|o| o.place == at).map_or("", |o| o.model);
                varbinds.push((with(EQUIPMENT, &instance), Owned::Octets(model.into())));
            }
            (extend(ONU_ALARMS, &[number + u32::from(!raised)]), varbinds)
        }
        Trap::RunState { place: at, up } => (RUN_STATE, run_state(at, up, dialect, &with)),
        Trap::PortLos { slot, port, raised } => {
            let mut varbinds = place(slot, port);
            if let Some((affected, gasps)) = raised {
                let instance = [if_index(slot, port)];
                varbinds.push((with(LOS_AFFECTED, &instance), Owned::Integer(affected)));
                varbinds.push((with(LOS_GASPS, &instance), Owned::Integer(gasps)));
            }
            (
                extend(PORT_ALARMS, &[if raised.is_some() { 108 } else { 109 }]),
                varbinds,
            )
        }
        Trap::Board { slot, model, failed } => {
            let slot = u32::from(slot);
            let varbinds = vec![
                (with(FRAME, &[0]), Owned::Integer(0)),
                (with(SLOT, &[0, slot]), int(slot)),
                (with(BOARD_NAME, &[0, slot]), Owned::Octets(model.into())),
            ];
            (extend(BOARD_ALARMS, &[if failed { 3 } else { 4 }]), varbinds)
        }
        Trap::Autofind { slot, port, serial } => {
            let mut varbinds = place(slot, port);
            let instance = [if_index(slot, port), 0];
            let octets =
                |column: u32, octets: Vec<u8>| (with(extend(AUTOFIND, &[column]), &instance), Owned::Octets(octets));
            // An unset password is ten zero octets; LOID and check code are empty.
            varbinds.extend([
                octets(2, serial.octets().to_vec()),
                octets(3, vec![0; 10]),
                octets(9, Vec::new()),
                octets(10, Vec::new()),
            ]);
            (extend(ONU_ALARMS, &[2]), varbinds)
        }
        Trap::ColdStart => (extend(SNMP_TRAPS, &[1]), Vec::new()),
    }
}

fn run_state(at: Place, up: bool, dialect: Dialect, with: &dyn Fn(Oid, &[u32]) -> Oid) -> Vec<(Oid, Owned)> {
    let index = if_index(at.slot, at.port);
    let instance = [index, u32::from(at.onu)];
    // Above 2^31: a box that knows only Integer32 sends it negative.
    let value = if dialect.index_as_gauge {
        Owned::Gauge(index)
    } else {
        Owned::Integer(index.cast_signed())
    };
    vec![
        (with(RESERVED, &[0]), Owned::Integer(0)),
        (with(OPERATION, &[0]), Owned::Integer(2)),
        (with(IF_INDEX, &[index]), value),
        (with(ONU_ID_OF_EVENTS, &instance), int(at.onu.into())),
        (with(RUN_STATUS, &instance), Owned::Integer(if up { 1 } else { 2 })),
    ]
}

/// ifIndex of a GPON port in frame 0: type 125 in the top 7 bits, slot from bit 13, port from bit 8.
fn if_index(slot: u8, port: u8) -> u32 {
    125 << 25 | u32::from(slot) << 13 | u32::from(port) << 8
}

fn int(n: u32) -> Owned {
    Owned::Integer(i32::try_from(n).expect("places are small"))
}

fn extend(oid: Oid, arcs: &[u32]) -> Oid {
    arcs.iter()
        .fold(oid, |oid, &arc| oid.push(arc).expect("20 numbers are fewer than 128"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_the_one_a_real_log_shows() {
        assert_eq!(if_index(1, 5), 0xFA00_2500);
        assert_eq!(if_index(1, 5).cast_signed(), -100_653_824);
    }
}
