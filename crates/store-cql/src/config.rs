//! How the store is reached.

use std::time::Duration;

use model::Secret;

use crate::CqlError;

/// Longest name of a keyspace, both servers' limit.
const KEYSPACE_BYTES_MAX: usize = 48;

/// How the store is reached, and how long anything may take. Made with [`CqlConfig::new`]; then change what differs.
#[derive(Debug, Clone)]
pub struct CqlConfig {
    /// `host:port` of the first nodes to try; the others are learnt from them.
    pub nodes: Vec<String>,
    /// Keyspace of the tables: lower-case letters, digits, underscores.
    pub keyspace: String,
    /// Data centre whose nodes are asked; `None`: any.
    pub datacenter: Option<String>,
    /// User and password, where the servers want them.
    pub login: Option<CqlLogin>,
    /// Copies of each row, where a migration makes the keyspace.
    pub replication: u32,
    /// How long opening may take, nodes that come up meanwhile included.
    pub open_within: Duration,
    /// How long one request may take. Above the servers' own limits (2 s for a write, 5 s for a read), else a request is given
    /// up that would still have been answered.
    pub request_timeout: Duration,
    /// How long a read may take with everything that is tried again.
    pub read_within: Duration,
    /// How long a write may take with everything that is tried again.
    pub write_within: Duration,
    /// Writes on their way to the servers at one time; further ones wait. A request each, of one row or of some of one partition.
    pub writes_in_flight: usize,
}

/// A user of the servers.
#[derive(Debug, Clone)]
pub struct CqlLogin {
    /// Name.
    pub user: String,
    /// Password.
    pub password: Secret,
}

impl CqlConfig {
    /// Usual limits: an open within 30 s, requests of 12 s, reads and writes within 10 s (then the caller says what it
    /// waits for), 128 in flight.
    pub fn new(nodes: Vec<String>, keyspace: &str) -> Self {
        Self {
            nodes,
            keyspace: keyspace.to_owned(),
            datacenter: None,
            login: None,
            replication: 3,
            open_within: Duration::from_secs(30),
            request_timeout: Duration::from_secs(12),
            read_within: Duration::from_secs(10),
            write_within: Duration::from_secs(10),
            writes_in_flight: 128,
        }
    }

    /// Whether it can be meant so. The keyspace's name and the data centre's become part of statements.
    pub(crate) fn check(&self) -> Result<(), CqlError> {
        let wrong = |key, problem: &str| {
            let problem = problem.to_owned();
            Err(CqlError::Config { key, problem })
        };
        let mut letters = self.keyspace.chars();
        let begins_well = letters.next().is_some_and(|c| c.is_ascii_lowercase());
        if !begins_well || !letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            return wrong(
                "keyspace",
                "a keyspace is lower-case letters, digits and `_`, a letter first",
            );
        }
        if self.keyspace.len() > KEYSPACE_BYTES_MAX {
            return wrong("keyspace", "a keyspace has at most 48 letters");
        }
        if self.datacenter.as_ref().is_some_and(|name| name.contains(['\'', '\0'])) {
            return wrong("datacenter", "a data centre's name has no quotes");
        }
        if self.nodes.is_empty() {
            return wrong("nodes", "name at least one node, as host:port");
        }
        if self.writes_in_flight == 0 || self.replication == 0 {
            return wrong("replication", "at least one copy, and one write at a time");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_safe_in_statements_pass() {
        let check = |keyspace: &str, expected: bool| {
            let config = CqlConfig::new(vec!["s1:9042".into()], keyspace);
            assert_eq!(config.check().is_ok(), expected, "{keyspace}");
        };
        check("noc", true);
        check("noc_2", true);
        for bad in ["", "Noc", "2noc", "noc;drop", "noc-1", "ação", &"n".repeat(49)] {
            check(bad, false);
        }
        let mut config = CqlConfig::new(vec!["s1:9042".into()], "noc");
        config.datacenter = Some("dc'1".into());
        assert!(config.check().is_err());
    }

    #[test]
    fn a_password_is_never_printed() {
        let mut config = CqlConfig::new(vec![], "noc");
        config.login = Some(CqlLogin {
            user: "atalaia".into(),
            password: Secret::new("hunter2", "env CQL_PASSWORD"),
        });
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
