//! Runs a program over one version, or over the files of a set, and turns its exit into a judgement.
//!
//! The program gets a copy, a fresh folder and a scrubbed environment, so it has no need to touch the archive. Nothing
//! prevents that: the program runs as the same account, in a folder below the data folder's `tmp/`. A verifier is
//! trusted.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

use rustix::process::Signal;
use tokio::process::Command;

use super::disk_quota::Overrun;
use super::judged_input::JudgedInput;
use super::output;
use super::process::{self, FinishedRun, RunEnd, RunLimits};
use super::work_folder::WorkFolder;
use crate::config::{PROGRAM_PATH, ResourceLimits, program_problem};
use crate::domain::{Content, Judgement, VerdictOutcome, duration_words, format_size};
use crate::files::explain_io_error;

/// Placeholder in an argument for the path of the copy, or of the folder with the copies of a set.
const PATH_PLACE: &[u8] = b"{path}";
/// Placeholder for the path of a set's manifest.
const MANIFEST_PLACE: &[u8] = b"{manifest}";
/// A shell exits with this plus the number of the signal that killed its last command.
const SHELL_KILLED: i32 = 128;

/// A program as the configuration defines it.
#[derive(Clone, Copy)]
pub(super) struct Program<'a> {
    pub(super) argv: &'a [String],
    pub(super) stdin: bool,
    pub(super) failed: &'a [i32],
}

/// Runs the program over the input, and returns its judgement.
pub(super) async fn judge(
    program: Program<'_>,
    input: JudgedInput<'_>,
    work_dir: &Path,
    limits: RunLimits,
) -> Judgement {
    let folder = match input.lay_out(work_dir).await {
        Ok(folder) => folder,
        Err(error) => {
            return Judgement::error(&format!(
                "cannot make a working folder in {}: {}",
                work_dir.display(),
                explain_io_error(&error, work_dir)
            ));
        }
    };
    let Some(mut command) = command_in(&folder, program.argv) else {
        return Judgement::error("the command is empty");
    };
    command.envs(input.variables());
    let input = input.stdin().filter(|_| program.stdin);
    match run_in(folder, command, input, limits).await {
        Ok(run) => read(&run, program.failed, limits),
        Err(error) => Judgement::error(&cannot_start(program.argv, &error, work_dir)),
    }
}

/// Builds the command with its placeholders filled in, to run in the folder with a scrubbed environment. `None` when
/// `argv` is empty.
pub(super) fn command_in(folder: &WorkFolder, argv: &[String]) -> Option<Command> {
    let (name, arguments) = argv.split_first()?;
    let mut command = Command::new(name);
    command
        .args(arguments.iter().map(|argument| fill_in(argument, folder)))
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", PROGRAM_PATH)
        .env("LANG", "C.UTF-8")
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("GANNET_PATH", folder.copy());
    if let Some(manifest) = folder.manifest() {
        command.env("GANNET_MANIFEST", manifest);
    }
    Some(command)
}

/// Runs the command to its end, then removes its folder.
pub(super) async fn run_in(
    folder: WorkFolder,
    command: Command,
    input: Option<&Content>,
    limits: RunLimits,
) -> io::Result<FinishedRun> {
    let run = process::run(command, input, &folder, limits).await;
    // Removal may take long, so it blocks another thread. An error means that the runtime is shutting down and has
    // removed the folder.
    let _ = tokio::task::spawn_blocking(move || drop(folder)).await;
    run
}

/// Explains why a program did not start; for a bare name, also which folders were searched.
pub(super) fn cannot_start(argv: &[String], error: &io::Error, work_dir: &Path) -> String {
    let is_sought = error.kind() == io::ErrorKind::NotFound && !argv[0].contains('/');
    let problem = is_sought.then(|| program_problem(argv)).flatten();
    problem.unwrap_or_else(|| {
        format!(
            "cannot start {}: {}",
            argv[0],
            explain_io_error(error, work_dir)
        )
    })
}

/// Replaces every `{path}`, and every `{manifest}` when there is a manifest.
fn fill_in(argument: &str, folder: &WorkFolder) -> OsString {
    let mut places = vec![(PATH_PLACE, folder.copy())];
    places.extend(folder.manifest().map(|manifest| (MANIFEST_PLACE, manifest)));
    OsString::from_vec(with_paths(argument.as_bytes(), &places))
}

