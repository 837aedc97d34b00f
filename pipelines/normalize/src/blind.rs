//! A root that does not answer: what hangs on it cannot be seen, and is told so a thousand at a time.
//!
//! An OLT may have 34,816 ONUs, and when our own way to the network fails, all OLTs fall silent together. So the telling is spread over
//! the following records of the partition (a `Tick` comes every second) by a timer, and ends as soon as a reading comes. It is one status
//! row for each of them and no event: what happened, happened to the root.

use model::{EntityId, Micros, Place, Root};
use runtime::{Deadline, Now, Out};
use schemas::network::{NetworkEvent, Seen, Sighting, Source};
use serde::{Deserialize, Serialize};

use crate::places::{OnuPlace, Places};

/// ONUs and ports that one record tells of.
const AT_ONCE: usize = 1_024;
/// The one timer of a root.
const TIMER: u8 = 0;

/// What is left to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blind {
    /// Since when the root does not answer.
    since: Micros,
    /// The next ONU; `None` if all was told.
    next: Option<OnuPlace>,
}

impl Blind {
    /// At least the bytes it takes in the changelog, or none.
    pub const BYTES_MAX: usize = 1 + 10 + 1 + 4;

    /// Nothing was told yet.
    pub fn since(since: Micros) -> Self {
        let next = Some([0; 4]);
        Self { since, next }
    }
}

impl Places {
    /// The root does not answer since then: the boards, and the first ports and ONUs, are told of at once.
    pub(crate) fn go_blind(&mut self, root: &Root, since: Micros, now: &Now, out: &mut Out<NetworkEvent>) {
        if self.blind.is_some_and(|blind| blind.since == since) {
            return;
        }
        self.blind = Some(Blind::since(since));
        for &[frame, slot] in &self.boards {
            unseen(root.board(frame, slot), since, now, out);
        }
        self.tell_blind(root, now, out);
    }

    /// Tells of the next ports and ONUs.
    pub(crate) fn tell_blind(&mut self, root: &Root, now: &Now, out: &mut Out<NetworkEvent>) {
        let Some(Blind {
            since,
            next: Some(from),
        }) = self.blind
        else {
            return;
        };
        let mut left = AT_ONCE;
        let mut next = None;
        let [from_port @ .., from_onu] = from;
        for port in self.ports.iter().filter(|port| port.place >= from_port) {
            let [frame, slot, number] = port.place;
            if left == 0 {
                next = Some([frame, slot, number, 0]);
                break;
            }
            let is_begun = port.place == from_port && from_onu > 0;
            if !is_begun {
                unseen(root.pon(frame, slot, number), since, now, out);
                left -= 1;
            }
            for id in port.onus.each().filter(|&id| !is_begun || id >= from_onu) {
                let onu = [frame, slot, number, id];
                if left == 0 {
                    next = Some(onu);
                    break;
                }
                // Who is known to be gone is not waited for.
                if self.missed.binary_search(&onu).is_err() {
                    let place = Place {
                        frame,
                        slot,
                        port: number,
                        onu: id.into(),
                    };
                    unseen(root.onu(place), since, now, out);
                    left -= 1;
                }
            }
            if next.is_some() {
                break;
            }
        }
        self.blind = Some(Blind { since, next });
        if next.is_some() {
            // Due with the next record, whatever it is.
            out.set_timer(TIMER, Deadline::LogTime(now.log_time));
        }
    }

    /// A reading came: what is left to be told is not true any more.
    pub(crate) fn see_again(&mut self, out: &mut Out<NetworkEvent>) {
        if self.blind.take().is_some_and(|blind| blind.next.is_some()) {
            out.cancel_timer(TIMER);
        }
    }
}

fn unseen(entity: EntityId, since: Micros, now: &Now, out: &mut Out<NetworkEvent>) {
    let seen = Seen {
        observed_at: since,
        received_at: now.log_time,
        uptime: None,
        source: Source::Poll,
    };
    out.event(NetworkEvent::Unseen(Sighting { entity, seen }));
}
