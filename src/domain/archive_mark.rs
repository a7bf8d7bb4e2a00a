//! The mark by which an archive and its catalogue recognise each other: an id and a counter that both carry.

use std::fmt;
use std::str::FromStr;

/// The mark, as stored in the archive or in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveMark {
    /// 32 random hexadecimal digits.
    pub id: String,
    /// Grows with every pass, and whenever a process opens archive and catalogue for writing.
    pub generation: u64,
}

/// Why a catalogue does not belong to the archive beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The catalogue belongs to another archive.
    Foreign,
    /// The catalogue is an earlier copy of the archive's own.
    Older {
        /// The generation of the catalogue.
        catalogue: u64,
        /// The generation of the archive.
        archive: u64,
    },
    /// The archive has a mark and the catalogue has none: a copy from before marks existed, or another store's.
    Unmarked,
}

impl ArchiveMark {
    /// Compares the archive's mark, which was read first, with the catalogue's. The catalogue may be ahead: its
    /// generation is raised first.
    pub fn mismatch(archive: Option<&Self>, catalogue: Option<&Self>) -> Option<Mismatch> {
        match (archive, catalogue) {
            (None, _) => None,
            (Some(_), None) => Some(Mismatch::Unmarked),
            (Some(archive), Some(catalogue)) if archive.id != catalogue.id => {
                Some(Mismatch::Foreign)
            }
            (Some(archive), Some(catalogue)) => (catalogue.generation < archive.generation)
                .then_some(Mismatch::Older {
                    catalogue: catalogue.generation,
                    archive: archive.generation,
                }),
        }
    }
}

impl fmt::Display for ArchiveMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.generation)
    }
}

impl FromStr for ArchiveMark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once(' ');
        let read = parts.and_then(|(id, number)| {
            let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
            let generation = number.parse().ok().filter(|_| is_id)?;
            Some(Self {
                id: id.to_owned(),
                generation,
            })
        });
        read.ok_or_else(|| "it holds no id of an archive".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(id: char, generation: u64) -> ArchiveMark {
        ArchiveMark {
            id: id.to_string().repeat(32),
            generation,
        }
    }

    #[test]
    fn a_catalogue_is_the_archives_own_or_it_is_told_why_not() {
        let cases = [
            (None, None, None),
            (None, Some(mark('a', 3)), None),
            (Some(mark('a', 3)), None, Some(Mismatch::Unmarked)),
            (
                Some(mark('a', 3)),
                Some(mark('b', 9)),
                Some(Mismatch::Foreign),
            ),
            (Some(mark('a', 3)), Some(mark('a', 3)), None),
            (Some(mark('a', 3)), Some(mark('a', 4)), None),
            (
                Some(mark('a', 3)),
                Some(mark('a', 2)),
                Some(Mismatch::Older {
                    catalogue: 2,
                    archive: 3,
                }),
            ),
        ];
        for (archive, catalogue, expected) in cases {
            let found = ArchiveMark::mismatch(archive.as_ref(), catalogue.as_ref());
            assert_eq!(found, expected, "{archive:?} {catalogue:?}");
        }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_nothing_else_is() {
        let one = mark('c', 17);
        assert_eq!(one.to_string().parse(), Ok(one));
        let long = "a".repeat(32);
        for text in [
            "",
            " ",
            "abc 1",
            &long,
            &format!("{long} x"),
            &format!("{long} -1"),
        ] {
            assert!(text.parse::<ArchiveMark>().is_err(), "{text}");
        }
    }
}
