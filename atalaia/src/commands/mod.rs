//! The commands other than `up`.

pub mod check;
pub mod decode;
pub mod doctor;
pub mod inventory;
pub mod migrate;
mod out;
pub mod rebuild;
pub mod replay;
pub mod tail;
pub mod topology;
pub mod user;
