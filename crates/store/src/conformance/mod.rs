//! What every engine of the store does alike. An engine joins with a [`Subject`] and one line of
//! [`conformance_suite!`](crate::conformance_suite).

#![allow(clippy::unwrap_used, reason = "checks of a test suite: a panic is their verdict")]
#![allow(missing_docs, reason = "the names of the checks say what they check")]

mod suite;
mod tables;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::suite::*;
pub use self::tables::{EVENT_RETENTION_MS, EVENTS, STATES, TABLES, event, events, state, states, text};
use crate::Store;

/// An engine under test.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The store. Tests use keys of their own, so one database may serve them all; only `replay_leaves_the_same` and
    /// `engines_agree_on_what_a_store_holds` look at whole tables and want one for themselves.
    fn store(&self) -> Arc<dyn Store>;

    /// The engine's clock, milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// Returns when so many milliseconds of the engine's clock have passed.
    async fn pass(&self, ms: i64);

    /// Closes and opens the store.
    async fn reopen(&mut self);
}

/// Makes one `#[test]` of each check. `$subject` is an async function from the check's name to a fresh [`Subject`].
#[macro_export]
macro_rules! conformance_suite {
    ($subject:path) => {
        $crate::conformance_suite!(@ $subject;
            rows_read_back_whole,
            the_higher_write_time_stays,
            equal_write_times_end_alike_in_any_order,
            a_newer_row_unsets_what_it_does_not_say,
            a_partial_row_is_refused,
            a_row_that_does_not_fit_is_refused,
            two_events_of_one_moment_are_two_rows,
            rows_end_at_their_time,
            late_rows_end_with_their_time,
            newest_first_pages_resume,
            backwards_pages_resume,
            a_prefix_reads_a_part,
            partitions_do_not_run_into_each_other,
            a_cursor_of_another_query_is_refused,
            a_cursor_survives_what_it_stood_on,
            a_deletion_stays,
            a_deletion_spares_what_is_newer,
            conditional_writes_have_one_winner,
            a_conditional_write_wins_over_any_clock,
            replay_leaves_the_same,
            engines_agree_on_what_a_store_holds,
            acknowledged_rows_survive_a_restart,
            the_store_is_healthy,
        );
    };
    (@ $subject:path; $($check:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            let mut subject = $subject(stringify!($check)).await;
            $crate::conformance::$check(&mut subject).await;
        }
    )+};
}
