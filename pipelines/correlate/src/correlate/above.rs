//! What the root and its boards say of themselves.

use model::State;
use schemas::network::StatusNews;

use super::life;
use super::part::Totals;
use super::tree::{Incident, Stage, Tree, Verdict, Where, board_place};
use super::turn::{JOIN_MICROS, SAID, Turn};

impl Turn<'_> {
    /// A board's status is another one.
    pub fn board(&mut self, news: &StatusNews) -> &'static str {
        let Some(board) = board_place(&news.entity) else {
            return "not_mine";
        };
        let state = news.state.unwrap_or(State::Normal);
        let at = Where::Board(board.0, board.1);
        match state {
            State::Unknown => return "not_seen",
            _ if !state.is_out() => {
                self.tree.board(board, None);
                let there = self
                    .tree
                    .incidents
                    .iter()
                    .filter(|i| i.at == at && i.verdict == Verdict::Board);
                let numbers: Vec<u32> = there.map(|i| i.number).collect();
                numbers.into_iter().for_each(|number| self.evaluate(number));
                return "board_works";
            }
            _ => {}
        }
        let was_known = self.tree.boards.contains_key(&board);
        self.tree.board(board, Some(state));
        // What is out of service when it is first seen may have been so for years.
        if was_known || news.was.is_none_or(|was| was == State::Unknown) {
            return "board_out";
        }
        self.board_fails(board, at, news);
        "board_fails"
    }

    fn board_fails(&mut self, (frame, slot): (u8, u8), at: Where, news: &StatusNews) {
        let on_board = |i: &Incident, tree: &Tree| {
            let mut parts = tree.parts_of(i.number).peekable();
            parts.peek().is_some() && parts.all(|p| p.place[..2] == [frame, slot])
        };
        let is_young =
            |i: &Incident| self.now.observed.since(i.made) <= JOIN_MICROS && !matches!(i.stage, Stage::Closed(_));
        let of_board = |i: &Incident| i.at == at && i.verdict == Verdict::Board && !matches!(i.stage, Stage::Closed(_));
        let tree = &self.tree;
        let known = tree
            .incidents
            .iter()
            .find(|i| of_board(i) || (is_young(i) && on_board(i, tree)));
        let Some(number) = known.map(|i| i.number) else {
            self.new_incident(Verdict::Board, SAID, at, news.since, self.now.position);
            return;
        };
        if let Some(incident) = self.tree.incident_mut(number) {
            (incident.verdict, incident.at, incident.confidence) = (Verdict::Board, at, SAID);
            incident.stage = Stage::Open;
        }
        self.touch(number, true);
    }

    /// The root does not answer.
    pub fn blind(&mut self, news: &StatusNews) -> &'static str {
        let is_it = |i: &&mut Incident| i.verdict == Verdict::MonitoringLoss && !matches!(i.stage, Stage::Closed(_));
        match self.tree.incidents.iter_mut().find(is_it) {
            Some(incident) => {
                incident.stage = Stage::Open;
                let number = incident.number;
                self.touch(number, true);
            }
            None => {
                let at = Where::Root;
                self.new_incident(Verdict::MonitoringLoss, SAID, at, news.since, self.now.position);
            }
        }
        "blind"
    }

    /// The root answers, or is no more.
    pub fn sees_again(&mut self) -> &'static str {
        let now = self.now.observed;
        let is_it = |i: &&mut Incident| i.verdict == Verdict::MonitoringLoss && i.stage == Stage::Open;
        let Some(incident) = self.tree.incidents.iter_mut().find(is_it) else {
            return "known";
        };
        let window = life::window(Verdict::MonitoringLoss, &Totals::default());
        incident.stage = Stage::Settling {
            began: now,
            until: now.plus(window),
        };
        let number = incident.number;
        self.touch(number, true);
        "sees_again"
    }
}
