//! One list, page by page, and whether it is whole: counted before and after, every page read, nothing twice and nothing unreadable.
//!
//! Lists have no total and no order that is promised. While they are read, rows come and go, and what follows moves to another page: so a
//! list that is not found whole is read a second time at once, and what is not whole then says so.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::{Micros, PollFailure};

use crate::client::{Client, ClientError};
use crate::decode::{self, Decoded, Issue, Page, PageError};
use crate::mapping::{Count, Counts, List, Mapping};

/// Most rows of a list.
const ROWS_MAX: u64 = 1_000_000;
/// Longest read of a list.
const TIME_MAX: Duration = Duration::from_secs(600);
/// A page is asked for this often.
const TRIES: u32 = 2;
/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_millis(250);
/// Pages of a read that may fail before it is given up.
const FAILURES_MAX: u32 = 3;
/// The smallest page that is asked for.
const SIZE_MIN: u64 = 10;
/// Pages beyond those that the count needs: short ones may be among them.
const SPARE_PAGES: u64 = 8;

/// A list that was read, whole or not.
#[derive(Debug)]
pub(crate) struct Listing<R> {
    /// Its rows, each once.
    pub rows: Vec<R>,
    /// What is wrong with others.
    pub issues: Vec<(Issue, String)>,
    /// Why it is not whole; `None` if it is.
    pub lacks: Option<Lack>,
    /// When the first request was sent.
    pub started_at: Micros,
    /// When the last answer was there.
    pub received_at: Micros,
}

/// Why a list is not whole.
#[derive(Debug)]
pub(crate) struct Lack {
    /// The word of records.
    pub class: PollFailure,
    /// More for people.
    pub detail: String,
    /// Reading again at once may find it whole.
    is_of_the_moment: bool,
}

