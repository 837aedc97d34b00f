//! Sessions: one login, its chain of refresh tokens, and the access tokens of that chain.
//!
//! A refresh token works once. Used again later, its whole session ends: somebody has a copy. Used again within moments by
//! a client that asked twice at the same time, it is only refused; and by a client to which a crash owed the answer, it is
//! answered again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use model::Micros;
use store::queries;
use store::rows::{RefreshFamilyRow, UserRow};
use store::{Store, StoreError};

use super::tokens::{RefreshToken, Tokens, same};
use super::{Caller, Role};

/// A session ends when it was not refreshed for this long …
const IDLE_US_MAX: i64 = 7 * 86_400 * Micros::SECOND;
/// … and in any case this long after the login.
const LIFETIME_US_MAX: i64 = 30 * 86_400 * Micros::SECOND;
/// How long the token before the last is taken for a race or a lost answer, not for a copy.
const RACE_US: i64 = 30 * Micros::SECOND;
/// How long an answer of the store about a session is believed. A logout on this instance is seen at once.
const BELIEVED: Duration = Duration::from_secs(30);
/// Sessions remembered; more only costs reads.
const CACHED_MAX: usize = 20_000;

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Not a living session's token.
    #[error("not a valid refresh token")]
    Invalid,
    /// Another request has just used it.
    #[error("the refresh token has just been used by another request")]
    Race,
    /// It was used before: the session has been ended.
    #[error("the refresh token was used before")]
    Reused(RefreshToken),
    /// The store did not answer.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
}

/// Whose a living session is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    user: String,
    tenant: String,
    role: Role,
}

/// All sessions.
pub struct Sessions {
    store: Arc<dyn Store>,
    /// By session: when the store was asked, and whose it is; `None` when it has ended.
    believed: Mutex<HashMap<String, (Instant, Option<Standing>)>>,
    /// Rotations this process has made and answered.
    rotated: Mutex<HashMap<String, Instant>>,
}

