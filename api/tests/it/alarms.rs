//! Alarms and incidents: lists, pages, history, and what a WebSocket hears of them.

use api::Role;
use serde_json::{Value, json};
use store::rows::{AlarmEventRow, AlarmRow, AlarmThen, CommentRow, IncidentRow, ReasonRow};

use crate::support::alarms::{ONU, ROOT, alarm, cleared, incident};
use crate::support::socket::Socket;
use crate::support::{Answer, World, eventually, row};

/// What a person, or a device, may write into a text.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"\\\n\u{1}\u{202e}{{7*7}}";

fn ids(answer: &Answer) -> Vec<&str> {
    let items = answer.body["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{}", answer.text));
    items.iter().map(|i| i["alarm_id"].as_str().unwrap()).collect()
}

async fn shown(world: &World, count: usize) {
    eventually("the alarms are in the live view", || {
        world.live.standing_alarms() == count
    })
    .await;
}

/// The row that `persist` makes of an alarm.
pub fn row_of(alarm: &schemas::Alarm) -> AlarmRow {
    let json = serde_json::to_value(alarm).unwrap();
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    AlarmRow {
        alarm_id: alarm.alarm_id.clone(),
        entity: model::EntityId::parse(&alarm.entity).unwrap(),
        kind: alarm.kind.clone(),
        site: text("site"),
        name: None,
        serial: None,
        alarm_type: alarm.alarm_type.clone(),
        qualifier: String::new(),
        origin: alarm.origin.clone(),
        rule_id: text("rule_id"),
        rule_version: alarm.rule_version,
        rule_name: text("rule_name"),
        severity: alarm.severity.clone(),
        condition: alarm.condition.clone(),
        operator_state: alarm.operator_state.clone(),
        visibility: alarm.visibility.clone(),
        text: alarm.text.clone(),
        reason: ReasonRow {
            word: alarm.reason.word.clone(),
            measure: alarm.reason.measure.clone(),
            value: alarm.reason.value,
            unit: alarm.reason.unit.clone(),
            limit: alarm.reason.limit,
            observed_at: alarm.reason.observed_at,
            held_s: alarm.reason.held_s,
            state: None,
            cause: None,
            detail: None,
        },
        raised_at: alarm.raised_at,
        cleared_at: alarm.cleared_at,
        changed_at: alarm.changed_at,
        acknowledged_at: None,
        acknowledged_by: None,
        silenced_until: None,
        silence_id: None,
        comments: vec![CommentRow {
            at: alarm.changed_at,
            actor: "ana".into(),
            text: HOSTILE.into(),
        }],
        incident_id: None,
        reopened: 0,
        is_old: false,
        raise_position: alarm.raise_position.position(),
        position: alarm.position.position(),
        wts: alarm.wts,
    }
}

