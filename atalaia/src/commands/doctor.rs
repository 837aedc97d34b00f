//! `atalaia doctor`: what is wrong with this installation, if anything, and what to do about it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use log::Start;
use schemas::{AnyRecord, DeviceStatus, LedgerRow, LedgerScope};
use topology::{GROUPS, TOPICS, Topic};

use super::out;
use crate::command_line::Place;
use crate::operations::{now, timestamp};
use crate::socket::{Installation, Request, with_installation};

/// A group whose lag is above this is behind.
const LAG_RECORDS: u64 = 10_000;

/// Arguments of `atalaia doctor`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
///
/// # Errors
/// When something is wrong.
pub fn run(arguments: &Arguments) -> Result<()> {
    out::until_read(with_installation(&arguments.place, &Request::Doctor, &mut |line| {
        out::line(&line)
    }))
}

/// Looks at log, groups, senders and OLTs.
///
/// # Errors
/// When something is wrong: the count of findings.
pub fn report(at: &Installation, on_line: &mut dyn FnMut(&str) -> Result<()>) -> Result<()> {
    let mut findings = 0;
    for spec in TOPICS {
        let (starts, ends) = (at.log.starts(spec.topic)?, at.log.ends(spec.topic)?);
        let kept: u64 = ends.iter().zip(&starts).map(|(end, start)| end - start).sum();
        on_line(&format!(
            "topic {:<18} {kept:>10} offsets kept in {} partitions",
            spec.name,
            ends.len()
        ))?;
    }
    for group in GROUPS {
        for topic in group.reads {
            let ends = at.log.ends(*topic)?;
            let starts = at.log.starts(*topic)?;
            let committed = at.log.committed(group.group, *topic)?;
            let lag: u64 = ends
                .iter()
                .zip(starts)
                .zip(committed)
                .map(|((end, start), next)| end - next.unwrap_or(start).min(*end))
                .sum();
            let behind = lag > LAG_RECORDS;
            findings += u32::from(behind);
            let verdict = if behind {
                "BEHIND: is `atalaia up` running? see its log"
            } else {
                "ok"
            };
            on_line(&format!(
                "group {:<9} on {:<16} lag {lag:>8}: {verdict}",
                group.name,
                topic.name()
            ))?;
        }
    }
    findings += olts(at, on_line)?;
    findings += ledger(at, on_line)?;
    if findings > 0 {
        bail!(
            "{findings} {} wrong, see above",
            if findings == 1 { "thing is" } else { "things are" }
        );
    }
    on_line("nothing is wrong")
}

/// The last record of each key of a compacted topic, or all of another.
fn each(at: &Installation, topic: Topic, start: Start, each: &mut dyn FnMut(AnyRecord)) -> Result<()> {
    let ends = at.log.ends(topic)?;
    let mut tail = at.log.tail(&[(topic, start)])?;
    while (0..).zip(&ends).any(|(p, end)| tail.position(topic, p) < *end) {
        for stored in tail.poll(1_000, Duration::from_millis(100))? {
            if let Some(Ok(record)) = stored.record.value.as_deref().map(|bytes| at.log.codec().decode(bytes)) {
                each(record);
            }
        }
    }
    Ok(())
}

/// When the first trap of each OLT was seen: at, or never.
fn olts(at: &Installation, on_line: &mut dyn FnMut(&str) -> Result<()>) -> Result<u32> {
    let mut olts: BTreeMap<String, DeviceStatus> = BTreeMap::new();
    each(at, Topic::DeviceStatus, Start::Beginning, &mut |record| {
        if let AnyRecord::DeviceStatus(row) = record
            && row.kind == "olt"
        {
            olts.insert(row.entity.clone(), row);
        }
    })?;
    if olts.is_empty() {
        on_line(
            "no OLT is registered: add an [[olt]] to the configuration, or import one (`atalaia inventory import`)",
        )?;
    }
    let mut findings = 0;
    for (entity, row) in olts {
        match row.first_trap_at {
            Some(first) => on_line(&format!("OLT {entity}: first trap at {}", timestamp(first)))?,
            None => {
                findings += 1;
                on_line(&format!(
                    "OLT {entity}: NEVER sent a trap: see docs/runbooks/huawei-olt-traps.md"
                ))?;
            }
        }
    }
    Ok(findings)
}

/// The newest ledger row of each sender and listener: refused and lost datagrams.
fn ledger(at: &Installation, on_line: &mut dyn FnMut(&str) -> Result<()>) -> Result<u32> {
    let mut newest: BTreeMap<(String, Option<String>), LedgerRow> = BTreeMap::new();
    let hour_ago = now().plus(-3_600 * model::Micros::SECOND);
    each(at, Topic::Ledger, Start::At(hour_ago), &mut |record| {
        if let AnyRecord::LedgerRow(row) = record {
            newest.insert((row.listener.clone(), row.sender.clone()), row);
        }
    })?;
    let mut findings = 0;
    for ((listener, sender), row) in newest {
        let lost: i64 = row.dropped.values().sum::<i64>() + row.kernel_drops;
        let refused: i64 = row.refused.values().sum();
        if row.scope == LedgerScope::Listener {
            on_line(&format!(
                "listener {listener}: {} received, {} accepted, {lost} lost",
                row.received, row.accepted
            ))?;
            findings += u32::from(lost > 0);
        } else if refused > 0 {
            findings += 1;
            let sender = sender.unwrap_or_default();
            let reasons: Vec<_> = row.refused.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
            on_line(&format!(
                "sender {sender} on {listener}: {refused} REFUSED ({}): check its community and SNMP version",
                reasons.join(", ")
            ))?;
        }
    }
    Ok(findings)
}
