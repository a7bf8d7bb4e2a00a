//! The trash with files of every age, under wrong clocks.

use super::*;

#[test]
fn what_is_moved_there_is_found_comes_back_and_goes_after_its_days() {
    let data = tempfile::tempdir().expect("a folder");
    let trash = Trash::new(data.path(), Owner::default());
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
    fs::create_dir_all(data.path().join("objects/ab")).expect("folders");
    for name in [
        "objects/ab/one",
        "objects/ab/two",
        "gannet.db.before-002.77",
    ] {
        fs::write(data.path().join(name), name).expect("a file");
        trash.put(name, at("2026-03-01T23:59:00Z")).expect("moved");
        assert!(!data.path().join(name).exists(), "{name}");
        let place = trash.find(name).expect("a look").expect("it lies there");
        assert_eq!(fs::read_to_string(place).expect("a file"), name);
    }
    trash
        .put("objects/ab/none", at("2026-03-01T23:59:00Z"))
        .expect("gone already");
    let unfinished = (&*data.path().join("objects/ab"), "copy-");
    let put_back = |path: &str| trash.put_back(path, unfinished).expect("moved");
    assert!(put_back("objects/ab/one"));
    assert!(!put_back("objects/ab/none"));
    assert!(data.path().join("objects/ab/one").exists());
}

/// Looks at a folder of this day at each of these times. Returns the number of the look after which it is over, from 1,
/// if any.
fn over_after(put: &str, looks: &[&str]) -> Option<usize> {
    let data = tempfile::tempdir().expect("a folder");
    let trash = Trash::new(data.path(), Owner::default());
    fs::create_dir_all(data.path().join("trash").join(put)).expect("a folder");
    let over = looks.iter().position(|now| {
        let now = format!("{now}T23:59:59Z").parse().expect("a time");
        !trash.expired_days(now).expect("a listing").is_empty()
    });
    over.map(|at| at + 1)
}

#[test]
fn what_was_seen_for_more_than_seven_days_is_over_whatever_one_clock_says() {
    let daily = [
        "2026-03-02",
        "2026-03-03",
        "2026-03-04",
        "2026-03-05",
        "2026-03-06",
        "2026-03-07",
        "2026-03-08",
        "2026-03-09",
    ];
    let weekly = ["2026-03-08", "2026-03-08", "2026-03-15", "2026-03-22"];
    let ahead_once = [
        "2027-03-02",
        "2027-03-02",
        "2026-03-02",
        "2026-03-03",
        "2026-03-04",
    ];
    let ahead_for_ever = [
        "2027-03-02",
        "2027-03-03",
        "2027-03-04",
        "2027-03-05",
        "2027-03-06",
    ];
    let behind = ["1970-01-01", "1970-01-02", "2026-03-02"];
    for (put, looks, expected) in [
        ("2026-03-01", &daily[..], Some(8)),
        ("2026-03-01", &weekly, Some(3)),
        // One look alone never ends a day, however late it comes.
        ("2026-03-01", &["2036-01-01"], None),
        ("2026-03-01", &ahead_once, None),
        ("2026-03-01", &ahead_for_ever, Some(5)),
        ("2026-03-01", &behind, None),
        // Discarded while the clock ran ahead.
        (
            "2027-03-01",
            &[&["2026-03-01"], &daily[..]].concat(),
            Some(9),
        ),
        ("2026-02-20.2026-03-01.7", &daily, Some(1)),
        ("2026-02-20.2026-03-01.6", &daily, Some(2)),
        ("2026-02-20.2027-03-01.6", &daily, Some(3)),
        // Not gannet's.
        ("lost+found", &daily, None),
        ("2026-02-20.x.9", &daily, None),
        ("2026-02-20.2026-03-01", &daily, None),
        ("2026-02-20.2026-03-01.7.x", &daily, None),
        ("2026-02-20.2026-03-01.7.2.2", &daily, None),
        // One of several of the same day.
        ("2026-02-20.2026-03-01.7.2", &daily, Some(1)),
    ] {
        assert_eq!(over_after(put, looks), expected, "{put}: {looks:?}");
    }
}

#[test]
fn what_lies_there_is_found_whatever_its_folder_is_called() {
    let data = tempfile::tempdir().expect("a folder");
    let trash = Trash::new(data.path(), Owner::default());
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
    fs::write(data.path().join("a"), "a").expect("a file");
    trash.put("a", at("2026-03-01T12:00:00Z")).expect("moved");
    assert_eq!(
        trash
            .expired_days(at("2026-03-02T12:00:00Z"))
            .expect("a listing"),
        [] as [PathBuf; 0]
    );
    let place = trash.find("a").expect("a look").expect("it lies there");
    assert_eq!(place, data.path().join("trash/2026-03-01.2026-03-02.1/a"));
}

