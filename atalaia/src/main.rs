//! `atalaia`: the command line; everything behind it is in the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    atalaia::run()
}
