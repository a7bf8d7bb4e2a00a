//! Checks the interpreter in the first line of a script (`#!`). Never starts a program.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::environment::is_executable;

/// The `PATH` of every program that gannet starts. It is fixed, so that a verdict does not depend on the shell that
/// gannet was started from. The program itself was found when the configuration was read.
pub const PROGRAM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The number of bytes of a script in which Linux looks for its interpreter (`BINPRM_BUF_SIZE`).
const MAX_SHEBANG_BYTES: u64 = 256;

/// Returns why the interpreter of a script cannot run; `None` if it can, or if the program is no script.
pub(super) fn interpreter_problem(script: &Path) -> Option<String> {
    let mut head = Vec::new();
    let file = File::open(script).ok()?;
    file.take(MAX_SHEBANG_BYTES).read_to_end(&mut head).ok()?;
    let line = head
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    let line = String::from_utf8_lossy(line);
    if line.ends_with('\r') {
        return Some(
            "its first line ends with a carriage return, which counts as part of the interpreter's name; save it with the line ends of Unix"
                .to_owned(),
        );
    }
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let interpreter = words.next()?;
    let path = Path::new(interpreter);
    let shown = interpreter.escape_debug();
    if !path.is_absolute() {
        return Some(format!("its interpreter `{shown}` is no absolute path"));
    }
    if !is_executable(path) {
        let state = if path.exists() {
            "no executable file"
        } else {
            "not there"
        };
        return Some(format!("its interpreter `{shown}` is {state}"));
    }
    missing_for_env(path, words)
}

/// Returns the program that `env` would not find, given its path and arguments; `None` if `program` is not `env`.
pub(super) fn missing_for_env<'a>(
    program: &Path,
    arguments: impl Iterator<Item = &'a str>,
) -> Option<String> {
    if program.file_name()? != "env" {
        return None;
    }
    let mut arguments =
        arguments.skip_while(|argument| *argument == "-S" || argument.contains('='));
    // Other options may change the search path.
    let sought = arguments.next().filter(|name| !name.starts_with('-'))?;
    let is_there = if sought.contains('/') {
        is_executable(Path::new(sought))
    } else {
        std::env::split_paths(PROGRAM_PATH).any(|folder| is_executable(&folder.join(sought)))
    };
    (!is_there).then(|| {
        format!(
            "`{}`, which it has `env` look for, is not found in {PROGRAM_PATH}",
            sought.escape_debug()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_of_a_script_is_looked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("script");
        for (head, words) in [
            ("#!/bin/sh\nexit 0\n", None),
            ("#! /bin/sh -e\n", None),
            ("#!/bin/sh", None),
            ("\u{7f}ELF", None),
            ("exit 0\n", None),
            ("", None),
            ("#!\n", None),
            ("#!/usr/bin/env sh\n", None),
            ("#!/usr/bin/env -S sh -e\n", None),
            ("#!/usr/bin/env -S A=1 sh\n", None),
            ("#!/usr/bin/env -i sh\n", None),
            ("#!/usr/bin/env /bin/sh\n", None),
            (
                "#!/nope/python3 -u\n",
                Some("its interpreter `/nope/python3` is not there"),
            ),
            (
                "#!/tmp\n",
                Some("its interpreter `/tmp` is no executable file"),
            ),
            (
                "#!python3\n",
                Some("its interpreter `python3` is no absolute path"),
            ),
            (
                "#!/bin/sh\r\nexit 0\r\n",
                Some("its first line ends with a carriage return"),
            ),
            (
                "#!/usr/bin/env nope-python3\n",
                Some(
                    "`nope-python3`, which it has `env` look for, is not found in /usr/local/sbin:",
                ),
            ),
            (
                "#!/usr/bin/env\tnope-python3 \n",
                Some("`nope-python3`, which"),
            ),
            (
                "#!/usr/bin/env -S nope-python3 -u\n",
                Some("`nope-python3`, which"),
            ),
            (
                "#!/usr/bin/env -S A=1 nope-python3\n",
                Some("`nope-python3`, which"),
            ),
            (
                "#!/usr/bin/env /nope/python3\n",
                Some("`/nope/python3`, which"),
            ),
        ] {
            std::fs::write(&script, head).expect("a file");
            let found = interpreter_problem(&script);
            match (&found, words) {
                (Some(found), Some(words)) => {
                    assert!(found.starts_with(words), "{head:?}: {found}");
                }
                (found, words) => {
                    assert_eq!(found.is_some(), words.is_some(), "{head:?}: {found:?}");
                }
            }
        }
    }
}
