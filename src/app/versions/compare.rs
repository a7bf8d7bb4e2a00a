//! Compares two versions: as texts when they can be compared by lines, else as bytes.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::bytes_compared::{self, Bytes, Compared};
use crate::app::{App, Error, ErrorKind, Result};
use crate::domain::{Content, Version};

/// Longer text is compared as bytes, without loading it into memory.
const MAX_TEXT_BYTES: u64 = 16 << 20;
/// Text of more lines is compared as bytes: a comparison by lines takes some hundred bytes for each of them.
const MAX_TEXT_LINES: usize = 1_000_000;
/// The texts that are compared by lines, in words.
pub const COMPARED_BY_LINES: &str = "text of at most 16 MiB and 1,000,000 lines";

/// After this time a comparison by lines returns a correct but longer result: some pairs would take hours.
pub const DIFF_PATIENCE: Duration = Duration::from_secs(10);

/// Two versions side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same content.
    Same,
    /// Both are UTF-8 [text](COMPARED_BY_LINES) of that size at most, without NUL.
    Text {
        /// The first version's content.
        old: String,
        /// The second's.
        new: String,
    },
    /// Any other contents.
    Bytes(Compared),
}

impl App {
    /// Reads two versions, checked against their digests, and returns the comparison.
    pub async fn compare(&self, old: &Version, new: &Version) -> Result<Comparison> {
        if old.digest == new.digest {
            return Ok(Comparison::Same);
        }
        let (old, new) = (self.content(old).await?, self.content(new).await?);
        match tokio::task::spawn_blocking(move || compare(&old, &new)).await {
            Ok(comparison) => comparison,
            Err(error) => Err(Error::new(
                ErrorKind::Unavailable,
                format!("the comparison ended early: {error}"),
            )),
        }
    }
}

fn compare(old: &Content, new: &Content) -> Result<Comparison> {
    if let (Some(old), Some(new)) = (text(old)?, text(new)?) {
        return Ok(Comparison::Text { old, new });
    }
    let mut readers = [reader(old)?, reader(new)?];
    let [one, other] = &mut readers;
    let compared = bytes_compared::compare(
        (&mut **one, old.size_bytes()),
        (&mut **other, new.size_bytes()),
    );
    compared.map(Comparison::Bytes).map_err(|cause| {
        Error::new(
            ErrorKind::Unavailable,
            format!("cannot compare the versions: {cause}"),
        )
    })
}

/// Returns the content if it is text of a size that can be compared by lines.
fn text(content: &Content) -> Result<Option<String>> {
    if content.size_bytes() > MAX_TEXT_BYTES {
        return Ok(None);
    }
    let bytes = match content {
        Content::Memory(bytes) => bytes.to_vec(),
        Content::File { path, .. } => {
            fs::read(&**path).map_err(|cause| unreadable(path, &cause))?
        }
    };
    let text = String::from_utf8(bytes).ok();
    let has_few_lines = |text: &String| {
        let ends = text.bytes().filter(|byte| *byte == b'\n' || *byte == b'\r');
        ends.count() <= MAX_TEXT_LINES
    };
    Ok(text.filter(|text| !text.contains('\0') && has_few_lines(text)))
}

fn reader(content: &Content) -> Result<Box<dyn Bytes + '_>> {
    Ok(match content {
        Content::Memory(bytes) => Box::new(io::Cursor::new(bytes)),
        Content::File { path, .. } => {
            Box::new(fs::File::open(&**path).map_err(|cause| unreadable(path, &cause))?)
        }
    })
}

fn unreadable(path: &Path, cause: &io::Error) -> Error {
    let message = format!("cannot read {}: {cause}", path.display());
    Error::new(ErrorKind::Unavailable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_compared_by_lines() {
        let memory = |bytes: &[u8]| Content::Memory(bytes.to_vec().into());
        assert_eq!(
            text(&memory("zürich\n".as_bytes()))
                .expect("memory")
                .as_deref(),
            Some("zürich\n")
        );
        assert_eq!(text(&memory(b"\xff\xfe")).expect("memory"), None);
        assert_eq!(text(&memory(b"a\0b")).expect("memory"), None);
        let lines = |count| memory("\n".repeat(count).as_bytes());
        for (count, is_text) in [(MAX_TEXT_LINES, true), (MAX_TEXT_LINES + 1, false)] {
            let found = text(&lines(count)).expect("memory");
            assert_eq!(found.is_some(), is_text, "{count}");
        }
        let compared = compare(&memory(b"\0ab"), &memory(b"\0cb")).expect("memory");
        let expected = Compared {
            prefix: 1,
            suffix: 1,
        };
        assert_eq!(compared, Comparison::Bytes(expected));
    }
}
