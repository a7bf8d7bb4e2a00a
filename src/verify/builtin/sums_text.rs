//! The text of a list of digests as plain UTF-8: without a byte order mark, and converted from UTF-16.

use std::io::{self, Cursor, Read};

/// Longest UTF-16 list.
const MAX_WIDE_BYTES: u64 = 16 << 20;

/// Returns the list without a byte order mark; UTF-16 becomes UTF-8.
pub(super) fn plain<R: Read + 'static>(mut stream: R) -> io::Result<Box<dyn Read>> {
    let mut start = Vec::new();
    stream.by_ref().take(3).read_to_end(&mut start)?;
    let read: fn([u8; 2]) -> u16 = match &start[..] {
        b"\xEF\xBB\xBF" => return Ok(Box::new(stream)),
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return Ok(Box::new(Cursor::new(start).chain(stream))),
    };
    let mut bytes = start.split_off(2);
    stream.take(MAX_WIDE_BYTES).read_to_end(&mut bytes)?;
    if bytes.len() as u64 >= MAX_WIDE_BYTES {
        let why = "a list in UTF-16 is longer than 16 MiB";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| read(*pair));
    let text = String::from_utf16_lossy(&units.collect::<Vec<_>>());
    Ok(Box::new(Cursor::new(text)))
}
