//! What a process is made of, listed by hand: which chain, which folders, which connectors. Nothing registers itself.

use anyhow::Result;
use runtime::{Chain, DeadReason};
use schemas::AnyRecord;
use schemas::network::NetworkEvent;
use settings::Settings;

/// The steps of task `network`, in order.
pub fn network_chain() -> Chain<NetworkEvent> {
    Chain::new(decode)
        .step(pipeline_normalize::Normalize::new())
        .step(pipeline_status::Status)
}

fn decode(record: AnyRecord, root_key: &str) -> Result<NetworkEvent, DeadReason> {
    schemas::network::decode(record, root_key).map_err(DeadReason::from)
}

/// The freshness probes that the board waits for: those that the configuration makes the trap connectors send.
pub fn probe(settings: &Settings, partitions: u32) -> Option<api::ProbeConfig> {
    let traps = &settings.snmp_traps;
    let interval = traps.probe_interval.filter(|_| !traps.listeners.is_empty())?;
    Some(api::ProbeConfig {
        listeners: traps.listeners.iter().map(|l| l.name.clone()).collect(),
        interval,
        partitions,
    })
}

/// The trap connector's configuration out of the whole one.
///
/// # Errors
/// With every problem it names.
pub fn trap_connector(settings: &Settings, instance: &str) -> Result<connector_snmp_traps::Config> {
    use connector_snmp_traps::{Limits, RawConfig, RawCredential, RawDevice, RawKey, RawListener, RawUser};
    use settings::TrapProof;
    let traps = &settings.snmp_traps;
    let (mut credentials, mut users) = (Vec::new(), Vec::new());
    for credential in &traps.credentials {
        let (name, sources) = (credential.name.clone(), credential.sources.clone());
        match &credential.proof {
            TrapProof::Community { version, community } => credentials.push(RawCredential {
                name,
                version: match version {
                    settings::SnmpVersion::V1 => "1".to_owned(),
                    settings::SnmpVersion::V2c => "2c".to_owned(),
                },
                community: community.clone(),
                sources,
            }),
            TrapProof::User {
                user,
                auth,
                privacy,
                engine_ids,
            } => {
                let key = |key: &settings::TrapKey| RawKey {
                    protocol: key.protocol.clone(),
                    password: key.password.clone(),
                };
                users.push(RawUser {
                    name,
                    user: user.clone(),
                    auth: auth.as_ref().map(key),
                    privacy: privacy.as_ref().map(key),
                    engine_ids: engine_ids.clone(),
                    sources,
                });
            }
        }
    }
    let raw = RawConfig {
        instance: instance.to_owned(),
        listeners: traps
            .listeners
            .iter()
            .map(|l| RawListener {
                name: Some(l.name.clone()),
                bind: l.bind.to_string(),
            })
            .collect(),
        credentials,
        users,
        data: Some(settings.data.clone()),
        devices: settings
            .olts
            .iter()
            .map(|o| RawDevice {
                tenant: Some(o.tenant.as_str().to_owned()),
                name: o.name.clone(),
                address: o.address.to_string(),
                site: o.site.clone(),
                vendor: Some(o.vendor.clone()),
                model: o.model.clone(),
                ..RawDevice::default()
            })
            .collect(),
        relays: traps.relays.iter().map(ToString::to_string).collect(),
        limits: Limits {
            unknown_senders_max: usize::try_from(traps.unknown_senders_max)?,
            spool_bytes_max: traps.spool_bytes,
            ..Limits::default()
        },
        probe_interval: traps.probe_interval,
    };
    connector_snmp_traps::validate(raw).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the trap connector cannot be built:\n{}", lines.join("\n"))
    })
}
