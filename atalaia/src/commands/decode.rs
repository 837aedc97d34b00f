//! `atalaia decode trap HEX|-`, `atalaia decode huawei --command '…' [FILE|-]` and `atalaia decode padtec --kind … [FILE|-]`: what we make of
//! a datagram, of what an OLT printed, or of a list that a management system answered. Rows as JSON lines on standard output, issues on standard error; exit 0 complete, 1 incomplete, 2 unknown command
//! or file.

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use connector_olt_ssh::decode as huawei_cli;
use model::{Micros, Root};
use snmp_pdu::Message;

use super::out;

/// Subcommands of `atalaia decode`.
#[derive(Subcommand)]
pub enum Command {
    /// An SNMP trap or inform: the whole UDP payload, in hexadecimal.
    #[command(
        after_help = "Example, from a capture:\n  tshark -r traps.pcap -T fields -e udp.payload | head -1 | atalaia decode trap -"
    )]
    Trap {
        /// Hexadecimal digits (blanks and colons are passed over), or `-` for standard input.
        hex: String,
    },
    /// What a Huawei SmartAX OLT printed on its command line.
    #[command(
        after_help = "Rows are JSON lines on standard output, issues LINE:COLUMN on standard error. Exit 0: complete, \
                            1: incomplete, 2: unknown command or file.\n\nExamples:\n  \
                            atalaia decode huawei --command 'display ont info summary 0' session.log\n  \
                            ssh olt | tee answer.txt; atalaia decode huawei --command 'display board 0' answer.txt\n  \
                            atalaia decode huawei --command 'display ont autofind all' --whole - < cut-out.txt | jq .serial"
    )]
    Huawei(Huawei),
    /// A page of a list that a Padtec management system answered.
    #[command(
        after_help = "Rows are JSON lines on standard output, issues LINE:COLUMN on standard error. Exit 0: every row was read, \
                            1: some were not, 2: no list, or an unknown mapping or file.\n\nExamples:\n  \
                            atalaia decode padtec --kind measures --zone America/Manaus page.json\n  \
                            curl -s … | atalaia decode padtec --kind cards --mapping mine.toml - | jq .key"
    )]
    Padtec(Padtec),
}

/// Arguments of `atalaia decode padtec`.
#[derive(Args)]
pub struct Padtec {
    /// What the rows are.
    #[arg(long, value_parser = ["cards", "measures", "alarms"])]
    kind: String,
    /// How lists and fields are called: `smart-api`, `plain`, or the path of a file.
    #[arg(long, default_value = "smart-api")]
    mapping: String,
    /// Time zone of times that have none, as in the IANA database.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// File with the answer, or `-` for standard input.
    #[arg(default_value = "-")]
    file: String,
}

/// Arguments of `atalaia decode huawei`.
#[derive(Args)]
pub struct Huawei {
    /// The command that was typed: it decides how the answer is read.
    #[arg(long)]
    command: String,
    /// The answer ends where the file does, without a prompt: cut out by hand.
    #[arg(long)]
    whole: bool,
    /// Dates with strokes begin with the month on this device.
    #[arg(long)]
    month_first: bool,
    /// File with what the device printed (echo, pager and prompts may be in it), or `-` for standard input.
    #[arg(default_value = "-")]
    file: String,
}

/// Runs the command.
pub fn run(command: &Command) -> ExitCode {
    let hex = match command {
        Command::Trap { hex } => hex,
        Command::Huawei(arguments) => return exit_of(huawei(arguments)),
        Command::Padtec(arguments) => return exit_of(padtec(arguments)),
    };
    let text = if hex == "-" {
        let mut bytes = Vec::new();
        if let Err(error) = std::io::stdin().lock().take(1 << 20).read_to_end(&mut bytes) {
            eprintln!("standard input: {error}");
            return ExitCode::from(2);
        }
        // Raw bytes are not hexadecimal either, and told so.
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        hex.clone()
    };
    let Some(bytes) = from_hex(&text) else {
        eprintln!("not hexadecimal: give an even number of the digits 0-9 and a-f (`xxd -p` makes them of raw bytes)");
        return ExitCode::from(2);
    };
    trap(&bytes)
}

fn exit_of(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::from(2)
    })
}

