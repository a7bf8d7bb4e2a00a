//! Rows of the table, read from the catalogue.

use std::collections::HashSet;

use super::table::Row;
use crate::app::{App, Result};
use crate::domain::SourceId;

/// Reads these sources as they are now. Returns their rows, and the ids of the sources that no longer exist.
pub(super) async fn load_rows(app: &App, ids: Vec<SourceId>) -> Result<(Vec<Row>, Vec<SourceId>)> {
    let sources = app.sources_by_id(ids.clone()).await?;
    // The table has no days: a change of one is a change of its dated source.
    let series = sources.iter().filter_map(|source| Some(source.day?.series));
    let series: HashSet<_> = series.filter(|id| !ids.contains(id)).collect();
    let series = app.sources_by_id(series.into_iter().collect()).await?;
    let sources: Vec<_> = sources.into_iter().chain(series).collect();
    let there: HashSet<_> = sources.iter().map(|source| source.id).collect();
    let gone = ids.into_iter().filter(|id| !there.contains(id)).collect();
    let listed = sources.into_iter().filter(|source| source.day.is_none());
    Ok((listed.map(Row::new).collect(), gone))
}
