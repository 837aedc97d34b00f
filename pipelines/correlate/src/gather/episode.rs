//! Losses of one port that came within seconds of each other.

use model::{EntityId, Micros, Position};
use schemas::network::{LossNews, LossStage};
use serde::{Deserialize, Serialize};

use super::pon::Pon;
use crate::Bits;

/// One round of losses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// Its number on this port.
    pub number: u32,
    /// While more may come: observed time of the first and of the last one.
    pub open: Option<(Micros, Micros)>,
    /// When the first loss was observed.
    pub began_at: Micros,
    /// The input that told of it.
    pub began: Position,
    /// All that were lost.
    pub lost: Bits,
    /// Those not back.
    pub still: Bits,
    /// Those that said that their power failed.
    pub gasped: Bits,
    /// ONUs that worked just before, these counted in.
    pub before: u16,
    /// How often most of them were lost together before.
    pub together: u16,
    /// Something became of it that was not told yet.
    pub changed: bool,
    /// There is no room for it any more.
    pub forgotten: bool,
}

impl Episode {
    /// What `correlate` is told.
    pub fn news(&self, pon: EntityId, of: &Pon, stage: LossStage, populated: (u16, u16)) -> LossNews {
        let still = if self.forgotten { Vec::new() } else { self.still.ids() };
        LossNews {
            pon,
            episode: self.number,
            stage,
            began_at: self.began_at,
            began: self.began,
            lost: self.lost.ids(),
            still,
            gasped: self.gasped.ids(),
            dark: self.lost.iter().filter(|&id| !self.gasped.has(id)).collect(),
            before: self.before,
            up: of.up.count(),
            port: of.port,
            together: self.together,
            board_pons: populated.0,
            olt_pons: populated.1,
        }
    }

    /// Nothing of it is lost any more, and that was told.
    pub fn is_over(&self) -> bool {
        self.open.is_none() && !self.changed && self.still.is_empty()
    }

    /// Whether all that worked was lost.
    pub fn is_whole(&self) -> bool {
        self.before >= 2 && self.still.count() == self.before
    }
}
