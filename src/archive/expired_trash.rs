//! Empties the trash of days that are over, with the objects in them.
//!
//! Never deletes a day whose objects could not be listed: the caller must first look up whether one of them is needed.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::ArchiveError;
use super::objects::objects_below;
use super::trash::Trash;
use crate::domain::Digest;

/// The expired part of the trash.
#[derive(Debug, Default)]
pub struct ExpiredTrash {
    days: Vec<PathBuf>,
    /// The objects in these folders, each with the digest of its content. Objects that a blob names must be moved back
    /// before the rest is deleted.
    pub objects: Vec<(Digest, String)>,
}

impl Trash {
    /// Counts the days since the last count, and returns the expired part of the trash.
    pub fn expired(&self, now: DateTime<Utc>) -> Result<ExpiredTrash, ArchiveError> {
        let mut expired = ExpiredTrash::default();
        for day in self.expired_days(now)? {
            match objects_below(&day.join("objects")) {
                Ok(objects) => {
                    expired.objects.extend(objects);
                    expired.days.push(day);
                }
                Err(error) => tracing::warn!("{error}: {} is not emptied", day.display()),
            }
        }
        Ok(expired)
    }

    /// Deletes the days found expired, and none that expired since: their objects have not been looked up. A day that
    /// cannot be deleted, or that another process deletes, does not stop the others.
    pub fn delete(&self, expired: &ExpiredTrash) {
        for day in &expired.days {
            if let Err(error) = Self::delete_day(day) {
                tracing::warn!("{error}: left to the next look");
            }
        }
    }
}
