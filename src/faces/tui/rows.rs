//! Rows of the table, read from the catalogue.

use std::collections::HashSet;

use super::table::Row;
use crate::app::{App, Result};
use crate::domain::SourceId;

/// Reads these sources as they are now. Returns their rows, and the ids of the sources that no longer exist.
pub(super) async fn load_rows(app: &App, ids: Vec<SourceId>) -> Result<(Vec<Row>, Vec<SourceId>)> {
    let sources = app.sources_by_id(ids.clone()).await?;
    let there: HashSet<_> = sources.iter().map(|source| source.id).collect();
    let gone = ids.into_iter().filter(|id| !there.contains(id)).collect();
    Ok((sources.into_iter().map(Row::new).collect(), gone))
}
