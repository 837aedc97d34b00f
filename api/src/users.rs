//! Users, for the command line and the first start. They live in the store alone.

use model::{Tenant, is_name};
use store::queries;
use store::rows::UserRow;
use store::{Store, StoreError};

use crate::auth::Role;
use crate::auth::passwords::{self, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use crate::auth::sessions::end_all;
use crate::time::now;

/// The user made on the first start.
pub const FIRST_USER: &str = "admin";

/// A password that was made up here, to be shown once.
pub struct GeneratedPassword(String);

impl GeneratedPassword {
    /// The password: for the one line a person reads, nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for GeneratedPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GeneratedPassword(…)")
    }
}

/// Why a user could not be written.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Not a name.
    #[error("a user's name has 1 to 64 letters, digits, `.`, `_`, `-` or `@`")]
    BadName,
    /// Not a tenant.
    #[error("a tenant's name has 1 to 64 letters, digits, `.`, `_` or `-`")]
    BadTenant,
    /// Too short or too long.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes")]
    BadPassword,
    /// There is one of this name.
    #[error("there is a user `{0}` already")]
    Exists(String),
    /// There is none of this name.
    #[error("there is no user `{0}`")]
    Missing(String),
    /// The store did not answer.
    #[error("cannot write the user")]
    Store(#[from] StoreError),
}

/// A user, as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// Name.
    pub name: String,
    /// Tenant.
    pub tenant: String,
    /// Role, as stored.
    pub role: String,
    /// Whether it may log in.
    pub enabled: bool,
}

/// Makes the user `admin` of a tenant if there is no user at all; answers the password it made up.
///
/// # Errors
/// When the store does not answer.
pub async fn ensure_admin(store: &dyn Store, tenant: &str) -> Result<Option<GeneratedPassword>, UserError> {
    if !queries::users(store).await?.is_empty() {
        return Ok(None);
    }
    let password = passwords::generate();
    match add_user(store, FIRST_USER, tenant, Role::Admin, &password).await {
        Ok(()) => Ok(Some(GeneratedPassword(password))),
        // Another process was faster.
        Err(UserError::Exists(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Adds a user.
///
/// # Errors
/// See [`UserError`].
pub async fn add_user(
    store: &dyn Store,
    name: &str,
    tenant: &str,
    role: Role,
    password: &str,
) -> Result<(), UserError> {
    if !is_name(name) {
        return Err(UserError::BadName);
    }
    Tenant::parse(tenant).map_err(|_| UserError::BadTenant)?;
    let password_hash = checked_hash(password).await?;
    let at = now();
    let user = UserRow {
        name: name.into(),
        tenant: tenant.into(),
        role: role.as_str().into(),
        password_hash,
        enabled: true,
        created_at: at,
        updated_at: at,
    };
    if queries::put_user_if(store, &user, None).await? {
        Ok(())
    } else {
        Err(UserError::Exists(name.into()))
    }
}

/// What [`add_or_change`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// There was none of this name.
    Added,
    /// There was one: it has another password and role, and its sessions have ended.
    Changed,
}

/// Adds a user, or gives the one of this name another password and role, and ends its sessions.
///
/// # Errors
/// See [`UserError`].
pub async fn add_or_change(
    store: &dyn Store,
    name: &str,
    tenant: &str,
    role: Role,
    password: &str,
) -> Result<Written, UserError> {
    match add_user(store, name, tenant, role, password).await {
        Ok(()) => Ok(Written::Added),
        Err(UserError::Exists(_)) => {
            let password_hash = checked_hash(password).await?;
            change(store, name, |user| {
                user.password_hash.clone_from(&password_hash);
                role.as_str().clone_into(&mut user.role);
                user.enabled = true;
            })
            .await?;
            Ok(Written::Changed)
        }
        Err(error) => Err(error),
    }
}

/// Gives a user another password and ends its sessions.
///
/// # Errors
/// See [`UserError`].
pub async fn set_password(store: &dyn Store, name: &str, password: &str) -> Result<(), UserError> {
    let password_hash = checked_hash(password).await?;
    change(store, name, |user| user.password_hash.clone_from(&password_hash)).await
}

/// Rewrites a user, whoever else does at the same time, and ends its sessions.
async fn change(store: &dyn Store, name: &str, edit: impl Fn(&mut UserRow)) -> Result<(), UserError> {
    loop {
        let old = queries::user(store, name)
            .await?
            .ok_or_else(|| UserError::Missing(name.into()))?;
        let mut user = old.clone();
        edit(&mut user);
        user.updated_at = now().max(old.updated_at.plus(1_000));
        if queries::put_user_if(store, &user, Some(&old)).await? {
            break;
        }
    }
    Ok(end_all(store, name, now()).await?)
}

/// All users, by name.
///
/// # Errors
/// When the store does not answer.
pub async fn list(store: &dyn Store) -> Result<Vec<UserInfo>, UserError> {
    let users = queries::users(store).await?;
    let shown = |u: UserRow| UserInfo {
        name: u.name,
        tenant: u.tenant,
        role: u.role,
        enabled: u.enabled,
    };
    Ok(users.into_iter().map(shown).collect())
}

async fn checked_hash(password: &str) -> Result<String, UserError> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(UserError::BadPassword);
    }
    let password = password.to_owned();
    let hashed = tokio::task::spawn_blocking(move || passwords::hash(&password)).await;
    Ok(hashed.expect("hashing does not panic and is not cancelled"))
}
