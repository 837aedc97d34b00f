//! What commands do to an installation: the same whether it is running or idle.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use log::{Headers, Log, Record, Start, Stored, TraceParent};
use model::{EntityId, Micros, WriterId};
use rand::RngExt as _;
use schemas::{AnyRecord, DeviceRegistered};
use serde_json::json;
use topology::{Topic, partition_of};

use crate::socket::{From, Installation, Registration, Request};

/// How long a registration may take to become durable.
const APPEND_DEADLINE: Duration = Duration::from_secs(20);

type OnLine<'a> = &'a mut dyn FnMut(&str) -> Result<()>;

/// Runs one request; each line of the answer goes to `on_line`.
///
/// # Errors
/// When the installation cannot do it, or the reader has gone away.
pub fn run(request: &Request, at: &Installation, stop: &AtomicBool, on_line: OnLine<'_>) -> Result<()> {
    match request {
        Request::Tail {
            topic,
            from,
            entity,
            follow,
            limit,
        } => {
            let topic = Topic::by_name(topic).context("no such topic")?;
            let wanted = Wanted {
                entity: entity.as_deref(),
                limit: limit.unwrap_or(usize::MAX),
            };
            tail(at, topic, *from, &wanted, *follow, stop, on_line)
        }
        Request::Register { rows, origin } => register(at, rows, origin),
        Request::AddUser { name, role, password } => add_user(at, name, role, password, on_line),
        Request::ListUsers => list_users(at, on_line),
        Request::Doctor => crate::commands::doctor::report(at, on_line),
        Request::ReplayCheck => crate::commands::replay::check(at, on_line),
        Request::RebuildRollups { from, to } => crate::commands::rebuild::rollups(at, *from, *to, on_line),
    }
}

struct Wanted<'a> {
    entity: Option<&'a str>,
    limit: usize,
}

fn tail(
    at: &Installation,
    topic: Topic,
    from: From,
    wanted: &Wanted<'_>,
    follow: bool,
    stop: &AtomicBool,
    on_line: OnLine<'_>,
) -> Result<()> {
    let start = match from {
        From::Start => Start::Beginning,
        From::End => Start::End,
        From::SecondsAgo(seconds) => Start::At(now().plus(-seconds.saturating_mul(Micros::SECOND))),
    };
    let mut tail = at.log.tail(&[(topic, start)])?;
    let ends = at.log.ends(topic)?;
    let mut printed = 0;
    while !stop.load(Ordering::Relaxed) {
        let at_end = (0..).zip(&ends).all(|(p, end)| tail.position(topic, p) >= *end);
        if !follow && at_end {
            return Ok(());
        }
        for stored in tail.poll(1_000, Duration::from_millis(200))? {
            let line = as_json(at, &stored);
            if wanted.entity.is_none_or(|text| {
                line["key"].as_str().is_some_and(|k| k.contains(text))
                    || line["record"]["entity"].as_str().is_some_and(|e| e.contains(text))
            }) {
                on_line(&line.to_string())?;
                printed += 1;
                if printed >= wanted.limit {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn as_json(at: &Installation, stored: &Stored) -> serde_json::Value {
    let record = &stored.record;
    let (name, body) = match &record.value {
        None => (None, json!(null)),
        Some(value) if record.topic == Topic::ChangelogNetwork => (None, json!({ "bytes": value.len() })),
        Some(value) => match at.log.codec().decode(value) {
            Ok(any) => (Some(any.record_type().name()), any.to_json()),
            Err(error) => (None, json!({ "undecodable": error.to_string() })),
        },
    };
    json!({
        "partition": record.partition,
        "offset": stored.offset,
        "appended_at": timestamp(stored.appended_at),
        "key": String::from_utf8_lossy(&record.key),
        "id": record.headers.record_id.as_ref().map(ToString::to_string),
        "traceparent": record.headers.traceparent.as_ref().map(|t| t.as_str().to_owned()),
        "type": name,
        "record": body,
    })
}

fn register(at: &Installation, rows: &[Registration], origin: &str) -> Result<()> {
    let said_at = now();
    let registrations = rows.iter().map(|row| DeviceRegistered {
        entity: row.entity.clone(),
        kind: row.kind.clone(),
        serial: row.serial.clone(),
        name: row.name.clone(),
        site: row.site.clone(),
        description: row.description.clone(),
        vendor: row.vendor.clone(),
        model: row.model.clone(),
        address: row.address.clone(),
        attributes: row.attributes.clone(),
        origin: origin.to_owned(),
        removed: row.removed,
        observed_at: said_at,
        received_at: said_at,
    });
    append_registrations(&*at.log, registrations)
}

/// Appends registrations to `observations` and waits until they are durable.
///
/// # Errors
/// When one names no entity, or the log does not take them in time.
pub fn append_registrations(log: &dyn Log, registrations: impl IntoIterator<Item = DeviceRegistered>) -> Result<()> {
    let producer = log.producer("registrations")?;
    let mut random = rand::rng();
    let writer = format!("registrations-{:016x}", random.random::<u64>());
    let deadline = Instant::now() + APPEND_DEADLINE;
    let mut last = 0;
    for (sequence, registered) in (0..).zip(registrations) {
        let root = EntityId::parse(&registered.entity)?.root();
        let record = Record {
            topic: Topic::Observations,
            partition: partition_of(root.as_str(), log.partitions()),
            key: Bytes::copy_from_slice(root.as_str().as_bytes()),
            value: Some(log.codec().encode(&AnyRecord::from(registered))?.into()),
            headers: Headers {
                writer: Some(WriterId {
                    writer: writer.clone(),
                    sequence,
                }),
                traceparent: Some(TraceParent::new(random.random(), random.random(), false)),
                record_id: None,
            },
        };
        last = producer.send(record, None)?;
    }
    producer
        .wait(last, deadline)
        .context("the registrations are not durable yet")
}

fn add_user(at: &Installation, name: &str, role: &str, password: &str, on_line: OnLine<'_>) -> Result<()> {
    let role = api::Role::parse(role).with_context(|| format!("`{role}` is not a role: admin, operator or viewer"))?;
    let written = at.runtime.block_on(api::users::add_or_change(
        &*at.store,
        name,
        at.tenant.as_str(),
        role,
        password,
    ))?;
    let what = match written {
        api::users::Written::Added => "may log in",
        api::users::Written::Changed => "has this password now and its sessions have ended; it may log in",
    };
    on_line(&format!("user {name} {what} as {}", role.as_str()))
}

fn list_users(at: &Installation, on_line: OnLine<'_>) -> Result<()> {
    for user in at.runtime.block_on(api::users::list(&*at.store))? {
        on_line(&format!(
            "{:<24} {:<10} {}",
            user.name,
            user.role,
            if user.enabled { "" } else { "disabled" }
        ))?;
    }
    Ok(())
}

/// The clock of the edge: for what a person says now.
pub fn now() -> Micros {
    Micros(jiff::Timestamp::now().as_microsecond())
}

/// RFC 3339 with milliseconds.
pub fn timestamp(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |t| format!("{t:.3}"))
}
