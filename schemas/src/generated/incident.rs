//! Generated from the schema of `Incident` by `cargo run -p xtask -- gen`: not to be edited.

use model::Micros;
use serde::{Deserialize, Serialize};

use crate::InputPosition;
use crate::records::RecordType;
use crate::wire::{self, Body, Malformed, Reader};

/// Losses with one cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The incident: hash of root, place and the position at which it began.
    pub incident_id: String,
    /// Root.
    pub root: String,
    /// Where it is: a PON port, a board, an OLT, an ONU.
    pub entity: String,
    /// Site.
    #[serde(default)]
    pub site: Option<String>,
    /// open, settling (its cause is gone, what hung on it is being looked at), closed.
    pub state: String,
    /// forming, feeder, port, branch, power_area, single_drop, board, monitoring_loss, unexplained.
    pub verdict: String,
    /// How sure the verdict is, 0 to 1.
    pub confidence: f64,
    /// critical, major, minor, warning, indeterminate.
    pub severity: String,
    /// What people read.
    pub text: String,
    /// ONUs lost by it, those that came back counted in.
    pub lost: i32,
    /// ONUs not back yet.
    pub still_lost: i32,
    /// ONUs that hang on the place.
    pub total: i32,
    /// Of the lost ones those whose last words were a power failure.
    pub gasps: i32,
    /// Of the lost ones those whose light went out without a word.
    pub dark: i32,
    /// When the first loss was observed.
    pub began_at: Micros,
    /// When it closed.
    #[serde(default)]
    pub ended_at: Option<Micros>,
    /// Log time of its last change.
    pub changed_at: Micros,
    /// Entities lost by it, in order of their ids, at most 512.
    pub affected: Vec<String>,
    /// How many more there are.
    pub affected_more: i32,
    /// PON ports it spans, at most 64.
    pub pons: Vec<String>,
    /// The input that made this row.
    pub position: InputPosition,
    /// Write time of the row, its slot's hybrid clock.
    pub wts: Micros,
}

/// A [`Incident`] whose parts are where they came from.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "fields as in the record")]
pub struct IncidentView<'a> {
    pub incident_id: &'a str,
    pub root: &'a str,
    pub entity: &'a str,
    pub site: Option<&'a str>,
    pub state: &'a str,
    pub verdict: &'a str,
    pub confidence: f64,
    pub severity: &'a str,
    pub text: &'a str,
    pub lost: i32,
    pub still_lost: i32,
    pub total: i32,
    pub gasps: i32,
    pub dark: i32,
    pub began_at: Micros,
    pub ended_at: Option<Micros>,
    pub changed_at: Micros,
    pub affected: &'a [String],
    pub affected_more: i32,
    pub pons: &'a [String],
    pub position: InputPosition,
    pub wts: Micros,
}

impl Incident {
    /// The record without its own memory.
    pub fn view(&self) -> IncidentView<'_> {
        IncidentView {
            incident_id: &self.incident_id,
            root: &self.root,
            entity: &self.entity,
            site: self.site.as_deref(),
            state: &self.state,
            verdict: &self.verdict,
            confidence: self.confidence,
            severity: &self.severity,
            text: &self.text,
            lost: self.lost,
            still_lost: self.still_lost,
            total: self.total,
            gasps: self.gasps,
            dark: self.dark,
            began_at: self.began_at,
            ended_at: self.ended_at,
            changed_at: self.changed_at,
            affected: &self.affected,
            affected_more: self.affected_more,
            pons: &self.pons,
            position: self.position,
            wts: self.wts,
        }
    }
}

impl Incident {
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            incident_id: r.string()?,
            root: r.string()?,
            entity: r.string()?,
            site: r.optional(Reader::string)?,
            state: r.string()?,
            verdict: r.string()?,
            confidence: r.double()?,
            severity: r.string()?,
            text: r.string()?,
            lost: r.int()?,
            still_lost: r.int()?,
            total: r.int()?,
            gasps: r.int()?,
            dark: r.int()?,
            began_at: r.micros()?,
            ended_at: r.optional(Reader::micros)?,
            changed_at: r.micros()?,
            affected: r.list(Reader::string)?,
            affected_more: r.int()?,
            pons: r.list(Reader::string)?,
            position: InputPosition::decode(r)?,
            wts: r.micros()?,
        })
    }
}

impl Body for IncidentView<'_> {
    const RECORD: RecordType = RecordType::Incident;

    fn encode(&self, out: &mut Vec<u8>) {
        wire::put_text(out, self.incident_id);
        wire::put_text(out, self.root);
        wire::put_text(out, self.entity);
        wire::put_optional(out, self.site, wire::put_text);
        wire::put_text(out, self.state);
        wire::put_text(out, self.verdict);
        wire::put_double(out, self.confidence);
        wire::put_text(out, self.severity);
        wire::put_text(out, self.text);
        wire::put_int(out, self.lost);
        wire::put_int(out, self.still_lost);
        wire::put_int(out, self.total);
        wire::put_int(out, self.gasps);
        wire::put_int(out, self.dark);
        wire::put_micros(out, self.began_at);
        wire::put_optional(out, self.ended_at, wire::put_micros);
        wire::put_micros(out, self.changed_at);
        wire::put_list(out, self.affected, |out, value| wire::put_text(out, value));
        wire::put_int(out, self.affected_more);
        wire::put_list(out, self.pons, |out, value| wire::put_text(out, value));
        self.position.encode(out);
        wire::put_micros(out, self.wts);
    }
}

impl Body for Incident {
    const RECORD: RecordType = RecordType::Incident;

    fn encode(&self, out: &mut Vec<u8>) {
        self.view().encode(out);
    }
}