/// A list of which nothing was read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    /// No answer.
    #[error("{0}")]
    Client(#[source] ClientError),
    /// Another answer.
    #[error("{0}")]
    Page(#[source] PageError),
}

impl ListError {
    pub fn class(&self) -> PollFailure {
        match self {
            Self::Client(error) => error.class(),
            Self::Page(_) => PollFailure::Protocol,
        }
    }

    /// Whether other lists cannot be read now either.
    pub fn is_of_all(&self) -> bool {
        match self {
            Self::Client(error) => error.is_of_all() || error.class().is_silence(),
            Self::Page(_) => false,
        }
    }

    /// It and what it comes from, without saying the same twice.
    pub fn chain(&self) -> String {
        let mut source: Option<&dyn std::error::Error> = match self {
            Self::Client(error) => Some(error),
            Self::Page(error) => Some(error),
        };
        let mut text = String::new();
        while let Some(error) = source {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }
}

/// How to read one list.
pub(crate) struct Reader<'a> {
    pub client: &'a mut Client,
    pub mapping: &'a Mapping,
    pub list: &'a List,
    /// Rows of a page; made smaller where that is what the system wants.
    pub size: &'a mut u64,
}

impl Reader<'_> {
    /// Reads the list, a second time if it was not whole by chance. `its_now`: our time to the system's.
    pub async fn read<R>(
        mut self,
        mut read: impl FnMut(&Page<'_>) -> Decoded<R>,
        identity: impl Fn(&R) -> &str,
    ) -> Result<Listing<R>, ListError> {
        let first = self.pass(&mut read, &identity).await?;
        if !first.lacks.as_ref().is_some_and(|lack| lack.is_of_the_moment) {
            return Ok(first);
        }
        match self.pass(&mut read, &identity).await {
            Ok(second) if second.lacks.is_none() || second.rows.len() >= first.rows.len() => Ok(second),
            _ => Ok(first),
        }
    }

    async fn pass<R>(
        &mut self,
        read: &mut impl FnMut(&Page<'_>) -> Decoded<R>,
        identity: &impl Fn(&R) -> &str,
    ) -> Result<Listing<R>, ListError> {
        let (started_at, begun) = (connector_kit::now(), Instant::now());
        let mut tally = Tally::default();
        tally.before = self.count(&mut tally).await?;
        let mut rows: Vec<R> = Vec::new();
        let mut issues = Vec::new();
        let mut seen: HashSet<String> = HashSet::new();
        loop {
            if tally.read + tally.skipped >= ROWS_MAX || begun.elapsed() >= TIME_MAX {
                tally.trouble = Some("it is too long to be read".to_owned());
                break;
            }
            let answer = match self.page(&tally).await {
                Ok(answer) => answer,
                Err(error) if tally.pages == 0 && error.is_about_size() && *self.size > SIZE_MIN => {
                    *self.size = (*self.size / 2).max(SIZE_MIN);
                    continue;
                }
                Err(error) => {
                    if tally.has_failed(ListError::Client(error), *self.size)? {
                        break;
                    }
                    continue;
                }
            };
            let total = match &self.list.count {
                Count::Field(name) => Some(name.as_str()),
                _ => None,
            };
            let page = match Page::parse(&answer, total) {
                Ok(page) => page,
                Err(error) => {
                    if tally.has_failed(ListError::Page(error), *self.size)? {
                        break;
                    }
                    continue;
                }
            };
            let decoded = read(&page);
            tally.unidentified += decoded
                .issues
                .iter()
                .filter(|(issue, _)| !issue.problem.is_identified())
                .count();
            issues.extend(decoded.issues);
            for row in decoded.rows {
                if seen.insert(identity(&row).to_owned()) {
                    rows.push(row);
                } else {
                    tally.twice += 1;
                }
            }
            if tally.takes(page.rows.len() as u64, page.total, *self.size) {
                break;
            }
        }
        if matches!(self.list.count, Count::Path { .. }) && tally.failed.is_none() {
            tally.after = self.count(&mut tally).await?;
        }
        Ok(Listing {
            rows,
            issues,
            lacks: tally.lacks(),
            started_at,
            received_at: connector_kit::now(),
        })
    }

    /// Asks how many rows there are. What cannot be counted is read all the same, and is not whole.
    async fn count(&mut self, tally: &mut Tally) -> Result<Option<u64>, ListError> {
        let Count::Path { path, field } = &self.list.count else {
            return Ok(None);
        };
        let counted = match self.client.get(self.mapping, path).await {
            Ok(answer) => decode::count(&answer, field.as_deref()).map_err(ListError::Page),
            Err(error) => Err(ListError::Client(error)),
        };
        match counted {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.is_of_all() => Err(error),
            Err(error) => {
                tally.trouble = Some(format!("it cannot be counted: {}", error.chain()));
                Ok(None)
            }
        }
    }

    async fn page(&mut self, tally: &Tally) -> Result<Bytes, ClientError> {
        let api = &self.mapping.api;
        let number = match api.counts {
            Counts::Pages => api.first + tally.pages,
            Counts::Rows => api.first + tally.read + tally.skipped,
        };
        let query = self
            .list
            .query
            .as_ref()
            .map_or_else(String::new, |query| format!("{query}&"));
        let (path, page, size) = (&self.list.path, &api.page_param, &api.size_param);
        let path = format!("{path}?{query}{page}={number}&{size}={}", self.size);
        let mut tries = 1;
        loop {
            match self.client.get(self.mapping, &path).await {
                Err(error) if error.is_passing() && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(TRY_AGAIN.mul_f64(rand::random_range(0.5..1.5))).await;
                }
                answer => return answer,
            }
        }
    }
}

/// What is known of a list while it is read.
#[derive(Debug, Default)]
struct Tally {
    before: Option<u64>,
    after: Option<u64>,
    /// Pages asked for.
    pages: u64,
    /// Rows there were, good or not.
    read: u64,
    /// Rows that pages would have had that failed.
    skipped: u64,
    /// Rows of an id that was there before.
    twice: usize,
    /// Rows of which it is not known what they are of.
    unidentified: usize,
    failures: u32,
    failed: Option<ListError>,
    trouble: Option<String>,
}

impl Tally {
    /// A page failed; whether to stop. The first one is the whole list's failure, and so is what would fail again.
    fn has_failed(&mut self, error: ListError, size: u64) -> Result<bool, ListError> {
        if self.pages == 0 {
            return Err(error);
        }
        self.failures += 1;
        let goes_on = !error.is_of_all() && self.failures < FAILURES_MAX;
        self.failed = Some(error);
        self.pages += 1;
        self.skipped += size;
        // That there is another page, only the count tells.
        let there_is_more = self.before.is_some_and(|count| self.read + self.skipped < count);
        Ok(!goes_on || !there_is_more)
    }

    /// A page of so many rows was read; whether it was the last.
    fn takes(&mut self, rows: u64, total: Option<u64>, size: u64) -> bool {
        if self.pages == 0 {
            self.before = self.before.or(total);
        }
        if total.is_some() {
            self.after = total;
        }
        self.pages += 1;
        self.read += rows;
        let is_short = rows < size;
        match self.before {
            _ if rows == 0 => true,
            None => is_short,
            Some(count) => {
                // A short page may stand before others, and a system may give fewer rows than are asked for.
                let all = self.read + self.skipped >= count;
                let pages_max = count / self.read.div_ceil(self.pages).max(1) + SPARE_PAGES;
                (is_short && all) || self.pages > pages_max
            }
        }
    }

    /// Why the list is not whole.
    fn lacks(self) -> Option<Lack> {
        if let Some(error) = &self.failed {
            let class = match error.class() {
                class if class.is_silence() => class,
                _ => PollFailure::Incomplete,
            };
            return Some(Lack {
                class,
                detail: format!("{} of its pages did not come: {}", self.failures, error.chain()),
                is_of_the_moment: false,
            });
        }
        let incomplete = |detail: String, is_of_the_moment: bool| {
            Some(Lack {
                class: PollFailure::Incomplete,
                detail,
                is_of_the_moment,
            })
        };
        if let Some(trouble) = self.trouble {
            return incomplete(trouble, false);
        }
        let (Some(before), Some(after)) = (self.before, self.after) else {
            return incomplete("nobody says how many rows it has".to_owned(), false);
        };
        if before != after || self.read != before || self.twice > 0 {
            let Self { read, twice, .. } = self;
            let detail =
                format!("{before} rows were counted before and {after} after, {read} came, {twice} of them twice");
            return incomplete(detail, true);
        }
        if self.unidentified > 0 {
            return incomplete(
                format!("of {} rows it is not known what they are of", self.unidentified),
                false,
            );
        }
        None
    }
}
