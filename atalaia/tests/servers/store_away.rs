//! K7, the store: away for a while, then refusing one write in twenty. Board and events go on, rows catch up, none doubled.

use std::time::{Duration, Instant};

use common::sender::Sender;
use load_tests::client::Live;
use load_tests::product::Servers;
use serde_json::json;
use store_cql::faults::FaultyProxy;
use topology::Topic;

use crate::common;
use crate::verdict::{assert_informs, assert_log, assert_views, finish, wait_processed};
use crate::world::{NETWORK, PERSIST, WAIT, World};

const OLTS: u8 = 3;
/// Informs a second.
const RATE: u32 = 1_000;
/// One in twenty, in thousandths.
const REFUSED: u32 = 50;
/// After this long the board shows what has happened since.
const SETTLED: Duration = Duration::from_secs(1);
/// After this long an absence is called one: a write is tried for 10 s.
const SAID: Duration = Duration::from_secs(15);

#[test]
fn a_store_that_is_away_or_refuses_holds_nothing_up_and_misses_nothing() {
    let away = Duration::from_secs(match std::env::var_os("ATALAIA_SOAK") {
        Some(_) => 60,
        None => 4,
    });
    let servers = Servers::from_environment("store").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let proxy = runtime.block_on(FaultyProxy::start(&servers.cql)).unwrap();
    let cql = proxy.address().to_owned();
    let world = World::on(Servers { cql, ..servers }, OLTS);
    let network = world.start(NETWORK);
    let persist = world.start(PERSIST);
    let (api, first) = world.start_board();
    let connector = world.start(&["connector", "snmp-traps"]);
    let token = world.token(&first);
    let log = world.log();
    // Who wants to log in needs the store; who has, does not.
    let subscription = json!({ "type": "subscribe", "id": "ev", "topic": "events", "limit": 1 });
    let live = Live::connect(world.setup.http(), &token, &subscription);
    let mut live = world.runtime.block_on(live).unwrap();
    let mut sender = Sender::paced(OLTS, world.setup.trap_target(), RATE);
    let events = || log.ends(Topic::DeviceEvents).unwrap().iter().sum::<u64>();
    assert!(sender.until(WAIT, |_| events() > 1_000), "{}", world.says(NETWORK));

    proxy.set_away(true);
    let began = Instant::now();
    let before = events();
    let (heard, mut hearing) = tokio::sync::mpsc::channel(1_024);
    let listener = world.runtime.spawn(async move {
        // The end of the test ends it.
        while let Ok(frame) = live.next().await {
            if heard.send(frame).await.is_err() {
                return;
            }
        }
    });
    let mut frames = 0;
    sender.until(2 * away, |_| {
        while let Ok(frame) = hearing.try_recv() {
            // The first ones may be from before.
            let is_news = began.elapsed() > SETTLED && frame["changes"].as_array().is_some_and(|c| !c.is_empty());
            frames += usize::from(is_news);
        }
        began.elapsed() > away
    });
    let more = events() - before;
    println!("store away {away:?}: {more} events and {frames} frames of the board meanwhile");
    assert!(more > 1_000 && frames > 10, "board and events go on");
    if away > SAID {
        let failed = world.metric(&persist, "atalaia_persist_errors_total", &["of=\"store\""]);
        assert!(failed > 0.0, "the store's absence is counted");
    }
    listener.abort();

    proxy.refuse_per_mille(REFUSED);
    proxy.set_away(false);
    let refused = sender.until(WAIT, |_| proxy.refused() > 10 && proxy.unanswered() > 10);
    assert!(
        refused,
        "{} writes refused; persist says:\n{}",
        proxy.refused(),
        world.says(PERSIST)
    );
    sender.drain();
    finish(&world, [connector]);
    wait_processed(&world, &*log);
    let found = assert_log("store away and refusing", &*log);
    assert_informs(&sender, &found, &*log);
    println!(
        "{} writes refused, {} not answered",
        proxy.refused(),
        proxy.unanswered()
    );
    proxy.refuse_per_mille(0);
    assert_views(&world, &first, &found, &*log);
    finish(&world, [network, persist, api]);
}