fn trap(bytes: &[u8]) -> ExitCode {
    let explanation = connector_snmp_traps::explain(bytes);
    if let Err(error) = json_line(&explanation) {
        eprintln!("{error:#}");
    }
    let Ok(Message::Community { pdu, .. }) = Message::parse(bytes) else {
        return ExitCode::from(1);
    };
    let root = Root::parse("default/olt/SENDER").expect("a root");
    match pipeline_normalize::explain(pdu, &root) {
        Ok(rows) => {
            let known = rows.iter().all(|row| row.event != "unknown_trap");
            if let Err(error) = rows.iter().try_for_each(json_line) {
                eprintln!("{error:#}");
            }
            ExitCode::from(u8::from(!known))
        }
        Err(error) => {
            eprintln!("the PDU cannot be read: {error}");
            ExitCode::from(1)
        }
    }
}

fn huawei(arguments: &Huawei) -> anyhow::Result<ExitCode> {
    let command = huawei_cli::Command::parse(&arguments.command)?;
    let bytes = bytes_of(&arguments.file, huawei_cli::BYTES_MAX)?;
    let text = huawei_cli::text_of(&bytes);
    let screen = huawei_cli::Screen::of(&text);
    let settings = huawei_cli::Settings {
        day_first: !arguments.month_first,
        whole: arguments.whole,
        ..Default::default()
    };
    let reading = huawei_cli::read(&screen, &command, &settings);
    for issue in &reading.issues {
        eprintln!("{issue}");
    }
    if reading.issues_left_off > 0 {
        eprintln!("and {} more issues", reading.issues_left_off);
    }
    if !matches!(reading.answer, huawei_cli::Answer::Read) {
        eprintln!(
            "the device's answer: {}",
            serde_json::to_string(&reading.answer)?.trim_matches('"')
        );
    }
    reading.rows.iter().try_for_each(json_line)?;
    reading.unasked.iter().try_for_each(|alarm| {
        json_line(&Unasked {
            row: "unasked_alarm",
            alarm,
        })
    })?;
    Ok(ExitCode::from(u8::from(!reading.complete)))
}

fn padtec(arguments: &Padtec) -> anyhow::Result<ExitCode> {
    use connector_padtec::decode::{BYTES_MAX, Decoder, Page};
    use connector_padtec::mapping::Mapping;
    let mapping = Arc::new(Mapping::load(&arguments.mapping)?);
    let zone = connector_padtec::zone(&arguments.zone)?;
    let bytes = bytes_of(&arguments.file, BYTES_MAX)?;
    anyhow::ensure!(
        bytes.len() <= BYTES_MAX,
        "more than {} MiB: no page of a list",
        BYTES_MAX >> 20
    );
    let page = Page::parse(&bytes, None)?;
    let mut decoder = Decoder::new(mapping, zone);
    // Nobody knows when the page was saved: it is as new as its newest row.
    let newest = |decoder: &mut Decoder| {
        decoder
            .measures(&page, Micros(0))
            .rows
            .iter()
            .map(|row| row.updated_at)
            .max()
    };
    match arguments.kind.as_str() {
        "cards" => shown(&decoder.cards(&page, Micros(0))),
        "alarms" => shown(&decoder.alarms(&page, Micros(0))),
        _ => {
            let now = newest(&mut decoder).unwrap_or_default();
            shown(&decoder.measures(&page, now))
        }
    }
}

fn shown<R: serde::Serialize>(decoded: &connector_padtec::decode::Decoded<R>) -> anyhow::Result<ExitCode> {
    for (issue, _) in &decoded.issues {
        eprintln!("{issue}");
    }
    decoded.rows.iter().try_for_each(json_line)?;
    Ok(ExitCode::from(u8::from(!decoded.issues.is_empty())))
}

/// An alarm that nobody asked for, told from the rows that somebody did.
#[derive(serde::Serialize)]
struct Unasked<'a> {
    row: &'static str,
    #[serde(flatten)]
    alarm: &'a huawei_cli::Alarm<'a>,
}

/// At most what is read, and a byte that shows that there was more.
fn bytes_of(file: &str, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = bytes_max as u64 + 1;
    if file == "-" {
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut bytes)
            .context("cannot read standard input")?;
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("cannot open {file}"))?;
        opened
            .take(limit)
            .read_to_end(&mut bytes)
            .with_context(|| format!("cannot read {file}"))?;
    }
    Ok(bytes)
}

fn json_line(row: &impl serde::Serialize) -> anyhow::Result<()> {
    out::until_read(out::line(&serde_json::to_string(row)?))
}

/// Bytes of hexadecimal text; blanks, line ends and colons are passed over.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_as_people_paste_it() {
        assert_eq!(from_hex("30 0a:FF\n"), Some(vec![0x30, 0x0a, 0xff]));
        assert_eq!(from_hex("3"), None);
        assert_eq!(from_hex("3g"), None);
    }
}
