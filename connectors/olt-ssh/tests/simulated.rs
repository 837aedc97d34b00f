//! Row O2 and the connector as a whole, against simulated OLTs of both families: every fault has its outcome within its deadline,
//! a refused password is offered once, and what is read is what the boxes know.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use connector_olt_ssh::decode::{self, Command, Screen, Settings, text_of};
use connector_olt_ssh::dialogue;
use connector_olt_ssh::poll::{self, Config, Device, Intervals};
use connector_olt_ssh::session::{
    self, Class, Ended, FilePins, GateLimits, Gates, OpenError, Profile, RunError, Said, SessionLimits, Stage, Target,
    Transport, Verdict,
};
use log::{Log, MemoryLog, Start};
use model::Secret;
use schemas::AnyRecord;
use simulator::cli::{Cli, CliConfig, CliFault, Personality};
use simulator::{SimConfig, Simulation};
use topology::Topic;

const PASSWORD: &str = "canary-5e55";
/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(6);
const FAMILIES: [Personality; 2] = [Personality::Ma5800, Personality::Ma5680t];

/// OLTs by turns of both families, with 40 ONUs each.
fn network(olts: usize) -> (Simulation, Cli) {
    let simulation = Simulation::new(SimConfig {
        olts,
        onus: olts * 40,
        cli: Some(CliConfig {
            port: 0,
            password: PASSWORD.to_owned(),
            personalities: FAMILIES.to_vec(),
            forgets_after: Duration::ZERO,
            ..CliConfig::default()
        }),
        ..SimConfig::default()
    })
    .unwrap();
    let cli = simulation.serve_cli().unwrap().unwrap();
    (simulation, cli)
}

fn target(simulation: &Simulation, cli: &Cli, olt: usize) -> Target {
    let root = &simulation.network().olts[olt].root;
    Target {
        name: root.as_str().to_owned(),
        address: cli.address(olt),
        transport: Transport::Ssh(match FAMILIES[olt % 2] {
            Personality::Ma5800 => Profile::Modern,
            Personality::Ma5680t => Profile::Legacy,
        }),
        user: "noc".to_owned(),
        password: Secret::new(PASSWORD, "test"),
    }
}

/// The product's limits, tenfold faster.
fn limits() -> SessionLimits {
    SessionLimits {
        connect: Duration::from_secs(4),
        login: Duration::from_secs(4),
        send: Duration::from_secs(2),
        leave: Duration::from_secs(2),
        dialogue: dialogue::Limits {
            silence: Duration::from_secs(2),
            total: Duration::from_secs(30),
            ..dialogue::Limits::default()
        },
    }
}

/// How one visit ended.
#[derive(Debug)]
enum Visit {
    NotOpened(OpenError),
    NotRun(RunError),
    Answered(Said),
}

/// Setting up asks nothing that is displayed.
async fn list(session: &mut session::Session) -> Result<Said, RunError> {
    session.set_up().await?;
    session.config().await?;
    session.run("display ont info 0 all", false).await
}

async fn visit(target: &Target, pins: &FilePins) -> Visit {
    let mut session = match session::open(target, pins, &limits()).await {
        Ok(session) => session,
        Err(error) => return Visit::NotOpened(error),
    };
    match list(&mut session).await {
        Ok(said) => {
            session.leave().await.unwrap();
            Visit::Answered(said)
        }
        Err(error) => Visit::NotRun(error),
    }
}

