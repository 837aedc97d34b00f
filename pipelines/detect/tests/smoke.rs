//! The step says of itself what `topology` says of it, and a value beyond a limit raises.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{ROOT, Told, rule, rule_record, said};
use pipeline_detect::{DESCRIPTION, Detect};
use runtime::{Chain, DeadReason, Step};
use schemas::Rule;
use schemas::network::{self, Quality};
use testkit::Driver;
use topology::Group;

#[test]
fn the_chain_is_that_of_topology() {
    let chain = Chain::new(|record, key| network::decode(record, key).map_err(DeadReason::from))
        .step(pipeline_normalize::Normalize::new())
        .step(pipeline_status::Status)
        .step(Detect::default());
    let steps = Group::Network.spec().steps;
    assert_eq!(steps[2].name, DESCRIPTION.name);
    assert_eq!(chain.describe().len(), 3);
    assert_eq!(Detect::default().describe(), DESCRIPTION);
}

#[test]
fn a_value_below_its_limit_raises_and_one_that_is_back_by_the_band_clears() {
    let mut driver = Driver::with(1, 1, common::chain);
    let below = Rule {
        low: Some(-27.0),
        ..rule("below")
    };
    driver.advance(1_000);
    driver.pipe("", rule_record(below));
    for (value, expected) in [(-26.0, 0), (-27.1, 1), (-26.6, 1), (-26.5, 2), (-27.0, 2)] {
        driver.advance(60_000);
        let at = driver.now();
        let sample = Told::Sample("/onu/0/1/2/3".into(), "rx", value, Quality::Good, at);
        driver.pipe(ROOT, sample.record());
        assert_eq!(said(&driver).len(), expected, "{value}: {:?}", said(&driver));
    }
    let said = said(&driver);
    assert_eq!(
        (&*said[0].what, &*said[0].word, &*said[0].value, &*said[0].limit),
        ("raised", "below", "-27.100", "-27.000")
    );
    assert_eq!(said[0].text, "rx -27.1 dBm limit -27");
    assert_eq!(
        (&*said[1].what, &*said[1].word, &*said[1].limit),
        ("cleared", "within_limits", "-26.500")
    );
    assert_eq!(said[0].id, said[1].id);
}
