//! Compares two contents of any size by their common start and end.

use std::io::{self, Read, Seek, SeekFrom};

const BLOCK: usize = 64 << 10;

/// A content that can be read from any offset.
pub(in crate::app) trait Bytes: Read + Seek {}

impl<T: Read + Seek> Bytes for T {}

/// The lengths that two contents share, in bytes; start and end never overlap in the shorter one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The length of the common start: also the offset of the first difference.
    pub prefix: u64,
    /// The length of the common end.
    pub suffix: u64,
}

/// Compares two contents of the given lengths.
pub(in crate::app) fn compare(
    (one, one_length): (&mut dyn Bytes, u64),
    (other, other_length): (&mut dyn Bytes, u64),
) -> io::Result<Compared> {
    let shorter = one_length.min(other_length);
    let mut blocks = Blocks::default();
    let mut prefix = 0;
    while prefix < shorter {
        let length = blocks.read((one, prefix), (other, prefix), shorter - prefix)?;
        let same = blocks.same_from_start(length);
        prefix += same as u64;
        if same < length {
            break;
        }
    }
    let mut suffix = 0;
    while suffix < shorter - prefix {
        let most = (shorter - prefix - suffix).min(BLOCK as u64);
        let start = |length: u64| length - suffix - most;
        let length = blocks.read((one, start(one_length)), (other, start(other_length)), most)?;
        let same = blocks.same_from_end(length);
        suffix += same as u64;
        if same < length {
            break;
        }
    }
    Ok(Compared { prefix, suffix })
}

/// One block of each content.
struct Blocks {
    one: Vec<u8>,
    other: Vec<u8>,
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            one: vec![0; BLOCK],
            other: vec![0; BLOCK],
        }
    }
}

impl Blocks {
    /// Reads a block of each, at most `most` bytes, and returns its length.
    fn read(
        &mut self,
        (one, one_at): (&mut dyn Bytes, u64),
        (other, other_at): (&mut dyn Bytes, u64),
        most: u64,
    ) -> io::Result<usize> {
        let length = usize::try_from(most).unwrap_or(BLOCK).min(BLOCK);
        one.seek(SeekFrom::Start(one_at))?;
        one.read_exact(&mut self.one[..length])?;
        other.seek(SeekFrom::Start(other_at))?;
        other.read_exact(&mut self.other[..length])?;
        Ok(length)
    }

    fn same_from_start(&self, length: usize) -> usize {
        let pairs = self.one[..length].iter().zip(&self.other[..length]);
        pairs.take_while(|(one, other)| one == other).count()
    }

    fn same_from_end(&self, length: usize) -> usize {
        let pairs = self.one[..length].iter().zip(&self.other[..length]).rev();
        pairs.take_while(|(one, other)| one == other).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn compared(one: &[u8], other: &[u8]) -> Compared {
        compare(
            (&mut Cursor::new(one), one.len() as u64),
            (&mut Cursor::new(other), other.len() as u64),
        )
        .expect("memory")
    }

    #[test]
    fn finds_what_is_shared() {
        for (one, other, prefix, suffix) in [
            ("", "", 0, 0),
            ("", "abc", 0, 0),
            ("abc", "abc", 3, 0),
            ("abXcd", "abYYcd", 2, 2),
            ("aa", "aaa", 2, 0),
            ("x", "y", 0, 0),
        ] {
            let expected = Compared { prefix, suffix };
            assert_eq!(
                compared(one.as_bytes(), other.as_bytes()),
                expected,
                "{one} {other}"
            );
        }
        let mut long = vec![7; 3 * BLOCK + 5];
        let other = long.clone();
        long[2 * BLOCK] = 8;
        let expected = Compared {
            prefix: 2 * BLOCK as u64,
            suffix: BLOCK as u64 + 4,
        };
        assert_eq!(compared(&long, &other), expected);
    }

    proptest! {
        #[test]
        fn never_overlaps(one in "[ab]{0,12}", other in "[ab]{0,12}") {
            let Compared { prefix, suffix } = compared(one.as_bytes(), other.as_bytes());
            let length = |bytes: u64| usize::try_from(bytes).expect("a short text");
            let (prefix, suffix) = (length(prefix), length(suffix));
            prop_assert!(prefix + suffix <= one.len().min(other.len()));
            prop_assert_eq!(&one[..prefix], &other[..prefix]);
            prop_assert_eq!(&one[one.len() - suffix..], &other[other.len() - suffix..]);
        }
    }
}
