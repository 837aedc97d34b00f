//! Driving the product from outside, for benches and for the tests that kill it: a process of its own, real datagrams,
//! HTTP and WebSocket. Sends to loopback addresses only.

pub mod client;
pub mod device;
pub mod product;
