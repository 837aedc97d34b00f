//! An incident as its row, and in words.

use model::{EntityId, Micros, Root, Severity};
use runtime::Now;
use schemas::Incident as Row;

use super::tree::{Incident, Stage, Totals, Tree, Verdict, Where, onu_at};

/// Most entities named in a row.
const AFFECTED_MAX: usize = 512;
/// Most ports named in a row.
const PONS_MAX: usize = 64;

/// An incident's id as records have it.
pub fn id(id: u128) -> String {
    format!("i-{id:032x}")
}

/// The whole row.
pub fn row(incident: &Incident, tree: &Tree, root: &Root, now: &Now, wts: Micros) -> Row {
    let parts = || tree.parts_of(incident.number);
    let totals = Totals::of(parts());
    let mut affected: Vec<String> = Vec::new();
    let mut pons: Vec<String> = Vec::new();
    for part in parts() {
        let pon = Where::Pon(part.place).entity(root);
        if pons.last().is_none_or(|last| last != pon.as_str()) && pons.len() < PONS_MAX {
            pons.push(pon.as_str().to_owned());
        }
        // An ONU that was lost twice stands there once; the second time is a part that follows.
        for onu in part.lost.iter() {
            if affected.len() == AFFECTED_MAX {
                break;
            }
            let onu = onu_at(root, part.place, onu).as_str().to_owned();
            if !affected.contains(&onu) {
                affected.push(onu);
            }
        }
    }
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let named = u32::try_from(affected.len()).unwrap_or(u32::MAX);
    Row {
        incident_id: id(incident.id),
        root: root.as_str().to_owned(),
        entity: incident.at.entity(root).as_str().to_owned(),
        site: tree.site.clone(),
        state: match incident.stage {
            Stage::Open => "open",
            Stage::Settling { .. } => "settling",
            Stage::Closed(_) => "closed",
        }
        .to_owned(),
        verdict: incident.verdict.as_str().to_owned(),
        confidence: f64::from(incident.confidence) / 100.0,
        severity: severity(incident, &totals).as_str().to_owned(),
        text: text(incident, &totals, root),
        lost: number(totals.lost),
        still_lost: number(totals.still),
        total: number(totals.before),
        gasps: number(totals.gasps),
        dark: number(totals.dark()),
        began_at: incident.began_at,
        ended_at: match incident.stage {
            Stage::Closed(at) => Some(at),
            _ => None,
        },
        changed_at: now.log_time,
        affected,
        affected_more: number(totals.lost.saturating_sub(named)),
        pons,
        position: now.position.into(),
        wts,
    }
}

fn severity(incident: &Incident, totals: &Totals) -> Severity {
    match (incident.verdict, totals.lost) {
        (Verdict::MonitoringLoss | Verdict::Board, _) | (_, 32..) => Severity::Critical,
        (Verdict::SingleDrop, _) => Severity::Minor,
        (Verdict::Feeder | Verdict::Port, _) | (_, 8..) => Severity::Major,
        _ => Severity::Minor,
    }
}

/// What people read.
fn text(incident: &Incident, totals: &Totals, root: &Root) -> String {
    let place = place_in_words(&incident.at.entity(root));
    let Totals {
        lost,
        before,
        gasps,
        pons,
        still,
        ..
    } = *totals;
    let dark = totals.dark();
    let ports = if pons == 1 {
        "1 PON port".to_owned()
    } else {
        format!("{pons} PON ports")
    };
    let what = match incident.verdict {
        Verdict::Feeder if lost == 0 => {
            format!("Feeder of {place}: the port sees no light; none of its {before} ONUs has spoken yet")
        }
        Verdict::Feeder => format!(
            "Feeder of {place}: {lost} of {before} ONUs on {ports} went within seconds, {dark} dark, {gasps} with a dying gasp"
        ),
        Verdict::Port => format!("{place} fails: {lost} of the {before} ONUs that worked on it are lost"),
        Verdict::Branch => {
            format!("Branch of {place}: {lost} of {before} ONUs went dark within seconds, the others of the port work")
        }
        Verdict::PowerArea => {
            format!("Power failure at {place}: {gasps} of {lost} lost ONUs on {ports} sent a dying gasp")
        }
        Verdict::SingleDrop => format!("{place} alone went dark: its drop fibre or the ONU"),
        Verdict::Board if lost == 0 => format!("{place} is out of service"),
        Verdict::Board => format!("{place} is out of service or cut off: {lost} of {before} ONUs on {ports} are lost"),
        Verdict::MonitoringLoss => {
            format!("{place} does not answer: what is behind it cannot be seen and is not known to be lost")
        }
        Verdict::Unexplained => format!(
            "{lost} of {before} ONUs of {place} went within seconds, {gasps} with a dying gasp, {dark} dark: no one cause"
        ),
    };
    match incident.stage {
        Stage::Closed(_) if still > 0 => format!("{what}. Over; {still} did not come back and stand for themselves"),
        Stage::Closed(_) => format!("{what}. Over"),
        Stage::Settling { .. } if still > 0 => format!("{what}. Ending; {still} not back yet"),
        Stage::Settling { .. } => format!("{what}. Ending"),
        Stage::Open => what,
    }
}

fn place_in_words(entity: &EntityId) -> String {
    let name = entity.root().name().to_owned();
    let below = entity.as_str().get(entity.root_str().len() + 1..).unwrap_or("");
    match below.split_once('/') {
        Some(("pon", place)) => format!("PON port {place} of {name}"),
        Some(("board", place)) => format!("Board {place} of {name}"),
        Some(("onu", place)) => format!("ONU {place} of {name}"),
        _ => format!("OLT {name}"),
    }
}
