//! Each step says of itself what `topology` says of it.

use pipeline_correlate::{ALARMS, CORRELATE, GATHER};
use topology::Group;

#[test]
fn the_steps_are_those_of_topology() {
    for description in [GATHER, CORRELATE, ALARMS] {
        let mut specs = Group::Network.spec().steps.iter();
        let spec = specs.find(|spec| spec.name == description.name).expect("it is there");
        assert_eq!(
            (spec.number, spec.key, spec.writes),
            (description.number, description.key, description.writes)
        );
    }
}
