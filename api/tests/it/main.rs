//! The API as its clients see it: over a log in memory and a store in a folder.
#![allow(clippy::unwrap_used, reason = "a test that panics says where")]

mod acts;
mod alarms;
mod auth;
mod contract;
mod devices;
mod measurements;
mod roles;
mod rules;
mod socket;
mod socket_limits;
mod sources;
mod support;
mod web;
mod why;