#[test]
fn what_is_put_there_after_a_look_of_the_same_day_is_lost_no_more_than_what_was_there_before() {
    for (what, names, by_day_8, left) in [
        (
            "a folder",
            &["2026-03-01", "2026-03-01.2026-03-02.1"][..],
            2,
            0,
        ),
        (
            "several",
            &[
                "2026-03-01",
                "2026-03-01.2026-03-02.1",
                "2026-03-01.2026-03-02.1.2",
                "2026-03-01.2026-03-01.0",
            ],
            4,
            0,
        ),
        ("a file", &["2026-03-01+"], 1, 0),
        ("files", &["2026-03-01+", "2026-03-01.2026-03-02.1+"], 2, 0),
        (
            "a file and a folder",
            &["2026-03-01+", "2026-03-01.2026-03-02.1"],
            2,
            0,
        ),
        ("another folder", &["2026-03-01", "2026-02-31"], 2, 1),
    ] {
        let data = tempfile::tempdir().expect("a folder");
        let trash = Trash::new(data.path(), Owner::default());
        let folder = data.path().join("trash");
        for name in names {
            if let Some(file) = name.strip_suffix('+') {
                fs::create_dir_all(&folder).expect("a folder");
                fs::write(folder.join(file), "").expect("a file");
            } else {
                fs::create_dir_all(folder.join(name)).expect("a folder");
                fs::write(folder.join(name).join("a"), name).expect("a file");
            }
        }
        let count = || fs::read_dir(&folder).expect("a list").count();
        for day in 2..=9 {
            let now = format!("2026-03-0{day}T12:00:00Z").parse().expect("a time");
            let over = trash.expired_days(now).expect(what);
            if day < 9 {
                assert_eq!((over.len(), count()), (0, by_day_8), "{what}: {day}");
            }
            for day in &over {
                Trash::delete_day(day).expect(what);
            }
        }
        assert_eq!(count(), left, "{what}");
    }
}

#[test]
fn what_is_moved_while_another_process_renames_the_day_gets_there() {
    let now = "2026-03-01T12:00:00Z".parse().expect("a time");
    for (path, times, moved) in [("a", 1, true), ("a", 2, false), ("none", 1, true)] {
        let data = tempfile::tempdir().expect("a folder");
        let trash = Trash::new(data.path(), Owner::default());
        fs::write(data.path().join("a"), "a").expect("a file");
        let turn = std::cell::Cell::new(0);
        let taken = trash.take(path, || {
            let to = trash.make_way(path, now)?;
            turn.set(turn.get() + 1);
            if turn.get() <= times {
                let day = to.parent().expect("a day");
                fs::rename(day, data.path().join(format!("trash/{}", turn.get())))
                    .expect("renamed");
            }
            Ok(to)
        });
        assert_eq!(taken.is_ok(), moved, "{path}: {times}");
        assert_eq!(
            trash.find("a").expect("a look").is_some(),
            path == "a" && moved
        );
        // The file is in the trash or in the data folder, never in both or neither.
        assert_ne!(
            trash.find("a").expect("a look").is_some(),
            data.path().join("a").exists()
        );
    }
}

#[test]
fn a_file_that_several_put_back_at_once_is_back() {
    let data = tempfile::tempdir().expect("a folder");
    let now = "2026-03-01T12:00:00Z".parse().expect("a time");
    fs::write(data.path().join("a"), "a").expect("a file");
    for _ in 0..200 {
        Trash::new(data.path(), Owner::default())
            .put("a", now)
            .expect("moved");
        std::thread::scope(|scope| {
            let put_back = || {
                let trash = Trash::new(data.path(), Owner::default());
                trash.put_back("a", (data.path(), "copy-")).expect("back");
            };
            for _ in 0..4 {
                scope.spawn(put_back);
            }
        });
        assert!(data.path().join("a").is_file());
    }
}

#[test]
fn a_file_that_is_called_like_the_day_keeps_nothing_out() {
    let data = tempfile::tempdir().expect("a folder");
    let trash = Trash::new(data.path(), Owner::default());
    fs::create_dir(data.path().join("trash")).expect("a folder");
    fs::write(data.path().join("trash/2026-03-01"), "").expect("a file");
    fs::write(data.path().join("a"), "a").expect("a file");
    let now = "2026-03-01T12:00:00Z".parse().expect("a time");
    trash.put("a", now).expect("moved");
    let place = trash.find("a").expect("a look").expect("it lies there");
    assert_eq!(place, data.path().join("trash/2026-03-01.2026-03-01.0/a"));
}
