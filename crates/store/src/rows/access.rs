//! Who may log in. These rows stand in no topic: they live only here, and a backup covers them.

use std::fmt;

use ColumnType::{Blob, Boolean, Int, Text, Timestamp};
use model::Micros;

use super::fields::{Fields, column, instant, text};
use crate::{ColumnType, Order, Row, StoreError, TableDef, Value};

/// All users stand in one partition: a login names no tenant, and the list is one read.
const BUCKET: Value = Value::Int(0);

/// Users by name.
pub static USERS: TableDef = TableDef {
    name: "users",
    partition_key: &[column("bucket", Int)],
    clustering_key: &[(column("name", Text), Order::Asc)],
    columns: &[
        column("tenant", Text),
        column("role", Text),
        column("password_hash", Text),
        column("enabled", Boolean),
        column("created_at", Timestamp),
        column("updated_at", Timestamp),
    ],
    retention: None,
    mutable: true,
};

/// Refresh-token families by user.
pub static REFRESH_FAMILIES: TableDef = TableDef {
    name: "refresh_families",
    partition_key: &[column("user_name", Text)],
    clustering_key: &[(column("family", Text), Order::Asc)],
    columns: &[
        column("current_hash", Blob),
        column("rotated_at", Timestamp),
        column("revoked", Boolean),
        column("created_at", Timestamp),
    ],
    retention: None,
    mutable: true,
};

/// One row of [`USERS`]. Its debug form hides the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Login name.
    pub name: String,
    /// Whose network the user sees.
    pub tenant: String,
    /// `admin`, `operator` or `viewer`.
    pub role: String,
    /// PHC string (argon2id).
    pub password_hash: String,
    /// Whether a login is allowed.
    pub enabled: bool,
    /// When the user was made.
    pub created_at: Micros,
    /// When the row was changed last; its write time.
    pub updated_at: Micros,
}

impl fmt::Debug for UserRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRow")
            .field("name", &self.name)
            .field("tenant", &self.tenant)
            .field("role", &self.role)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl UserRow {
    /// The key of all users: the whole partition.
    pub(crate) fn partition() -> Vec<Value> {
        vec![BUCKET]
    }

    /// The row of [`USERS`].
    pub fn to_row(&self) -> Row {
        Row {
            table: &USERS,
            key: vec![BUCKET, text(&self.name)],
            columns: vec![
                Some(text(&self.tenant)),
                Some(text(&self.role)),
                Some(text(&self.password_hash)),
                Some(Value::Boolean(self.enabled)),
                Some(instant(self.created_at)),
                Some(instant(self.updated_at)),
            ],
            wts_us: self.updated_at.0,
            expires_at_ms: None,
        }
    }

    /// Reads a row of [`USERS`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&USERS])?;
        Ok(Self {
            name: fields.text("name")?,
            tenant: fields.text("tenant")?,
            role: fields.text("role")?,
            password_hash: fields.text("password_hash")?,
            enabled: fields.boolean("enabled")?,
            created_at: fields.instant("created_at")?,
            updated_at: fields.instant("updated_at")?,
        })
    }
}

/// One row of [`REFRESH_FAMILIES`]. Its debug form hides the hash.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshFamilyRow {
    /// Whose it is.
    pub user_name: String,
    /// Random id of the family.
    pub family: String,
    /// Hash of the one token that may be used next.
    pub current_hash: Vec<u8>,
    /// When it was rotated last; its write time.
    pub rotated_at: Micros,
    /// Whether the family has ended: logout, or a token used twice.
    pub revoked: bool,
    /// When the login was.
    pub created_at: Micros,
    /// When its token ends, and the row with it.
    pub expires_at: Micros,
}

impl fmt::Debug for RefreshFamilyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshFamilyRow")
            .field("user_name", &self.user_name)
            .field("revoked", &self.revoked)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl RefreshFamilyRow {
    /// The row of [`REFRESH_FAMILIES`].
    pub fn to_row(&self) -> Row {
        Row {
            table: &REFRESH_FAMILIES,
            key: vec![text(&self.user_name), text(&self.family)],
            columns: vec![
                Some(Value::Blob(self.current_hash.clone())),
                Some(instant(self.rotated_at)),
                Some(Value::Boolean(self.revoked)),
                Some(instant(self.created_at)),
            ],
            wts_us: self.rotated_at.0,
            expires_at_ms: Some(self.expires_at.millis()),
        }
    }

    /// Reads a row of [`REFRESH_FAMILIES`].
    ///
    /// # Errors
    /// When it is a row of another table, or a column has another type than the table says.
    pub fn from_row(row: &Row) -> Result<Self, StoreError> {
        let fields = Fields::of(row, &[&REFRESH_FAMILIES])?;
        Ok(Self {
            user_name: fields.text("user_name")?,
            family: fields.text("family")?,
            current_hash: fields.blob("current_hash")?,
            rotated_at: fields.instant("rotated_at")?,
            revoked: fields.boolean("revoked")?,
            created_at: fields.instant("created_at")?,
            expires_at: Micros(row.expires_at_ms.unwrap_or(i64::MAX / 1_000).saturating_mul(1_000)),
        })
    }
}
