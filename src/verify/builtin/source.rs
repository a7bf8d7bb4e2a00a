//! Content as a stream that can be stopped.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::domain::Content;

pub(super) const PIECE_BYTES: usize = 64 << 10;

/// What a rule found: good, or bad and why.
pub(super) type Finding = Result<String, String>;

/// The content as a stream that can be stopped.
pub(super) struct Source {
    reader: Box<dyn Read>,
    stop: Arc<AtomicBool>,
}

impl Source {
    pub(super) fn open(content: &Content, stop: &Arc<AtomicBool>) -> io::Result<Self> {
        let reader: Box<dyn Read> = match content {
            Content::Memory(bytes) => Box::new(Cursor::<Bytes>::new(bytes.clone())),
            Content::File { path, .. } => Box::new(File::open(path.as_ref())?),
        };
        Ok(Self {
            reader,
            stop: Arc::clone(stop),
        })
    }

    /// Hands every piece to `take`, until it has an answer.
    pub(super) fn pieces<T>(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let count = match self.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if let Some(answer) = take(&buffer[..count]) {
                return Ok(Some(answer));
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "stopped"));
        }
        self.reader.read(buffer)
    }
}
