//! Rows per CPU second through this engine, beside the driver's bare loop of one prepared statement a row. For load tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::{EntityId, Micros, Position};
use scylla::errors::ExecutionError;
use scylla::value::{CqlTimestamp, CqlValue};
use store::rows::StatusRow;
use store::{Row, Store};

use crate::{CqlConfig, CqlError, CqlStore};

/// Rows of one call to the store, and calls at one time, as `persist` makes them.
const CALL_ROWS: usize = 500;
const CALLS: usize = 8;

/// What one way of writing took.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Rows written.
    pub rows: u64,
    /// Wall clock.
    pub took: Duration,
    /// CPU time of this process.
    pub cpu: Duration,
}

impl Figure {
    /// Rows for each second of this process's CPU.
    pub fn rows_per_cpu_second(&self) -> f64 {
        f64::from(u32::try_from(self.rows).unwrap_or(u32::MAX)) / self.cpu.as_secs_f64()
    }

    /// Rows a second.
    pub fn rows_per_second(&self) -> f64 {
        f64::from(u32::try_from(self.rows).unwrap_or(u32::MAX)) / self.took.as_secs_f64()
    }
}

/// The two ways side by side, each the better of its rounds.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    /// Through [`CqlStore::upsert`].
    pub ours: Figure,
    /// The driver's prepared statement, executed for each row, values bound from its own types.
    pub bare: Figure,
}

impl Comparison {
    /// Ours over the bare loop's, in rows per CPU second.
    pub fn ratio(&self) -> f64 {
        self.ours.rows_per_cpu_second() / self.bare.rows_per_cpu_second()
    }
}

/// Writes `rows` rows of the table `status` (a partition each, so no batch can help) both ways, `rounds` times in turn, with
/// the same number in flight. The keyspace has to be migrated; use one that may be filled.
///
/// # Errors
/// When the store fails.
pub async fn compare(config: CqlConfig, rows: usize, rounds: usize) -> Result<Comparison, CqlError> {
    let in_flight = config.writes_in_flight;
    let store = CqlStore::open(config).await?;
    let mut best: Option<Comparison> = None;
    for round in 0..rounds.max(1) {
        let statuses: Vec<StatusRow> = (0..rows).map(|n| status(n, round)).collect();
        let ours = ours(&store, &statuses).await?;
        let bare = bare(&store, &statuses, in_flight).await?;
        best = Some(best.map_or(Comparison { ours, bare }, |b| Comparison {
            ours: better(b.ours, ours),
            bare: better(b.bare, bare),
        }));
    }
    Ok(best.expect("at least one round"))
}

fn better(a: Figure, b: Figure) -> Figure {
    if a.cpu <= b.cpu { a } else { b }
}

async fn ours(store: &Arc<CqlStore>, statuses: &[StatusRow]) -> Result<Figure, CqlError> {
    let calls: Vec<Vec<Row>> = statuses
        .chunks(CALL_ROWS)
        .map(|chunk| chunk.iter().map(StatusRow::to_row).collect())
        .collect();
    let failed = |error| CqlError::answer("writing rows", error);
    let mut running = FuturesUnordered::new();
    measured(statuses.len(), async {
        for call in calls {
            if running.len() >= CALLS {
                running.next().await.transpose().map_err(failed)?;
            }
            running.push(store.upsert(call));
        }
        while let Some(done) = running.next().await {
            done.map_err(failed)?;
        }
        Ok(())
    })
    .await
}

async fn bare(store: &CqlStore, statuses: &[StatusRow], in_flight: usize) -> Result<Figure, CqlError> {
    let insert = &store
        .statements()
        .of(&store::rows::STATUS)
        .map_err(|error| CqlError::answer("writing rows", error))?
        .insert;
    let rows: Vec<_> = statuses.iter().map(bound).collect();
    let (session, mut running) = (store.session(), FuturesUnordered::new());
    measured(statuses.len(), async {
        for row in &rows {
            if running.len() >= in_flight {
                running.next().await.transpose().map_err(request)?;
            }
            running.push(async move { session.execute_unpaged(insert, row).await.map(drop) });
        }
        while let Some(done) = running.next().await {
            done.map_err(request)?;
        }
        Ok(())
    })
    .await
}

/// The same values in the driver's own types, ready before the clock runs, as ours are.
fn bound(row: &StatusRow) -> Vec<Option<CqlValue>> {
    use CqlValue::{BigInt, Int, Text, Timestamp};
    let text = |t: &str| Some(Text(t.to_owned()));
    let optional = |t: &Option<String>| t.clone().map(Text);
    let at = |m: Micros| Some(Timestamp(CqlTimestamp(m.millis())));
    vec![
        text(row.entity.as_str()),
        text(&row.kind),
        optional(&row.site),
        optional(&row.parent),
        optional(&row.name),
        optional(&row.description),
        optional(&row.vendor),
        optional(&row.model),
        optional(&row.serial),
        text(&row.state),
        optional(&row.cause),
        optional(&row.cause_raw),
        at(row.since),
        at(row.observed_at),
        at(row.received_at),
        row.first_trap_at.and_then(at),
        Some(Int(1)),
        Some(Int(3)),
        Some(BigInt(i64::try_from(row.position.offset).unwrap_or(i64::MAX))),
        Some(BigInt(row.wts.0)),
        None,
        Some(Int(0)),
        Some(BigInt(row.wts.0)),
    ]
}

async fn measured(rows: usize, work: impl Future<Output = Result<(), CqlError>>) -> Result<Figure, CqlError> {
    let (started, cpu) = (Instant::now(), cpu_time());
    work.await?;
    Ok(Figure {
        rows: u64::try_from(rows).unwrap_or(u64::MAX),
        took: started.elapsed(),
        cpu: cpu_time().saturating_sub(cpu),
    })
}

fn request(error: ExecutionError) -> CqlError {
    let source = Box::new(error);
    CqlError::Request {
        what: "writing rows",
        source,
    }
}

/// CPU time of this process so far, all threads.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}

fn status(n: usize, round: usize) -> StatusRow {
    let entity = format!(
        "default/olt/bench-{}/onu/0/{}/{}/{}",
        n / 4_096,
        n / 256 % 16,
        n / 64 % 4,
        n % 64
    );
    let offset = u64::try_from(round * 1_000_000_000 + n).unwrap_or(u64::MAX);
    let at = Micros(1_772_323_200_000_000).plus(i64::try_from(offset).unwrap_or(0));
    StatusRow {
        entity: EntityId::parse(&entity).expect("an ONU's id"),
        kind: "onu".into(),
        site: Some("RJO".into()),
        parent: Some("default/olt/bench/pon/0/1/2".into()),
        name: Some(format!("customer {n}")),
        description: None,
        vendor: Some("huawei".into()),
        model: Some("HG8245H".into()),
        serial: Some("HWTC1234ABCD".into()),
        state: "offline".into(),
        cause: Some("power".into()),
        cause_raw: Some("dying-gasp".into()),
        since: at,
        observed_at: at,
        received_at: at,
        first_trap_at: Some(at),
        optics: None,
        poll: None,
        position: Position {
            generation: 1,
            partition: 3,
            offset,
        },
        wts: at,
    }
}
