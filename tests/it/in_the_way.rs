//! Links, FIFOs, files and folders in the place of what gannet keeps in its data folder: named, never followed, never waited for.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::rig::{Home, Reply, sqlite};

fn mkfifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "a FIFO");
}

fn one_source() -> Home {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    origin.on("/b.txt", [Reply::file("one"), Reply::file("two")]);
    gannet.ok(&["add", &origin.url("/b.txt"), "--allow-private"]);
    gannet.ok(&["fetch", "b.txt"]);
    gannet
}

/// Takes away what lies at `path`.
fn clear(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).expect("removed"),
        Ok(_) => fs::remove_file(path).expect("removed"),
        Err(_) => {}
    }
}

/// A folder of another program's, with names that gannet uses too. Returns what is in it.
fn strangers(folder: &Path) -> Vec<String> {
    for name in [
        "proj",
        "run-1",
        "2020-01-01",
        "2020-01-01.2020-01-09.8",
        ".editions/x-1-0123456789abcdef",
    ] {
        fs::create_dir_all(folder.join(name)).expect("a folder");
        fs::write(folder.join(name).join("y"), "precious").expect("a file");
    }
    symlink("proj", folder.join(".mine")).expect("a link");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("a mode");
    below(folder)
}

fn below(folder: &Path) -> Vec<String> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let is_folder = entry.file_type().is_ok_and(|one| one.is_dir());
        found.push(entry.path().display().to_string());
        if is_folder {
            found.extend(below(&entry.path()));
        }
    }
    found.sort();
    found
}

#[test]
fn what_a_link_leads_to_is_left_alone_and_the_link_is_named() {
    let gannet = one_source();
    let saved = gannet.save();
    for (part, must_name) in [("tmp", true), ("trash", true), ("sets", false)] {
        for command in [
            &["fetch", "b.txt"][..],
            &["--worker-only"],
            &["verify", "b.txt"],
            &["edit", "b.txt", "--interval", "2h"],
            &["remove", "b.txt", "--purge", "--yes"],
            &["list"],
        ] {
            gannet.put_back(&saved);
            let others = gannet.path("others");
            let before = strangers(&others);
            let link = gannet.data().join(part);
            clear(&link);
            symlink(&others, &link).expect("a link");
            sqlite::make_all_due(&gannet.data());
            let said = gannet.run(command);
            assert_eq!(below(&others), before, "{part} {command:?}: {said:#?}");
            let mode = fs::metadata(&others)
                .expect("a folder")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o755, "{part} {command:?}");
            let uses = part == "tmp" || matches!(command[0], "--worker-only" | "remove");
            if must_name && uses && command[0] != "list" {
                assert!(said.err.contains("a link"), "{part} {command:?}: {said:#?}");
                assert!(
                    said.err.contains(part) && said.err.contains("in the way"),
                    "{said:#?}"
                );
                assert_ne!(said.code, Some(101), "{said:#?}");
                assert!(!said.err.contains("os error"), "{said:#?}");
            }
        }
    }
}

#[test]
fn what_others_put_into_the_folder_of_temporary_files_stays() {
    let gannet = one_source();
    let tmp = gannet.data().join("tmp");
    let mine = gannet.path("mine");
    fs::create_dir(&mine).expect("a folder");
    fs::write(mine.join("y"), "precious").expect("a file");
    fs::create_dir(tmp.join("mine")).expect("a folder");
    fs::write(tmp.join("mine/y"), "precious").expect("a file");
    symlink(&mine, tmp.join("run-link")).expect("a link");
    fs::create_dir(tmp.join("run-dead")).expect("a folder");
    gannet.ok(&["fetch", "b.txt"]);
    assert!(tmp.join("mine/y").exists() && mine.join("y").exists());
    assert!(!tmp.join("run-dead").exists());
}

#[test]
fn a_lock_is_written_to_no_file_of_others_and_waits_for_no_fifo() {
    let gannet = one_source();
    let others = gannet.path("others.txt");
    for lock in ["lock", "published.lock", "mark.lock"] {
        let path = gannet.data().join("tmp").join(lock);
        for obstacle in ["a link", "a FIFO", "a folder"] {
            fs::write(&others, "precious").expect("a file");
            clear(&path);
            match obstacle {
                "a link" => symlink(&others, &path).expect("a link"),
                "a FIFO" => mkfifo(&path),
                _ => fs::create_dir(&path).expect("a folder"),
            }
            let said = gannet.run(&["fetch", "b.txt"]);
            let expected = format!("{obstacle} is in the way, where a plain file belongs");
            assert!(said.err.contains(&expected), "{lock}: {said:#?}");
            assert!(said.err.contains(lock), "{said:#?}");
            assert_eq!(fs::read(&others).expect("a file"), b"precious", "{lock}");
        }
        clear(&path);
    }
    gannet.ok(&["fetch", "b.txt"]);
}

#[test]
fn a_log_is_written_to_no_file_of_others() {
    for obstacle in ["a link", "a FIFO"] {
        let gannet = one_source();
        let others = gannet.path("others.txt");
        fs::write(&others, "precious").expect("a file");
        let logs: Vec<_> = below(gannet.path("").as_path())
            .into_iter()
            .filter(|name| name.contains("/gannet.2"))
            .collect();
        assert!(!logs.is_empty());
        for log in &logs {
            fs::remove_file(log).expect("removed");
            match obstacle {
                "a link" => symlink(&others, log).expect("a link"),
                _ => mkfifo(Path::new(log)),
            }
        }
        let said = gannet.run(&["fetch", "b.txt"]);
        assert!(said.err.contains(obstacle), "{said:#?}");
        assert_eq!(fs::read(&others).expect("a file"), b"precious");
    }
}

