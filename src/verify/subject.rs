//! What a program judges: one content, or the files of a set. Says how each is put before it.

use std::io;
use std::path::Path;

use super::work_folder::WorkFolder;
use super::{Facts, SetFiles};
use crate::domain::Content;

/// What a program judges.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Content(&'a Content, &'a Facts),
    Set(&'a SetFiles),
}

impl<'a> Subject<'a> {
    /// Makes the working folder, with a copy of all that is judged in it.
    pub(super) async fn lay_out(self, work_dir: &Path) -> io::Result<WorkFolder> {
        match self {
            Self::Content(content, facts) => {
                WorkFolder::with_content(work_dir, &facts.name, content).await
            }
            Self::Set(files) => {
                let (parent, files) = (work_dir.to_owned(), files.clone());
                let make = move || WorkFolder::for_set(&parent, &files);
                tokio::task::spawn_blocking(make)
                    .await
                    .map_err(io::Error::other)?
            }
        }
    }

    /// Returns what may be on a program's stdin.
    pub(super) fn input(self) -> Option<&'a Content> {
        match self {
            Self::Content(content, _) => Some(content),
            Self::Set(_) => None,
        }
    }

    /// Returns the variables that say what is judged.
    pub(super) fn variables(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Content(_, facts) => facts.variables(),
            Self::Set(files) => vec![("GANNET_SET", files.name.clone())],
        }
    }
}
