//! Who asks: passwords, tokens, sessions, limits.

pub mod limiter;
pub mod passwords;
pub mod sessions;
pub mod tokens;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user may do. The order is the order of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and operates.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them, least rights first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == word)
    }
}

/// Who asks, after the token has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// User name.
    pub user: String,
    /// Tenant: everything seen and done stays inside.
    pub tenant: String,
    /// Role.
    pub role: Role,
    /// Session (refresh family) the token belongs to.
    pub session: String,
    /// Unix seconds at which the token ends.
    pub expires_at_s: i64,
}
