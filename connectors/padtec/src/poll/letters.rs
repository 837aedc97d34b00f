//! Rows that cannot be read, kept for people one by one: each once an hour, so that what is wrong with every read fills nothing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::Micros;
use schemas::DeadLetter;

use crate::decode::Issue;

/// A row is kept this often.
const EVERY: Duration = Duration::from_secs(3_600);
/// Rows that are remembered; of further ones nothing is kept until some are forgotten.
const REMEMBERED_MAX: usize = 1_024;
/// Longest row that is kept whole, in bytes.
const ROW_BYTES_MAX: usize = 8 << 10;

/// Which rows were kept not long ago.
#[derive(Debug, Default)]
pub struct Letters(HashMap<String, Instant>);

impl Letters {
    /// The letters of what is wrong in one list, as far as they are due.
    pub fn of(
        &mut self,
        root: &str,
        list: &str,
        mapping: &str,
        issues: &[(Issue, String)],
        (at, now): (Micros, Instant),
    ) -> Vec<DeadLetter> {
        self.0.retain(|_, kept| now.saturating_duration_since(*kept) < EVERY);
        let mut letters = Vec::new();
        for (issue, row) in issues {
            let reason = issue.problem.as_str();
            // What has no key is known by its place: the same row of the next read.
            let place = || format!("{}:{}", issue.line, issue.column);
            let name = format!("{list} {reason} {}", issue.key.clone().unwrap_or_else(place));
            if self.0.contains_key(&name) || self.0.len() >= REMEMBERED_MAX {
                continue;
            }
            self.0.insert(name, now);
            let header = |text: &str| serde_bytes::ByteBuf::from(text);
            letters.push(DeadLetter {
                topic: "padtec".to_owned(),
                partition: 0,
                offset: at.0,
                key: root.as_bytes().to_vec(),
                value: Some(row.as_bytes()[..row.floor_char_boundary(ROW_BYTES_MAX)].to_vec()),
                headers: [
                    ("list".to_owned(), header(list)),
                    ("mapping".to_owned(), header(mapping)),
                ]
                .into(),
                reason: reason.to_owned(),
                errors: vec![issue.to_string()],
                appended_at: at,
            });
        }
        letters
    }
}
