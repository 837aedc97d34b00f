//! What a person does to one alarm. Every act ends in exactly one transition.

use model::Micros;
use runtime::Reason;
use schemas::{AlarmComment, AlarmReason, AlarmTransitionView, OperatorActed};
use topology::Topic;
use xxhash_rust::xxh3::xxh3_128;

use super::entry::{OperatorState, WORD_BYTES_MAX, cut};
use super::turn::{By, KEPT_MICROS, Turn};

/// Most bytes of a comment or a note.
const COMMENT_BYTES_MAX: usize = 500;

/// Why an act is refused, as records have it.
mod refusal {
    pub const UNKNOWN_ALARM: &str = "unknown_alarm";
    pub const ALREADY_CLEARED: &str = "already_cleared";
    pub const ALREADY_ACKNOWLEDGED: &str = "already_acknowledged";
    pub const NOT_ACKNOWLEDGED: &str = "not_acknowledged";
    pub const NOT_SILENCED: &str = "not_silenced";
    pub const NO_TEXT: &str = "no_text";
    pub const BAD_TIME: &str = "bad_time";
    pub const UNKNOWN_ACT: &str = "unknown_act";
}

/// What an act does, decided before anything is changed.
enum Does {
    Acknowledge,
    Unacknowledge,
    Comment,
    Clear,
    Silence(Micros),
    Unsilence,
}

impl Turn<'_> {
    /// A person did something.
    pub fn acted(&mut self, act: &OperatorActed) -> Reason {
        if !self.held.note_act(xxh3_128(act.act_id.as_bytes()), self.now.log_time) {
            return Reason::Absorbed("same_act");
        }
        let text = act.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let by = By {
            actor: Some(cut(&act.actor, WORD_BYTES_MAX)),
            act_id: Some(cut(&act.act_id, WORD_BYTES_MAX)),
            text: text.map(|text| cut(text, COMMENT_BYTES_MAX)),
            refusal: None,
        };
        let known = self.held.alarms.iter().position(|a| *a.id == *act.alarm_id);
        let Some(at) = known else {
            self.refuse_unknown(act, by);
            return Reason::Did("refused");
        };
        match self.check(at, act, by) {
            Ok(does) => self.carry_out(at, &does, act, by),
            Err(word) => {
                let refusal = Some(word);
                self.say(at, "refused", By { refusal, ..by });
                Reason::Did("refused")
            }
        }
    }

    fn check(&self, at: usize, act: &OperatorActed, by: By<'_>) -> Result<Does, &'static str> {
        let entry = &self.held.alarms[at];
        let stands = |does| {
            if entry.raised {
                Ok(does)
            } else {
                Err(refusal::ALREADY_CLEARED)
            }
        };
        match act.act.as_str() {
            // What has cleared may still be taken note of; what an operator has ended is ended. The first one has it.
            "acknowledge" => match entry.operator {
                OperatorState::None => Ok(Does::Acknowledge),
                OperatorState::Acknowledged => Err(refusal::ALREADY_ACKNOWLEDGED),
                OperatorState::Closed => Err(refusal::ALREADY_CLEARED),
            },
            "unacknowledge" if entry.operator == OperatorState::Acknowledged => Ok(Does::Unacknowledge),
            "unacknowledge" => Err(refusal::NOT_ACKNOWLEDGED),
            "comment" if by.text.is_some() => Ok(Does::Comment),
            "comment" => Err(refusal::NO_TEXT),
            "clear" => stands(Does::Clear),
            "silence" => {
                let now = self.now.log_time;
                let in_time = |until: &Micros| *until > now && until.since(now) <= KEPT_MICROS;
                let until = act.until.filter(in_time).ok_or(refusal::BAD_TIME);
                stands(Does::Silence(until?))
            }
            "unsilence" if entry.raised && entry.hushed.is_some() => Ok(Does::Unsilence),
            "unsilence" => Err(refusal::NOT_SILENCED),
            _ => Err(refusal::UNKNOWN_ACT),
        }
    }

    fn carry_out(&mut self, at: usize, does: &Does, act: &OperatorActed, by: By<'_>) -> Reason {
        let entry = &mut self.held.alarms[at];
        let actor = by.actor.unwrap_or_default().to_owned();
        let transition = match does {
            Does::Acknowledge => {
                entry.operator = OperatorState::Acknowledged;
                entry.acknowledged = Some((act.at, actor));
                "acknowledged"
            }
            Does::Unacknowledge => {
                entry.operator = OperatorState::None;
                entry.acknowledged = None;
                "unacknowledged"
            }
            Does::Comment => {
                let text = by.text.unwrap_or_default().to_owned();
                let at_time = act.at;
                self.held.comment(
                    at,
                    AlarmComment {
                        at: at_time,
                        actor,
                        text,
                    },
                );
                "commented"
            }
            Does::Clear => {
                entry.operator = OperatorState::Closed;
                entry.reason = by_operator(act.at, by);
                self.end_condition(at, act.at, by);
                return Reason::Did("cleared");
            }
            Does::Silence(until) => {
                entry.hushed = Some(*until);
                "silenced"
            }
            Does::Unsilence => {
                entry.hushed = None;
                "unsilenced"
            }
        };
        self.say(at, transition, by);
        Reason::Did(transition)
    }

    fn refuse_unknown(&mut self, act: &OperatorActed, by: By<'_>) {
        let alarm_id = cut(&act.alarm_id, WORD_BYTES_MAX);
        let said = AlarmTransitionView {
            alarm_id,
            root: self.entity.root_str(),
            transition: "refused",
            at: self.now.log_time,
            actor: by.actor,
            act_id: by.act_id,
            text: by.text,
            refusal: Some(refusal::UNKNOWN_ALARM),
            position: self.now.position.into(),
            alarm: None,
        };
        self.out.record(Topic::AlarmTransitions, alarm_id, said);
    }
}

fn by_operator(at: Micros, by: By<'_>) -> AlarmReason {
    AlarmReason {
        word: "operator".to_owned(),
        measure: None,
        value: None,
        unit: None,
        limit: None,
        observed_at: Some(at),
        held_s: None,
        state: None,
        cause: None,
        detail: by.text.map(|text| cut(text, WORD_BYTES_MAX).to_owned()),
    }
}
