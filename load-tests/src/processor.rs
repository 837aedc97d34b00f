//! Stage `processor`: the production chain (normalize → status), alone and through the embedded log.
//!
//! Every event of the script is an edge: an ONU goes or comes back, which makes one event with the status in it, one status
//! row and one changed slot.

use std::time::{Duration, Instant};

use anyhow::Result;
use log::{Commit, EmbeddedLog, Log, Start, Stored};
use runtime::{Task, TaskPlace};
use schemas::network::NetworkEvent;
use topology::{Group, Topic};

use crate::print_figure;
use crate::stages::{input, open, rates};

const EVENTS: u32 = 100_000;
/// Records between two cuts: what an embedded log takes in about 20 ms.
const CUT_EVERY: usize = 1_000;

/// Prints rates and allocations.
pub fn run(pairs: usize) -> Result<()> {
    let (mut alone, mut with_cuts, mut through) = (Vec::new(), Vec::new(), Vec::new());
    let mut allocations = 0;
    for _ in 0..pairs {
        let folder = tempfile::tempdir()?;
        let log = open(&folder)?;
        let stored = filled(&log)?;
        let mut tasks = tasks(&log);
        alone.push(rates(stored.len(), || chain(&mut tasks, &log, &stored, usize::MAX))?.0);
        let mut tasks = self::tasks(&log);
        let mut result = Ok((0.0, 0.0));
        let counted = allocation_counter::measure(|| {
            result = rates(stored.len(), || chain(&mut tasks, &log, &stored, CUT_EVERY));
        });
        with_cuts.push(result?.0);
        allocations = counted.count_total;
        drop(tasks);
        through.push(rates(stored.len(), || through_log(&log))?.0);
        log.close()?;
    }
    print_figure("processor, chain alone", "events/CPU-s", alone);
    print_figure("processor, chain with its cuts", "events/CPU-s", with_cuts);
    print_figure(
        "processor, chain with its cuts, allocations",
        "an event",
        vec![allocations as f64 / f64::from(EVENTS)],
    );
    print_figure("processor, through the embedded log", "events/CPU-s", through);
    Ok(())
}

/// Fills the log's input, and answers it as a processor reads it.
fn filled(log: &EmbeddedLog) -> Result<Vec<Stored>> {
    let producer = log.producer("bench")?;
    let mut last = 0;
    for n in 0..EVENTS {
        last = producer.send(input(n, 4, log.codec(), log.partitions())?, None)?;
    }
    producer.wait(last, Instant::now() + Duration::from_secs(120))?;
    let ends = log.ends(Topic::Observations)?;
    let mut tail = log.tail(&[(Topic::Observations, Start::Beginning)])?;
    let mut stored = Vec::new();
    while (0..)
        .zip(&ends)
        .any(|(p, end)| tail.position(Topic::Observations, p) < *end)
    {
        stored.extend(tail.poll(10_000, Duration::from_millis(100))?);
    }
    Ok(stored)
}

fn tasks(log: &EmbeddedLog) -> Vec<Task<NetworkEvent>> {
    let task = |partition| {
        let place = TaskPlace {
            generation: log.generation(),
            partition,
            partitions: log.partitions(),
        };
        Task::new(place, atalaia::network_chain(), 0)
    };
    (0..log.partitions()).map(task).collect()
}

fn chain(tasks: &mut [Task<NetworkEvent>], log: &EmbeddedLog, stored: &[Stored], cut_every: usize) -> Result<()> {
    let mut fast = Vec::new();
    for batch in stored.chunks(cut_every.min(stored.len())) {
        for record in batch {
            fast.clear();
            let task = &mut tasks[record.record.partition as usize];
            task.process(record, log.codec(), &mut fast)
                .map_err(|stop| anyhow::anyhow!("{stop:?}"))?;
        }
        if cut_every < stored.len() {
            let mut commit = Commit::default();
            for task in &mut *tasks {
                task.cut(&mut commit);
            }
            std::hint::black_box(&commit);
        }
    }
    Ok(())
}

fn through_log(log: &std::sync::Arc<EmbeddedLog>) -> Result<()> {
    let ends = log.ends(Topic::Observations)?;
    let config = runtime::ProcessorConfig {
        log: log.clone(),
        group: Group::Network,
        threads: 2,
        commit: runtime::CommitPolicy::embedded(),
        on_torn: runtime::OnTorn::Wait,
    };
    let handle = runtime::spawn(config, atalaia::network_chain)?;
    while log
        .committed(Group::Network, Topic::Observations)?
        .iter()
        .zip(&ends)
        .any(|(c, end)| c.unwrap_or(0) < *end)
    {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(handle.join()?)
}
