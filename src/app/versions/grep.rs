//! Searches the versions of a source for a text.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::sync::Arc;

use regex::bytes::Regex;

use crate::app::{App, Error, ErrorKind, Result};
use crate::domain::{BlobId, Content, Source, Version};

/// Longer lines are searched in pieces of this many bytes.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// The matches in the versions of one source.
#[derive(Debug)]
pub struct Occurrences {
    /// The source.
    pub source: Source,
    /// How many versions were searched.
    pub searched: usize,
    /// The versions with matching lines, oldest first, with the number of such lines.
    pub versions: Vec<(Version, u64)>,
    /// Versions that could not be read, with the reason.
    pub unreadable: Vec<(Version, Error)>,
    /// Damage of the catalogue that hides further versions.
    pub damage: Option<Error>,
}

impl App {
    /// Searches every version of a source, line by line.
    pub async fn grep(&self, source: Source, pattern: &Regex) -> Result<Occurrences> {
        let (mut versions, damage) = self.sound_versions(source.id, None).await?;
        versions.reverse();
        let mut found = Occurrences {
            source,
            searched: versions.len(),
            versions: Vec::new(),
            unreadable: Vec::new(),
            damage,
        };
        // Versions that share their bytes are usually neighbours.
        let mut last: Option<(BlobId, u64)> = None;
        let pattern = Arc::new(pattern.clone());
        for version in versions {
            let lines = match last {
                Some((blob, lines)) if blob == version.blob_id => lines,
                _ => match self.matching_lines(&version, &pattern).await {
                    Ok(lines) => lines,
                    Err(error) if error.kind == ErrorKind::Damaged => {
                        found.unreadable.push((version, error));
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            last = Some((version.blob_id, lines));
            if lines > 0 {
                found.versions.push((version, lines));
            }
        }
        Ok(found)
    }

    async fn matching_lines(&self, version: &Version, pattern: &Arc<Regex>) -> Result<u64> {
        let content = self.content(version).await?;
        let pattern = Arc::clone(pattern);
        let counted = tokio::task::spawn_blocking(move || count(&content, &pattern)).await;
        let counted = counted.unwrap_or_else(|error| Err(io::Error::other(error)));
        counted.map_err(|error| {
            let message = format!("cannot read version {} back: {error}", version.id);
            Error::new(ErrorKind::Unavailable, message)
        })
    }
}

fn count(content: &Content, pattern: &Regex) -> io::Result<u64> {
    match (content.as_memory(), content.as_file()) {
        (Some(bytes), _) => count_lines(bytes, pattern),
        (None, Some(path)) => count_lines(BufReader::new(File::open(path)?), pattern),
        (None, None) => Ok(0),
    }
}

fn count_lines(mut reader: impl BufRead, pattern: &Regex) -> io::Result<u64> {
    let (mut line, mut count) = (Vec::new(), 0);
    loop {
        line.clear();
        let read = (&mut reader)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(count);
        }
        let end = line.strip_suffix(b"\n").unwrap_or(&line);
        let end = end.strip_suffix(b"\r").unwrap_or(end);
        count += u64::from(pattern.is_match(end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_whatever_they_end_with() {
        for (content, pattern, expected) in [
            (&b"a\nb\na b\n"[..], "a", 2),
            (b"a\r\nb\r\n", "^a$", 1),
            (b"", "", 0),
            (b"\n\n", "^$", 2),
            (b"no end", "end$", 1),
            (b"\xff\xfea\n", "a", 1),
            ("größe\n".as_bytes(), "(?i)GRÖSSE|GRÖßE", 1),
        ] {
            let pattern = Regex::new(pattern).expect("a pattern");
            assert_eq!(count_lines(content, &pattern).ok(), Some(expected));
        }
        let long = vec![b'x'; 3 << 20];
        let pattern = Regex::new("x").expect("a pattern");
        assert_eq!(count_lines(&long[..], &pattern).ok(), Some(3));
    }
}
