//! Assembly and command line of `atalaia`: what a network is doing, the moment it happens.
#![allow(clippy::print_stdout, reason = "a command line tool")]

mod assembly;
mod backends;
mod command_line;
mod commands;
mod demo;
mod logging;
mod metric_help;
mod operations;
mod parts;
mod ready;
mod socket;
mod token_key;
mod up;

pub use assembly::network_chain;
pub use backends::{open_log, open_log_of, open_store};
pub use command_line::run;
