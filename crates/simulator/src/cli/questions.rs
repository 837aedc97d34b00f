//! What a box asks back: of complete commands out of habit, of incomplete ones for the rest, and the caret under a mistake.

use super::query::{Error, Query, Wrong};
use super::shell::{Shell, Waiting};

/// Wrong answers to one question before the box loses patience.
const ANSWERS_MAX: usize = 3;

impl Shell {
    pub(super) fn will_ask(&self, command: &str) -> bool {
        let words: Vec<&str> = command.split_whitespace().collect();
        let firmware = self.console.plant.chassis(self.console.olt).firmware;
        match words.split_first() {
            Some((&"display", rest)) => {
                Query::read(self.mode, &firmware, rest).is_ok_and(|query| query.question().is_some())
            }
            _ => false,
        }
    }

    /// On an old box even `undo smart` asks.
    pub(super) fn asks_of_setting(&self, command: &str) -> bool {
        command == "undo smart" && self.console.plant.chassis(self.console.olt).firmware.is_old()
    }

    pub(super) fn ask(&mut self, command: String, question: &str, times: u8) {
        self.write(question);
        self.write(" ");
        self.waiting = Waiting::Question { command, times };
    }

    pub(super) fn refuse(&mut self, command: &str, at: Wrong, smart: bool) {
        if let Some(question) = at.question.filter(|_| smart) {
            self.write(question);
            self.write(" ");
            self.waiting = Waiting::Missing {
                command: command.to_owned(),
                question,
                wrong: 0,
            };
            return;
        }
        self.error(command, at.kind, at.word);
    }

    /// An answer to a question for something that is missing.
    pub(super) fn missing(&mut self, command: &str, answer: &str, question: &'static str, wrong: usize) {
        if !answer.is_empty() {
            let whole = format!("{command} {answer}");
            self.write(self.eol);
            self.say("  Command:");
            self.say(&format!("          {whole} "));
            return self.command(&whole, false);
        }
        if wrong + 1 >= ANSWERS_MAX {
            self.say("  Reenter times have reached the upper limit.");
            return self.finish();
        }
        self.write(question);
        self.write(" ");
        self.waiting = Waiting::Missing {
            command: command.to_owned(),
            question,
            wrong: wrong + 1,
        };
    }

    /// A caret under the word, and what is wrong with it.
    pub(super) fn error(&mut self, command: &str, kind: Error, word: usize) {
        let starts = command
            .char_indices()
            .filter(|&(i, c)| c != ' ' && (i == 0 || command.as_bytes()[i - 1] == b' '));
        let column = starts.map(|(i, _)| i).nth(word).unwrap_or(command.len());
        let column = self.prompt_text().len() + column;
        // A place written with strokes is echoed without its blanks.
        if kind == Error::Parameter && command.contains('/') {
            let joined = command
                .rsplit_once(' ')
                .map_or(command.to_owned(), |(a, b)| format!("{a}{b}"));
            self.say(&format!(" {joined}"));
        }
        self.say(&format!("{:column$}^", ""));
        self.say(&format!("  {}, the error locates at '^'", kind.text()));
        self.finish();
    }
}
