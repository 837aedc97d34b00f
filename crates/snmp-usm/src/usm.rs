//! The decision about a message, in the order of RFC 3412 §7.2 and RFC 3414 §3.2, and what goes back to its sender.
//!
//! ```text
//! form ─▶ engine named? ─▶ user ─▶ source, engine ─▶ level ─▶ digest ─▶ time ─▶ no downgrade ─▶ decrypt ─▶ PDU ─▶ role
//! ```
//!
//! Two roles, told apart by the engine id: a trap's sender is authoritative (it names its own engine, we follow its clock);
//! for an inform we are (it names ours, and must be within our time).

use std::collections::HashMap;
use std::time::Duration;

use snmp_pdu::ber::tag;
use snmp_pdu::encode::{self, put_int, put_list, wrap};
use snmp_pdu::{Kind, PduError, Reason, TrapPdu};
use thiserror::Error;

use crate::account::Account;
use crate::message::{Scoped, is_confirmed, request_id};
use crate::report::Refused;
use crate::write::{Header, OUR_MAX_SIZE, scoped_pdu, write};
use crate::{Data, EngineId, Keys, Level, LocalEngine, Refusal, Stat, User, V3Error, V3Message};

/// `error-status` tooBig (RFC 3416 §3).
const TOO_BIG: i128 = 1;

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Engines whose keys and clock are remembered for each user; the one unheard longest is forgotten first. About 1.5 KiB
    /// each.
    pub engines_per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            engines_per_user: 4_096,
        }
    }
}

/// Two users have one name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("two users have the name `{name}`: a message could not tell which it means; give them names of their own")]
pub struct UsmError {
    name: String,
}

/// A message that is believed.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// Around it.
    pub envelope: Envelope<'a>,
    /// The notification in it.
    pub trap: TrapPdu<'a>,
}

/// What stood around a notification that is believed; what it takes to answer it.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Whose it is: the user's place in the list given.
    pub user: usize,
    /// How it was protected.
    pub level: Level,
    /// The engine whose values they are.
    pub context_engine_id: &'a [u8],
    /// The context in it.
    pub context_name: &'a [u8],
    id: i32,
    max_size: usize,
}

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// Its form is wrong.
    Undecodable(PduError),
    /// It is well formed.
    Refused(Refusal),
}

/// A message that is not taken, and what its sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Why.
    pub why: Rejection,
    /// A datagram with a `Report-PDU` for its sender, where it may have one. Whoever sends these limits their rate: their
    /// addressee is not authenticated.
    pub report: Option<Vec<u8>>,
}

/// The security model: users, our engine, what is known of others.
#[derive(Debug)]
pub struct Usm {
    pub(crate) engine: LocalEngine,
    pub(crate) accounts: Vec<Account>,
    by_name: HashMap<Box<[u8]>, usize>,
    limits: Limits,
    pub(crate) stats: [u32; Stat::ALL.len()],
    salt: u64,
}

impl Usm {
    /// `first_salt` is drawn at random at each start (RFC 3826 §3.1.4.1). Makes every user's keys for our engine.
    ///
    /// # Errors
    /// When two users have one name.
    pub fn new(engine: LocalEngine, users: Vec<User>, limits: Limits, first_salt: u64) -> Result<Self, UsmError> {
        let mut by_name = HashMap::with_capacity(users.len());
        for (i, user) in users.iter().enumerate() {
            if by_name.insert(user.name().into(), i).is_some() {
                let name = String::from_utf8_lossy(user.name()).into_owned();
                return Err(UsmError { name });
            }
        }
        let accounts = users
            .into_iter()
            .map(|user| Account {
                ours: user.keys_for(engine.id),
                user,
                peers: HashMap::new(),
            })
            .collect();
        Ok(Self {
            engine,
            accounts,
            by_name,
            limits,
            stats: [0; Stat::ALL.len()],
            salt: first_salt,
        })
    }

    /// Our engine.
    pub fn engine(&self) -> LocalEngine {
        self.engine
    }

    /// A counter of the standard; wraps at 2^32.
    pub fn stat(&self, stat: Stat) -> u32 {
        self.stats[stat as usize]
    }

    /// How many engines are remembered, over all users.
    pub fn engines(&self) -> usize {
        self.accounts.iter().map(|a| a.peers.len()).sum()
    }

