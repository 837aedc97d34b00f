//! The API as its clients see it: over a log in memory and a store in a folder.

mod auth;
mod contract;
mod devices;
mod roles;
mod socket;
mod socket_limits;
mod support;
mod web;
