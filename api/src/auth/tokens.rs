//! Access tokens: JWT, HS256, one hour. Refresh tokens: opaque, one use each, stored as a keyed hash.
//!
//! The next refresh secret of a session is a keyed hash of the present one. So a client that lost the answer to a
//! rotation (a crash between store and reply) can be given the same answer again, and nothing more has to be stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::{Caller, Role};

/// Lifetime of an access token (m102).
pub const ACCESS_LIFETIME_S: i64 = 3_600;
const ISSUER: &str = "atalaia";
const AUDIENCE: &str = "atalaia-api";
/// RFC 9068's media type: a token of another kind has another.
const TYPE: &str = "at+jwt";
/// A token is a few hundred bytes; more is not looked at.
const TOKEN_BYTES_MAX: usize = 2_048;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    tenant: String,
    role: Role,
    sid: String,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Makes and checks tokens.
pub struct Tokens {
    sign: EncodingKey,
    verify: DecodingKey,
    refresh: EncodingKey,
    validation: Validation,
}

impl Tokens {
    /// From the process's secret. Each use gets a key of its own, derived from it.
    pub fn new(secret: &[u8; 32]) -> Self {
        let master = EncodingKey::from_secret(secret);
        let access = hmac(&master, b"access token");
        let refresh = hmac(&master, b"refresh token");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        Self {
            sign: EncodingKey::from_secret(access.as_bytes()),
            verify: DecodingKey::from_secret(access.as_bytes()),
            refresh: EncodingKey::from_secret(refresh.as_bytes()),
            validation,
        }
    }

    /// An access token.
    pub fn issue(&self, user: &str, tenant: &str, role: Role, session: &str, now_s: i64) -> String {
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: user.into(),
            tenant: tenant.into(),
            role,
            sid: session.into(),
            jti: random_text::<12>(),
            iat: now_s,
            nbf: now_s,
            exp: now_s + ACCESS_LIFETIME_S,
        };
        let header = Header {
            typ: Some(TYPE.into()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, &claims, &self.sign).expect("claims are plain JSON and the key is an HMAC key")
    }

    /// Who an access token is of; `None` if it is not one of ours, valid at `now_s`.
    pub fn verify(&self, token: &str, now_s: i64) -> Option<Caller> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let data = jsonwebtoken::decode::<Claims>(token, &self.verify, &self.validation).ok()?;
        let claims = data.claims;
        // The library's own clock has been asked; ours decides on the edge, and about `iat`.
        let in_time = claims.nbf <= now_s && claims.iat <= now_s && now_s < claims.exp;
        let plausible = claims.exp - claims.iat == ACCESS_LIFETIME_S;
        let ours = data.header.typ.as_deref() == Some(TYPE);
        (in_time && plausible && ours).then_some(Caller {
            user: claims.sub,
            tenant: claims.tenant,
            role: claims.role,
            session: claims.sid,
            expires_at_s: claims.exp,
        })
    }

    /// What is stored of a refresh secret.
    pub fn hash(&self, secret: &str) -> Vec<u8> {
        hmac(&self.refresh, format!("hash:{secret}").as_bytes()).into_bytes()
    }

    /// The secret that follows a refresh secret.
    pub fn next_secret(&self, family: &str, secret: &str) -> String {
        hmac(&self.refresh, format!("next:{family}:{secret}").as_bytes())
    }
}

/// A refresh token, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Whose.
    pub user: String,
    /// Session.
    pub family: String,
    /// What proves it.
    pub secret: String,
}

impl RefreshToken {
    /// The first token of a new session.
    pub fn first(user: &str) -> Self {
        Self {
            user: user.into(),
            family: random_text::<16>(),
            secret: random_text::<32>(),
        }
    }

    /// Its written form.
    pub fn write(&self) -> String {
        format!(
            "rt1.{}.{}.{}",
            URL_SAFE_NO_PAD.encode(&self.user),
            self.family,
            self.secret
        )
    }

    /// Reads the written form.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let mut parts = text.split('.');
        let (version, user, family, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let inert = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if version != "rt1" || parts.next().is_some() || !inert(family) || !inert(secret) {
            return None;
        }
        let user = String::from_utf8(URL_SAFE_NO_PAD.decode(user).ok()?).ok()?;
        Some(Self {
            user,
            family: family.into(),
            secret: secret.into(),
        })
    }
}

/// HMAC-SHA-256 as base64url.
fn hmac(key: &EncodingKey, message: &[u8]) -> String {
    jsonwebtoken::crypto::sign(message, key, Algorithm::HS256).expect("an HMAC key signs anything")
}

/// `N` random bytes as base64url.
pub fn random_text<const N: usize>() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; N]>())
}

/// Whether two byte strings are equal, in a time that does not say where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0_u8, |difference, (x, y)| difference | (x ^ y)) == 0
}
