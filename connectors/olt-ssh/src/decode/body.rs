//! The answer proper: the lines between the echo of the command and the prompt, without what nobody asked for.

use super::Settings;
use super::alarm::Alarm;
use super::answer::is_progress;
use super::command::Command;
use super::issue::{Notes, Problem};
use super::screen::{Line, Screen};
use super::unasked;

/// Characters of a host name at most.
const HOST_MAX: usize = 64;

/// The lines of an answer.
#[derive(Debug)]
pub struct Body<'s> {
    /// What the command printed.
    pub lines: Vec<Line<'s>>,
    /// Alarms that were printed into it.
    pub unasked: Vec<Alarm<'s>>,
    /// Line after the last one, for issues about the end.
    pub end: u32,
    /// Whether the answer's end was seen.
    pub ended: bool,
}

/// Takes echo, questions, prompts, progress texts and unasked blocks out.
pub fn body<'s>(screen: &'s Screen<'_>, command: &Command, settings: &Settings, notes: &mut Notes) -> Body<'s> {
    screen.report(notes);
    let (lines, unasked) = unasked::take_unasked(screen.lines(), settings, notes);
    let end = lines.last().map_or(1, |line| line.number);
    let host = settings.host.as_deref().or_else(|| host_of(&lines, command));
    // A log of a whole session has a banner and other commands before.
    let from = lines
        .iter()
        .position(|line| is_echo(line.text, host, command))
        .unwrap_or(0);
    let start = from + after_echo(&lines[from..], host, command);
    let mut body = Body {
        lines: Vec::with_capacity(lines.len()),
        unasked,
        end,
        ended: settings.whole,
    };
    for (at, line) in lines.iter().enumerate().skip(start) {
        if typed(line.text, host).is_some() {
            body.ended = true;
            after_prompt(&lines[at..], host, notes);
            break;
        }
        if is_session_end(line.text) {
            notes.loss(line.number, 1, Problem::SessionEnded);
            body.ended = false;
            return body;
        }
        if !is_progress(line.text) {
            body.lines.push(*line);
        }
    }
    if let Some(last) = body
        .lines
        .last()
        .copied()
        .filter(|line| line.text.contains("---- More ("))
    {
        notes.loss(last.number, 1, Problem::StoppedAtPager);
        body.lines.pop();
    } else if !body.ended {
        notes.loss(end, 1, Problem::NoPrompt);
    }
    body
}

/// Host and the rest of the line: `HOST>`, `HOST#`, `HOST(config-if-gpon-0/9)#`, `HOST(diagnose)%%`.
pub fn prompt(text: &str) -> Option<(&str, &str)> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let length = text.bytes().take_while(is_name).take(HOST_MAX + 1).count();
    if length == 0 || length > HOST_MAX {
        return None;
    }
    let (host, mut rest) = text.split_at(length);
    if let Some(mode) = rest.strip_prefix('(') {
        let close = mode.find(')').filter(|close| *close <= HOST_MAX)?;
        rest = &mode[close + 1..];
    }
    let rest = rest.strip_prefix(['>', '#']).or_else(|| rest.strip_prefix("%%"))?;
    Some((host, rest.trim_ascii()))
}

/// The host name of the prompt that the command was typed at, else of the first line, else of the last.
fn host_of<'s>(lines: &[Line<'s>], command: &Command) -> Option<&'s str> {
    let typed_at = lines
        .iter()
        .filter_map(|line| prompt(line.text))
        .find(|(_, rest)| Echo::of(command).goes_on(rest));
    let first = || lines.first().and_then(|line| prompt(line.text));
    let last = || {
        lines
            .last()
            .and_then(|line| prompt(line.text))
            .filter(|(_, rest)| rest.is_empty())
    };
    typed_at.or_else(first).or_else(last).map(|(host, _)| host)
}

/// What was typed after a prompt, if the line has one of this host.
fn typed<'s>(text: &'s str, host: Option<&str>) -> Option<&'s str> {
    let (name, rest) = text.starts_with(host?).then(|| prompt(text)).flatten()?;
    (Some(name) == host).then_some(rest)
}

fn is_echo(text: &str, host: Option<&str>, command: &Command) -> bool {
    typed(text, host).is_some_and(|typed| Echo::of(command).goes_on(typed))
}

