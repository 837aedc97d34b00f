//! A timer that its own call sets again to the time it had: it is due with the next record, whether the task was restored or not.

use std::sync::Arc;

use model::Micros;
use runtime::{Chain, DeadReason, Deadline, Input, Now, Out, Reason, StateKey, Step, StepDescription, Verdict};
use schemas::{AnyRecord, SourceHeartbeat};
use testkit::Driver;

/// Counts how often its timer fires; each call leaves the timer as it was, a changing state or not.
struct Stubborn {
    counts: bool,
}

impl Step for Stubborn {
    type Event = ();
    type State = (u32, Micros);

    fn describe(&self) -> StepDescription {
        StepDescription {
            number: 1,
            name: "stubborn",
            reads: "anything",
            writes: &[],
            key: "one",
            state: "how often it fired",
            time: "observed time",
            guarantee: "none",
            format: 1,
        }
    }

    fn keys(&self, (): &(), keys: &mut Vec<StateKey>) {
        keys.push(Arc::from("k"));
    }

    fn apply(
        &self,
        _key: &StateKey,
        state: Option<&Self::State>,
        input: Input<'_, ()>,
        now: &Now,
        out: &mut Out<()>,
    ) -> Verdict<Self::State> {
        let &(fired, due) = state.unwrap_or(&(0, now.observed));
        out.set_timer(1, Deadline::Observed(due));
        let fired = match input {
            Input::Timer { .. } if self.counts => fired + 1,
            _ => fired,
        };
        Verdict::put((fired, due), Reason::Did("kept"))
    }
}

fn fired(counts: bool, restores: bool) -> u32 {
    let mut driver = Driver::with(1, 1, move || {
        Chain::outside_topology(|_: AnyRecord, _: &str| Ok::<(), DeadReason>(())).step(Stubborn { counts })
    });
    let heartbeat = SourceHeartbeat {
        root: "default/olt/a".into(),
        connector: "test".into(),
        sent_at: Micros(0),
    };
    driver.pipe("default/olt/a", heartbeat);
    for _ in 0..5 {
        driver.tick(1_000);
        if restores {
            assert!(driver.commit());
            driver.crash(0);
            driver.restore();
        }
    }
    driver.state::<(u32, Micros)>(1, "k").map_or(0, |state| state.0)
}

#[test]
fn it_fires_with_each_record_restored_or_not() {
    assert_eq!((fired(true, false), fired(true, true)), (5, 5));
    assert_eq!((fired(false, false), fired(false, true)), (0, 0));
}
