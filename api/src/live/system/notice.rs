//! What a person should hear of the pipeline itself, the latest of it.

use std::collections::VecDeque;

use model::Micros;
use serde::Serialize;

use crate::time::Instant3339;

/// Notices kept for those who come later.
const KEPT_MAX: usize = 20;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// No freshness probe has come through in time.
    FreshnessLate,
    /// They come through again.
    FreshnessRestored,
    /// Datagrams or records were lost.
    DatagramsLost,
    /// The counts of a listener contradict each other.
    LedgerUnbalanced,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub word: Word,
    pub listener: String,
    /// When we noticed.
    pub at: Micros,
    /// Datagrams lost since the last such notice.
    pub lost: Option<i64>,
    /// From when to when they were, as far as is known.
    pub between: Option<(Micros, Micros)>,
    /// Partitions without a probe.
    pub partitions: Vec<u32>,
}

impl Notice {
    /// One without figures.
    pub fn new(word: Word, listener: &str, at: Micros) -> Self {
        Self {
            word,
            listener: listener.to_owned(),
            at,
            lost: None,
            between: None,
            partitions: Vec::new(),
        }
    }
}

/// As clients get it.
#[derive(Debug, Serialize)]
pub struct NoticeItem<'a> {
    notice: Word,
    listener: &'a str,
    at: Instant3339,
    lost: Option<i64>,
    first_at: Option<Instant3339>,
    last_at: Option<Instant3339>,
    partitions: &'a [u32],
}

/// The latest ones.
#[derive(Debug, Default)]
pub struct Notices(VecDeque<Notice>);

impl Notices {
    /// Keeps one and says it in the log: a person must act on all but one.
    pub fn add(&mut self, notice: Notice) {
        let listener = &notice.listener;
        match notice.word {
            Word::FreshnessLate => tracing::error!(
                %listener, partitions = ?notice.partitions,
                "no freshness probe comes through: what the board shows may be old"
            ),
            Word::FreshnessRestored => tracing::info!(%listener, "freshness probes come through again"),
            Word::DatagramsLost => {
                tracing::error!(%listener, lost = notice.lost, "datagrams were lost: see /api/v1/sources")
            }
            Word::LedgerUnbalanced => {
                tracing::error!(%listener, "the ledger does not balance: its counts cannot be trusted")
            }
        }
        if self.0.len() == KEPT_MAX {
            self.0.pop_back();
        }
        self.0.push_front(notice);
    }

    /// The latest first.
    pub fn items(&self) -> Vec<NoticeItem<'_>> {
        let items = self.0.iter().map(|n| NoticeItem {
            notice: n.word,
            listener: &n.listener,
            at: Instant3339(n.at),
            lost: n.lost,
            first_at: n.between.map(|(first, _)| Instant3339(first)),
            last_at: n.between.map(|(_, last)| Instant3339(last)),
            partitions: &n.partitions,
        });
        items.collect()
    }
}
