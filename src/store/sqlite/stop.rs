//! Stops a source whose provider refuses to answer: for a time, or until somebody enables it.
//!
//! Never stops a fetch that somebody requests.

use chrono::{DateTime, Utc};
use rusqlite::params;

use super::Store;
use super::edit::edit;
use super::event_row::insert_event;
use super::kept_source::kept_source;
use super::statements::Statements as _;
use crate::domain::{Action, NewEvent, SettingsPatch, Slot, SourceId, Stamp};
use crate::store::error::Result;

/// The days of a dated source are opened again when it is due.
const REST_OF_DAYS: &str = "UPDATE source_state SET next_slot = ?2
     WHERE source_id IN (SELECT id FROM source WHERE series_id = ?1 AND day IS NOT NULL)";
const MOVE: &str = "UPDATE source_state SET next_slot = max(next_slot, ?2) WHERE source_id = ?1";

impl Store {
    /// Lets a source rest until this time, or disables it; the dated source of a day, with all its days. Appends an event
    /// with the reason, if one is given: another day of the source may be stopped already. Returns the name of the source.
    ///
    /// # Errors
    ///
    /// [`crate::store::StoreError::Missing`] when the source was removed meanwhile.
    pub async fn stop_source(
        &self,
        source: SourceId,
        until: Option<DateTime<Utc>>,
        why: Option<String>,
        stamp: Stamp,
    ) -> Result<String> {
        self.write(move |transaction| {
            let owner = "SELECT coalesce(series_id, id) FROM source WHERE id = ?1";
            let id: i64 = transaction.sql.only(owner, [source.0], |row| row.get(0))?;
            let source = kept_source(transaction, SourceId(id))?;
            let name = source.settings.name.clone();
            if let Some(until) = until {
                transaction.execute(MOVE, params![id, Slot::not_before(until).0])?;
                transaction.execute(REST_OF_DAYS, params![id, Slot::REST.0])?;
            } else {
                let off = SettingsPatch {
                    enabled: Some(false),
                    ..SettingsPatch::default()
                };
                edit(transaction, source, &off, &stamp)?;
            }
            if why.is_some() {
                let event = NewEvent::of(Action::SourceStopped).source(SourceId(id));
                insert_event(transaction, &stamp, event.detail(why.clone()))?;
            }
            Ok(name)
        })
        .await
    }
}
