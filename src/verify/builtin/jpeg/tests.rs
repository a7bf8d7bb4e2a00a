//! Whole pictures of several encoders, and the damage that transfers do to them.

use std::sync::atomic::AtomicBool;

use super::check;
use crate::verify::builtin::input::RuleFailure;

const SAMPLES: [(&str, &[u8]); 5] = [
    ("baseline", include_bytes!("samples/baseline.jpg")),
    ("progressive", include_bytes!("samples/progressive.jpg")),
    ("restarts", include_bytes!("samples/restarts.jpg")),
    ("grey", include_bytes!("samples/grey-progressive.jpg")),
    ("cmyk", include_bytes!("samples/cmyk.jpg")),
];
const END: &[u8] = b"\xFF\xD9";

fn checked(bytes: &[u8]) -> Result<(u32, u32), RuleFailure> {
    check(bytes, &AtomicBool::new(false), |_, _| Ok(()))
}

fn assert_damaged(bytes: &[u8], what: &str) {
    let found = checked(bytes);
    assert!(
        matches!(found, Err(RuleFailure::Bad(_))),
        "{what}: {found:?}"
    );
}

/// Replaces the first `from` behind `at`.
fn replaced(bytes: &[u8], at: usize, from: &[u8], to: &[u8]) -> Vec<u8> {
    let found = bytes[at..]
        .windows(from.len())
        .position(|part| part == from);
    let at = at + found.expect("it is there");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

#[test]
fn whole_pictures_are_read_to_their_end() {
    for (name, bytes) in SAMPLES {
        let found = checked(bytes);
        assert!(matches!(found, Ok((72, 56))), "{name}: {found:?}");
        // Fill bytes before a marker, and junk behind the end.
        let more = [&bytes[..bytes.len() - 2], b"\xFF\xFF\xFF\xD9\0junk"].concat();
        assert!(checked(&more).is_ok(), "{name}");
    }
}

#[test]
fn a_picture_that_was_cut_off_is_found_wherever_it_was() {
    for (name, bytes) in SAMPLES {
        for length in 0..bytes.len() - 2 {
            assert_damaged(&bytes[..length], name);
            if length > 0 && bytes[length - 1] != 0xFF {
                assert_damaged(
                    &[&bytes[..length], END].concat(),
                    &format!("{name} {length}"),
                );
            }
        }
    }
}

/// In pictures this small, a gap now and then leaves the number of blocks unchanged.
#[test]
fn a_hole_is_found_in_nearly_every_place() {
    let (mut all, mut missed) = (0, Vec::new());
    for (name, bytes) in SAMPLES {
        let hole = bytes.len() / 20;
        for at in bytes.len() / 10..bytes.len() * 9 / 10 {
            all += 1;
            let cut = [&bytes[..at], &bytes[at + hole..]].concat();
            if checked(&cut).is_ok() {
                missed.push((name, at));
            }
        }
    }
    assert!(missed.len() * 50 < all, "of {all} not {missed:?}");
}

#[test]
fn what_stands_where_it_may_not_is_found() {
    let (baseline, progressive, restarts) = (SAMPLES[0].1, SAMPLES[1].1, SAMPLES[2].1);
    for (bytes, from, old, new, what) in [
        (
            restarts,
            0,
            &b"\xFF\xD1"[..],
            &b"\xFF\xD2"[..],
            "another restart",
        ),
        (restarts, 0, b"\xFF\xD1", b"", "no restart"),
        (baseline, 2, b"\xFF\xDB", b"\0\xFF\xDB", "between segments"),
        (baseline, 2, b"\xFF\xC4", b"\xFF\xEE", "no Huffman table"),
        (
            baseline,
            2,
            b"\xFF\xDB",
            b"\xFF\xEE",
            "no quantisation table",
        ),
        (baseline, 2, b"\xFF\xC0", b"\xFF\xEE", "no frame"),
        (baseline, 2, b"\xFF\xC0", b"\xFF\xC2", "another frame"),
        (progressive, 2, b"\xFF\xC2", b"\xFF\xC0", "another frame"),
        (baseline, 2, b"\xFF\xDA", b"\xFF\xD9", "no scan"),
        (
            baseline,
            2,
            b"\x38\x00\x48",
            b"\x58\x00\x48",
            "a higher picture",
        ),
        (
            baseline,
            2,
            b"\x38\x00\x48",
            b"\x28\x00\x48",
            "a lower picture",
        ),
    ] {
        assert_damaged(&replaced(bytes, from, old, new), what);
    }
}

#[test]
fn every_scan_of_a_progressive_picture_has_to_be_there() {
    let bytes = SAMPLES[1].1;
    let starts: Vec<usize> = (0..bytes.len() - 1)
        .filter(|at| bytes[*at..].starts_with(b"\xFF\xDA"))
        .collect();
    assert!(starts.len() > 5, "{starts:?}");
    for start in &starts {
        assert_damaged(&[&bytes[..*start], END].concat(), "no later scan");
    }
}

#[test]
fn what_is_not_supported_is_no_damage() {
    let bytes = SAMPLES[0].1;
    for (bytes, what) in [
        (replaced(bytes, 2, b"\xFF\xC0", b"\xFF\xC9"), "arithmetic"),
        (replaced(bytes, 2, b"\xFF\xC0", b"\xFF\xC3"), "lossless"),
        (replaced(bytes, 2, b"\xFF\xC0", b"\xFF\xC5"), "hierarchical"),
        (
            replaced(bytes, 2, b"\xFF\xC0\x00\x11\x08", b"\xFF\xC1\x00\x11\x0C"),
            "12 bits",
        ),
        (
            replaced(bytes, 2, b"\x00\x38\x00\x48", b"\x00\x00\x00\x48"),
            "DNL",
        ),
    ] {
        let found = checked(&bytes);
        assert!(
            matches!(&found, Err(RuleFailure::Cannot(why)) if why.contains(what)),
            "{what}: {found:?}"
        );
    }
}
