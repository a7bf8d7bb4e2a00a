//! The input of a program: one content, a message, or the files of a set.

use std::io;
use std::path::Path;

use super::work_folder::WorkFolder;
use super::{MessageFacts, SetFiles, VersionFacts};
use crate::domain::Content;

/// The input of a program.
#[derive(Clone, Copy)]
pub(super) enum JudgedInput<'a> {
    Content(&'a Content, &'a VersionFacts),
    Message(&'a Content, &'a MessageFacts),
    Set(&'a SetFiles),
}

impl<'a> JudgedInput<'a> {
    /// Makes the working folder, with a copy of the input.
    pub(super) async fn lay_out(self, work_dir: &Path) -> io::Result<WorkFolder> {
        match self {
            Self::Content(content, facts) => {
                WorkFolder::with_content(work_dir, &facts.name, content).await
            }
            Self::Message(content, facts) => {
                WorkFolder::with_content(work_dir, &facts.file_name(), content).await
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

    /// Returns the content that may be written to stdin; `None` for a set.
    pub(super) fn stdin(self) -> Option<&'a Content> {
        match self {
            Self::Content(content, _) | Self::Message(content, _) => Some(content),
            Self::Set(_) => None,
        }
    }

    /// Returns the environment variables that describe the input.
    pub(super) fn variables(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Content(_, facts) => facts.variables(),
            Self::Message(_, facts) => facts.variables(),
            Self::Set(files) => vec![("GANNET_SET", files.name.clone())],
        }
    }
}
