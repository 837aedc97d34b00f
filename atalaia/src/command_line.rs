//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use runtime::OnTorn;

use crate::parts::Selection;
use crate::{commands, up};

/// Tells an internet provider's operations centre what its network is doing, the moment it happens.
#[derive(Parser)]
#[command(
    name = "atalaia",
    version,
    after_help = "Examples:\n  atalaia up --demo                            a simulated network and its live board\n  \
                  atalaia check atalaia.toml                   is this configuration right?\n  \
                  atalaia up --config atalaia.toml             the real thing\n  \
                  atalaia tail device-events --entity 0/3/5/17 what is being said about an ONU"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Where the data folder and the configuration are.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Configuration file (TOML); `atalaia check --example` prints a complete one.
    #[arg(long, value_name = "FILE", env = "ATALAIA_CONFIG")]
    pub config: Option<PathBuf>,
    /// Data folder; overrides `data` of the configuration.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What every part as a process of its own takes.
#[derive(Args, Clone, Debug)]
struct Part {
    #[command(flatten)]
    place: Place,
    /// Address of probes and metrics, and of the board; overrides `http.listen`.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<std::net::SocketAddr>,
}

impl Part {
    fn run(&self, selection: Selection, on_torn: OnTorn) -> anyhow::Result<()> {
        up::run_part(&self.place, self.listen, selection, on_torn)
    }
}

/// What to do where state and log do not add up.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Choice {
    /// Say so and wait.
    Wait,
    /// Take the state as it is, and go on behind it.
    GoOn,
    /// Delete the state, and compute it again from the oldest record kept.
    Rebuild,
}

impl From<Choice> for OnTorn {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Wait => Self::Wait,
            Choice::GoOn => Self::GoOn,
            Choice::Rebuild => Self::Rebuild,
        }
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.01..=1_000.0).contains(&speed) => Ok(speed),
        _ => Err("a number from 0.01 to 1000".to_owned()),
    }
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything in one process over one data folder.
    Up {
        #[command(flatten)]
        place: Place,
        /// Simulates a network of 4 OLTs and 2,000 ONUs; without --data in a folder of its own.
        #[arg(long)]
        demo: bool,
        /// Seed of the simulated network.
        #[arg(long, default_value_t = 20_261, requires = "demo")]
        seed: u64,
        /// How many times faster than life the simulated network lives.
        #[arg(long, default_value_t = 1.0, value_parser = speed, requires = "demo")]
        speed: f64,
        /// Address of board, API, probes and metrics; overrides `http.listen`.
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<std::net::SocketAddr>,
        /// What to do with a partition whose state and log do not add up (docs/runbooks/waiting-partition.md).
        #[arg(long, value_enum, default_value_t = Choice::Wait)]
        on_torn: Choice,
    },
    /// Runs one connector as a process of its own (log on Kafka).
    Connector {
        /// Which.
        #[arg(value_parser = ["snmp-traps", "olt-ssh", "padtec"])]
        name: String,
        #[command(flatten)]
        part: Part,
    },
    /// Runs one processor as a process of its own (log on Kafka).
    Pipeline {
        /// `network` decides what is; `persist` writes it to the store.
        #[arg(value_parser = ["network", "persist"])]
        name: String,
        /// `network`: what to do with a partition whose state and log do not add up (docs/runbooks/waiting-partition.md).
        #[arg(long, value_enum, default_value_t = Choice::Wait)]
        on_torn: Choice,
        #[command(flatten)]
        part: Part,
    },
    /// Runs board, REST API and WebSocket as a process of its own (log on Kafka, store on CQL).
    Api {
        #[command(flatten)]
        part: Part,
    },
    /// Checks a configuration and prints every mistake with file, line, key and what would be right.
    Check {
        /// The file.
        file: Option<PathBuf>,
        /// Prints a complete commented configuration instead.
        #[arg(long, conflicts_with = "file")]
        example: bool,
    },
    /// What the log consists of.
    Topology {
        #[command(subcommand)]
        command: commands::topology::Command,
    },
    /// Prints records of a topic as JSON lines.
    Tail(commands::tail::Arguments),
    /// Shows what we make of bytes or text of a device.
    Decode {
        #[command(subcommand)]
        command: commands::decode::Command,
    },
    /// What exists: registers OLTs, boards, ports and ONUs.
    Inventory {
        #[command(subcommand)]
        command: commands::inventory::Command,
    },
    /// Brings the tables of the store to this build's version (store on CQL).
    Migrate(commands::migrate::Arguments),
    /// Users of the board and the API.
    User {
        #[command(subcommand)]
        command: commands::user::Command,
    },
    /// Recomputes state from the log.
    Replay(commands::replay::Arguments),
    /// Makes again what is made of something else.
    Rebuild {
        #[command(subcommand)]
        command: commands::rebuild::Command,
    },
    /// Says what is wrong with this installation, if anything.
    Doctor(commands::doctor::Arguments),
    /// Prints the version.
    Version,
}

/// Runs what the command line says.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Up {
            place,
            demo,
            seed,
            speed,
            listen,
            on_torn,
        } => up::run(&up::Options {
            place,
            demo,
            seed,
            speed,
            listen,
            on_torn: on_torn.into(),
        }),
        Command::Connector { name, part } => part.run(
            Selection {
                traps: name == "snmp-traps",
                olts: name == "olt-ssh",
                padtec: name == "padtec",
                ..Selection::NONE
            },
            OnTorn::Wait,
        ),
        Command::Pipeline { name, on_torn, part } => part.run(
            Selection {
                network: name == "network",
                persist: name == "persist",
                ..Selection::NONE
            },
            on_torn.into(),
        ),
        Command::Api { part } => part.run(
            Selection {
                api: true,
                ..Selection::NONE
            },
            OnTorn::Wait,
        ),
        Command::Check { file, example } => commands::check::run(file.as_deref(), example),
        Command::Topology { command } => commands::topology::run(&command),
        Command::Tail(arguments) => commands::tail::run(&arguments),
        Command::Decode { command } => return commands::decode::run(&command),
        Command::Inventory { command } => commands::inventory::run(&command),
        Command::Migrate(arguments) => commands::migrate::run(&arguments),
        Command::User { command } => commands::user::run(&command),
        Command::Replay(arguments) => commands::replay::run(&arguments),
        Command::Rebuild { command } => commands::rebuild::run(&command),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
        Command::Version => {
            println!("atalaia {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("atalaia: {error:#}");
            ExitCode::FAILURE
        }
    }
}
