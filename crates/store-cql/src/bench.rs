//! Rows per CPU second.
