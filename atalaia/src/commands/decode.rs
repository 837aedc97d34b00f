//! `atalaia decode trap HEX|-`: what we make of a datagram. Rows as JSON lines on standard output, issues on standard error;
//! exit 0 complete, 1 incomplete, 2 unknown command or file.

use std::io::Read as _;
use std::process::ExitCode;

use clap::Subcommand;
use model::Root;
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
}

/// Runs the command.
pub fn run(command: &Command) -> ExitCode {
    let Command::Trap { hex } = command;
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
