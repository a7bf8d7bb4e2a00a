//! How the domain's values are stored in columns: times in milliseconds, words as text, sizes as signed integers.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql, Type, ValueRef};
use rusqlite::{Error, Row};
use serde::de::DeserializeOwned;

use crate::domain::SettingsPatch;

/// Returns the time in milliseconds since 1970.
pub(super) fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// Returns a number as an SQLite integer; a larger one becomes the largest.
pub(super) fn int(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Returns a duration in milliseconds.
pub(super) fn duration_ms(duration: Duration) -> i64 {
    int(duration.as_millis())
}

/// Returns a limit of rows in SQLite's form.
pub(super) fn row_limit(limit: Option<usize>) -> i64 {
    limit.map_or(-1, int)
}

/// Reads a row's columns from left to right.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn new(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn get<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// Passes over a column that only names the row.
    pub(super) fn skip(&mut self) {
        self.next += 1;
    }

    pub(super) fn optional<T: FromSql>(&mut self) -> rusqlite::Result<Option<T>> {
        self.get()
    }

    pub(super) fn time(&mut self) -> rusqlite::Result<DateTime<Utc>> {
        let ms = self.get()?;
        time(ms).ok_or_else(|| self.malformed(Type::Integer, &format!("{ms} is not a time")))
    }

    pub(super) fn optional_time(&mut self) -> rusqlite::Result<Option<DateTime<Utc>>> {
        Ok(self.optional()?.and_then(time))
    }

    /// Reports whether the next column is NULL.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.row.get_ref(self.next), Ok(ValueRef::Null))
    }

    /// Reads the next `columns` columns as another row's: the columns after them are read even when those are damaged.
    pub(super) fn apart<T>(&mut self, columns: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        let end = self.next + columns;
        let found = read(self);
        self.next = end;
        found
    }

    /// Reads a number that is never negative.
    pub(super) fn count<T: TryFrom<i64>>(&mut self) -> rusqlite::Result<T> {
        let number: i64 = self.get()?;
        T::try_from(number)
            .map_err(|_| self.malformed(Type::Integer, &format!("{number} is out of range")))
    }

    pub(super) fn optional_count<T: TryFrom<i64>>(&mut self) -> rusqlite::Result<Option<T>> {
        let number: Option<i64> = self.get()?;
        Ok(number.and_then(|number| T::try_from(number).ok()))
    }

    pub(super) fn duration(&mut self) -> rusqlite::Result<Duration> {
        Ok(Duration::from_millis(self.count()?))
    }

    /// Reads a text without a copy.
    pub(super) fn text(&mut self) -> rusqlite::Result<&'r str> {
        self.next += 1;
        let index = self.next - 1;
        // Names the column and its invalid value.
        let no_text = |_| {
            let as_text = self.row.get::<_, String>(index);
            as_text.expect_err("what is no text is no `String`")
        };
        self.row.get_ref(index)?.as_str().map_err(no_text)
    }

    /// Reads a word of the domain.
    pub(super) fn word<T: FromStr<Err: Display>>(&mut self) -> rusqlite::Result<T> {
        let word = self.text()?.parse();
        word.map_err(|error: T::Err| self.malformed(Type::Text, &error.to_string()))
    }

    /// Reads a word from another row's column; `None` when it is damaged.
    pub(super) fn sound_word<T: FromStr>(&mut self) -> Option<T> {
        let word: Option<String> = self.get().unwrap_or_default();
        word?.parse().ok()
    }

    pub(super) fn optional_word<T: FromStr<Err: Display>>(
        &mut self,
    ) -> rusqlite::Result<Option<T>> {
        if self.is_null() {
            self.skip();
            return Ok(None);
        }
        self.word().map(Some)
    }

    /// Reads JSON in the form that [`to_json`] writes.
    pub(super) fn json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<T> {
        let text = self.text()?;
        serde_json::from_str(text).map_err(|error| self.malformed(Type::Text, &error.to_string()))
    }

    /// Reads the same from a column that may be NULL, without a copy of the text.
    pub(super) fn optional_json<T: DeserializeOwned>(&mut self) -> rusqlite::Result<Option<T>> {
        self.next += 1;
        let text = self.row.get_ref(self.next - 1)?.as_str_or_null();
        let text = text.map_err(|error| self.malformed(Type::Text, &error.to_string()))?;
        text.map(serde_json::from_str)
            .transpose()
            .map_err(|error| self.malformed(Type::Text, &error.to_string()))
    }

    /// Reads a source's settings that differ from the defaults: an object of known settings with valid types.
    pub(super) fn settings(&mut self) -> rusqlite::Result<SettingsPatch> {
        let text = self.text()?;
        // Usually no setting differs.
        if text == "{}" {
            return Ok(SettingsPatch::default());
        }
        // The JSON reader accepts a list as an object, and null as an absent setting.
        if text.trim_start().starts_with('{') {
            let patch = serde_json::from_str::<SettingsPatch>(text)
                .map_err(|error| self.malformed(Type::Text, &error.to_string()))?;
            if !text.contains("null") || has_settings_of(&patch, text) {
                return Ok(patch);
            }
        }
        Err(self.malformed(Type::Text, "no object of settings"))
    }

    /// Returns the error for an invalid value in the column read last.
    pub(super) fn malformed(&self, kind: Type, reason: &str) -> Error {
        Error::FromSqlConversionFailure(self.next.saturating_sub(1), kind, reason.into())
    }
}

/// Reports whether the patch has every setting that its JSON names.
fn has_settings_of(patch: &SettingsPatch, text: &str) -> bool {
    let (read, kept) = (serde_json::from_str(text), serde_json::to_value(patch));
    let (Ok(serde_json::Value::Object(named)), Ok(kept)) = (read, kept) else {
        return false;
    };
    named.keys().all(|setting| kept.get(setting).is_some())
}

/// Returns a value as JSON; only for texts, numbers, lists and maps.
pub(super) fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("such values are always JSON")
}

/// Returns the time so many milliseconds after 1970, if chrono can hold it.
pub(super) fn time(ms: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms)
}
