//! What a rule judges, as a stream that can be stopped, and what it may find.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::domain::{Content, size_to_the_byte};
use crate::verify::{Evidence, Facts};

pub(super) const PIECE_BYTES: usize = 64 << 10;

/// What a rule found: good, or else.
pub(super) type Finding = Result<String, Trouble>;

/// Why content is not good.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It is bad: this is what is wrong with it.
    Bad(String),
    /// It could not be judged: this is why.
    Cannot(String),
}

/// Damage that a stream finds while it is read: carried to the rule as an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damage(pub(super) String);

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        Self::new(io::ErrorKind::InvalidData, damage)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        let damage = error.get_ref().and_then(|error| error.downcast_ref());
        if let Some(Damage(why)) = damage {
            return Self::Bad(why.clone());
        }
        Self::Cannot(format!("cannot read the content: {error}"))
    }
}

/// A shorthand: the content is bad.
pub(super) fn bad<T>(why: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Bad(why.into()))
}

/// A shorthand: the content cannot be judged.
pub(super) fn cannot<T>(why: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::Cannot(why.into()))
}

/// What a rule judges, and all that it may know of it.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Case {
    pub(in crate::verify) content: Content,
    pub(in crate::verify) facts: Facts,
    pub(in crate::verify) evidence: Evidence,
    /// Set when nobody waits for the judgement any more.
    pub(in crate::verify) stop: Arc<AtomicBool>,
}

impl Case {
    /// Opens the judged content.
    pub(super) fn open(&self) -> io::Result<Source> {
        self.open_other(&self.content)
    }

    /// Opens other content under the same stop.
    pub(super) fn open_other(&self, content: &Content) -> io::Result<Source> {
        let reader: Box<dyn Read> = match content {
            Content::Memory(bytes) => Box::new(Cursor::<Bytes>::new(bytes.clone())),
            Content::File { path, .. } => Box::new(File::open(path.as_ref())?),
        };
        Ok(Source {
            reader,
            stop: Arc::clone(&self.stop),
        })
    }

    /// Refuses content that is too large for a rule.
    pub(super) fn check_length(&self, max_bytes: u64) -> Result<(), Trouble> {
        let size_bytes = self.content.size_bytes();
        if size_bytes > max_bytes {
            return cannot(format!(
                "{} is more than the {} that this rule reads",
                size_to_the_byte(size_bytes),
                size_to_the_byte(max_bytes)
            ));
        }
        Ok(())
    }

    /// Returns the judged content in memory, unless it is too large for that.
    pub(super) fn whole(&self, max_bytes: u64) -> Result<Bytes, Trouble> {
        self.check_length(max_bytes)?;
        if let Content::Memory(bytes) = &self.content {
            return Ok(bytes.clone());
        }
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    /// Gives up when nobody waits any more.
    pub(super) fn go_on(&self) -> io::Result<()> {
        go_on(&self.stop)
    }
}

/// Gives up once the flag is set.
pub(super) fn go_on(stop: &AtomicBool) -> io::Result<()> {
    if stop.load(Ordering::Relaxed) {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "stopped"));
    }
    Ok(())
}

/// The content as a stream that can be stopped.
pub(super) struct Source {
    reader: Box<dyn Read>,
    stop: Arc<AtomicBool>,
}

impl Source {
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
        go_on(&self.stop).and_then(|()| self.reader.read(buffer))
    }
}

/// A stream that gives up when nothing told it for this long that something was done with what it gave.
pub(super) struct Bounded<R> {
    reader: R,
    /// What one unit may hold.
    most: usize,
    left: usize,
    unit: &'static str,
}

impl<R: Read> Bounded<R> {
    /// `unit`: what is being read, such as `row`.
    pub(super) fn new(reader: R, most: usize, unit: &'static str) -> Self {
        Self {
            reader,
            most,
            left: most,
            unit,
        }
    }

    /// Tells that a unit was read to its end.
    pub(super) fn done(&mut self) {
        self.left = self.most;
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(count).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("a {} is longer than {} MiB", self.unit, self.most >> 20),
            )
        })?;
        Ok(count)
    }
}
