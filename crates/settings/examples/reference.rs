//! Prints the reference page of the configuration: `cargo run -q -p settings --example reference`.
#![allow(clippy::print_stdout, reason = "its output is the page")]

fn main() {
    print!("{}", settings::reference_markdown());
}
