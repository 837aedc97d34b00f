//! `[[snmp_traps.credential]]`: a community, or a user of version 3.

use crate::build::Build;
use crate::typed::{SnmpVersion, TrapCredential, TrapKey, TrapProof};

/// Longest user name and shortest password of SNMPv3 (RFC 3414 §2.4, §11.2).
const TRAP_USER_BYTES_MAX: usize = 32;
const TRAP_PASSWORD_BYTES_MIN: usize = 8;

impl Build<'_> {
    pub(crate) fn credential(&mut self, path: &str) -> Option<TrapCredential> {
        let version = self.text(&format!("{path}.version"))?;
        let proof = match version.as_str() {
            "1" => self.community(path, SnmpVersion::V1, "version = \"1\""),
            "2c" => self.community(path, SnmpVersion::V2c, "version = \"2c\""),
            _ => self.trap_user(path),
        };
        Some(TrapCredential {
            name: self.text(&format!("{path}.name"))?,
            proof: proof?,
            sources: self.cidrs(&format!("{path}.sources")).unwrap_or_default(),
        })
    }

    fn community(&mut self, path: &str, version: SnmpVersion, because: &str) -> Option<TrapProof> {
        for key in ["user", "engine_id", "auth", "priv"] {
            self.only_with(path, key, "version = \"3\"");
        }
        let community = self.needed_by(&format!("{path}.community"), because, Self::secret)?;
        Some(TrapProof::Community { version, community })
    }

    fn trap_user(&mut self, path: &str) -> Option<TrapProof> {
        self.only_with(path, "community", "version = \"1\"` or `\"2c\"");
        let user = self.needed_by(&format!("{path}.user"), "version = \"3\"", Self::text);
        if user.as_ref().is_some_and(|u| u.len() > TRAP_USER_BYTES_MAX) {
            let right = format!("write the user's name of at most {TRAP_USER_BYTES_MAX} bytes");
            self.problem(&format!("{path}.user"), "is too long", right);
        }
        let auth = self.trap_key(&format!("{path}.auth"))?;
        let privacy = self.trap_key(&format!("{path}.priv"))?;
        if privacy.is_some() && auth.is_none() {
            let right = "write `auth = { protocol = …, password = … }` too, or leave `priv` out";
            self.problem(&format!("{path}.priv.protocol"), "stands without `auth`", right);
        }
        Some(TrapProof::User {
            user: user?,
            auth,
            privacy,
            engine_ids: self.list(&format!("{path}.engine_id")).unwrap_or_default(),
        })
    }

    /// `auth` or `priv`: `Some(None)` where it is left out.
    fn trap_key(&mut self, path: &str) -> Option<Option<TrapKey>> {
        if !self.found.sections.contains_key(path) {
            return Some(None);
        }
        let password_path = format!("{path}.password");
        let password = self.secret(&password_path)?;
        if password.expose().len() < TRAP_PASSWORD_BYTES_MIN {
            let right = format!("use a password of at least {TRAP_PASSWORD_BYTES_MIN} bytes, on the devices too");
            self.problem(&password_path, "is too short for SNMP version 3", right);
        }
        let protocol = self.text(&format!("{path}.protocol"))?;
        Some(Some(TrapKey { protocol, password }))
    }

    /// A key, or a table, that means nothing beside what else is written.
    fn only_with(&mut self, path: &str, key: &str, with: &str) {
        let full = format!("{path}.{key}");
        if self.found.values.contains_key(&full) || self.found.sections.contains_key(&full) {
            self.problem(
                &full,
                format!("belongs to `{with}`"),
                "remove it, or change the version",
            );
        }
    }
}
