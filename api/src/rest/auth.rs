//! Login, refresh, logout.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use schemas::AuditEntry;
use serde::{Deserialize, Serialize};
use store::queries;
use utoipa::ToSchema;

use super::extract::Body;
use crate::access::Remote;
use crate::audit::{cut, entry};
use crate::auth::passwords::{self, PASSWORD_BYTES_MAX};
use crate::auth::sessions::RefreshError;
use crate::auth::tokens::{ACCESS_LIFETIME_S, RefreshToken};
use crate::auth::{Caller, Role};
use crate::error::ErrorBody;
use crate::metrics_names as names;
use crate::time::now;
use crate::{ApiError, ApiState, Code};

/// Who wants in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// User name.
    #[schema(max_length = 64)]
    username: String,
    /// Password.
    #[schema(max_length = 256, format = Password)]
    password: String,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The token of the last answer.
    refresh_token: String,
}

/// Tokens.
#[derive(Serialize, ToSchema)]
pub struct TokenPair {
    /// For `Authorization: Bearer …` and `/ws`.
    access_token: String,
    /// For one refresh.
    refresh_token: String,
    /// `bearer`.
    token_type: &'static str,
    /// Seconds the access token lives.
    expires_in: i64,
}

/// Who you are.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// User name.
    user: String,
    /// Tenant.
    tenant: String,
    /// Role.
    role: Role,
}

type Here = Option<Extension<Remote>>;

