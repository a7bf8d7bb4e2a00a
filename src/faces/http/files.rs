//! `/files/…` and `/sets/NAME/…`: the published files, as they lie below `published/` and in the folders of the sets.

use std::fs::Metadata;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use rustix::io::Errno;

use super::body::Sendable;
use super::cached_file::{open_cached, read_cached};
use super::caller::Right;
use super::conditions::Conditions;
use super::content::{Sent, picture_type, send, unreadable};
use super::extract::Part;
use super::file_beneath::open_beneath;
use super::problem::Problem;
use super::route::{Route, route};
use super::shared::Shared;

/// Files up to this length are read at once.
const SMALL_BYTES: u64 = 256 << 10;
/// The bytes by which a picture is known.
const BEGINNING_BYTES: usize = 16;

/// Returns the routes of published files.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/files/{*path}", Right::Read, of_source),
        route(Method::GET, "/sets/{name}/{*path}", Right::Read, of_set),
    ]
}

/// Sends the published file at a path below `published/`.
async fn of_source(
    State(shared): State<Shared>,
    Part(path): Part<String>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let folder = shared.app().published_folder().to_owned();
    published(folder, path, &conditions).await
}

/// Sends a file of the published edition of a set.
async fn of_set(
    State(shared): State<Shared>,
    Part((name, path)): Part<(String, String)>,
    conditions: Conditions,
) -> Result<Response, Problem> {
    let folder = Some(&name).filter(|name| is_plain(name) && !name.contains('/'));
    let folder = folder.and_then(|name| shared.app().published_set(name));
    let folder = folder.ok_or_else(|| nothing_at(&name))?;
    published(folder, path, &conditions).await
}

async fn published(
    folder: PathBuf,
    path: String,
    conditions: &Conditions,
) -> Result<Response, Problem> {
    if !is_plain(&path) {
        return Err(nothing_at(&path));
    }
    // A hop to a thread that may wait for the disk costs more than a small file that is in memory.
    let (content, sent) = if let Ok(opened) = opened_cached(&folder, &path) {
        opened
    } else {
        let place = path.clone();
        let opened = tokio::task::spawn_blocking(move || opened(&folder, &place)).await;
        let opened = opened.unwrap_or_else(|error| Err(io::Error::other(error)));
        opened.map_err(|error| match error {
            error if is_absence(&error) => nothing_at(&path),
            error => unreadable(&error),
        })?
    };
    match sent.without_bytes(conditions) {
        Some(answer) => Ok(answer),
        None => send(content, &sent, conditions).await,
    }
}

/// Reads a small file without waiting for the disk; `WouldBlock` for one that is large or not in memory.
fn opened_cached(folder: &Path, path: &str) -> io::Result<(Sendable, Sent)> {
    let file = open_cached(folder, path)?;
    let facts = file.metadata()?;
    let length = usize::try_from(facts.len()).ok();
    let length = length.filter(|_| facts.is_file() && facts.len() <= SMALL_BYTES);
    let bytes = read_cached(&file, length.ok_or(io::ErrorKind::WouldBlock)?)?;
    let sent = sent_of(path, &facts, &bytes);
    Ok((Sendable::Memory(Bytes::from(bytes)), sent))
}

/// Opens a file, and reads a small one.
fn opened(folder: &Path, path: &str) -> io::Result<(Sendable, Sent)> {
    let mut file = open_beneath(folder, path)?;
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let size = facts.len();
    let mut bytes = Vec::new();
    let most = if size <= SMALL_BYTES {
        SMALL_BYTES
    } else {
        BEGINNING_BYTES as u64
    };
    file.by_ref().take(most).read_to_end(&mut bytes)?;
    let sent = sent_of(path, &facts, &bytes);
    let content = if size <= SMALL_BYTES {
        Sendable::Memory(Bytes::from(bytes))
    } else {
        Sendable::File(tokio::fs::File::from_std(file), size, None)
    };
    Ok((content, sent))
}

/// Returns the facts of a file that begins with these bytes.
fn sent_of(path: &str, facts: &Metadata, beginning: &[u8]) -> Sent {
    let picture = picture_type(beginning);
    let name = path.rsplit('/').next().unwrap_or_default();
    let guessed = || mime_guess::from_path(path).first_raw().map(str::to_owned);
    Sent {
        tag: tag_of(facts),
        name: name.to_owned(),
        media_type: picture.map(str::to_owned).or_else(guessed),
        modified: facts.modified().ok().map(Into::into),
        is_shown: picture.is_some(),
    }
}

/// Returns the entity tag of a file. gannet replaces a published file by another one, so that these facts change with its
/// content.
fn tag_of(facts: &Metadata) -> String {
    format!(
        "\"{:x}-{:x}-{:x}{:08x}\"",
        facts.ino(),
        facts.len(),
        facts.mtime(),
        facts.mtime_nsec()
    )
}

/// Returns whether a path is made of names of published files and folders.
pub(super) fn is_plain(path: &str) -> bool {
    let is_name =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\0', '\\']);
    path.split('/').all(is_name)
}

fn is_absence(error: &io::Error) -> bool {
    // That of a link in the place of the file.
    let is_link = error.raw_os_error() == Some(Errno::LOOP.raw_os_error());
    let kinds = [
        io::ErrorKind::NotFound,
        io::ErrorKind::NotADirectory,
        io::ErrorKind::InvalidFilename,
    ];
    is_link || kinds.contains(&error.kind())
}

pub(super) fn nothing_at(path: &str) -> Problem {
    let detail = format!("nothing is published at {}", path.escape_debug());
    Problem::new(StatusCode::NOT_FOUND, detail).hint("/published/ lists the published files")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        for path in ["example.org/a.csv", "a", "a..b/c.d", "zürich/ä"] {
            assert!(is_plain(path), "{path}");
        }
        for path in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "a/../../x",
            "a//b",
            "a/",
            "./a",
            ".hidden",
            "a/.b",
            "a\0b",
            "a\\..\\b",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
