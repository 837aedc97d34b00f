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

/// The trap connector's configuration out of the whole one.
///
/// # Errors
/// With every problem it names.
pub fn trap_connector(settings: &Settings, instance: &str) -> Result<connector_snmp_traps::Config> {
    use connector_snmp_traps::{Limits, RawConfig, RawCredential, RawDevice, RawListener};
    let traps = &settings.snmp_traps;
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
        credentials: traps
            .credentials
            .iter()
            .map(|c| RawCredential {
                name: c.name.clone(),
                version: match c.version {
                    settings::SnmpVersion::V1 => "1".to_owned(),
                    settings::SnmpVersion::V2c => "2c".to_owned(),
                },
                community: c.community.clone(),
                sources: c.sources.clone(),
            })
            .collect(),
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
            ..Limits::default()
        },
    };
    connector_snmp_traps::validate(raw).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the trap connector cannot be built:\n{}", lines.join("\n"))
    })
}
