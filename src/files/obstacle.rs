//! Names an obstacle in the place of a file or a folder that gannet makes: a link, a FIFO, a folder.
//!
//! Never waits for the other end of a FIFO, and never writes through a link.

use std::fs::{self, File, FileType, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a plain file. Fails with an explanation for a link or anything else but a plain file. Overrides the custom
/// flags of `options`.
pub fn open_plain(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open_as_plain(options, OFlags::NOFOLLOW | OFlags::NONBLOCK, path, |path| {
        fs::symlink_metadata(path)
    })
}

/// Opens a plain file for reading, through a link too. Fails at once, with an explanation, for a FIFO or a folder.
pub fn read_plain(path: &Path) -> io::Result<File> {
    let options = &mut File::options();
    open_as_plain(options.read(true), OFlags::NONBLOCK, path, |path| {
        fs::metadata(path)
    })
}

fn open_as_plain(
    options: &mut OpenOptions,
    flags: OFlags,
    path: &Path,
    look: fn(&Path) -> io::Result<fs::Metadata>,
) -> io::Result<File> {
    let opened = options.custom_flags(flags.bits().cast_signed()).open(path);
    let found = match &opened {
        Ok(file) => file.metadata(),
        // The obstacle may be why the open failed.
        Err(_) => look(path),
    };
    match found {
        Ok(found) if !found.is_file() => Err(in_the_way(found.file_type(), "a plain file")),
        _ => opened,
    }
}

/// Fails with an explanation when anything but a folder is at `path`, a link included; succeeds when nothing is there.
pub fn refuse_all_but_folder(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_dir() => Err(in_the_way(found.file_type(), "a folder")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Fails with an explanation when anything but a plain file is at `path`; succeeds when nothing is there.
pub fn refuse_all_but_file(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Err(in_the_way(found.file_type(), "a plain file")),
        _ => Ok(()),
    }
}

/// Explains which obstacle at `path` kept a folder from being made; `None` when there is none.
pub(super) fn where_a_folder_belongs(path: &Path) -> Option<io::Error> {
    let found = fs::symlink_metadata(path).ok()?;
    (!found.is_dir()).then(|| in_the_way(found.file_type(), "a folder"))
}

fn in_the_way(found: FileType, belongs: &str) -> io::Error {
    let obstacle = match found {
        found if found.is_symlink() => "a link",
        found if found.is_dir() => "a folder",
        found if found.is_file() => "a file",
        found if found.is_fifo() => "a FIFO",
        found if found.is_socket() => "a socket",
        _ => "a device",
    };
    let message =
        format!("{obstacle} is in the way, where {belongs} belongs: move it away and run again");
    io::Error::other(message)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, FileType as Kind, Mode, mknodat};

    use super::*;

    fn fifo(path: &Path) {
        mknodat(CWD, path, Kind::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
    }

    #[test]
    fn what_is_no_plain_file_is_named_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("plain"), "precious").expect("a file");
        symlink(at("plain"), at("link")).expect("a link");
        symlink(at("nowhere"), at("dangling")).expect("a link");
        fs::create_dir(at("folder")).expect("a folder");
        fifo(&at("fifo"));
        let _socket = UnixListener::bind(at("socket")).expect("a socket");
        for (name, obstacle) in [
            ("link", Some("a link")),
            ("dangling", Some("a link")),
            ("folder", Some("a folder")),
            ("fifo", Some("a FIFO")),
            ("socket", Some("a socket")),
            ("plain", None),
            ("new", None),
        ] {
            let mut options = File::options();
            let opened = open_plain(options.create(true).append(true).read(true), &at(name));
            let said = opened.err().map(|error| error.to_string());
            let expected = obstacle.map(|one| {
                format!(
                    "{one} is in the way, where a plain file belongs: move it away and run again"
                )
            });
            assert_eq!(said, expected, "{name}");
            let is_readable = matches!(name, "plain" | "new" | "link");
            assert_eq!(read_plain(&at(name)).is_ok(), is_readable, "{name}");
        }
        assert!(!at("nowhere").exists());
        assert_eq!(fs::read(at("plain")).expect("a file"), b"precious");
    }

    #[test]
    fn what_is_no_folder_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        symlink(folder.path(), at("link")).expect("a link");
        fs::write(at("file"), "").expect("a file");
        fs::create_dir(at("folder")).expect("a folder");
        fifo(&at("fifo"));
        for (name, obstacle) in [
            ("link", Some("a link is in the way")),
            ("file", Some("a file is in the way")),
            ("fifo", Some("a FIFO is in the way")),
            ("folder", None),
            ("none", None),
        ] {
            let said = refuse_all_but_folder(&at(name))
                .err()
                .map(|error| error.to_string());
            assert_eq!(said.is_some(), obstacle.is_some(), "{name}");
            let said = said.unwrap_or_default();
            assert!(said.starts_with(obstacle.unwrap_or_default()), "{said}");
        }
    }
}
