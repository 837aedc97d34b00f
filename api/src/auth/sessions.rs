//! Sessions: one login, its chain of refresh tokens, and the access tokens of that chain.
//!
//! A refresh token works once. Used again later, its whole session ends: somebody has a copy. Used again within moments by
//! a client that asked twice at the same time, it is only refused; and by a client to which a crash owed the answer, it is
//! answered again.

use std::sync::{Arc, Mutex, PoisonError};
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

/// All sessions.
pub struct Sessions {
    store: Arc<dyn Store>,
    believed: Mutex<HashMap<String, (Instant, bool)>>,
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
        self.believe(&token.family, true);
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
        if !queries::put_refresh_family_if(&*self.store, &rotated, Some(family)).await? {
            return Err(RefreshError::Race);
        }
        let mut answered = self.rotated.lock().unwrap_or_else(PoisonError::into_inner);
        answered.retain(|_, at| at.elapsed() < Duration::from_micros(RACE_US.unsigned_abs()));
        answered.insert(family.family.clone(), Instant::now());
        Ok(())
    }

    fn was_answered(&self, family: &str) -> bool {
        self.rotated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(family)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn end(&self, user: &str, family: &str, now: Micros) -> Result<(), StoreError> {
        self.believe(family, false);
        // A rotation may come in between: then once more, on what it wrote.
        for _ in 0..8 {
            let Some(row) = queries::refresh_family(&*self.store, user, family).await? else {
                return Ok(());
            };
            if row.revoked || self.revoke(row, now).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn revoke(&self, family: RefreshFamilyRow, now: Micros) -> Result<bool, StoreError> {
        self.believe(&family.family, false);
        let rotated_at = now.max(family.rotated_at.plus(1_000));
        let revoked = RefreshFamilyRow {
            revoked: true,
            rotated_at,
            ..family.clone()
        };
        queries::put_refresh_family_if(&*self.store, &revoked, Some(&family)).await
    }

    /// Whether the session of an access token still stands, and its user still is who the token says.
    ///
    /// # Errors
    /// When the store does not answer and nothing is known of the session.
    pub async fn check(&self, caller: &Caller) -> Result<bool, StoreError> {
        let known = self
            .believed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&caller.session)
            .copied();
        match known {
            Some((_, false)) => return Ok(false),
            Some((at, true)) if at.elapsed() < BELIEVED => return Ok(true),
            _ => {}
        }
        match self.ask(caller).await {
            Ok(stands) => {
                self.believe(&caller.session, stands);
                Ok(stands)
            }
            // The store is away: what was true stays so for the hour of the token.
            Err(error) => {
                if known.is_some() {
                    Ok(true)
                } else {
                    Err(error)
                }
            }
        }
    }

    /// As [`Sessions::check`], for a connection that is open already: while the store is away, it stays.
    pub async fn stands(&self, caller: &Caller) -> bool {
        self.check(caller).await.unwrap_or(true)
    }

    async fn ask(&self, caller: &Caller) -> Result<bool, StoreError> {
        let family = queries::refresh_family(&*self.store, &caller.user, &caller.session).await?;
        let user = queries::user(&*self.store, &caller.user).await?;
        let same_user =
            user.is_some_and(|u| u.enabled && u.tenant == caller.tenant && Role::parse(&u.role) == Some(caller.role));
        Ok(same_user && family.is_some_and(|f| !f.revoked))
    }

    fn believe(&self, session: &str, stands: bool) {
        let mut believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
        if believed.len() >= CACHED_MAX {
            believed.retain(|_, (at, _)| at.elapsed() < BELIEVED);
        }
        if believed.len() >= CACHED_MAX {
            believed.clear();
        }
        believed.insert(session.to_owned(), (Instant::now(), stands));
    }
}

/// Ends all sessions of a user.
///
/// # Errors
/// When the store does not answer.
pub async fn end_all(store: &dyn Store, user: &str) -> Result<(), StoreError> {
    for family in queries::refresh_families(store, user).await? {
        let revoked = RefreshFamilyRow {
            revoked: true,
            rotated_at: crate::time::now().max(family.rotated_at.plus(1_000)),
            ..family.clone()
        };
        if !queries::put_refresh_family_if(store, &revoked, Some(&family)).await? {
            tracing::debug!(
                user,
                "a session was refreshed while it was being ended; it ends with its next check"
            );
        }
    }
    Ok(())
}
