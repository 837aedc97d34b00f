//! The `# HELP` of `/metrics`.

pub const HELP: &[(&str, &str)] = &[];
