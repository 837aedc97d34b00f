//! Reads of one partition. A page ends at a key, so the next one finds its place whatever became of the rows in between.

use std::time::Duration;

use scylla::client::session::Session;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::Row as Values;
use store::{Page, Row, Scan, StoreError, TableDef, check_scan, is_empty_partition, kit};

use crate::CqlError;
use crate::retry::{Op, Requests};
use crate::statements::{Statements, check_pages, is_between};
use crate::values::{Cell, Cells, row_of};

pub(crate) struct Reader<'a> {
    pub(crate) session: &'a Session,
    pub(crate) requests: &'a Requests,
    pub(crate) within: Duration,
}

impl Reader<'_> {
    pub(crate) async fn scan(&self, statements: &Statements, scan: &Scan, now_ms: i64) -> Result<Page, StoreError> {
        check_scan(scan)?;
        statements.of(scan.table)?;
        if is_empty_partition(&scan.partition) {
            return Ok(Page::default());
        }
        let behind = kit::key_to_go_on_behind(scan)?;
        check_pages(scan)?;
        let keys = scan.table.partition_key.len();
        // Behind a whole key nothing is left.
        let rest = behind.as_ref().map(|key| &key[keys + scan.prefix.len()..]);
        if scan.limit == 0 || rest.is_some_and(<[_]>::is_empty) {
            return Ok(Page::default());
        }
        let mut statement = statements.scan(self.session, scan, rest.is_some()).await?;
        let whole = behind.as_ref().map_or(&[][..], |key| &key[keys..]);
        let values: Vec<_> = match rest {
            Some(_) if is_between(scan) => scan.partition.iter().chain(whole).chain(&scan.prefix).collect(),
            rest => scan
                .partition
                .iter()
                .chain(&scan.prefix)
                .chain(rest.unwrap_or_default())
                .collect(),
        };
        let cells: Vec<_> = values.into_iter().map(Cell::Value).collect();
        // One more tells whether there is a next page. No limit in the statement: the servers would count rows that have ended
        // by our clock and not yet by theirs.
        let wanted = scan.limit.saturating_add(1);
        let mut rows = Vec::new();
        statement.set_page_size(i32::try_from(wanted).unwrap_or(i32::MAX).min(statement.get_page_size()));
        let mut pages = Pages::new(scan.table, statement, Cells(cells));
        while let Some(page) = pages.next(self).await? {
            rows.extend(page.into_iter().filter(|row| is_live(row, now_ms)));
            if rows.len() >= wanted {
                break;
            }
        }
        let more = rows.len() > scan.limit;
        rows.truncate(scan.limit);
        let next = match rows.last() {
            Some(last) if more => Some(kit::cursor_behind(scan, last)?),
            _ => None,
        };
        Ok(Page { rows, next })
    }
}

/// Whether a row's end is still to come.
pub(crate) fn is_live(row: &Row, now_ms: i64) -> bool {
    row.expires_at_ms.is_none_or(|end| end > now_ms)
}

/// The pages of an answer.
pub(crate) struct Pages<'a> {
    table: &'static TableDef,
    statement: PreparedStatement,
    cells: Cells<'a>,
    /// `None` when all have been read.
    state: Option<PagingState>,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(table: &'static TableDef, statement: PreparedStatement, cells: Cells<'a>) -> Self {
        Self {
            table,
            statement,
            cells,
            state: Some(PagingState::start()),
        }
    }

    /// The next page; it may be empty.
    pub(crate) async fn next(&mut self, reader: &Reader<'_>) -> Result<Option<Vec<Row>>, CqlError> {
        let Some(state) = self.state.take() else {
            return Ok(None);
        };
        let (statement, cells) = (&self.statement, &self.cells);
        let request = || reader.session.execute_single_page(statement, cells, state.clone());
        let (answer, paging) = reader.requests.until_done(Op::Select, reader.within, request).await?;
        self.state = match paging {
            PagingStateResponse::HasMorePages { state } => Some(state),
            PagingStateResponse::NoMorePages => None,
        };
        rows_of(self.table, answer).map(Some)
    }
}

/// The rows of an answer.
pub(crate) fn rows_of(
    table: &'static TableDef,
    answer: scylla::response::query_result::QueryResult,
) -> Result<Vec<Row>, CqlError> {
    let wrong = |error: Box<dyn std::error::Error + Send + Sync>| CqlError::answer("reading rows", error);
    let answer = answer.into_rows_result().map_err(|e| wrong(e.into()))?;
    let values = answer.rows::<Values>().map_err(|e| wrong(e.into()))?;
    let mut rows = Vec::with_capacity(answer.rows_num());
    for values in values {
        let values = values.map_err(|e| wrong(e.into()))?;
        let row = row_of(table, values.columns)
            .ok_or_else(|| wrong(format!("a row of {} has values of another type", table.name).into()))?;
        rows.extend(row);
    }
    Ok(rows)
}
