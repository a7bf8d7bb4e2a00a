//! The input of a rule, as a stream that can be stopped, and the result of a rule.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::domain::{Content, size_to_the_byte};
use crate::verify::{RuleContext, VersionFacts};

pub(super) const PIECE_BYTES: usize = 64 << 10;

/// The detail of a passed verdict, or why the content did not pass.
pub(super) type RuleResult = Result<String, RuleFailure>;

/// Why content did not pass.
#[derive(Debug)]
pub(super) enum RuleFailure {
    /// The content is bad, with the reason.
    Bad(String),
    /// The content cannot be judged, with the reason.
    Cannot(String),
}

/// Damage that a stream finds while it is read; reaches the rule within an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damage(pub(super) String);

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        Self::new(io::ErrorKind::InvalidData, damage)
    }
}

impl From<io::Error> for RuleFailure {
    fn from(error: io::Error) -> Self {
        let damage = error.get_ref().and_then(|error| error.downcast_ref());
        if let Some(Damage(why)) = damage {
            return Self::Bad(why.clone());
        }
        Self::Cannot(format!("cannot read the content: {error}"))
    }
}

pub(super) fn bad<T>(why: impl Into<String>) -> Result<T, RuleFailure> {
    Err(RuleFailure::Bad(why.into()))
}

pub(super) fn cannot<T>(why: impl Into<String>) -> Result<T, RuleFailure> {
    Err(RuleFailure::Cannot(why.into()))
}

/// The judged content, with the facts and the context of its version.
#[derive(Clone, Debug)]
pub(in crate::verify) struct RuleInput {
    pub(in crate::verify) content: Content,
    /// `None` for content that is no version, such as a message.
    pub(in crate::verify) facts: Option<VersionFacts>,
    pub(in crate::verify) context: RuleContext,
    /// Set once no caller waits for the judgement.
    pub(in crate::verify) stop: Arc<AtomicBool>,
}

impl RuleInput {
    /// Returns the facts about the judged version.
    pub(super) fn facts(&self) -> Result<&VersionFacts, RuleFailure> {
        let no_version = || RuleFailure::Cannot("this was not fetched from a source".to_owned());
        self.facts.as_ref().ok_or_else(no_version)
    }

    pub(super) fn open(&self) -> io::Result<Input> {
        self.open_other(&self.content)
    }

    /// Opens other content, with the same stop flag.
    pub(super) fn open_other(&self, content: &Content) -> io::Result<Input> {
        let reader: Box<dyn Read> = match content {
            Content::Memory(bytes) => Box::new(Cursor::<Bytes>::new(bytes.clone())),
            Content::File { path, .. } => Box::new(File::open(path.as_ref())?),
        };
        Ok(Input {
            reader,
            stop: Arc::clone(&self.stop),
        })
    }

    /// Fails for content larger than `max_bytes`.
    pub(super) fn check_length(&self, max_bytes: u64) -> Result<(), RuleFailure> {
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

    /// Reads the judged content into memory. Fails when it is larger than `max_bytes`.
    pub(super) fn whole(&self, max_bytes: u64) -> Result<Bytes, RuleFailure> {
        self.check_length(max_bytes)?;
        if let Content::Memory(bytes) = &self.content {
            return Ok(bytes.clone());
        }
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    /// Fails once no caller waits for the judgement.
    pub(super) fn go_on(&self) -> io::Result<()> {
        go_on(&self.stop)
    }
}

/// Fails once the flag is set.
pub(super) fn go_on(stop: &AtomicBool) -> io::Result<()> {
    if stop.load(Ordering::Relaxed) {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "stopped"));
    }
    Ok(())
}

/// Content as a stream that can be stopped.
pub(super) struct Input {
    reader: Box<dyn Read>,
    stop: Arc<AtomicBool>,
}

impl Input {
    /// Hands each piece to `take` until it returns a value. Returns that value; `None` at the end of the content.
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

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        go_on(&self.stop).and_then(|()| self.reader.read(buffer))
    }
}

/// Fails once more than `most` bytes have been read since the last `done()`: bounds one row or line.
pub(super) struct RecordLimit<R> {
    reader: R,
    /// Most bytes of one record.
    most: usize,
    left: usize,
    unit: &'static str,
}

impl<R: Read> RecordLimit<R> {
    /// `unit` names a record in the error, such as `row`.
    pub(super) fn new(reader: R, most: usize, unit: &'static str) -> Self {
        Self {
            reader,
            most,
            left: most,
            unit,
        }
    }

    /// Marks the end of a record.
    pub(super) fn done(&mut self) {
        self.left = self.most;
    }
}

impl<R: Read> Read for RecordLimit<R> {
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
