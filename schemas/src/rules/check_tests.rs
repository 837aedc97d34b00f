//! What is refused, and in which words.

use super::*;
use crate::rules::default_rules;

fn valid(id: &str) -> Rule {
    default_rules().into_iter().find(|rule| rule.rule_id == id).unwrap()
}

/// The fields that are refused after a change of a valid rule.
#[track_caller]
fn check(id: &str, change: impl FnOnce(&mut Rule), expected: &[&str]) {
    let mut rule = valid(id);
    change(&mut rule);
    let refused: Vec<&str> = match CheckedRule::new(&rule) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .iter()
            .map(|error| {
                assert!(!error.message.is_empty());
                error.field
            })
            .collect(),
    };
    assert_eq!(refused, expected);
}

const BELOW: &str = "atalaia-osnr-low";
const OUTSIDE: &str = "atalaia-pump-power";
const RATE: &str = "atalaia-power-loss";
const STATE: &str = "atalaia-card-down";
const NO_DATA: &str = "atalaia-card-no-data";
const SLOPE: &str = "atalaia-onu-rx-degrading";

#[test]
fn words_are_of_closed_sets() {
    check(BELOW, |r| r.severity = "cleared".into(), &["severity"]);
    check(BELOW, |r| r.condition = "ABOVE".into(), &["condition"]);
    check(BELOW, |r| r.rule_id = "osnr".into(), &["rule_id"]);
    check(BELOW, |r| r.rule_id = "a-\u{1}".into(), &["rule_id"]);
    check(BELOW, |r| r.rule_id = "a-".repeat(40), &["rule_id"]);
    check(BELOW, |r| r.version = 0, &["version"]);
    check(BELOW, |r| r.name = " ".into(), &["name"]);
    check(BELOW, |r| r.description = Some("x".repeat(3_000)), &["description"]);
    check(BELOW, |r| r.scope.kind = Some("router".into()), &["scope.kind"]);
    check(BELOW, |r| r.message = "{watt}".into(), &["message"]);
    check(BELOW, |r| r.measure = Some("Pump Power".into()), &["measure"]);
}

#[test]
fn limits_are_numbers_in_order() {
    check(BELOW, |r| r.low = None, &["low"]);
    check(BELOW, |r| r.low = Some(f64::NAN), &["low"]);
    check(BELOW, |r| r.high = Some(1.0), &["high"]);
    check(BELOW, |r| r.measure = None, &["measure"]);
    check(OUTSIDE, |r| r.low = None, &["low"]);
    check(OUTSIDE, |r| r.high = None, &["high"]);
    check(OUTSIDE, |r| r.low = Some(24.0), &["low"]);
    check(OUTSIDE, |r| r.dead_band = 7.0, &["dead_band"]);
    check(BELOW, |r| r.dead_band = -0.1, &["dead_band"]);
    check(BELOW, |r| r.dead_band = f64::INFINITY, &["dead_band"]);
    check(BELOW, |r| r.window_s = Some(60), &["window_s"]);
    check(BELOW, |r| r.states = vec!["up".into()], &["states"]);
}

#[test]
fn what_moves_falls_or_rises_within_a_window() {
    check(RATE, |r| r.low = None, &["low"]);
    check(RATE, |r| r.low = Some(3.0), &["low"]);
    check(RATE, |r| r.high = Some(-3.0), &["high"]);
    check(RATE, |r| (r.low, r.high) = (None, Some(3.0)), &[]);
    check(RATE, |r| r.window_s = None, &["window_s"]);
    check(RATE, |r| r.window_s = Some(59), &["window_s"]);
    check(RATE, |r| r.dead_band = 3.0, &["dead_band"]);
    check(SLOPE, |r| r.window_s = Some(60), &["window_s"]);
    check(SLOPE, |r| r.window_s = Some(i64::MAX), &["window_s"]);
    check(SLOPE, |r| r.low = Some(0.0), &["low"]);
}

#[test]
fn states_are_those_of_the_kind() {
    check(STATE, |r| r.states = vec![], &["states"]);
    check(STATE, |r| r.states = vec!["offline".into()], &["states"]);
    check(STATE, |r| r.states = vec!["broken".into()], &["states"]);
    check(STATE, |r| r.causes = vec!["power".into()], &[]);
    check(STATE, |r| r.causes = vec!["rain".into()], &["causes"]);
    check(
        STATE,
        |r| (r.states, r.causes) = (vec!["up".into()], vec!["power".into()]),
        &["causes"],
    );
    check(STATE, |r| r.measure = Some("osnr".into()), &["measure"]);
    let anything = |r: &mut Rule| {
        r.scope.kind = None;
        r.states = vec!["offline".into(), "down".into()];
    };
    check(STATE, anything, &[]);
    check(NO_DATA, |r| r.measure = Some("osnr".into()), &[]);
    check(NO_DATA, |r| r.low = Some(1.0), &["low"]);
}

#[test]
fn times_and_flap_policies_are_bounded() {
    check(BELOW, |r| r.raise_after_s = -1, &["raise_after_s"]);
    check(BELOW, |r| r.clear_after_s = 604_801, &["clear_after_s"]);
    check(BELOW, |r| r.reraise_after_s = i64::MAX, &["reraise_after_s"]);
    let flap = |change: fn(&mut FlapPolicy)| move |r: &mut Rule| change(r.flap.as_mut().unwrap());
    check(BELOW, flap(|f| f.penalty = f.suppress), &["flap.penalty"]);
    check(BELOW, flap(|f| f.reuse = f.suppress), &["flap.reuse"]);
    check(BELOW, flap(|f| f.ceiling = 0.0), &["flap.ceiling"]);
    check(BELOW, flap(|f| f.ceiling = f.reuse), &["flap.ceiling"]);
    check(BELOW, flap(|f| f.half_life_s = 0), &["flap.half_life_s"]);
    check(BELOW, |r| r.flap = None, &[]);
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let many = |r: &mut Rule| {
        r.severity = "bad".into();
        r.low = Some(f64::NAN);
        r.raise_after_s = -1;
        r.message = String::new();
        r.scope.site = Some("a\nb".into());
    };
    check(
        BELOW,
        many,
        &["severity", "low", "raise_after_s", "message", "scope.site"],
    );
}

#[test]
fn of_two_versions_the_higher_stands() {
    let rule = CheckedRule::new(&valid(BELOW)).unwrap();
    assert!(rule.is_newer_than(0, "z"));
    assert!(rule.is_newer_than(1, "api-1"));
    assert!(!rule.is_newer_than(1, "atalaia"));
    assert!(!rule.is_newer_than(1, "b"));
    assert!(!rule.is_newer_than(2, "a"));
}
