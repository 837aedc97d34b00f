//! What a process is made of, listed by hand: which chain, which folders, which connectors. Nothing registers itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use model::{Root, RootKind};
use runtime::{Chain, DeadReason};
use schemas::network::NetworkEvent;
use schemas::{AnyRecord, DeviceRegistered};
use settings::{OltTransport, Settings, SshProfile};

/// The steps of task `network`, in order.
pub fn network_chain() -> Chain<NetworkEvent> {
    Chain::new(decode)
        .step(pipeline_normalize::Normalize::new())
        .step(pipeline_status::Status::default())
        .step(pipeline_detect::Detect::default())
        .step(pipeline_rollup::Rollup)
        .step(pipeline_correlate::Gather::default())
        .step(pipeline_correlate::Correlate)
        .step(pipeline_correlate::Alarms::default())
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

/// The configuration of the connector that reads OLTs out of the whole one; `None` where no OLT may be logged in to. `register`:
/// no other connector of this process says which OLTs there are.
///
/// # Errors
/// When an OLT's name is not one.
pub fn olt_connector(
    settings: &Settings,
    instance: &str,
    register: bool,
) -> Result<Option<connector_olt_ssh::poll::Config>> {
    use connector_olt_ssh::poll::{Config, Device, Intervals};
    use connector_olt_ssh::session::{GateLimits, Profile, SessionLimits, Target, Transport};
    let mut devices = Vec::new();
    for olt in &settings.olts {
        let Some(access) = &olt.access else { continue };
        let root = Root::new(&olt.tenant, RootKind::Olt, &olt.name)?;
        devices.push(Device {
            target: Target {
                name: root.as_str().to_owned(),
                address: SocketAddr::new(olt.address, access.port),
                transport: match access.transport {
                    OltTransport::Ssh(SshProfile::Modern) => Transport::Ssh(Profile::Modern),
                    OltTransport::Ssh(SshProfile::Legacy) => Transport::Ssh(Profile::Legacy),
                    OltTransport::Telnet => Transport::Telnet,
                },
                user: access.user.clone(),
                password: access.password.clone(),
            },
            root,
            day_first: olt.day_first,
        });
    }
    if devices.is_empty() {
        return Ok(None);
    }
    let polling = &settings.olt_polling;
    Ok(Some(Config {
        instance: instance.to_owned(),
        data: settings.data.clone(),
        spool_bytes_max: settings.snmp_traps.spool_bytes,
        registered: if register { registrations(settings)? } else { Vec::new() },
        devices,
        intervals: Intervals {
            state: polling.state,
            optics: polling.optics,
            alarms: polling.alarms,
            autofind: polling.autofind,
            inventory: polling.inventory,
        },
        sessions_max: usize::try_from(polling.sessions_max)?,
        limits: SessionLimits::default(),
        gate: GateLimits::default(),
    }))
}

/// The configuration of the connector that reads Padtec systems out of the whole one; `None` where there is none.
///
/// # Errors
/// With what is wrong with a system: its address, its zone, its mapping with file, line and field.
pub fn padtec_connector(settings: &Settings, instance: &str) -> Result<Option<connector_padtec::poll::Config>> {
    use connector_padtec::client::{Base, Login, Trust};
    use connector_padtec::mapping::MappingFile;
    use connector_padtec::poll::{Config, Intervals, System};
    let (mut systems, mut registered) = (Vec::new(), Vec::new());
    for padtec in &settings.padtec {
        let named = |what: &str| format!("[[padtec]] {}: {what}", padtec.name);
        let root = Root::new(&padtec.tenant, RootKind::Padtec, &padtec.name)?;
        let base = Base::parse(&padtec.base).with_context(|| named("base"))?;
        let zone = connector_padtec::zone(&padtec.zone).with_context(|| named("zone"))?;
        let mapping = MappingFile::open(&padtec.mapping).with_context(|| named("mapping"))?;
        let trust = Trust::of(&base, padtec.ca.as_deref()).with_context(|| named("ca"))?;
        let login = match &padtec.login {
            settings::PadtecLogin::Token(token) => Login::Token(token.clone()),
            settings::PadtecLogin::Password { user, password } => Login::Password {
                user: user.clone(),
                password: password.clone(),
            },
        };
        let said_at = connector_kit::now();
        registered.push(DeviceRegistered {
            entity: root.as_str().to_owned(),
            kind: model::Kind::Padtec.as_str().to_owned(),
            serial: None,
            name: Some(padtec.name.clone()),
            site: padtec.site.clone(),
            description: None,
            vendor: Some("Padtec".to_owned()),
            model: None,
            address: Some(base.host_and_port()),
            attributes: BTreeMap::new(),
            origin: "config".to_owned(),
            removed: false,
            observed_at: said_at,
            received_at: said_at,
        });
        systems.push(System {
            root,
            base,
            login,
            trust,
            zone,
            mapping,
        });
    }
    let polling = settings.padtec_polling;
    Ok((!systems.is_empty()).then(|| Config {
        instance: instance.to_owned(),
        data: settings.data.clone(),
        spool_bytes_max: settings.snmp_traps.spool_bytes,
        systems,
        registered,
        intervals: Intervals {
            critical: polling.critical,
            normal: polling.normal,
            alarms: polling.alarms,
            inventory: polling.inventory,
        },
    }))
}

/// What the configuration says of each OLT that may be logged in to, as the trap connector would say it.
fn registrations(settings: &Settings) -> Result<Vec<DeviceRegistered>> {
    let olts = settings.olts.iter().filter(|olt| olt.access.is_some());
    olts.map(|olt| {
        let said_at = connector_kit::now();
        let root = Root::new(&olt.tenant, RootKind::Olt, &olt.name)?;
        Ok(DeviceRegistered {
            entity: root.as_str().to_owned(),
            kind: model::Kind::Olt.as_str().to_owned(),
            serial: None,
            name: Some(olt.name.clone()),
            site: olt.site.clone(),
            description: None,
            vendor: Some(olt.vendor.clone()),
            model: olt.model.clone(),
            address: Some(olt.address.to_string()),
            attributes: BTreeMap::new(),
            origin: "config".to_owned(),
            removed: false,
            observed_at: said_at,
            received_at: said_at,
        })
    })
    .collect()
}

/// What a trap's PDU says, for the pages that show the record behind an alarm.
pub fn explain_trap(pdu: &[u8], root: &str) -> serde_json::Value {
    let Ok(root) = model::Root::parse(root) else {
        return serde_json::Value::Null;
    };
    let explained = pipeline_normalize::explain(pdu, &root);
    explained.map_or(serde_json::Value::Null, |rows| {
        serde_json::to_value(rows).unwrap_or(serde_json::Value::Null)
    })
}
