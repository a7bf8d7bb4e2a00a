//! What git makes of the same versions: its pack after `git gc`.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Commits the versions in turn, runs `git gc` and returns the size of `.git/objects`.
pub(crate) fn pack(folder: &Path, versions: &[std::path::PathBuf]) -> io::Result<u64> {
    let git = |arguments: &[&str]| -> io::Result<Command> {
        let mut command = Command::new("git");
        command.arg("-C").arg(folder).args(arguments);
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        Ok(command)
    };
    fs::create_dir(folder)?;
    expect_success(git(&["init", "-q"])?.status()?)?;
    let mut import = git(&["fast-import", "--quiet"])?
        .stdin(Stdio::piped())
        .spawn()?;
    let mut stream = BufWriter::new(import.stdin.take().expect("stdin is a pipe"));
    for (ordinal, version) in versions.iter().enumerate() {
        let content = fs::read(version)?;
        let seconds = 1_700_000_000 + ordinal * 3_600;
        write!(
            stream,
            "commit refs/heads/main\ncommitter a <a@b> {seconds} +0000\ndata 1\nv\nM 100644 inline data\ndata {}\n",
            content.len()
        )?;
        stream.write_all(&content)?;
        stream.write_all(b"\n")?;
    }
    stream.flush()?;
    drop(stream);
    expect_success(import.wait()?)?;
    // What fast-import packs on the way is delta-coded against the last blob only: gc has to look anew, as it does
    // for commits that were made one by one.
    expect_success(git(&["repack", "-a", "-d", "-F", "-q"])?.status()?)?;
    expect_success(git(&["gc", "-q"])?.status()?)?;
    size_of(&folder.join(".git/objects"))
}

fn expect_success(status: std::process::ExitStatus) -> io::Result<()> {
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("git failed: {status}")))
    }
}

/// Returns the length of all files below `folder`.
pub(crate) fn size_of(folder: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        total += if entry.file_type()?.is_dir() {
            size_of(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(total)
}