#[test]
fn a_mark_that_cannot_be_read_keeps_nobody_from_reading_and_adopting_mends_it() {
    for (what, reason) in [
        ("empty", "it holds no id of an archive"),
        ("garbled", "it holds no id of an archive"),
        ("no text", "valid UTF-8"),
        ("a link", "a link is in the way, where a plain file belongs"),
        ("a FIFO", "a FIFO is in the way, where a plain file belongs"),
        (
            "a folder",
            "a folder is in the way, where a plain file belongs",
        ),
    ] {
        let gannet = one_source();
        let mark = gannet.data().join("archive-id");
        let others = gannet.path("others.txt");
        fs::write(&others, "precious").expect("a file");
        clear(&mark);
        match what {
            "empty" => fs::write(&mark, "").expect("a file"),
            "garbled" => fs::write(&mark, "garbage\n").expect("a file"),
            "no text" => fs::write(&mark, b"\xff\xfe").expect("a file"),
            "a link" => symlink(&others, &mark).expect("a link"),
            "a FIFO" => mkfifo(&mark),
            _ => fs::create_dir(&mark).expect("a folder"),
        }
        for reads in [&["list"][..], &["cat", "b.txt"]] {
            let said = gannet.run(reads);
            assert_eq!(said.code, Some(0), "{what}: {said:#?}");
            assert!(said.err.contains(reason), "{what}: {said:#?}");
            assert!(said.err.contains("reading goes on"), "{what}: {said:#?}");
        }
        let said = gannet.run(&["fetch", "b.txt"]);
        assert_eq!(said.code, Some(3), "{what}: {said:#?}");
        for words in [reason, "archive-id", "gannet config adopt-archive"] {
            assert!(said.err.contains(words), "{what}: {said:#?}");
        }
        if what == "a folder" {
            let said = gannet.run(&["config", "adopt-archive"]);
            assert!(said.err.contains(reason), "{said:#?}");
            clear(&mark);
        }
        gannet.ok(&["config", "adopt-archive"]);
        gannet.ok(&["fetch", "b.txt"]);
        assert_eq!(fs::read(&others).expect("a file"), b"precious", "{what}");
    }
}

#[test]
fn what_lies_in_the_place_of_the_trash_is_named_by_a_purge() {
    for obstacle in ["a file", "a FIFO", "a link"] {
        let gannet = one_source();
        let trash = gannet.data().join("trash");
        clear(&trash);
        match obstacle {
            "a file" => fs::write(&trash, "").expect("a file"),
            "a FIFO" => mkfifo(&trash),
            _ => symlink(gannet.path("nowhere"), &trash).expect("a link"),
        }
        let said = gannet.run(&["remove", "b.txt", "--purge", "--yes"]);
        let expected = format!("{obstacle} is in the way, where a folder belongs");
        assert!(said.err.contains(&expected), "{said:#?}");
        assert!(
            !said.err.contains("sets") && !said.err.contains("os error"),
            "{said:#?}"
        );
        let said = gannet.run(&["--worker-only"]);
        assert!(!said.err.contains("os error"), "{said:#?}");
    }
}

#[test]
fn a_fifo_in_the_place_of_an_object_is_damage_and_no_wait() {
    let gannet = Home::new("");
    let origin = &gannet.origin;
    let mut state = 1_u64;
    let large: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(3 << 20)
    .collect();
    origin.on("/large.bin", [Reply::file(large)]);
    gannet.ok(&["add", &origin.url("/large.bin"), "--allow-private"]);
    gannet.ok(&["fetch", "large.bin"]);
    let objects = below(&gannet.data().join("objects"));
    let object = objects.iter().find(|path| Path::new(path).is_file());
    let object = Path::new(object.expect("an object"));
    for obstacle in ["a FIFO", "a folder"] {
        clear(object);
        match obstacle {
            "a FIFO" => mkfifo(object),
            _ => fs::create_dir(object).expect("a folder"),
        }
        let said = gannet.run(&["cat", "large.bin"]);
        assert_ne!(said.code, Some(0), "{said:#?}");
        let expected = format!("{obstacle} is in the way, where a plain file belongs");
        assert!(said.err.contains(&expected), "{said:#?}");
    }
}

#[test]
fn what_is_in_the_place_of_a_part_is_named_with_what_to_do() {
    for (part, is_folder) in [
        ("published", false),
        ("log", false),
        ("gannet.db-wal", true),
    ] {
        let gannet = one_source();
        let path = gannet.data().join(part);
        if path.exists() {
            fs::rename(&path, gannet.path("away")).expect("moved");
        }
        if is_folder {
            fs::create_dir_all(path.join("in it")).expect("a folder");
        } else {
            fs::write(&path, "mine").expect("a file");
        }
        let said = gannet.run(&["fetch", "b.txt"]);
        assert!(matches!(said.code, Some(1 | 3)), "{part}: {said:#?}");
        let line = said.err.lines().find(|line| line.contains(part));
        let line = line.unwrap_or_else(|| panic!("{part}: {said:#?}"));
        assert!(line.contains("is in the way"), "{part}: {said:#?}");
        assert!(
            said.err.contains("move it away and run again"),
            "{part}: {said:#?}"
        );
        assert!(!said.err.contains("os error"), "{part}: {said:#?}");
    }
}
