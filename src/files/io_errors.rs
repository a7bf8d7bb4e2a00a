//! Explains I/O errors to an operator: what this machine lacks, where, and what helps.
//!
//! Never names the attempted operation; the caller does.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::obstacle::where_a_folder_belongs;

/// Explains an error at `path` to an operator, without naming the path itself.
pub fn explain_io_error(error: &io::Error, path: &Path) -> String {
    let Some(number) = number_of(error) else {
        return error.to_string();
    };
    match Errno::from_raw_os_error(number) {
        Errno::NOSPC => {
            let place = mount_of(path);
            format!("no room left on the file system at {place}: make room there")
        }
        Errno::DQUOT => format!(
            "the quota of this account is used up on the file system at {}: make room there, or raise the quota",
            mount_of(path)
        ),
        Errno::ROFS => format!(
            "the file system at {} is mounted read-only: mount it writable",
            read_only_mount_of(path)
        ),
        Errno::ACCESS => format!(
            "this account (uid {}) has no permission: look at owner and mode of it and of its folders",
            rustix::process::geteuid().as_raw()
        ),
        Errno::FBIG => match file_size_limit() {
            Some(why) => why,
            None => "the file system takes no file of that size".to_owned(),
        },
        Errno::NOTDIR | Errno::EXIST => in_the_way(path).unwrap_or_else(|| words_of(number)),
        _ => exhausted_resource(error).map_or_else(|| words_of(number), str::to_owned),
    }
}

/// Returns the system's words for an error, without the number.
fn words_of(number: i32) -> String {
    let words = io::Error::from_raw_os_error(number).to_string();
    words.replace(&format!(" (os error {number})"), "")
}

/// Explains that this process may make files up to a size only; `None` if any size is allowed.
pub fn file_size_limit() -> Option<String> {
    let most = getrlimit(Resource::Fsize).current?;
    Some(format!(
        "this process may make no file larger than {most} bytes: raise its limit (`ulimit -f`, LimitFSIZE= of a service)"
    ))
}

/// Explains which resource of the process or the machine is exhausted; `None` for other errors.
pub fn exhausted_resource(error: &io::Error) -> Option<&'static str> {
    Some(match Errno::from_raw_os_error(number_of(error)?) {
        Errno::MFILE => {
            "this process has as many files open as it may: raise its limit (`ulimit -n`, LimitNOFILE= of a service)"
        }
        Errno::NFILE => "this machine has as many files open as it can: raise fs.file-max",
        Errno::NOMEM | Errno::NOBUFS => "this machine has no memory left: free some",
        _ => return None,
    })
}

/// Returns whether the error will affect every other file: the disk is full, failing or read-only, or a resource is
/// exhausted.
pub fn concerns_every_file(error: &io::Error) -> bool {
    let number = number_of(error).map(Errno::from_raw_os_error);
    let is_of_disk = matches!(
        number,
        Some(Errno::NOSPC | Errno::DQUOT | Errno::ROFS | Errno::IO)
    );
    is_of_disk || exhausted_resource(error).is_some()
}

/// Names the obstacle at a path, or above it, in the place of a folder; `None` when there is none.
fn in_the_way(path: &Path) -> Option<String> {
    let is_there = |path: &&Path| path.symlink_metadata().is_ok();
    let obstacle = path.ancestors().find(is_there)?;
    let error = where_a_folder_belongs(obstacle)?;
    Some(format!("{}: {error}", obstacle.display()))
}

/// Returns the system's error number. Libraries that add the path to an error leave the number in its text only.
fn number_of(error: &io::Error) -> Option<i32> {
    error.raw_os_error().or_else(|| {
        let words = error.to_string();
        let (_, behind) = words.split_once("(os error ")?;
        behind.split_once(')')?.0.parse().ok()
    })
}

/// Returns where the file system of a path is mounted.
fn mount_of(path: &Path) -> String {
    top_while(path, |one, parent| {
        let device = |path: &Path| path.metadata().map(|found| found.dev()).ok();
        device(one) == device(parent)
    })
}

/// Returns the start of the read-only mount of a path, which may be part of a file system that is writable elsewhere.
fn read_only_mount_of(path: &Path) -> String {
    let is_read_only = |path: &Path| {
        statvfs(path).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
    };
    top_while(path, |_, parent| is_read_only(parent))
}

/// Returns the highest folder above a path up to which each step is `alike`.
fn top_while(path: &Path, alike: impl Fn(&Path, &Path) -> bool) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let is_there = |path: &&Path| path.symlink_metadata().is_ok();
    let mut top: PathBuf = absolute
        .ancestors()
        .find(is_there)
        .unwrap_or(Path::new("/"))
        .to_owned();
    while let Some(parent) = top.parent().filter(|parent| alike(&top, parent)) {
        top = parent.to_owned();
    }
    top.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_lacks_is_said_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("one/two");
        for (number, words, concerns_all) in [
            (28, "no room left on the file system at /", true),
            (
                122,
                "the quota of this account is used up on the file system at /",
                true,
            ),
            (30, "is mounted read-only: mount it writable", true),
            (13, "has no permission: look at owner and mode", false),
            (24, "this process has as many files open as it may", true),
            (27, "the file system takes no file of that size", false),
            (23, "this machine has as many files open as it can", true),
            (12, "this machine has no memory left", true),
            (5, "Input/output error", true),
            (2, "No such file or directory", false),
        ] {
            let plain = io::Error::from_raw_os_error(number);
            // In the form of the library that makes temporary files.
            let wrapped =
                io::Error::new(plain.kind(), Wrapped(io::Error::from_raw_os_error(number)));
            for error in [plain, wrapped] {
                let said = explain_io_error(&error, &path);
                assert!(said.contains(words), "{number}: {said}");
                assert!(!said.contains("os error"), "{number}: {said}");
                assert!(!said.contains("at path"), "{number}: {said}");
                assert_eq!(concerns_every_file(&error), concerns_all, "{number}");
            }
        }
        let own = io::Error::other("of a program's own");
        assert_eq!(explain_io_error(&own, &path), "of a program's own");
        assert!(!concerns_every_file(&own));
    }

    #[derive(Debug, thiserror::Error)]
    #[error("{0} at path \"/somewhere\"")]
    struct Wrapped(io::Error);
}
