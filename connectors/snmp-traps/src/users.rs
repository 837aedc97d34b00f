//! Raw → checked users of SNMPv3.

use model::{Secret, is_name};
use snmp_usm::{AuthProtocol, EngineId, PASSWORD_OCTETS_MIN, PrivProtocol, USER_NAME_OCTETS_MAX};

use crate::config::{RawCredential, RawKey, RawUser, TrapUser};
use crate::validate::{NAME, Problems};

const AUTH_PROTOCOLS: &str = "`md5`, `sha1`, `sha224`, `sha256`, `sha384` or `sha512`";
const PRIV_PROTOCOLS: &str = "`des`, `aes128`, `aes192`, `aes256`, `aes192-reeder` or `aes256-reeder`";

impl Problems {
    pub fn users(&mut self, raw: &[RawUser], credentials: &[RawCredential]) -> Vec<TrapUser> {
        let mut out: Vec<TrapUser> = Vec::new();
        for (i, user) in raw.iter().enumerate() {
            let key = |field: &str| format!("snmp_traps.user[{i}].{field}");
            if !is_name(&user.name) {
                self.add(key("name"), format!("`{}` is not a name", user.name), NAME);
            }
            let mut names = credentials.iter().map(|c| &c.name).chain(out.iter().map(|u| &u.name));
            if names.any(|name| *name == user.name) {
                let problem = format!("`{}` is another credential's name", user.name);
                self.add(key("name"), problem, "a name of its own");
            }
            if user.user.is_empty() || user.user.len() > USER_NAME_OCTETS_MAX {
                let expected = format!("1 to {USER_NAME_OCTETS_MAX} octets");
                self.add(key("user"), format!("`{}` is not a user's name", user.user), expected);
            }
            if out.iter().any(|u| u.user == user.user) {
                let problem = format!("`{}` is the user of another credential too", user.user);
                self.add(
                    key("user"),
                    problem,
                    "a user name of its own: a message names its user alone",
                );
            }
            let auth = self.protocol(&key("auth"), user.auth.as_ref(), AuthProtocol::parse, AUTH_PROTOCOLS);
            let privacy = self.protocol(&key("priv"), user.privacy.as_ref(), PrivProtocol::parse, PRIV_PROTOCOLS);
            if user.privacy.is_some() && user.auth.is_none() {
                self.add(key("priv"), "there is no `auth` beside it", "both, or `auth` alone");
            }
            let mut engines = Vec::new();
            for engine in &user.engine_ids {
                match engine.parse::<EngineId>() {
                    Ok(engine) => engines.push(engine),
                    Err(error) => self.add(
                        key("engine_id"),
                        format!("`{engine}` is {error}"),
                        "as the device shows it",
                    ),
                }
            }
            out.push(TrapUser {
                name: user.name.clone(),
                user: user.user.clone(),
                auth,
                privacy,
                engines,
                sources: user.sources.clone(),
            });
        }
        out
    }

    fn protocol<P>(
        &mut self,
        key: &str,
        raw: Option<&RawKey>,
        parse: impl Fn(&str) -> Option<P>,
        known: &str,
    ) -> Option<(P, Secret)> {
        let raw = raw?;
        if raw.password.expose().len() < PASSWORD_OCTETS_MIN {
            let problem = format!("it has fewer than {PASSWORD_OCTETS_MIN} octets");
            self.add(format!("{key}.password"), problem, "the password the devices have");
        }
        let protocol = parse(&raw.protocol);
        if protocol.is_none() {
            self.add(
                format!("{key}.protocol"),
                format!("`{}` is not known", raw.protocol),
                known,
            );
        }
        protocol.map(|p| (p, raw.password.clone()))
    }
}