/// Says what follows the prompt that ended the answer: another command, or what should not be there.
fn after_prompt(lines: &[Line<'_>], host: Option<&str>, notes: &mut Notes) {
    let Some(more) = lines.iter().find(|line| typed(line.text, host) != Some("")) else {
        return;
    };
    match typed(more.text, host) {
        Some(_) => notes.doubt(more.number, 1, Problem::TextAfterPrompt),
        None => notes.loss(more.number, 1, Problem::TextAfterPrompt),
    }
}

/// How many lines at the start are prompts, the echo of the command (wrapped anywhere), questions and their answers.
fn after_echo(lines: &[Line<'_>], host: Option<&str>, command: &Command) -> usize {
    let mut echo = Echo::of(command);
    let mut commanded = false;
    for (at, line) in lines.iter().enumerate() {
        let text = line.text.trim_ascii();
        let dialogue = match typed(line.text, host) {
            Some(rest) => {
                // What was typed after the prompt is an echo, be it of what it likes.
                echo = Echo::of(command);
                echo.goes_on(rest);
                true
            }
            None if text.starts_with('{') && text.contains("}:") => true,
            None if text == "Command:" => {
                commanded = true;
                echo = Echo::of(command);
                continue;
            }
            None => echo.goes_on(text) || std::mem::take(&mut commanded) || is_progress(text),
        };
        commanded = false;
        if !dialogue {
            return at;
        }
    }
    lines.len()
}

/// The command's letters that an echo has still to show.
struct Echo<'c> {
    command: &'c str,
    at: usize,
}

impl<'c> Echo<'c> {
    fn of(command: &'c Command) -> Self {
        Self {
            command: command.text(),
            at: 0,
        }
    }

    /// Whether a line shows the next letters of the command, blanks aside; then they are taken.
    fn goes_on(&mut self, text: &str) -> bool {
        let mut rest = self.command[self.at..].char_indices().filter(|(_, c)| *c != ' ');
        let mut end = self.at;
        for c in text.chars().filter(|c| *c != ' ') {
            match rest.next() {
                Some((at, next)) if next.eq_ignore_ascii_case(&c) => end = self.at + at + next.len_utf8(),
                _ => return false,
            }
        }
        let any = end > self.at;
        self.at = end;
        any
    }
}

fn is_session_end(text: &str) -> bool {
    let text = text.trim_ascii();
    text.starts_with("Configuration console time out") || text.starts_with("Configuration console exit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_of_every_mode_are_known() {
        for (text, host) in [
            ("OLT-1>", "OLT-1"),
            ("OLT_1.rj#", "OLT_1.rj"),
            ("MA5800-X7(config)#", "MA5800-X7"),
            ("MA5680T(config-if-gpon-0/9)# ", "MA5680T"),
            ("x(diagnose)%%", "x"),
        ] {
            assert_eq!(prompt(text), Some((host, "")), "{text}");
        }
        for other in ["", "#", "  OLT#", "OLT", "OLT (config)#", "OLT(config#", "---#x y"] {
            assert!(prompt(other).is_none_or(|(_, rest)| !rest.is_empty()), "{other}");
        }
    }

    #[track_caller]
    fn check(command: &str, text: &str, expected: &[&str], ended: bool) {
        let command = Command::parse(command).unwrap();
        let screen = Screen::of(text);
        let mut notes = Notes::default();
        let body = body(&screen, &command, &Settings::default(), &mut notes);
        let lines: Vec<_> = body.lines.iter().map(|line| line.text).collect();
        assert_eq!(lines, expected, "{text}");
        assert_eq!(!notes.lost(), ended, "{:?}", notes.finish());
    }

    #[test]
    fn echo_questions_and_prompts_are_taken_out() {
        check(
            "display board 0",
            "H#\nH#display board 0 \n{ <cr>||<K> }: \n\n  Command:\n          display board 0 \n  row\n\nH#",
            &["  row"],
            true,
        );
        check(
            "display board 0",
            "display board 0\r\n  row\r\nH(config)#\r\nH(config)#",
            &["  row"],
            true,
        );
        // A long command is echoed wrapped, in the middle of a word.
        check(
            "display ont info 0 6 1 all",
            "H#display ont in\nfo 0 6 1 a\nll\n  row\nH#",
            &["  row"],
            true,
        );
        check(
            "display board 0",
            "Command is being executed. Please wait\n  row\nH>",
            &["  row"],
            true,
        );
    }

    #[test]
    fn an_answer_without_its_prompt_is_incomplete() {
        check("display board 0", "H#display board 0\n  row\n", &["  row"], false);
        check("display board 0", "H#display board 0\n  row\nH", &["  row", "H"], false);
        check(
            "display board 0",
            "H#display board 0\n  row\n---- More ( Press 'Q' to break ) ----",
            &["  row"],
            false,
        );
        let dead = "H#display board 0\n  row\nConfiguration console time out, please retry to log on\n";
        check("display board 0", dead, &["  row"], false);
    }

    #[test]
    fn the_answer_is_found_in_a_log_of_a_whole_session() {
        let log = "\n  Huawei Integrated Access Software (MA5800).\n\nH>enable\n\nH#display cpu 0/1\n  CPU occupancy: 1%\n\n\
                   H#display board 0\n{ <cr>||<K> }:\n\n  Command:\n          display board 0\n  row\n\nH#quit\n  Check whether\n";
        check("display board 0", log, &["  row"], true);
        check("display cpu 0/1", log, &["  CPU occupancy: 1%"], true);
        check(
            "display board 0",
            "H#display board 0\n  row\nH#\n  row\n",
            &["  row"],
            false,
        );
    }
}
