//! A session with the servers, or in words why there is none.

use std::time::Duration;

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::NewSessionError;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::statement::{Consistency, SerialConsistency};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::{CqlConfig, CqlError};

/// How long one address may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The protocol's port, where a node is given without one.
const PORT: &str = "9042";

/// Opens a session; tries once.
pub(crate) async fn connect(config: &CqlConfig) -> Result<Session, CqlError> {
    config.check()?;
    reach(&config.nodes).await?;
    let mut policy = DefaultPolicy::builder();
    if let Some(datacenter) = &config.datacenter {
        policy = policy.prefer_datacenter(datacenter.clone());
    }
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        // Users are one set for all data centres.
        .serial_consistency(Some(SerialConsistency::Serial))
        .request_timeout(Some(config.request_timeout))
        .load_balancing_policy(policy.build())
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes(&config.nodes)
        .connection_timeout(CONNECT_TIMEOUT)
        .default_execution_profile_handle(profile.into_handle());
    if let Some(login) = &config.login {
        builder = builder.user(&login.user, login.password.expose());
    }
    let session = builder
        .build()
        .await
        .map_err(|error: NewSessionError| CqlError::Session(Box::new(error)))?;
    check_datacenter(config, &session)?;
    Ok(session)
}

/// Finds out whether any node can be connected to at all: the driver would only tell of the last one it tried.
async fn reach(nodes: &[String]) -> Result<(), CqlError> {
    let mut tries = JoinSet::new();
    for node in nodes {
        let address = if node.contains(':') {
            node.clone()
        } else {
            format!("{node}:{PORT}")
        };
        tries.spawn(async move {
            let outcome = match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(&address)).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
            };
            Err(format!("{address}: {outcome}"))
        });
    }
    let mut attempts = Vec::new();
    while let Some(tried) = tries.join_next().await {
        match tried {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(attempt)) => attempts.push(attempt),
            Err(error) => attempts.push(error.to_string()),
        }
    }
    attempts.sort();
    let attempts = attempts.join("; ");
    Err(CqlError::Unreachable { attempts })
}

fn check_datacenter(config: &CqlConfig, session: &Session) -> Result<(), CqlError> {
    let Some(wanted) = &config.datacenter else {
        return Ok(());
    };
    let state = session.get_cluster_state();
    let mut names: Vec<_> = state
        .get_nodes_info()
        .iter()
        .filter_map(|n| n.datacenter.clone())
        .collect();
    if names.contains(wanted) {
        return Ok(());
    }
    names.sort();
    names.dedup();
    let problem = format!("no node is in data centre `{wanted}`; there are: {}", names.join(", "));
    Err(CqlError::Config {
        key: "datacenter",
        problem,
    })
}

/// The data centre whose nodes hold the rows: the configured one, or that of the nodes there are.
pub(crate) fn datacenter(config: &CqlConfig, session: &Session) -> Option<String> {
    let state = session.get_cluster_state();
    let found = state.get_nodes_info().iter().find_map(|n| n.datacenter.clone());
    config.datacenter.clone().or(found)
}
