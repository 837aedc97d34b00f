//! Prints rows per CPU second of the engine and of the driver's bare loop: `CQL=127.0.0.1:9042 cargo run --release -p store-cql
//! --features bench --example rows_per_cpu_second -- [ROWS] [ROUNDS] [KEYSPACE]`. Fills the keyspace, `bench` if none is named.
#![allow(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;

use store_cql::{CqlConfig, CqlStore, bench};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let number = |n: usize, or: usize| std::env::args().nth(n).map_or(Ok(or), |text| text.parse());
    let (rows, rounds) = (number(1, 100_000)?, number(2, 5)?);
    let keyspace = std::env::args().nth(3).unwrap_or_else(|| "bench".to_owned());
    let mut config = CqlConfig::new(vec![std::env::var("CQL")?], &keyspace);
    config.replication = 1;
    CqlStore::migrate(&config, &mut |step| println!("{step}")).await?;
    let found = bench::compare(config, rows, rounds).await?;
    for (name, figure) in [("upsert", found.ours), ("bare loop", found.bare)] {
        println!(
            "{name:>9}: {:>9.0} rows per CPU second, {:>8.0} rows per second",
            figure.rows_per_cpu_second(),
            figure.rows_per_second()
        );
    }
    println!("    ratio: {:.0} %", found.ratio() * 100.0);
    Ok(())
}