impl Sessions {
    /// Over the store's users and families.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            believed: Mutex::default(),
            rotated: Mutex::default(),
        }
    }

    /// A new session.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open(&self, tokens: &Tokens, user: &str, now: Micros) -> Result<RefreshToken, StoreError> {
        let token = RefreshToken::first(user);
        let family = RefreshFamilyRow {
            user_name: user.into(),
            family: token.family.clone(),
            current_hash: tokens.hash(&token.secret),
            rotated_at: now,
            revoked: false,
            created_at: now,
            expires_at: now.plus(IDLE_US_MAX),
        };
        queries::put_refresh_family_if(&*self.store, &family, None).await?;
        Ok(token)
    }

    /// Takes a refresh token for the next one.
    ///
    /// # Errors
    /// See [`RefreshError`].
    pub async fn rotate(
        &self,
        tokens: &Tokens,
        text: &str,
        now: Micros,
    ) -> Result<(UserRow, RefreshToken), RefreshError> {
        let token = RefreshToken::parse(text).ok_or(RefreshError::Invalid)?;
        let family = queries::refresh_family(&*self.store, &token.user, &token.family).await?;
        let family = family
            .filter(|f| !f.revoked && f.expires_at > now)
            .ok_or(RefreshError::Invalid)?;
        let user = queries::user(&*self.store, &token.user).await?;
        let user = user.filter(|u| u.enabled).ok_or(RefreshError::Invalid)?;
        let next = RefreshToken {
            secret: tokens.next_secret(&token.family, &token.secret),
            ..token.clone()
        };
        if same(&family.current_hash, &tokens.hash(&token.secret)) {
            return self.advance(tokens, &family, &next, now).await.map(|()| (user, next));
        }
        let just_before = same(&family.current_hash, &tokens.hash(&next.secret));
        if just_before && now.since(family.rotated_at) < RACE_US {
            // The present token follows this one. If we answered that rotation, somebody has the answer; if not, nobody.
            return if self.was_answered(&token.family) {
                Err(RefreshError::Race)
            } else {
                Ok((user, next))
            };
        }
        // Neither the present token nor the one before: an older one, or one that was made up. Somebody has what they
        // should not have (a family's name is random and secret too), so the session ends.
        self.end(&token.user, &token.family, now).await?;
        Err(RefreshError::Reused(token))
    }

    async fn advance(
        &self,
        tokens: &Tokens,
        family: &RefreshFamilyRow,
        next: &RefreshToken,
        now: Micros,
    ) -> Result<(), RefreshError> {
        let ends = family.created_at.plus(LIFETIME_US_MAX).min(now.plus(IDLE_US_MAX));
        let rotated = RefreshFamilyRow {
            current_hash: tokens.hash(&next.secret),
            // A write must be above the one before it, also when the clock stands still or steps back.
            rotated_at: now.max(family.rotated_at.plus(1_000)),
            expires_at: ends,
            ..family.clone()
        };
        // Noted before the write: whoever reads it as done must find that this process answers it.
        self.note_rotation(&family.family);
        match queries::put_refresh_family_if(&*self.store, &rotated, Some(family)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(RefreshError::Race),
            Err(error) => {
                // It may stand, and nobody has the answer: the client's next try gets it.
                self.lock_rotated().remove(&family.family);
                Err(error.into())
            }
        }
    }

    fn note_rotation(&self, family: &str) {
        let mut rotated = self.lock_rotated();
        rotated.retain(|_, at| at.elapsed() < Duration::from_micros(RACE_US.unsigned_abs()));
        rotated.insert(family.to_owned(), Instant::now());
    }

    fn lock_rotated(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.rotated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn was_answered(&self, family: &str) -> bool {
        self.lock_rotated().contains_key(family)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn end(&self, user: &str, family: &str, now: Micros) -> Result<(), StoreError> {
        self.believe(family, None);
        revoke(&*self.store, user, family, now).await
    }

    /// Whether the session of an access token still stands, and its user still is who the token says.
    ///
    /// # Errors
    /// When the store does not answer and nothing is known of the session.
    pub async fn check(&self, caller: &Caller) -> Result<bool, StoreError> {
        let asked = Standing {
            user: caller.user.clone(),
            tenant: caller.tenant.clone(),
            role: caller.role,
        };
        let known = self.lock_believed().get(&caller.session).cloned();
        match &known {
            Some((_, None)) => return Ok(false),
            Some((at, Some(standing))) if *standing == asked && at.elapsed() < BELIEVED => return Ok(true),
            _ => {}
        }
        match self.ask(&asked, &caller.session).await {
            Ok(true) => {
                self.believe(&caller.session, Some(asked));
                Ok(true)
            }
            Ok(false) => Ok(false),
            // The store is away: what was true stays so for the hour of the token.
            Err(_) if known.is_some_and(|(_, standing)| standing == Some(asked)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// As [`Sessions::check`], for a connection that is open already: while the store is away, it stays.
    pub async fn stands(&self, caller: &Caller) -> bool {
        self.check(caller).await.unwrap_or(true)
    }

    async fn ask(&self, asked: &Standing, session: &str) -> Result<bool, StoreError> {
        let family = queries::refresh_family(&*self.store, &asked.user, session).await?;
        let user = queries::user(&*self.store, &asked.user).await?;
        let same = |u: UserRow| u.enabled && u.tenant == asked.tenant && Role::parse(&u.role) == Some(asked.role);
        Ok(user.is_some_and(same) && family.is_some_and(|f| !f.revoked))
    }

    fn believe(&self, session: &str, standing: Option<Standing>) {
        let mut believed = self.lock_believed();
        if believed.len() >= CACHED_MAX {
            believed.retain(|_, (at, _)| at.elapsed() < BELIEVED);
        }
        if believed.len() >= CACHED_MAX {
            believed.clear();
        }
        // A check that was under way when the session ended must not bring it back.
        let ended = believed.get(session).is_some_and(|(_, known)| known.is_none());
        if !ended {
            believed.insert(session.to_owned(), (Instant::now(), standing));
        }
    }

    fn lock_believed(&self) -> MutexGuard<'_, HashMap<String, (Instant, Option<Standing>)>> {
        self.believed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends all sessions of a user.
///
/// # Errors
/// When the store does not answer.
pub async fn end_all(store: &dyn Store, user: &str, now: Micros) -> Result<(), StoreError> {
    for family in queries::refresh_families(store, user).await? {
        revoke(store, user, &family.family, now).await?;
    }
    Ok(())
}

async fn revoke(store: &dyn Store, user: &str, family: &str, now: Micros) -> Result<(), StoreError> {
    // A rotation may come in between: then again, on what it wrote. Each needs a token of its own, so this ends.
    loop {
        let row = queries::refresh_family(store, user, family).await?;
        let Some(row) = row.filter(|f| !f.revoked) else {
            return Ok(());
        };
        let rotated_at = now.max(row.rotated_at.plus(1_000));
        let revoked = RefreshFamilyRow {
            revoked: true,
            rotated_at,
            ..row.clone()
        };
        if queries::put_refresh_family_if(store, &revoked, Some(&row)).await? {
            return Ok(());
        }
    }
}
