//! Bytes in memory as a stream that can be stopped, for decoders.

use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};
use std::sync::atomic::AtomicBool;

use bytes::Bytes;

use super::input::go_on;

/// Bytes in memory, as a stream that can be stopped.
pub(super) struct Stoppable<'a> {
    bytes: Cursor<Bytes>,
    stop: &'a AtomicBool,
}

impl<'a> Stoppable<'a> {
    pub(super) fn new(bytes: &Bytes, stop: &'a AtomicBool) -> Self {
        let bytes = Cursor::new(bytes.clone());
        Self { bytes, stop }
    }
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        go_on(self.stop)?;
        self.bytes.read(buffer)
    }
}

impl BufRead for Stoppable<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        go_on(self.stop)?;
        self.bytes.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.bytes.consume(count);
    }
}

impl Seek for Stoppable<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}