/// Replaces each placeholder with its path.
fn with_paths(argument: &[u8], places: &[(&[u8], &Path)]) -> Vec<u8> {
    let mut filled = Vec::with_capacity(argument.len());
    let mut rest = argument;
    while let Some((first, others)) = rest.split_first() {
        let found = places
            .iter()
            .find_map(|(place, path)| Some((rest.strip_prefix(*place)?, path)));
        if let Some((after, path)) = found {
            filled.extend(path.as_os_str().as_bytes());
            rest = after;
        } else {
            filled.push(*first);
            rest = others;
        }
    }
    filled
}

/// Judges a finished run: exit code 0 passes, the codes in `failed` fail, any other end is an error.
fn read(run: &FinishedRun, failed: &[i32], limits: RunLimits) -> Judgement {
    let passed = || output::last_line(&run.stdout, &run.stderr);
    let said = output::significant_line(&run.stdout, &run.stderr);
    let exit_code = match run.end {
        RunEnd::Exited(status) => status.code(),
        RunEnd::TimedOut | RunEnd::Overrun(_) => None,
    };
    let (outcome, detail) = match (&run.end, exit_code, &run.input) {
        (RunEnd::Exited(_), _, Err(error)) => {
            could_not(&format!("cannot read the content for its stdin: {error}"))
        }
        (_, Some(0), _) => (
            VerdictOutcome::Passed,
            passed().unwrap_or_else(|| "exit code 0".to_owned()),
        ),
        (_, Some(code), _) if failed.contains(&code) => (
            VerdictOutcome::Failed,
            said.unwrap_or_else(|| format!("exit code {code}")),
        ),
        (RunEnd::Exited(status), ..) => {
            let said = said.map(|said| format!(": {said}")).unwrap_or_default();
            could_not(&format!("{}{said}", ending(*status, limits.resources)))
        }
        (RunEnd::TimedOut, ..) => could_not(&format!(
            "timed out after {}",
            duration_words(limits.timeout)
        )),
        (RunEnd::Overrun(overrun), ..) => could_not(&overrunning(overrun, limits.resources)),
    };
    let output = output::joined(&run.stdout, &run.stderr);
    Judgement {
        outcome,
        detail,
        exit_code,
        output,
    }
}

fn could_not(why: &str) -> (VerdictOutcome, String) {
    let judgement = Judgement::error(why);
    (judgement.outcome, judgement.detail)
}

pub(super) fn overrunning(overrun: &Overrun, limits: ResourceLimits) -> String {
    match overrun {
        Overrun::TooMuch => format!(
            "its working folder grew beyond {} (limits.folder)",
            format_size(limits.folder_bytes)
        ),
        Overrun::Unmeasured(error) => {
            format!("its working folder cannot be measured (limits.folder): {error}")
        }
    }
}

/// Describes an exit that is no verdict, and names the limit that caused it, if one did.
pub(super) fn ending(status: ExitStatus, limits: ResourceLimits) -> String {
    // A shell whose last command was killed exits with this code.
    let in_shell = status.code().map(|code| code - SHELL_KILLED);
    let signal = status
        .signal()
        .or(in_shell)
        .and_then(Signal::from_named_raw);
    let plain = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    };
    match (signal, limits.cpu) {
        (Some(Signal::XCPU), Some(cpu)) => {
            format!("used more than {} of CPU (limits.cpu)", duration_words(cpu))
        }
        (Some(Signal::XFSZ), _) => format!(
            "wrote a file of more than {} (limits.file_size)",
            format_size(limits.file_size_bytes)
        ),
        (Some(Signal::KILL), Some(cpu)) => {
            format!(
                "{plain}, as after {} of CPU (limits.cpu)",
                duration_words(cpu)
            )
        }
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_gets_its_path() {
        let places = [
            (PATH_PLACE, Path::new("/w/-a {manifest}")),
            (MANIFEST_PLACE, Path::new("/w/m")),
        ];
        for (argument, expected) in [
            ("{path}", "/w/-a {manifest}"),
            ("--in={path}:{manifest}", "--in=/w/-a {manifest}:/w/m"),
            ("{ path}{pa{manifest}", "{ path}{pa/w/m"),
            ("", ""),
        ] {
            let filled = with_paths(argument.as_bytes(), &places);
            assert_eq!(String::from_utf8_lossy(&filled), expected, "{argument}");
        }
        assert_eq!(with_paths(b"{manifest}", &places[..1]), b"{manifest}");
    }
}