/// What `persist` writes of a transition.
pub async fn persisted(world: &World, alarm: &schemas::Alarm, word: &str) {
    let row = row_of(alarm);
    let event = AlarmEventRow {
        at: alarm.changed_at,
        id: format!("{word}-{}", alarm.position.position().offset).into_bytes(),
        alarm_id: alarm.alarm_id.clone(),
        root: row.entity.root().entity(),
        transition: word.into(),
        actor: None,
        act_id: None,
        text: None,
        refusal: None,
        alarm: Some(AlarmThen {
            entity: row.entity.clone(),
            site: row.site.clone(),
            alarm_type: row.alarm_type.clone(),
            rule_id: row.rule_id.clone(),
            rule_version: row.rule_version,
            severity: row.severity.clone(),
            condition: row.condition.clone(),
            operator_state: row.operator_state.clone(),
            visibility: row.visibility.clone(),
            text: row.text.clone(),
            reason: row.reason.clone(),
            raised_at: row.raised_at,
            cleared_at: row.cleared_at,
        }),
        position: row.position,
    };
    let mut rows = event.to_rows();
    rows.push(row.to_row());
    world.store.upsert(rows).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_is_listed_filtered_and_paged() {
    let world = World::new().await.with_users().await;
    let (token, stranger) = (world.login("viewer").await.access, world.login("stranger").await.access);
    world.status(row(ROOT, "reachable", 1));
    for n in 0..25 {
        let mut alarm = alarm(&format!("a-{n:02}"), ONU, n);
        match n {
            3 => alarm.severity = "critical".into(),
            4 => alarm.visibility = "inhibited".into(),
            5 => alarm.operator_state = "acknowledged".into(),
            6 => alarm.operator_state = "closed".into(),
            7 => (alarm.entity, alarm.kind) = (ROOT.into(), "olt".into()),
            8 => alarm.site = Some("GRU".into()),
            9 => alarm.incident_id = Some("i-1".into()),
            10 => alarm.alarm_type = "los".into(),
            _ => {}
        }
        world.alarm(alarm, "raised");
    }
    shown(&world, 25).await;
    let list = async |query: &str| world.get(&format!("/api/v1/alarms?{query}"), Some(&token)).await;
    let check = async |query: &str, expected: &[&str]| assert_eq!(ids(&list(query).await), expected, "{query}");
    check("severity=critical", &["a-03"]).await;
    check("visibility=inhibited", &["a-04"]).await;
    check("status=ACKNOWLEDGED", &["a-05"]).await;
    check("status=CLEARED", &["a-06"]).await;
    check("entity=default/olt/a", &["a-07"]).await;
    check("entity=a", &["a-07"]).await;
    check("site=GRU", &["a-08"]).await;
    check("incident=i-1", &["a-09"]).await;
    check("type=los&condition=raised", &["a-10"]).await;
    check("root=b", &[]).await;
    let at = alarm("x", ONU, 20).raised_at;
    let from = jiff::Timestamp::from_microsecond(at.0 - 100_000).unwrap();
    assert!(ids(&list(&format!("from={from}&condition=raised")).await).starts_with(&["a-24", "a-23", "a-22", "a-21"]));
    assert!(ids(&list(&format!("to={from}&condition=raised&limit=1")).await)[0] < "a-21");

    // Pages join without a gap and without a repeat, whichever path is asked.
    for path in [
        "/api/v1/alarms?condition=raised&",
        "/api/alarms?",
        "/alerts/active?",
        "/api/v1/alerts/active?",
    ] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.get(&format!("{path}limit=4{cursor}"), Some(&token)).await;
            found.extend(ids(&page).into_iter().map(str::to_owned));
            match page.body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let expected: Vec<_> = (0..25).rev().map(|n| format!("a-{n:02}")).collect();
        assert_eq!(found, expected, "{path}");
    }
    for wrong in [
        "severity=bad",
        "condition=x",
        "status=active",
        "from=yesterday",
        "limit=0",
        "cursor=YQ",
        "colour=red",
    ] {
        assert_eq!(list(wrong).await.code(), "BAD_REQUEST", "{wrong}");
    }
    assert!(ids(&world.get("/api/v1/alarms", Some(&stranger)).await).is_empty());
    assert_eq!(
        world.get("/api/v1/alarms/a-01", Some(&stranger)).await.code(),
        "ALARM_NOT_FOUND"
    );
    let counts = world.get("/api/v1/alarms/counts", Some(&token)).await.body;
    let all = &counts["items"][0]["counts"];
    assert_eq!(
        (&all["critical"], &all["minor"], &all["hidden"], &all["acknowledged"]),
        (&json!(1), &json!(22), &json!(1), &json!(1))
    );
    let one = world.get("/api/alarms/a-05", Some(&token)).await.body;
    assert_eq!(
        (&one["status"], &one["reason"]["value"]),
        (&json!("ACKNOWLEDGED"), &json!(-28.25))
    );
    assert_eq!(one["raise_position"]["topic"], "observations");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_comes_from_the_store() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    for n in 0..12 {
        let raised = alarm(&format!("a-{n:02}"), ONU, n);
        persisted(&world, &raised, "raised").await;
        persisted(&world, &cleared(&raised, 100 + n), "cleared").await;
    }
    // Raised again since: its line of then says nothing any more.
    let mut again = alarm("a-05", ONU, 300);
    again.condition = "raised".into();
    persisted(&world, &again, "reopened").await;
    let list = async |query: &str| world.get(&format!("/api/v1/alarms?{query}"), Some(&token)).await;
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(&format!("condition=cleared&limit=3{cursor}")).await;
        found.extend(ids(&page).into_iter().map(str::to_owned));
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<_> = (0..12).rev().filter(|n| *n != 5).map(|n| format!("a-{n:02}")).collect();
    assert_eq!(found, expected);
    for query in ["entity=default/olt/a/onu/0/1/2/3", "site=RJO", "root=default/olt/a"] {
        assert_eq!(
            ids(&list(&format!("condition=cleared&{query}")).await).len(),
            11,
            "{query}"
        );
    }
    assert!(ids(&list("condition=cleared&entity=other/olt/a").await).is_empty());
    // Both: what stands first.
    world.alarm(alarm("b-00", ONU, 400), "raised");
    shown(&world, 1).await;
    assert_eq!(ids(&list("limit=1").await), ["b-00"]);
    let first = list("limit=1").await;
    let next = first.body["next"].as_str().unwrap();
    assert_eq!(ids(&list(&format!("limit=1&cursor={next}")).await), ["a-11"]);
    assert_eq!(ids(&list("").await).len(), 12);

    let answer = world.get("/api/v1/alarms/a-01", Some(&token)).await;
    assert_eq!(
        (&answer.body["status"], &answer.body["comments"][0]["text"]),
        (&json!("CLEARED"), &json!(HOSTILE))
    );
    assert!(!answer.text.contains('\u{1}'), "escaped: {}", answer.text);
    let happened = world.get("/api/v1/alarms/a-01/transitions", Some(&token)).await.body;
    let words: Vec<_> = happened["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["transition"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["cleared", "raised"]);
    assert_eq!(happened["items"][1]["reason"]["limit"], json!(-27.0));
    let paged = world
        .get("/api/alarms/a-01/transitions?limit=1", Some(&token))
        .await
        .body;
    assert!(paged["next"].is_string());
    assert_eq!(
        world
            .get("/api/v1/alarms/nobody/transitions", Some(&token))
            .await
            .code(),
        "ALARM_NOT_FOUND"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incidents_open_and_closed() {
    let world = World::new().await.with_users().await;
    let (token, stranger) = (world.login("viewer").await.access, world.login("stranger").await.access);
    let pon = "default/olt/a/pon/0/1/2";
    world.status(row(ROOT, "reachable", 1));
    world.incident(incident("i-1", pon, "open", 1));
    let mut symptom = alarm("a-1", ONU, 2);
    symptom.incident_id = Some("i-1".into());
    world.alarm(symptom, "raised");
    let wire = incident("i-0", pon, "closed", 0);
    let row = IncidentRow {
        incident_id: wire.incident_id.clone(),
        root: model::EntityId::parse(ROOT).unwrap(),
        entity: model::EntityId::parse(pon).unwrap(),
        site: wire.site.clone(),
        state: wire.state.clone(),
        verdict: wire.verdict.clone(),
        confidence: wire.confidence,
        severity: wire.severity.clone(),
        text: wire.text.clone(),
        lost: wire.lost,
        still_lost: wire.still_lost,
        total: wire.total,
        gasps: wire.gasps,
        dark: wire.dark,
        began_at: wire.began_at,
        ended_at: wire.ended_at,
        changed_at: wire.changed_at,
        affected: wire.affected.clone(),
        affected_more: wire.affected_more,
        pons: vec![],
        position: wire.position.position(),
        wts: wire.wts,
    };
    world
        .store
        .upsert(vec![row.to_row(), row.to_month_row()])
        .await
        .unwrap();
    shown(&world, 1).await;
    let list = async |query: &str| {
        let answer = world.get(&format!("/api/v1/incidents?{query}"), Some(&token)).await;
        let items = answer.body["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{}", answer.text))
            .clone();
        items
            .iter()
            .map(|i| i["incident_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("").await, ["i-1", "i-0"]);
    assert_eq!(list("state=open").await, ["i-1"]);
    assert_eq!(list("state=closed").await, ["i-0"]);
    assert_eq!(list("root=a&site=RJO").await.len(), 2);
    assert!(list("site=GRU").await.is_empty());
    let one = world.get("/api/v1/incidents/i-1", Some(&token)).await.body;
    assert_eq!(
        (&one["verdict"], &one["symptoms"][0]["alarm_id"]),
        (&json!("feeder"), &json!("a-1"))
    );
    assert_eq!(
        world.get("/api/v1/incidents/i-0", Some(&token)).await.body["symptoms"],
        json!([])
    );
    for id in ["i-0", "i-1"] {
        assert_eq!(
            world
                .get(&format!("/api/v1/incidents/{id}"), Some(&stranger))
                .await
                .code(),
            "NOT_FOUND"
        );
    }
    assert_eq!(
        world.get("/api/v1/incidents?state=x", Some(&token)).await.code(),
        "BAD_REQUEST"
    );
}

fn of(items: &[Value]) -> Vec<(&str, &str)> {
    let id = |i: &Value| i["alarm_id"].is_string() || i["incident_id"].is_string();
    items
        .iter()
        .filter(|i| id(i))
        .map(|i| {
            let word = i["condition"].as_str().or(i["state"].as_str()).unwrap_or("gone");
            (i["alarm_id"].as_str().or(i["incident_id"].as_str()).unwrap(), word)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_gets_what_stands_and_then_each_change() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    world.status(row(ONU, "offline", 1));
    let mut hostile = alarm("a-1", ONU, 1);
    hostile.text = HOSTILE.into();
    world.alarm(hostile, "raised");
    world.alarm(alarm("a-2", "default/olt/b/onu/0/1/2/3", 2), "raised");
    world.incident(incident("i-1", ROOT, "open", 1));
    shown(&world, 2).await;
    let listening = world.listen().await;
    let (mut socket, _) = Socket::open(listening.address, &token, None).await;
    let subscribe = |id: &str, topic: &str, filter: Value| json!({ "type": "subscribe", "id": id, "topic": topic, "filter": filter });
    let all = socket
        .subscribe(json!({ "type": "subscribe", "id": "al", "topic": "alarms" }))
        .await;
    assert_eq!(of(&all), [("a-2", "raised"), ("a-1", "raised")]);
    assert_eq!(all[1]["text"], HOSTILE);
    let here = socket
        .subscribe(subscribe(
            "here",
            "alarms",
            json!({ "entity": ONU, "visibility": "shown" }),
        ))
        .await;
    assert_eq!(of(&here), [("a-1", "raised")]);
    let incidents = socket
        .subscribe(subscribe("in", "incidents", json!({ "root": ROOT })))
        .await;
    assert_eq!(of(&incidents), [("i-1", "open")]);

    // Hidden: an item for the one, the end for the other.
    let mut hidden = alarm("a-1", ONU, 2);
    hidden.visibility = "inhibited".into();
    world.alarm(hidden.clone(), "inhibited");
    let delta = socket.frame_of("delta").await;
    let changes = delta["changes"].as_array().unwrap();
    let told: Vec<_> = changes
        .iter()
        .map(|c| (c["ids"].clone(), c["item"]["type"].clone()))
        .collect();
    assert_eq!(
        told,
        [(json!(["al"]), json!("alarm")), (json!(["here"]), json!("removed"))],
        "{delta}"
    );
    assert_eq!(changes[1]["item"], json!({ "type": "removed", "alarm_id": "a-1" }));

    world.alarm(cleared(&alarm("a-2", "default/olt/b/onu/0/1/2/3", 1), 3), "cleared");
    world.incident(incident("i-1", ROOT, "closed", 4));
    let items = socket
        .until(|i| i["state"] == "closed" || i["condition"] == "cleared")
        .await;
    // In one flush or in two.
    let more = if of(&items).len() < 2 {
        socket.until(|i| !i.is_null()).await
    } else {
        vec![]
    };
    let mut told: Vec<_> = of(&items).into_iter().chain(of(&more)).collect();
    told.sort_unstable();
    assert_eq!(told, [("a-2", "cleared"), ("i-1", "closed")]);
    // Another client finds what stands now.
    let (mut other, _) = Socket::open(listening.address, &token, None).await;
    let all = other
        .subscribe(json!({ "type": "subscribe", "id": "al", "topic": "alarms" }))
        .await;
    assert_eq!(of(&all), [("a-1", "raised")]);
    assert!(
        other
            .subscribe(json!({ "type": "subscribe", "id": "in", "topic": "incidents" }))
            .await
            .is_empty()
    );
    for wrong in [
        subscribe("w", "alarms", json!({ "state": "offline" })),
        subscribe("w", "alarms", json!({ "visibility": "bright" })),
        subscribe("w", "incidents", json!({ "severity": "major" })),
        subscribe("w", "events", json!({ "visibility": "shown" })),
        subscribe("w", "tree", json!({ "root": ROOT })),
    ] {
        other.say(&wrong).await;
        assert_eq!(other.frame_of("error").await["code"], "BAD_REQUEST", "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_comes_back_gets_what_it_missed_of_alarms() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    world.alarm(alarm("a-1", ONU, 1), "raised");
    shown(&world, 1).await;
    let listening = world.listen().await;
    let (mut socket, welcome) = Socket::open(listening.address, &token, None).await;
    let frame = json!({ "type": "subscribe", "id": "al", "topic": "alarms" });
    socket.say(&frame).await;
    let seq = socket.frame_of("snapshot").await["seq"].as_u64().unwrap();
    drop(socket);
    world.alarm(cleared(&alarm("a-1", ONU, 1), 2), "cleared");
    world.alarm(alarm("a-2", ONU, 3), "raised");
    eventually("the view has gone on", || world.live.standing_alarms() == 1).await;
    let token_of = welcome["instance"].as_str().unwrap();
    let (mut back, welcome) = Socket::open(listening.address, &token, Some((token_of, seq))).await;
    assert_eq!(welcome["resumed"], true);
    let items = back.until(|i| i["alarm_id"] == "a-2").await;
    assert_eq!(of(&items), [("a-1", "cleared"), ("a-2", "raised")]);
}

/// 2,048 alarms of one OLT at one time: few frames, each item once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_few_frames() {
    let world = World::new().await.with_user(Role::Viewer).await;
    let token = world.login("viewer").await.access;
    let listening = world.listen().await;
    let (mut socket, _) = Socket::open(listening.address, &token, None).await;
    assert!(
        socket
            .subscribe(json!({ "type": "subscribe", "id": "al", "topic": "alarms" }))
            .await
            .is_empty()
    );
    const STORM: usize = 2_048;
    for n in 0..STORM {
        let entity = format!("{ROOT}/onu/0/1/{}/{}", n / 128, n % 128);
        world.transition_soon(alarm(&format!("a-{n}"), &entity, n as u64));
    }
    let (mut seen, mut frames) = (std::collections::BTreeSet::new(), 0);
    while seen.len() < STORM {
        let delta = socket.frame_of("delta").await;
        frames += 1;
        for change in delta["changes"].as_array().unwrap() {
            assert!(
                seen.insert(change["item"]["alarm_id"].as_str().unwrap().to_owned()),
                "once each"
            );
        }
    }
    assert!(frames <= STORM / 4, "{frames} frames for {STORM} alarms");
}
