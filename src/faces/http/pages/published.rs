//! `/published/`: the published files by folder, so that a person finds them. The files themselves are at `/files/…`.

use std::io;
use std::path::Path;

use axum::response::Response;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use rustix::fs::{AtFlags, Dir, FileType, statat};

use super::elements::{dash, grouped, size, table_box, text};
use super::layout::Section;
use super::visit::Visit;
use crate::faces::http::content::segment;
use crate::faces::http::content::unreadable;
use crate::faces::http::extract::Part;
use crate::faces::http::file_beneath::open_folder_beneath;
use crate::faces::http::files::{is_plain, nothing_at};
use crate::faces::http::problem::Problem;

/// The most entries of a folder that are shown.
const MAX_ENTRIES: usize = 2000;

/// A file or a folder.
struct Entry {
    name: String,
    /// The size of a file; `None` for a folder.
    size_bytes: Option<u64>,
    changed_at: Option<DateTime<Utc>>,
}

/// Lists the folders of all hosts.
pub(super) async fn all(visit: Visit) -> Result<Response, Problem> {
    listed(&visit, "").await
}

/// Lists a folder.
pub(super) async fn folder(visit: Visit, Part(path): Part<String>) -> Result<Response, Problem> {
    let path = path.trim_end_matches('/');
    if !is_plain(path) {
        return Err(nothing_at(path));
    }
    listed(&visit, path).await
}

async fn listed(visit: &Visit, path: &str) -> Result<Response, Problem> {
    let (folder, below) = (visit.app().published_folder().to_owned(), path.to_owned());
    let read = tokio::task::spawn_blocking(move || entries(&folder, &below)).await;
    let read = read.map_err(|error| unreadable(&io::Error::other(error)))?;
    let (entries, is_cut) = match read {
        Ok(read) => read,
        // Nothing was published yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_empty() => {
            (Vec::new(), false)
        }
        Err(_) => return Err(nothing_at(path)),
    };
    let title = if path.is_empty() {
        "Published files"
    } else {
        path
    };
    let content = html! {
        @if !path.is_empty() { (crumbs(path)) }
        h1 { (text(title)) }
        @if entries.is_empty() { p.dim { "Nothing is published here." } } @else { (table_box("Published files", &table(visit, path, &entries))) }
        @if is_cut { p.dim { "The first " (grouped(MAX_ENTRIES as u64)) " are shown." } }
        p.dim { "What belongs to a set is in the folder of the " a href="/sets" { "set" } "." }
    };
    Ok(visit.page(Section::None, title, &content))
}

/// Reads a folder below another one, the first entries by name, and whether there are more. Blocks.
fn entries(folder: &Path, path: &str) -> io::Result<(Vec<Entry>, bool)> {
    let folder = open_folder_beneath(folder, path)?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    let is_cut = names.len() > MAX_ENTRIES;
    names.truncate(MAX_ENTRIES);
    // A file may be withdrawn meanwhile.
    let entry = |name: String| {
        let facts = statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_file = FileType::from_raw_mode(facts.st_mode) == FileType::RegularFile;
        Some(Entry {
            size_bytes: is_file.then_some(facts.st_size.unsigned_abs()),
            changed_at: DateTime::from_timestamp(facts.st_mtime, 0),
            name,
        })
    };
    Ok((names.into_iter().filter_map(entry).collect(), is_cut))
}

fn table(visit: &Visit, path: &str, entries: &[Entry]) -> Markup {
    html! {
        table.cards {
            thead { tr { th scope="col" { "Name" } th.number scope="col" { "Size" } th scope="col" { "Published" } } }
            tbody {
                @for one in entries {
                    tr {
                        @match one.size_bytes {
                            Some(bytes) => {
                                th scope="row" { a href=(place("/files/", path, &one.name)) { (text(&one.name)) } }
                                td.number { (size(Some(bytes))) }
                                td { (visit.age(one.changed_at)) }
                            },
                            None => {
                                th scope="row" { a href={ (place("/published/", path, &one.name)) "/" } { (text(&one.name)) "/" } }
                                td.blank { (dash()) } td.blank { (dash()) }
                            },
                        }
                    }
                }
            }
        }
    }
}

/// Returns the address of an entry of a folder.
fn place(root: &str, path: &str, name: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    let parts: Vec<_> = parts.chain([name]).map(segment).collect();
    format!("{root}{}", parts.join("/"))
}

fn crumbs(path: &str) -> Markup {
    let parts: Vec<&str> = path.split('/').collect();
    html! {
        p.crumbs {
            a href="/published/" { "Published files" }
            @for (at, part) in parts.iter().enumerate().take(parts.len() - 1) {
                " / " a href={ (place("/published/", &parts[..at].join("/"), part)) "/" } { (text(part)) }
            }
        }
    }
}
