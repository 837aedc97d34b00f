//! Both steps say of themselves what `topology` says of them: the engine refuses a chain that does not.

use pipeline_normalize::Normalize;
use pipeline_status::Status;
use runtime::{Chain, DeadReason};
use schemas::network;
use topology::Group;

#[test]
fn the_chain_begins_as_the_one_of_topology() {
    let chain = Chain::new(|record, key| {
        network::decode(record, key).map_err(|reason| DeadReason::text(reason, "not a record of observations"))
    })
    .step(Normalize::new())
    .step(Status::default());
    let names = chain.describe().into_iter().map(|step| step.name);
    assert!(names.eq(Group::Network.spec().steps.iter().take(2).map(|step| step.name)));
}