/// The outcome that a fault must have.
fn expected(fault: CliFault, visit: &Visit) -> bool {
    let class = match visit {
        Visit::NotOpened(error) => Some(error.class()),
        Visit::NotRun(error) => Some(error.class()),
        Visit::Answered(_) => None,
    };
    let opened = !matches!(visit, Visit::NotOpened(_));
    let timeout = |stage| class == Some(Class::Timeout(stage));
    match fault {
        CliFault::HangAtAccept | CliFault::HangAtVersion => !opened && timeout(Stage::Version),
        CliFault::HangAtKeyExchange => !opened && timeout(Stage::KeyExchange),
        CliFault::HangAtAuthentication => !opened && timeout(Stage::Authentication),
        CliFault::HangAtShell => !opened && timeout(Stage::Shell),
        CliFault::HangAtBanner => !opened && timeout(Stage::Prompt),
        CliFault::HangAtEcho | CliFault::HangMidLine | CliFault::HangAtPager | CliFault::HangAfterOutput => {
            opened && timeout(Stage::Answer)
        }
        CliFault::CloseMidTable | CliFault::TimedOut => opened && class == Some(Class::Closed),
        CliFault::Flood(_) => opened && class == Some(Class::TooMuch),
        // Read right, or told that it was not.
        CliFault::AnsiGarbage => matches!(visit, Visit::Answered(said) if right_or_incomplete(said)),
        CliFault::ChangedHostKey => class == Some(Class::HostKeyChanged),
        CliFault::RefusePassword => class == Some(Class::Refused),
        CliFault::Busy => class == Some(Class::Busy),
        CliFault::ReenterLimit => class == Some(Class::TooManySessions),
        CliFault::FirstLogin => class == Some(Class::FirstLogin),
    }
}

