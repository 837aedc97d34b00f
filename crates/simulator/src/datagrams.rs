//! The script as datagrams: with uptimes, request ids, the dialect of each OLT, and the mishaps of a real network.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use model::EntityId;

use crate::cli::Plant;
use crate::dice::Dice;
use crate::life::{Happening, Script, Truth};
use crate::network::Network;
use crate::trap::{self, Dialect, Form, Head, Trap};

/// What the way to the listener does to datagrams, as probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Mishaps {
    /// A trap never arrives. Informs are spared: they are sent again.
    pub loss: f64,
    /// It arrives twice, up to 2 s apart.
    pub duplicate: f64,
    /// It arrives up to 500 ms late, after later ones.
    pub reorder: f64,
}

/// One datagram on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// When to send it, from the start, in real time. Never before the one in front of it.
    pub at: Duration,
    /// Which OLT sends it.
    pub olt: usize,
    /// The address it comes from.
    pub source: Ipv4Addr,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The request id, where an answer is due.
    pub inform: Option<i32>,
    /// What a right board shows from then on.
    pub expect: Option<(EntityId, Truth)>,
    /// It is lost on the way: not to be sent.
    pub lost: bool,
    /// Place in the script: of two expectations of one entity, the higher stands.
    pub order: u64,
    /// What it says, of the same OLT; `None` when it says it again.
    pub says: Option<Trap>,
}

/// Turns happenings into datagrams; endless.
pub struct Datagrams {
    network: Arc<Network>,
    script: std::iter::Peekable<Script>,
    community: String,
    dialects: Vec<Dialect>,
    agents: Vec<Agent>,
    mishaps: Mishaps,
    dice: Dice,
    delayed: BinaryHeap<Reverse<Late>>,
    order: u64,
    /// Whose operators may have moved an ONU.
    plant: Option<Arc<Plant>>,
}

/// What the SNMP agent of an OLT remembers.
struct Agent {
    /// When it started, before the simulation did; in hundredths of a second.
    age: u32,
    /// When it started in the simulation.
    started: Duration,
    request_id: i32,
}

impl Datagrams {
    /// `uptime` is added to that of every OLT, in hundredths of a second, at most 100 days.
    #[allow(clippy::too_many_arguments, reason = "one caller, in `simulation.rs`")]
    pub(crate) fn new(
        network: Arc<Network>,
        script: Script,
        seed: u64,
        community: &str,
        uptime: u32,
        dialects: &[Dialect],
        mishaps: Mishaps,
    ) -> Self {
        let mut dice = Dice::fork(seed, 3);
        let day = 8_640_000;
        let agents = network
            .olts
            .iter()
            .map(|_| Agent {
                age: uptime
                    + u32::try_from(day + dice.below(200 * day)).expect("200 days are 1.7 thousand million hundredths"),
                started: Duration::ZERO,
                request_id: i32::try_from(dice.below(1 << 30)).expect("30 bits"),
            })
            .collect();
        let dialects = if dialects.is_empty() {
            vec![Dialect::default()]
        } else {
            dialects.to_vec()
        };
        let (script, community) = (script.peekable(), community.to_owned());
        Self {
            network,
            script,
            community,
            dialects,
            agents,
            mishaps,
            dice,
            delayed: BinaryHeap::new(),
            order: 0,
            plant: None,
        }
    }

    /// Says of a moved ONU where it is now, and of one that is gone nothing.
    pub(crate) fn follow(mut self, plant: Option<Arc<Plant>>) -> Self {
        self.plant = plant;
        self
    }

    fn encode(&mut self, happening: Happening) -> Datagram {
        let Happening {
            at,
            olt: index,
            trap,
            expect,
        } = happening;
        let (olt, agent) = (&self.network.olts[index], &mut self.agents[index]);
        if trap == Trap::ColdStart {
            // A box needs half a minute to come up before it can say so.
            (agent.age, agent.started) = (3_000, at);
        }
        let ran = u32::try_from((at - agent.started).as_millis() / 10).unwrap_or(u32::MAX);
        agent.request_id = agent.request_id % i32::MAX + 1;
        let head = Head {
            request_id: agent.request_id,
            uptime: agent.age.wrapping_add(ran),
        };
        let dialect = self.dialects[index % self.dialects.len()];
        let bytes = trap::datagram(&trap, olt, head, dialect, &self.community);
        let inform = (dialect.form == Form::V2cInform).then_some(head.request_id);
        self.order += 1;
        Datagram {
            at,
            olt: index,
            source: olt.address,
            bytes,
            inform,
            expect,
            lost: false,
            order: self.order,
            says: Some(trap),
        }
    }

    /// Sends a datagram on its way, past mishaps.
    fn dispatch(&mut self, mut datagram: Datagram) {
        datagram.lost = datagram.inform.is_none() && self.dice.chance(self.mishaps.loss);
        if self.dice.chance(self.mishaps.duplicate) && !datagram.lost && datagram.inform.is_none() {
            let mut again = datagram.clone();
            again.at += Duration::from_secs_f64(self.dice.between(0.0, 2.0));
            // What it says has been said.
            again.expect = None;
            again.says = None;
            self.order += 1;
            again.order = self.order;
            self.delayed.push(Reverse(Late(again)));
        }
        if self.dice.chance(self.mishaps.reorder) {
            datagram.at += Duration::from_secs_f64(self.dice.between(0.0, 0.5));
        }
        self.delayed.push(Reverse(Late(datagram)));
    }
}

impl Iterator for Datagrams {
    type Item = Datagram;

    fn next(&mut self) -> Option<Datagram> {
        loop {
            let due = self.delayed.peek().map(|Reverse(Late(d))| d.at);
            let next = self.script.peek().map(|h| h.at);
            match (due, next) {
                (Some(due), Some(next)) if next <= due => {}
                (Some(_), _) => return self.delayed.pop().map(|Reverse(Late(d))| d),
                (None, None) => return None,
                (None, Some(_)) => {}
            }
            let mut happening = self.script.next()?;
            if let Some(plant) = &self.plant {
                match plant.redirect(happening) {
                    Some(redirected) => happening = redirected,
                    None => continue,
                }
            }
            let datagram = self.encode(happening);
            self.dispatch(datagram);
        }
    }
}

/// A datagram ordered by the time it is due.
struct Late(Datagram);

impl Ord for Late {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.at, self.0.order).cmp(&(other.0.at, other.0.order))
    }
}
impl PartialOrd for Late {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Late {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Late {}
