//! A user's keys and clocks: of our engine, and of each engine it was authenticated for.

use std::collections::HashMap;
use std::time::Duration;

use crate::report::Refused;
use crate::{EngineId, Keys, Level, Limits, LocalEngine, Refusal, User, V3Message, Window};

/// One engine's keys, and its clock once it sent something authenticated.
#[derive(Debug)]
pub(crate) struct Peer {
    keys: Keys,
    window: Window,
    heard: Duration,
}

/// A user, its keys for our engine, and those for others.
#[derive(Debug)]
pub(crate) struct Account {
    pub user: User,
    pub ours: Keys,
    pub peers: HashMap<EngineId, Peer>,
}

impl Account {
    /// We are authoritative: digest by our keys, time by our clock.
    pub fn check_ours(
        &self,
        user: usize,
        message: &V3Message<'_>,
        datagram: &[u8],
        engine: LocalEngine,
        now: Duration,
    ) -> Result<&Keys, Refused> {
        if message.level >= Level::Auth {
            verify(&self.ours, message, datagram)?;
            if !crate::window::timely_for_us(engine.boots, engine.time(now), message.boots, message.time) {
                return Err(Refused {
                    user: Some(user),
                    ..Refusal::TimeWindow.into()
                });
            }
        }
        Ok(&self.ours)
    }

    /// The sender is authoritative: digest by its keys, time by what we know of its clock.
    pub fn check_peer(
        &mut self,
        message: &V3Message<'_>,
        datagram: &[u8],
        engine_id: EngineId,
        limits: Limits,
        now: Duration,
    ) -> Result<&Keys, Refused> {
        if message.level == Level::NoAuth {
            // Without keys there is nothing to remember, and `ours` has none either.
            return Ok(&self.ours);
        }
        if !self.peers.contains_key(&engine_id) {
            let mut keys = self.user.auth_keys_for(engine_id);
            verify(&keys, message, datagram)?;
            // It has shown that it knows the password: now it is worth remembering, and a dear key worth making.
            self.user.add_privacy(&mut keys, engine_id);
            self.make_room(limits);
            let window = Window::new(message.boots, message.time, now);
            let heard = now;
            self.peers.insert(engine_id, Peer { keys, window, heard });
        } else if let Some(peer) = self.peers.get(&engine_id) {
            verify(&peer.keys, message, datagram)?;
        }
        let peer = self.peers.get_mut(&engine_id).ok_or(Refusal::EngineId)?;
        peer.heard = now;
        if !peer.window.admit(message.boots, message.time, now) {
            return Err(Refusal::TimeWindow.into());
        }
        Ok(&peer.keys)
    }

    fn make_room(&mut self, limits: Limits) {
        while self.peers.len() >= limits.engines_per_user.max(1) {
            let Some(oldest) = self
                .peers
                .iter()
                .min_by_key(|(id, p)| (p.heard, **id))
                .map(|(id, _)| *id)
            else {
                return;
            };
            self.peers.remove(&oldest);
        }
    }
}

fn verify(keys: &Keys, message: &V3Message<'_>, datagram: &[u8]) -> Result<(), Refused> {
    let good = keys
        .auth
        .as_ref()
        .is_some_and(|auth| auth.verify(datagram, message.mac_at, message.mac.len()));
    if good { Ok(()) } else { Err(Refusal::Digest.into()) }
}
