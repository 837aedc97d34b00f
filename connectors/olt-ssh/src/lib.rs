//! Connector `olt-ssh`: what a Huawei SmartAX OLT says on its command line, read.
//!
//! So far it is [`decode`]: bytes of an answer in, rows, issues and whether nothing is missing out; and [`dialogue`]: bytes of a
//! session in, what to send and whole answers out. Both pure and total; no
//! network, no clock, no secret in anything they return.

pub mod decode;
pub mod dialogue;