/// Logs in.
#[utoipa::path(post, path = "/auth/login", tag = "auth", security(()), request_body = Login, responses(
    (status = 200, description = "Tokens", body = TokenPair),
    (status = 400, description = "Not JSON", body = ErrorBody),
    (status = 401, description = "Wrong user name or password", body = ErrorBody),
    (status = 413, description = "Too large", body = ErrorBody),
    (status = 415, description = "Not application/json", body = ErrorBody),
    (status = 422, description = "Not a login", body = ErrorBody),
    (status = 429, description = "Too many tries", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn login(
    State(api): State<Arc<ApiState>>,
    here: Here,
    Body(login): Body<Login>,
) -> Result<Json<TokenPair>, ApiError> {
    let remote = here.map(|Extension(remote)| remote);
    let outcome = try_login(&api, remote, &login).await;
    let word = match &outcome {
        Ok(_) => "done",
        Err(error) if error.code == Code::RateLimited => "limited",
        Err(error) if error.code == Code::Unauthenticated => "denied",
        Err(_) => "failed",
    };
    metrics::counter!(names::LOGINS, "outcome" => word).increment(1);
    let tell = AuditEntry {
        actor: cut(&login.username),
        outcome: if word == "limited" { "denied" } else { word }.into(),
        detail: (word == "limited").then(|| "rate limit".into()),
        remote: remote.map(|r| r.0.to_string()),
        ..entry(None, "login", None)
    };
    let (caller, pair) = match outcome {
        Ok(done) => done,
        Err(error) => {
            api.audit.tell(tell);
            return Err(error);
        }
    };
    let role = Some(caller.role.as_str().to_owned());
    if !api
        .audit
        .write(AuditEntry {
            tenant: caller.tenant,
            role,
            ..tell
        })
        .await
    {
        return Err(ApiError::new(
            Code::UpstreamUnavailable,
            "the login could not be recorded, try again",
        ));
    }
    Ok(Json(pair))
}

async fn try_login(api: &ApiState, remote: Option<Remote>, login: &Login) -> Result<(Caller, TokenPair), ApiError> {
    let limited = |seconds: u64| {
        ApiError::new(Code::RateLimited, format!("too many logins, try again in {seconds} s")).retry_after(seconds)
    };
    let name = cut(&login.username);
    if let Some(remote) = remote {
        api.login_by_address.take(&remote.0, Instant::now()).map_err(limited)?;
    }
    api.login_by_user.take(&name, Instant::now()).map_err(limited)?;
    let wrong = || ApiError::new(Code::Unauthenticated, "wrong user name or password");
    if login.password.len() > PASSWORD_BYTES_MAX || name != login.username {
        return Err(wrong());
    }
    let user = queries::user(&*api.store, &name).await;
    let user = user.map_err(|e| ApiError::unavailable("looking up the user", &e))?;
    // A disabled user costs the same time as an unknown one, and as a wrong password.
    let user = user.filter(|u| u.enabled);
    let permit = api.password_checks.clone().acquire_owned().await;
    let permit = permit.map_err(|e| ApiError::internal("waiting for a password check", &e))?;
    let (password, stored) = (login.password.clone(), user.as_ref().map(|u| u.password_hash.clone()));
    let right = tokio::task::spawn_blocking(move || {
        let right = passwords::verify(&password, stored.as_deref());
        drop(permit);
        right
    });
    let right = right.await.map_err(|e| ApiError::internal("checking a password", &e))?;
    let user = user.filter(|_| right).ok_or_else(wrong)?;
    let role = Role::parse(&user.role).ok_or_else(wrong)?;
    api.login_by_user.give_back(&name);
    let token = api.sessions.open(&api.tokens, &user.name, now()).await;
    let token = token.map_err(|e| ApiError::unavailable("opening the session", &e))?;
    Ok(pair(api, &user.name, &user.tenant, role, &token))
}

fn pair(api: &ApiState, user: &str, tenant: &str, role: Role, refresh: &RefreshToken) -> (Caller, TokenPair) {
    let now_s = now().millis().div_euclid(1_000);
    let access_token = api.tokens.issue(user, tenant, role, &refresh.family, now_s);
    let caller = Caller {
        user: user.into(),
        tenant: tenant.into(),
        role,
        session: refresh.family.clone(),
        expires_at_s: now_s + ACCESS_LIFETIME_S,
    };
    let refresh_token = refresh.write();
    (
        caller,
        TokenPair {
            access_token,
            refresh_token,
            token_type: "bearer",
            expires_in: ACCESS_LIFETIME_S,
        },
    )
}

/// Exchanges a refresh token. It works once; used again later, the session ends.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", security(()), request_body = Refresh, responses(
    (status = 200, description = "Tokens", body = TokenPair),
    (status = 400, description = "Not JSON", body = ErrorBody),
    (status = 401, description = "Not a living refresh token", body = ErrorBody),
    (status = 409, description = "Another request has just used it", body = ErrorBody),
    (status = 413, description = "Too large", body = ErrorBody),
    (status = 415, description = "Not application/json", body = ErrorBody),
    (status = 422, description = "Not a refresh", body = ErrorBody),
    (status = 429, description = "Too many tries", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn refresh(
    State(api): State<Arc<ApiState>>,
    here: Here,
    Body(refresh): Body<Refresh>,
) -> Result<Json<TokenPair>, ApiError> {
    let remote = here.map(|Extension(r)| r.0.to_string());
    let rotated = api.sessions.rotate(&api.tokens, &refresh.refresh_token, now()).await;
    let invalid = || {
        ApiError::new(
            Code::Unauthenticated,
            "the refresh token is not valid, or no longer: log in again",
        )
    };
    let denied = |actor: &str, detail: &str| {
        let entry = AuditEntry {
            detail: Some(detail.into()),
            remote: remote.clone(),
            ..entry(None, "refresh", None)
        };
        api.audit.tell(AuditEntry {
            actor: cut(actor),
            outcome: "denied".into(),
            ..entry
        });
    };
    let (user, token) = match rotated {
        Ok(rotated) => rotated,
        Err(RefreshError::Race) => {
            let message = "another request has just used this token: use the answer that one got";
            return Err(ApiError::new(Code::Conflict, message));
        }
        Err(RefreshError::Invalid) => {
            denied("anonymous", "not a living refresh token");
            return Err(invalid());
        }
        Err(RefreshError::Reused(token)) => {
            denied(&token.user, "a refresh token was used twice: the session has ended");
            return Err(invalid());
        }
        Err(RefreshError::Store(error)) => return Err(ApiError::unavailable("looking up the session", &error)),
    };
    let role = Role::parse(&user.role).ok_or_else(invalid)?;
    let (caller, pair) = pair(&api, &user.name, &user.tenant, role, &token);
    api.audit.tell(AuditEntry {
        remote,
        ..entry(Some(&caller), "refresh", None)
    });
    Ok(Json(pair))
}

/// Ends the session: its tokens work no more.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses(
    (status = 204, description = "Ended"),
    (status = 401, description = "Not logged in", body = ErrorBody),
    (status = 503, description = "The store is away", body = ErrorBody),
))]
pub async fn logout(State(api): State<Arc<ApiState>>, caller: Caller) -> Result<StatusCode, ApiError> {
    let ended = api.sessions.end(&caller.user, &caller.session, now()).await;
    ended.map_err(|e| ApiError::unavailable("ending the session", &e))?;
    api.audit.tell(entry(Some(&caller), "logout", None));
    Ok(StatusCode::NO_CONTENT)
}

/// Who you are.
#[utoipa::path(get, path = "/auth/me", tag = "auth", responses(
    (status = 200, description = "The token's user", body = Me),
    (status = 401, description = "Not logged in", body = ErrorBody),
))]
pub async fn me(caller: Caller) -> Json<Me> {
    Json(Me {
        user: caller.user,
        tenant: caller.tenant,
        role: caller.role,
    })
}
