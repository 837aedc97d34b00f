//! Connector `olt-ssh`: what a Huawei SmartAX OLT says on its command line, asked and read.
//!
//! [`session`] logs in and runs commands, by SSH or telnet, with a deadline on everything; [`dialogue`]: bytes of a session in,
//! what to send and whole answers out; [`decode`]: bytes of an answer in, rows, issues and whether nothing is missing out. The
//! last two are pure and total: no network, no clock, no secret in anything they return.

pub mod decode;
pub mod dialogue;
pub mod poll;
pub mod session;
