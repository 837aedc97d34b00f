//! Connector `olt-ssh`: what a Huawei SmartAX OLT says on its command line, read.
//!
//! So far it is [`decode`] alone: bytes of an answer in, rows, issues and whether nothing is missing out. Pure and total; no
//! network, no clock, no secret in anything it returns.

pub mod decode;
