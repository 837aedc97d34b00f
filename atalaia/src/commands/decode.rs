//! `atalaia decode trap HEX|-`: what we make of a datagram. Rows as JSON lines on standard output, issues on standard error;
//! exit 0 complete, 1 incomplete, 2 unknown command or file.

use std::io::Read as _;
use std::process::ExitCode;

use clap::Subcommand;
use model::Root;
use snmp_pdu::Message;

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
        let mut text = String::new();
        if let Err(error) = std::io::stdin().lock().take(1 << 20).read_to_string(&mut text) {
            eprintln!("standard input: {error}");
            return ExitCode::from(2);
        }
        text
    } else {
        hex.clone()
    };
    let Some(bytes) = from_hex(&text) else {
        eprintln!("not hexadecimal: give an even number of the digits 0-9 and a-f");
        return ExitCode::from(2);
    };
    trap(&bytes)
}

fn trap(bytes: &[u8]) -> ExitCode {
    let explanation = connector_snmp_traps::explain(bytes);
    match serde_json::to_string(&explanation) {
        Ok(line) => println!("{line}"),
        Err(error) => eprintln!("{error}"),
    }
    let Ok(Message::Community { pdu, .. }) = Message::parse(bytes) else {
        return ExitCode::from(1);
    };
    let root = Root::parse("default/olt/SENDER").expect("a root");
    match pipeline_normalize::explain(pdu, &root) {
        Ok(rows) => {
            let known = rows.iter().all(|row| row.event != "unknown_trap");
            for row in &rows {
                println!("{}", serde_json::to_string(row).unwrap_or_default());
            }
            ExitCode::from(u8::from(!known))
        }
        Err(error) => {
            eprintln!("the PDU cannot be read: {error}");
            ExitCode::from(1)
        }
    }
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
