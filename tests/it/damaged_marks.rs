//! Marks of catalogue and archive at the end of their range or beyond it: damage with words, which adopting mends.

use std::fs;

use crate::rig::Home;
use crate::rig::sqlite::damage;

#[test]
fn adopting_mends_a_mark_whatever_its_number() {
    let gannet = Home::new("").with_source("a", ["1"]).fetched(&["a"]);
    let saved = gannet.save();
    let mark = gannet.data().join("archive-id");
    let text = fs::read_to_string(&mark).expect("a mark");
    let (id, _) = text.split_once(' ').expect("an id and a number");
    let (end, most) = ("4611686018427387904", "9223372036854775807");
    for (of_archive, of_catalogue, words) in [
        (
            Some(most),
            None,
            "its number 9223372036854775807 is out of range",
        ),
        (
            Some(end),
            None,
            "its number 4611686018427387904 is out of range",
        ),
        (Some("99999999999999999999999"), None, "is out of range"),
        (Some("4611686018427387903"), None, "is an older copy"),
        (
            None,
            Some(most),
            "`generation` holds 9223372036854775807: out of range",
        ),
        (None, Some(end), "out of range"),
        (None, Some("-3"), "out of range"),
        (Some(most), Some(most), "out of range"),
        (
            Some("4611686018427387903"),
            Some("4611686018427387902"),
            "is an older copy",
        ),
    ] {
        gannet.put_back(&saved);
        if let Some(number) = of_archive {
            fs::write(&mark, format!("{id} {number}\n")).expect("a mark");
        }
        if let Some(number) = of_catalogue {
            damage(
                &gannet.data(),
                &format!("UPDATE archive_mark SET generation = {number}"),
            );
        }
        let case = format!("{of_archive:?} {of_catalogue:?}");
        let refused = gannet.pass();
        assert_eq!(refused.code, Some(3), "{case}: {refused:#?}");
        assert!(refused.err.contains(words), "{case}: {refused:#?}");
        assert!(
            refused.err.contains("adopt-archive"),
            "{case}: {refused:#?}"
        );
        assert_eq!(gannet.run(&["cat", "a"]).out, "1", "{case}");
        gannet.ok(&["config", "adopt-archive", "--yes"]);
        for _ in 0..2 {
            let pass = gannet.run(&["fetch", "a"]);
            assert_eq!(pass.code, Some(0), "{case}: {pass:#?}");
        }
    }
}