fn right_or_incomplete(said: &Said) -> bool {
    let text = text_of(&said.bytes);
    let screen = Screen::of(&text);
    let command = Command::parse("display ont info 0 all").unwrap();
    let settings = Settings {
        whole: true,
        ..Settings::default()
    };
    let reading = decode::read(&screen, &command, &settings);
    !reading.complete || reading.rows.len() == 40
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_both_families_has_its_outcome_in_time() {
    let faults: Vec<_> = CliFault::ALL.iter().flat_map(|fault| [*fault, *fault]).collect();
    let (simulation, cli) = network(faults.len());
    let (simulation, cli) = (Arc::new(simulation), Arc::new(cli));
    let folder = Arc::new(tempfile::tempdir().unwrap());
    // A few at a time: a key exchange of a 4096-bit group takes a good part of a second here.
    let slots = Arc::new(tokio::sync::Semaphore::new(8));
    let mut visits = tokio::task::JoinSet::new();
    for (olt, fault) in faults.into_iter().enumerate() {
        let (simulation, cli, folder, slots) = (simulation.clone(), cli.clone(), folder.clone(), slots.clone());
        visits.spawn(async move {
            let _slot = slots.acquire().await.unwrap();
            let target = target(&simulation, &cli, olt);
            let pins = FilePins::new(folder.path());
            if fault == CliFault::ChangedHostKey {
                assert!(matches!(visit(&target, &pins).await, Visit::Answered(_)));
            }
            let logins = cli.counts(olt).logins;
            cli.set_fault(olt, Some(fault));
            let began = Instant::now();
            let came = visit(&target, &pins).await;
            let took = began.elapsed();
            let family = FAMILIES[olt % 2];
            assert!(expected(fault, &came), "{family:?} {fault:?}: {came:?}");
            let most = limits().connect + limits().login + limits().dialogue.silence * 3 + SLACK;
            assert!(took < most, "{family:?} {fault:?} took {took:?}");
            let offered = cli.counts(olt).logins - logins;
            match fault {
                CliFault::ChangedHostKey => assert_eq!(offered, 0, "a password for a stranger"),
                CliFault::RefusePassword => assert_eq!(offered, 1, "a refused password is not tried again"),
                _ => assert!(offered <= 1, "{family:?} {fault:?}: {offered} logins"),
            }
            assert!(!format!("{came:?}").contains(PASSWORD));
        });
    }
    while let Some(visit) = visits.join_next().await {
        visit.unwrap();
    }
}

#[tokio::test]
async fn a_refused_password_stops_the_gate_until_a_person_opens_it() {
    let (simulation, cli) = network(1);
    cli.set_fault(0, Some(CliFault::RefusePassword));
    let folder = tempfile::tempdir().unwrap();
    let gates = Gates::new(GateLimits::default());
    let permit = gates.ask("olt").unwrap();
    let Visit::NotOpened(error) = visit(&target(&simulation, &cli, 0), &FilePins::new(folder.path())).await else {
        panic!("it was let in");
    };
    let (class, retry_after) = (error.class(), error.retry_after());
    permit.release(Ended::Failed { class, retry_after }, 0.5);
    assert_eq!(gates.ask("olt").unwrap_err(), Verdict::Stopped(Class::Refused));
}

fn config(simulation: &Simulation, cli: &Cli, data: &std::path::Path) -> Config {
    let second = Duration::from_secs(1);
    Config {
        instance: "test".into(),
        data: data.to_owned(),
        spool_bytes_max: 1 << 24,
        devices: (0..simulation.network().olts.len())
            .map(|olt| Device {
                root: simulation.network().olts[olt].root.clone(),
                target: target(simulation, cli, olt),
                day_first: true,
            })
            .collect(),
        registered: Vec::new(),
        intervals: Intervals {
            state: second,
            optics: second * 2,
            alarms: second,
            autofind: second,
            inventory: second * 5,
        },
        sessions_max: 8,
        limits: SessionLimits::default(),
        gate: GateLimits {
            between_logins: Duration::from_millis(50),
            after_session: Duration::from_millis(50),
            ..GateLimits::default()
        },
    }
}

/// Everything in the topic so far.
fn records(log: &MemoryLog, topic: Topic) -> Vec<AnyRecord> {
    let mut tail = log.tail(&[(topic, Start::Beginning)]).unwrap();
    let mut records = Vec::new();
    loop {
        let stored = tail.poll(10_000, Duration::from_millis(20)).unwrap();
        if stored.is_empty() {
            return records;
        }
        for stored in stored {
            let value = stored.record.value.unwrap();
            let text = String::from_utf8_lossy(&value);
            assert!(!text.contains(PASSWORD), "the password is in the log");
            records.push(log.codec().decode(&value).unwrap());
        }
    }
}

/// Serials by entity that the reads of ONUs told, the later over the earlier.
fn serials(records: &[AnyRecord]) -> BTreeMap<String, String> {
    let mut serials = BTreeMap::new();
    for record in records {
        let AnyRecord::OnuTableRead(read) = record else {
            continue;
        };
        for port in &read.ports {
            for onu in &port.onus {
                let place = format!(
                    "{}/onu/{}/{}/{}/{}",
                    read.root, port.frame, port.slot, port.port, onu.onu
                );
                serials.insert(place, onu.serial.clone().unwrap_or_default());
            }
        }
    }
    serials
}

#[test]
fn what_is_read_is_what_the_boxes_know() {
    let (simulation, cli) = network(4);
    let folder = tempfile::tempdir().unwrap();
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let log = MemoryLog::new(4);
    let running = poll::start(config(&simulation, &cli, folder.path()), log.clone(), tokio.handle()).unwrap();
    let truth: BTreeMap<_, _> = simulation
        .network()
        .onus()
        .map(|(olt, onu)| (olt.root.onu(onu.place).to_string(), onu.serial.to_string()))
        .collect();
    let end = Instant::now() + Duration::from_secs(60);
    let read = loop {
        let read = records(&log, Topic::Observations);
        let kinds: BTreeSet<_> = read.iter().map(|r| format!("{:?}", r.record_type())).collect();
        if serials(&read) == truth
            && [
                "OpticsRead",
                "SystemRead",
                "BoardsRead",
                "AutofindRead",
                "AlarmTableRead",
            ]
            .iter()
            .all(|k| kinds.contains(*k))
        {
            break read;
        }
        assert!(
            Instant::now() < end,
            "{} of {} ONUs; {kinds:?}",
            serials(&read).len(),
            truth.len()
        );
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(running.is_alive());
    running.stop();
    let incomplete: Vec<_> = read
        .iter()
        .filter(|r| matches!(r, AnyRecord::OnuTableRead(t) if !t.complete))
        .collect();
    assert!(incomplete.is_empty(), "{incomplete:?}");
    let failed: Vec<_> = read.iter().filter(|r| matches!(r, AnyRecord::PollFailed(_))).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(records(&log, Topic::DeadLetters), []);
    for olt in 0..4 {
        let counts = cli.counts(olt);
        assert_eq!(
            (counts.open_max, counts.refused, counts.turned_away),
            (1, 0, 0),
            "{counts:?}"
        );
        assert!(counts.logins <= 2, "a session is kept between reads: {counts:?}");
    }
}
