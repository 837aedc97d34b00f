//! What a device prints on its own, wherever it is: taken out, and read.

use super::Settings;
use super::alarm::{Alarm, BLOCK_LINES_MAX, block, fill, header, is_block_label, is_end};
use super::issue::{Notes, Problem};
use super::screen::Line;
use super::table::is_rule;
use super::value;

/// Takes the blocks out that a device prints on its own, wherever they stand.
pub fn take_unasked<'s>(
    lines: impl ExactSizeIterator<Item = Line<'s>>,
    settings: &Settings,
    notes: &mut Notes,
) -> (Vec<Line<'s>>, Vec<Alarm<'s>>) {
    let mut kept: Vec<Line<'s>> = lines.collect();
    if !kept.iter().any(|line| starts(line.text).is_some()) {
        return (kept, Vec::new());
    }
    let all = std::mem::take(&mut kept);
    let mut alarms = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let Some(start) = starts(all[at].text) else {
            kept.push(all[at]);
            at += 1;
            continue;
        };
        let rest = &all[at + 1..];
        let (mut alarm, length) = match start {
            Start::Numbered => numbered(rest, settings, notes, all[at].number),
            Start::Running(words) => running(words, rest, settings, notes),
        };
        alarm.line = all[at].number;
        alarms.push(alarm);
        at += 1 + length;
    }
    (kept, alarms)
}

enum Start<'s> {
    /// `! 17[2026-02-14 22:40:04]:`, a block with an end after it.
    Numbered,
    /// `! RUNNING WARNING 2000-02-09 00:06:29-03:00`, labels after it.
    Running(&'s str),
}

fn starts(text: &str) -> Option<Start<'_>> {
    let rest = text.trim_ascii_start().strip_prefix('!')?.trim_ascii();
    if let Some(words) = rest.strip_prefix("RUNNING ") {
        return Some(Start::Running(words));
    }
    let (count, rest) = rest.split_once('[')?;
    (value::whole(count.trim_ascii()).is_some() && rest.ends_with("]:")).then_some(Start::Numbered)
}

/// The block after a numbered start and how many lines it has, its end included.
fn numbered<'s>(rest: &[Line<'s>], settings: &Settings, notes: &mut Notes, line: u32) -> (Alarm<'s>, usize) {
    let stops = |line: &Line<'_>| is_end(line.text) || is_rule(line.text) || starts(line.text).is_some();
    let length = rest.iter().take(BLOCK_LINES_MAX).position(stops);
    if let Some(length) = length.filter(|length| is_end(rest[*length].text)) {
        let alarm = match rest[..length].split_first() {
            Some((first, more)) if header(first.text, settings).is_some() => block(*first, more, settings, notes),
            _ => {
                let mut alarm = Alarm::default();
                fill(&mut alarm, &rest[..length], notes);
                alarm
            }
        };
        return (alarm, length + 1);
    }
    notes.loss(line, 1, Problem::UnaskedNotClosed);
    let head = rest.first().filter(|first| header(first.text, settings).is_some());
    let skip = usize::from(head.is_some());
    let labels = rest[skip..]
        .iter()
        .take(BLOCK_LINES_MAX)
        .take_while(|line| is_block_label(**line))
        .count();
    let mut alarm = head.and_then(|first| header(first.text, settings)).unwrap_or_default();
    fill(&mut alarm, &rest[skip..skip + labels], notes);
    (alarm, skip + labels)
}

/// The labels after a running start, and an end if there is one.
fn running<'s>(words: &'s str, rest: &[Line<'s>], settings: &Settings, notes: &mut Notes) -> (Alarm<'s>, usize) {
    let belongs = |line: &Line<'_>| is_block_label(*line) || line.text.starts_with('(');
    let length = rest
        .iter()
        .take(BLOCK_LINES_MAX)
        .take_while(|line| belongs(line))
        .count();
    let (severity, time) = words.split_once(' ').unwrap_or((words, ""));
    let mut alarm = Alarm {
        kind: Some("RUNNING"),
        severity: value::present(severity),
        device_time: value::device_time(time.trim_ascii(), settings.day_first),
        ..Alarm::default()
    };
    fill(&mut alarm, &rest[..length], notes);
    let end = usize::from(rest.get(length).is_some_and(|line| is_end(line.text)));
    (alarm, length + end)
}
