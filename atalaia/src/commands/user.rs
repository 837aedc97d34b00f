//! `atalaia user add NAME --role ROLE`: the password is read from standard input, never from the command line.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use super::out;
use crate::command_line::Place;
use crate::socket::{Request, with_installation};

/// Subcommands of `atalaia user`.
#[derive(Subcommand)]
pub enum Command {
    /// Adds a user, or changes password and role of one.
    #[command(
        after_help = "The password is the first line of standard input:\n  atalaia user add ana --role operator < password.txt"
    )]
    Add {
        /// Login name.
        name: String,
        /// admin (everything), operator (operations), viewer (read only).
        #[arg(long, value_parser = ["admin", "operator", "viewer"])]
        role: String,
        #[command(flatten)]
        place: Place,
    },
    /// Lists users and roles.
    List {
        #[command(flatten)]
        place: Place,
    },
}

/// Runs the command.
///
/// # Errors
/// When the password is too short, or the installation cannot be used.
pub fn run(command: &Command) -> Result<()> {
    let (place, request) = match command {
        Command::Add { name, role, place } => {
            let password = read_password()?;
            (
                place,
                Request::AddUser {
                    name: name.clone(),
                    role: role.clone(),
                    password,
                },
            )
        }
        Command::List { place } => (place, Request::ListUsers),
    };
    out::until_read(with_installation(place, &request, &mut |line| out::line(&line)))
}

fn read_password() -> Result<String> {
    if std::io::stdin().is_terminal() {
        eprintln!("password (at least 10 characters; it is shown while you type, a file or a pipe is better):");
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the password from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.chars().count() < 10 {
        bail!("the first line of standard input is to be a password of at least 10 characters");
    }
    Ok(password)
}
