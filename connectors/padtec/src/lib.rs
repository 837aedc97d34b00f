//! Connector `padtec`: sites, cards, measures and alarms of an optical network, asked of its management system over HTTP.
//!
//! [`client`] asks, with a deadline on everything; [`decode`]: bytes of an answer in, rows and issues out, by a [`mapping`], which
//! is data; [`poll`]: when what is asked, whether a list is whole, and the records made of it. The second and the third are pure:
//! no network, no clock, no secret in anything they return.

pub mod client;
pub mod decode;
pub mod mapping;
pub mod poll;
