//! What a refused sender is told: reports (RFC 3412 §7.1 step 3, RFC 3414 §3.2), and the counters they carry.

use std::time::Duration;

use snmp_pdu::ber::tag;
use snmp_pdu::encode::{put_int, put_list, wrap};
use snmp_pdu::{PduError, Value};

use crate::message::is_confirmed;
use crate::usm::ours;
use crate::write::{Header, scoped_pdu, write};
use crate::{Level, Refusal, Rejected, Rejection, Stat, Usm, V3Message};

impl Usm {
    /// Counts, and reports where the sender may have a report: it must ask for one, and its PDU, where it can be seen, must
    /// be of a kind that waits for an answer (RFC 3412 §7.1 step 3).
    pub(crate) fn reject(&mut self, message: &V3Message<'_>, refused: Refused, now: Duration) -> Rejected {
        let reports = message.wants_report();
        let foreign = message.engine_id != self.engine.id.as_bytes();
        let stat = match refused.why {
            // Whoever waits for an answer must ask our engine: that it does not comes first (RFC 3414 §3.2 step 3).
            Rejection::Refused(refusal) if refusal.stat().is_some() && reports && foreign => {
                Some(Stat::UnknownEngineIds)
            }
            Rejection::Refused(refusal) if !refused.silent => refusal.stat(),
            Rejection::Undecodable(_) if refused.unhandled => Some(Stat::UnknownPduHandlers),
            _ => None,
        };
        let report = stat.and_then(|stat| {
            let count = &mut self.stats[stat as usize];
            *count = count.wrapping_add(1);
            let count = *count;
            reports.then(|| self.report(message, stat, count, &refused, now))
        });
        Rejected {
            why: refused.why,
            report,
        }
    }

    fn report(&mut self, message: &V3Message<'_>, stat: Stat, count: u32, refused: &Refused, now: Duration) -> Vec<u8> {
        let request_id = refused.request_id.or(message.plain_pdu().and_then(|(_, id)| id));
        let mut content = Vec::with_capacity(48);
        put_int(&mut content, tag::INTEGER, i128::from(request_id.unwrap_or(0)));
        put_int(&mut content, tag::INTEGER, 0);
        put_int(&mut content, tag::INTEGER, 0);
        put_list(&mut content, &[(stat.oid(), Value::Counter32(count))]);
        let scoped = scoped_pdu(self.engine.id.as_bytes(), &[], &wrap(tag::REPORT, &content));
        let salt = self.next_salt();
        // Only who has shown to be the user gets a signed one; the clock of a sender is set by no other.
        let (level, keys) = match (refused.user, stat) {
            (None, _) | (_, Stat::UnknownEngineIds) => (Level::NoAuth, None),
            (Some(user), Stat::UnknownPduHandlers) => (message.level, Some(&self.accounts[user].ours)),
            (Some(user), _) => (Level::Auth.min(message.level), Some(&self.accounts[user].ours)),
        };
        let header = Header {
            id: message.id,
            level,
            salt,
            user: message.user,
            ..ours(&self.engine, now)
        };
        write(&header, keys, scoped)
    }
}

impl V3Message<'_> {
    /// Whether a report may go back: asked for, and the PDU, where it can be seen, waits for an answer.
    pub(crate) fn wants_report(&self) -> bool {
        self.reportable && self.plain_pdu().is_none_or(|(tag, _)| is_confirmed(tag))
    }
}

/// A rejection on its way to the sender.
pub(crate) struct Refused {
    pub why: Rejection,
    /// Who it is, once authenticated.
    pub user: Option<usize>,
    pub request_id: Option<i32>,
    /// A request that waits for an answer nobody here has.
    pub unhandled: bool,
    /// Neither counted by the standard nor reported.
    pub silent: bool,
}

impl From<Rejection> for Refused {
    fn from(why: Rejection) -> Self {
        Self {
            why,
            user: None,
            request_id: None,
            unhandled: false,
            silent: false,
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Rejection::Refused(refusal).into()
    }
}

impl From<PduError> for Refused {
    fn from(error: PduError) -> Self {
        Rejection::Undecodable(error).into()
    }
}
