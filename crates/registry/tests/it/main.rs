//! Against a real registry: `REGISTRY` says where it is.
#![allow(clippy::unwrap_used, reason = "a test that panics says where")]

mod away;
mod common;
mod subjects;