    /// Decides about a datagram. `plain` is a buffer for what is decrypted; `now` a time that never goes back, from the same
    /// start as the engine's; `permits` says whether a user may send from where this came.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn receive<'a>(
        &mut self,
        datagram: &'a [u8],
        plain: &'a mut Vec<u8>,
        now: Duration,
        permits: impl FnOnce(usize) -> bool,
    ) -> Result<Received<'a>, Rejected> {
        let message = V3Message::parse(datagram).map_err(|error| Rejected {
            why: match error {
                V3Error::Form(error) => Rejection::Undecodable(error),
                V3Error::Refused(refusal) => Rejection::Refused(refusal),
            },
            report: None,
        })?;
        self.decide(&message, datagram, plain, now, permits)
            .map_err(|refused| self.reject(&message, refused, now))
    }

    fn decide<'a>(
        &mut self,
        message: &V3Message<'a>,
        datagram: &'a [u8],
        plain: &'a mut Vec<u8>,
        now: Duration,
        permits: impl FnOnce(usize) -> bool,
    ) -> Result<Received<'a>, Refused> {
        let Ok(engine_id) = EngineId::new(message.engine_id) else {
            let asks = message.engine_id.is_empty() && message.wants_report();
            return Err(if asks { Refusal::Discovery } else { Refusal::EngineId }.into());
        };
        let user = *self.by_name.get(message.user).ok_or(Refusal::UnknownUser)?;
        let account = &mut self.accounts[user];
        if !permits(user) {
            return Err(Refusal::Source.into());
        }
        let ours = engine_id == self.engine.id;
        if !ours && !account.user.may_speak_for(engine_id) {
            return Err(Refusal::EngineNotAllowed.into());
        }
        let wanted = account.user.level();
        // Without any authentication, or with more protection than there are keys for, nothing can be checked.
        if message.level > wanted || (message.level == Level::NoAuth && wanted != Level::NoAuth) {
            return Err(Refusal::SecurityLevel.into());
        }
        let keys = if ours {
            account.check_ours(user, message, datagram, self.engine, now)?
        } else {
            account.check_peer(message, datagram, engine_id, self.limits, now)?
        };
        if message.level < wanted {
            // Checked first: a sender may set its clock by an authenticated message before it encrypts (RFC 3414 §4).
            return Err(Refused {
                user: Some(user),
                ..Refusal::SecurityLevel.into()
            });
        }
        let scoped = open(message, keys, plain)?;
        let trap = TrapPdu::parse(scoped.pdu).map_err(|error| Refused {
            user: Some(user),
            request_id: request_id(scoped.pdu),
            unhandled: ours && scoped.pdu.first().is_some_and(|tag| is_confirmed(*tag)),
            ..Refused::from(error)
        })?;
        let refusal = match (trap.kind, ours) {
            (Kind::V2Trap, false) | (Kind::Inform, true) => None,
            // An inform names the engine of its receiver: this one is for somebody else, or for us before a new id.
            (Kind::Inform, false) => Some(Refused {
                request_id: trap.request_id,
                ..Refusal::EngineId.into()
            }),
            (Kind::V2Trap, true) => Some(Refusal::OwnEngine.into()),
            (Kind::V1 { .. }, _) => Some(Refused::from(PduError {
                reason: Reason::PduType,
                at: 0,
                field: "pdu",
            })),
        };
        match refusal {
            Some(refused) => Err(refused),
            None => Ok(Received {
                envelope: Envelope {
                    user,
                    level: message.level,
                    context_engine_id: scoped.context_engine_id,
                    context_name: scoped.context_name,
                    id: message.id,
                    max_size: message.max_size,
                },
                trap,
            }),
        }
    }

    /// The datagram that answers an inform, protected as it was; one that says `tooBig` where its sender has no room for
    /// the whole (RFC 3416 §4.2.7). `None` for a trap.
    pub fn response(&mut self, envelope: &Envelope<'_>, inform: &TrapPdu<'_>, now: Duration) -> Option<Vec<u8>> {
        if !inform.is_inform() {
            return None;
        }
        let whole = self.answer(envelope, &encode::response(inform)?, now);
        if whole.len() <= envelope.max_size {
            return Some(whole);
        }
        let mut content = Vec::with_capacity(16);
        put_int(&mut content, tag::INTEGER, i128::from(inform.request_id?));
        put_int(&mut content, tag::INTEGER, TOO_BIG);
        put_int(&mut content, tag::INTEGER, 0);
        put_list(&mut content, &[]);
        Some(self.answer(envelope, &wrap(tag::RESPONSE, &content), now))
    }

    fn answer(&mut self, to: &Envelope<'_>, pdu: &[u8], now: Duration) -> Vec<u8> {
        let scoped = scoped_pdu(to.context_engine_id, to.context_name, pdu);
        let salt = self.next_salt();
        let account = &self.accounts[to.user];
        let header = Header {
            id: to.id,
            level: to.level,
            salt,
            user: account.user.name(),
            ..ours(&self.engine, now)
        };
        write(&header, Some(&account.ours), scoped)
    }

    pub(crate) fn next_salt(&mut self) -> u64 {
        self.salt = self.salt.wrapping_add(1);
        self.salt
    }
}

/// The scoped PDU, decrypted into `plain` where it must be.
fn open<'a>(message: &V3Message<'a>, keys: &Keys, plain: &'a mut Vec<u8>) -> Result<Scoped<'a>, Refused> {
    let encrypted = match message.data {
        Data::Plain(scoped) => return Ok(Scoped::parse(scoped, 0)?),
        Data::Encrypted(octets) => octets,
    };
    let (Some(privacy), Ok(salt)) = (&keys.privacy, message.salt.try_into()) else {
        return Err(Refusal::Decryption.into());
    };
    plain.clear();
    plain.extend_from_slice(encrypted);
    privacy
        .decrypt(plain, message.boots, message.time, salt)
        .map_err(|_| Refusal::Decryption)?;
    // A wrong key gives noise. The standard counts that as bad form and reports nothing; a person is better told of the key.
    Scoped::parse(plain, privacy.padding_max()).map_err(|_| Refused {
        silent: true,
        ..Refusal::Decryption.into()
    })
}

/// What every message from us has in common.
pub(crate) fn ours(engine: &LocalEngine, now: Duration) -> Header<'_> {
    Header {
        id: 0,
        max_size: OUR_MAX_SIZE,
        level: Level::NoAuth,
        reportable: false,
        engine_id: engine.id.as_bytes(),
        boots: engine.boots,
        time: engine.time(now),
        user: &[],
        salt: 0,
    }
}
