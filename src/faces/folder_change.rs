//! The effect of a change on the folder of a set, compared before and after: a line for people, an object for programs.
//!
//! Uses only the catalogue's record of a folder, never the folder.

use std::path::Path;

use serde::Serialize;

use super::file_change::{FileOutcome, colon};
use super::text::clean;
use crate::app::SetFolder;
use crate::domain::EditionId;

/// Why the folder of a set is removed that the catalogue no longer knows.
const ENDED: &str = "no verifier judges it as a set any more";

/// The change of a set's folder.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FolderChange {
    pub(crate) change: FileOutcome,
    /// The edition that consumers see now.
    edition_id: Option<EditionId>,
    path: String,
    why: Option<String>,
    /// For people: the edition that consumers saw, if it is newer.
    #[serde(skip)]
    back_from: Option<EditionId>,
}

/// A set whose folder changed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ChangedFolder {
    pub(crate) set: String,
    pub(crate) published: FolderChange,
}

impl ChangedFolder {
    /// Returns a line, safe for a terminal.
    pub(crate) fn line(&self) -> String {
        self.published.line(&self.set)
    }
}

impl FolderChange {
    /// Compares the published edition of a set before and now. An unknown set is not published.
    pub(crate) fn between(before: Option<&SetFolder>, now: Option<&SetFolder>) -> Self {
        let was = before.and_then(|one| one.set.published);
        let path = |one: &SetFolder| path_of(&one.path);
        let Some(SetFolder { set, is_linked, .. }) = now else {
            let is_gone = was.is_some();
            return Self {
                change: if is_gone {
                    FileOutcome::Withdrawn
                } else {
                    FileOutcome::Nothing
                },
                edition_id: None,
                path: before.map(path).unwrap_or_default(),
                why: is_gone.then(|| ENDED.to_owned()),
                back_from: None,
            };
        };
        let change = match set.published {
            _ if set.publish_error.is_some() => FileOutcome::Failed,
            Some(_) if set.published == was => FileOutcome::Unchanged,
            Some(_) => FileOutcome::Published,
            None if was.is_some() && *is_linked => FileOutcome::Due,
            None if was.is_some() => FileOutcome::Withdrawn,
            None => FileOutcome::Nothing,
        };
        let because = set.withdrawn.as_ref().map(|one| one.because.clone());
        Self {
            change,
            edition_id: set.published,
            path: now.map(path).unwrap_or_default(),
            why: match change {
                FileOutcome::Failed => set.publish_error.clone(),
                FileOutcome::Withdrawn => because,
                _ => None,
            },
            back_from: was.filter(|was| set.published.is_some_and(|now| now < *was)),
        }
    }

    /// Marks an unchanged folder as restored if `is_put_back`.
    pub(crate) fn put_back_if(mut self, is_put_back: bool) -> Self {
        if is_put_back && self.change == FileOutcome::Unchanged {
            self.change = FileOutcome::PutBack;
        }
        self
    }

    /// Returns a line that begins with the set, safe for a terminal.
    pub(crate) fn line(&self, set: &str) -> String {
        format!("set {}: {}", clean(set), self.clause())
    }

    /// Returns a clause without a full stop, safe for a terminal.
    pub(crate) fn clause(&self) -> String {
        let path = &self.path;
        let edition = self.edition_id.map(|id| format!("edition {id}"));
        let edition = edition.unwrap_or_default();
        let why = colon(self.why.as_deref());
        let words = match self.change {
            FileOutcome::Published => {
                let back = self
                    .back_from
                    .map(|was| format!(", back from edition {was}"));
                format!("published {edition} at {path}{}", back.unwrap_or_default())
            }
            FileOutcome::Unchanged => format!("{edition} stays published at {path}"),
            FileOutcome::PutBack => {
                format!("{edition} was put back at {path}: the folder had been changed or removed")
            }
            FileOutcome::Withdrawn => format!("no longer published at {path}{why}"),
            FileOutcome::Due => format!("still at {path}, until the next pass removes it"),
            FileOutcome::Failed => format!("not brought up to date at {path}"),
            _ => "nothing of it is published".to_owned(),
        };
        clean(&words).into_owned()
    }
}

fn path_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::FileSet;
    use crate::domain::Withdrawal;
    use crate::faces::fixtures::at;

    fn folder(published: Option<i64>) -> SetFolder {
        SetFolder {
            set: FileSet {
                name: "eu".to_owned(),
                configured: true,
                problem: None,
                publish_error: None,
                published: published.map(EditionId),
                published_at: None,
                withdrawn: None,
            },
            path: "/data/sets/eu".into(),
            is_linked: published.is_some(),
        }
    }

    fn with(mut one: SetFolder, change: fn(&mut SetFolder)) -> SetFolder {
        change(&mut one);
        one
    }

    #[test]
    fn every_way_that_a_folder_can_go_is_said_in_the_same_words() {
        let failed = |one: &mut SetFolder| one.set.publish_error = Some("no room".to_owned());
        let because = |one: &mut SetFolder| {
            one.set.withdrawn = Some(Withdrawal {
                at: at("12:00:00"),
                because: "failed by sums".to_owned(),
            });
        };
        for (before, now, words) in [
            (None, Some(folder(None)), "nothing of it is published"),
            (None, None, "nothing of it is published"),
            (
                None,
                Some(folder(Some(1))),
                "published edition 1 at /data/sets/eu",
            ),
            (
                Some(folder(Some(1))),
                Some(folder(Some(2))),
                "published edition 2 at /data/sets/eu",
            ),
            (
                Some(folder(Some(2))),
                Some(folder(Some(2))),
                "edition 2 stays published at /data/sets/eu",
            ),
            (
                Some(folder(Some(2))),
                Some(with(folder(None), because)),
                "no longer published at /data/sets/eu: failed by sums",
            ),
            (
                Some(folder(Some(2))),
                Some(with(folder(None), |one| one.is_linked = true)),
                "still at /data/sets/eu, until the next pass removes it",
            ),
            (
                Some(folder(Some(2))),
                None,
                "no longer published at /data/sets/eu: no verifier judges it as a set any more",
            ),
            (
                Some(folder(None)),
                Some(with(folder(None), because)),
                "nothing of it is published",
            ),
            (
                Some(folder(Some(1))),
                Some(with(folder(Some(1)), failed)),
                "not brought up to date at /data/sets/eu",
            ),
        ] {
            let found = FolderChange::between(before.as_ref(), now.as_ref());
            assert_eq!(found.line("eu"), format!("set eu: {words}"));
        }
    }
}
