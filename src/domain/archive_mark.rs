//! The mark by which an archive and its catalogue recognise each other: an id and a counter that both carry.

use std::fmt;
use std::str::FromStr;

/// The mark, as stored in the archive or in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveMark {
    /// 32 random hexadecimal digits.
    pub id: String,
    /// Grows with every pass, and whenever a process opens archive and catalogue for writing. Less than
    /// [`Self::END`].
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
    /// The end of the range of generations: a larger one is damage. So far from the largest number that any count from
    /// a sound mark on stays below that.
    pub const END: u64 = 1 << 62;

    /// Returns the mark with the next generation; `None` at the end of the range.
    pub fn next(self) -> Option<Self> {
        let generation = self.generation + 1;
        (generation < Self::END).then_some(Self { generation, ..self })
    }

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
        let is_id = |id: &str| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let parts = text.split_once(' ');
        let (id, number) = parts
            .filter(|(id, number)| is_id(id) && !number.is_empty() && is_number(number))
            .ok_or("it holds no id of an archive")?;
        let generation = number.parse().ok().filter(|number| *number < Self::END);
        Ok(Self {
            id: id.to_owned(),
            generation: generation.ok_or_else(|| format!("its number {number} is out of range"))?,
        })
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
            &format!("{long} "),
            &format!("{long} -1"),
            &format!("{long} +1"),
        ] {
            let why = Err("it holds no id of an archive".to_owned());
            assert_eq!(text.parse::<ArchiveMark>(), why, "{text}");
        }
        for number in [
            "4611686018427387904",
            "9223372036854775807",
            "99999999999999999999999",
        ] {
            let why = Err(format!("its number {number} is out of range"));
            assert_eq!(format!("{long} {number}").parse::<ArchiveMark>(), why);
        }
    }

    #[test]
    fn a_mark_at_the_end_of_the_range_has_no_next_one() {
        for (generation, next) in [
            (1, Some(2)),
            (ArchiveMark::END - 2, Some(ArchiveMark::END - 1)),
            (ArchiveMark::END - 1, None),
        ] {
            let found = mark('a', generation).next().map(|mark| mark.generation);
            assert_eq!(found, next, "{generation}");
        }
    }
}
