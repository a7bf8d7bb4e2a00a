//! Free numbers, and names made with them: sources that ask for the same name get different numbers behind it.
//!
//! Probes few numbers: adding a thousand sources of one name takes a few probes each.

use super::{Address, SourceSettings};

/// The longest name of a source, in bytes.
pub const MAX_NAME_BYTES: usize = 200;

/// The longest host in a generated name, in bytes: leaves more than half of the name to the file's.
const MAX_HOST_BYTES: usize = 80;

/// Returns a number from 1 on that is not taken: 1, or one right after a taken number. The result depends only on the
/// taken numbers; it is the lowest free number when they have no gap, and may lie after a gap otherwise.
///
/// Calls `is_taken` about twice for each binary digit of the result: it doubles up to a free number, then halves the
/// distance to the last taken one.
///
/// # Errors
///
/// The error of `is_taken`.
pub fn free_number<E>(mut is_taken: impl FnMut(u32) -> Result<bool, E>) -> Result<u32, E> {
    let (mut taken, mut free) = (0, 1);
    while is_taken(free)? {
        taken = free;
        let Some(double) = free.checked_mul(2) else {
            // Only 32 names chosen for the purpose lead here; the first gap is near.
            return first_free(is_taken);
        };
        free = double;
    }
    while free - taken > 1 {
        let middle = taken + (free - taken) / 2;
        if is_taken(middle)? {
            taken = middle;
        } else {
            free = middle;
        }
    }
    Ok(free)
}

fn first_free<E>(mut is_taken: impl FnMut(u32) -> Result<bool, E>) -> Result<u32, E> {
    let mut number = 1;
    while is_taken(number)? {
        number += 1;
    }
    Ok(number)
}

/// Returns a name for a source that was added without one, at most [`MAX_NAME_BYTES`] long: the file's name (choice 1),
/// then the host in front of it (choice 2), then with a number behind it, another for each choice.
pub fn candidate_name(settings: &SourceSettings, choice: u32) -> String {
    let name = &settings.name;
    let number = match choice {
        0 | 1 => return name.clone(),
        2 => String::new(),
        choice => format!("-{}", choice - 1),
    };
    let host = host_in_name(&settings.address);
    let room = MAX_NAME_BYTES - host.len() - "/".len() - number.len();
    // A long name loses its beginning, since the file's extension stands at its end.
    let start = name.ceil_char_boundary(name.len().saturating_sub(room));
    format!("{host}/{}{number}", &name[start..])
}

/// Returns the host and port of an address as a part of a name: `example.org_8443`. A long host is cut.
pub fn host_in_name(address: &Address) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let mut host = address.host().replace(|c| !is_plain(c), "_");
    host.truncate(host.floor_char_boundary(MAX_HOST_BYTES));
    host
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn free_among(taken: &BTreeSet<u32>) -> (u32, usize) {
        let mut asked = 0;
        let found = free_number(|number| {
            asked += 1;
            Ok::<_, Infallible>(taken.contains(&number))
        });
        let Ok(number) = found;
        (number, asked)
    }

    #[test]
    fn the_lowest_free_number_is_found_in_a_few_steps() {
        for taken in [0, 1, 2, 3, 4, 5, 7, 8, 100, 15_999, 250_000] {
            let (number, asked) = free_among(&(1..=taken).collect());
            assert_eq!(number, taken + 1);
            assert!(asked < 40, "{asked}");
        }
    }

    #[test]
    fn doubling_ends_where_numbers_end() {
        let powers = (0..32).map(|power| 1 << power).collect();
        assert_eq!(free_among(&powers).0, 3);
    }

    #[test]
    fn a_failure_is_passed_on() {
        assert_eq!(free_number(|_| Err::<bool, _>("no")), Err("no"));
    }

    #[test]
    fn names_go_from_the_file_to_its_host_to_numbers() {
        let settings = SourceSettings::sample("a.csv");
        let names = (1..=4).map(|choice| candidate_name(&settings, choice));
        assert_eq!(
            names.collect::<Vec<_>>(),
            [
                "a.csv",
                "example.org/a.csv",
                "example.org/a.csv-2",
                "example.org/a.csv-3"
            ]
        );
    }

    #[test]
    fn a_name_that_was_made_is_as_short_as_one_that_is_given() {
        let host = format!(
            "https://{}example/",
            format!("{}.", "a".repeat(60)).repeat(3)
        );
        let long = format!("{}é.tar.gz", "x".repeat(190));
        for (address, name) in [
            ("https://example.org/x", long.as_str()),
            (&host, "a.csv"),
            (&host, &long),
        ] {
            let address = Address::parse(address, false).expect("an address");
            let settings = SourceSettings::new(name.to_owned(), address);
            let names: BTreeSet<_> = (1..5)
                .map(|choice| candidate_name(&settings, choice))
                .collect();
            assert_eq!(names.len(), 4, "each choice gives another one");
            for made in names {
                assert!(made.len() <= MAX_NAME_BYTES, "{made}");
            }
        }
        let address = Address::parse("https://[2001:db8::1]:8443/a.csv", false);
        let settings = SourceSettings::new("a.csv".to_owned(), address.expect("an address"));
        assert_eq!(candidate_name(&settings, 2), "_2001_db8__1__8443/a.csv");
    }

    proptest! {
        #[test]
        fn a_gap_never_leads_to_a_taken_number(taken in proptest::collection::btree_set(1_u32..200, 0..150)) {
            let (number, _) = free_among(&taken);
            prop_assert!(number > 0 && !taken.contains(&number));
            prop_assert!(number == 1 || taken.contains(&(number - 1)));
            prop_assert_eq!(number, free_among(&taken).0);
        }
    }
}
