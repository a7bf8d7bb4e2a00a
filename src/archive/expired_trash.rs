//! Emptying the trash: what has lain there for long enough, with the objects in it.
//!
//! Never deletes a day whose objects could not be listed: whether one of them is needed has to be looked up first.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::ArchiveError;
use super::objects::objects_below;
use super::trash::Trash;
use crate::domain::Digest;

/// What has been in the trash for long enough.
#[derive(Debug, Default)]
pub struct ExpiredTrash {
    /// The folders of days whose time is over.
    days: Vec<PathBuf>,
    /// The objects in them, each with the digest of its content: those that a blob names have to be moved back before the
    /// rest is deleted.
    pub objects: Vec<(Digest, String)>,
}

impl Trash {
    /// Counts the days since the last look at the trash, and returns what of it is over.
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

    /// Deletes what was found to be over, and nothing that became so since: nobody has looked that up. One day that cannot be
    /// deleted, or that another process deletes, keeps no other one.
    pub fn delete(&self, expired: &ExpiredTrash) {
        for day in &expired.days {
            if let Err(error) = Self::delete_day(day) {
                tracing::warn!("{error}: left to the next look");
            }
        }
    }
}
