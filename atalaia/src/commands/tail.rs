//! `atalaia tail TOPIC`: records as JSON lines, from a running `up` or from a folder nobody uses.

use anyhow::{Result, bail};
use topology::{TOPICS, Topic};

use super::out;
use crate::command_line::Place;
use crate::socket::{Request, with_installation};

/// Arguments of `atalaia tail`.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  atalaia tail device-events --from 10m\n  atalaia tail observations --entity rjo-01 --follow"
)]
pub struct Arguments {
    /// Topic, without prefix (`atalaia topology show` lists them).
    topic: String,
    /// Where to begin: `start`, `end`, or how long ago (`30s`, `10m`, `2h`, `1d`).
    #[arg(long, default_value = "start")]
    from: String,
    /// Only records whose key or entity contains this.
    #[arg(long)]
    entity: Option<String>,
    /// Goes on with new records until interrupted.
    #[arg(long, short)]
    follow: bool,
    /// At most this many records.
    #[arg(long, short = 'n')]
    limit: Option<usize>,
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
///
/// # Errors
/// When the topic is unknown, or the installation cannot be read.
pub fn run(arguments: &Arguments) -> Result<()> {
    let Some(topic) = Topic::by_name(&arguments.topic) else {
        let names: Vec<_> = TOPICS.iter().map(|t| t.name).collect();
        bail!(
            "there is no topic `{}`; there are {}",
            arguments.topic,
            names.join(", ")
        );
    };
    let request = Request::Tail {
        topic: topic.name().to_owned(),
        from: parse_from(&arguments.from)?,
        entity: arguments.entity.clone(),
        follow: arguments.follow,
        limit: arguments.limit,
    };
    out::until_read(with_installation(&arguments.place, &request, &mut |line| {
        out::line(&line)
    }))
}

/// `start`, `end`, or seconds ago.
fn parse_from(text: &str) -> Result<crate::socket::From> {
    use crate::socket::From;
    match text {
        "start" => return Ok(From::Start),
        "end" => return Ok(From::End),
        _ => {}
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match &text[digits.len()..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => bail!("`{text}` is not a start: `start`, `end`, or a time ago such as `30s`, `10m`, `2h`, `1d`"),
    };
    let Ok(number) = digits.parse::<i64>() else {
        bail!("`{text}` does not begin with a number")
    };
    Ok(From::SecondsAgo(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::From;

    #[test]
    fn starts_are_words_or_times_ago() {
        assert_eq!(parse_from("start").unwrap(), From::Start);
        assert_eq!(parse_from("10m").unwrap(), From::SecondsAgo(600));
        assert_eq!(parse_from("1d").unwrap(), From::SecondsAgo(86_400));
        for bad in ["", "10", "m", "10x", "yesterday"] {
            assert!(parse_from(bad).is_err(), "{bad}");
        }
    }
}
