//! Runs a program over one version and reads its exit as a judgement.
//!
//! Never lets the program near the archive: it gets a copy, a fresh folder and a scrubbed environment.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;

use tokio::process::Command;

use super::Facts;
use super::child::{self, Limits, Run};
use super::output;
use super::work_folder::WorkFolder;
use crate::domain::{Content, Judgement, VerdictOutcome};

/// Stands for the copy's path in an argument.
const PATH_PLACE: &str = "{path}";
/// Where the program finds what it calls by name. It is fixed, so that a verdict does not depend on the shell that
/// gannet was started from; the program itself was found when the configuration was read.
const SAFE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program as the configuration defines it.
#[derive(Clone, Copy)]
pub(super) struct Program<'a> {
    pub(super) argv: &'a [String],
    pub(super) stdin: bool,
    pub(super) failed: &'a [i32],
}

/// Runs the program over the content.
pub(super) async fn judge(
    program: Program<'_>,
    content: &Content,
    facts: &Facts,
    work_dir: &Path,
    limits: Limits,
) -> Judgement {
    let Some((name, arguments)) = program.argv.split_first() else {
        return cannot("the command is empty");
    };
    let folder = match make_folder(work_dir, facts, content).await {
        Ok(folder) => folder,
        Err(error) => {
            return cannot(&format!(
                "cannot make a working folder in {}: {error}",
                work_dir.display()
            ));
        }
    };
    let mut command = Command::new(name);
    command
        .args(
            arguments
                .iter()
                .map(|argument| with_path(argument, folder.copy())),
        )
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", SAFE_PATH)
        .env("LANG", "C.UTF-8")
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("GANNET_PATH", folder.copy())
        .envs(facts.variables());
    let run = child::run(command, program.stdin.then_some(content), limits).await;
    match run {
        Ok(run) => read(&run, program.failed, limits),
        Err(error) => cannot(&format!("cannot start {name}: {error}")),
    }
}

async fn make_folder(work_dir: &Path, facts: &Facts, content: &Content) -> io::Result<WorkFolder> {
    let (parent, name, content) = (work_dir.to_owned(), facts.name.clone(), content.clone());
    let make = move || WorkFolder::new(&parent, &name, &content);
    tokio::task::spawn_blocking(make)
        .await
        .map_err(io::Error::other)?
}

/// Puts the path in place of every `{path}`.
fn with_path(argument: &str, path: &Path) -> OsString {
    let parts: Vec<&[u8]> = argument.split(PATH_PLACE).map(str::as_bytes).collect();
    OsString::from_vec(parts.join(path.as_os_str().as_bytes()))
}

fn cannot(why: &str) -> Judgement {
    Judgement {
        outcome: VerdictOutcome::Error,
        detail: format!("could not judge: {why}"),
        exit_code: None,
        output: String::new(),
    }
}

/// Reads the end of a run: 0 is passed, the codes in `failed` are failed, anything else could not judge.
fn read(run: &Run, failed: &[i32], limits: Limits) -> Judgement {
    let said = output::last_line(&run.stdout, &run.stderr);
    let exit_code = run.status.and_then(|status| status.code());
    let (outcome, detail) = match (run.status, exit_code, &run.input) {
        (None, ..) => (
            VerdictOutcome::Error,
            format!("could not judge: timed out after {:?}", limits.timeout),
        ),
        (Some(_), _, Err(error)) => (
            VerdictOutcome::Error,
            format!("could not judge: cannot read the content for its stdin: {error}"),
        ),
        (_, Some(0), _) => (
            VerdictOutcome::Passed,
            said.unwrap_or_else(|| "exit code 0".to_owned()),
        ),
        (_, Some(code), _) if failed.contains(&code) => (
            VerdictOutcome::Failed,
            said.unwrap_or_else(|| format!("exit code {code}")),
        ),
        (Some(status), ..) => {
            let said = said.map(|said| format!(": {said}")).unwrap_or_default();
            (
                VerdictOutcome::Error,
                format!("could not judge: {}{said}", ending(status)),
            )
        }
    };
    let output = output::joined(&run.stdout, &run.stderr);
    Judgement {
        outcome,
        detail,
        exit_code,
        output,
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_gets_the_path() {
        let path = Path::new("/w/-a b");
        for (argument, expected) in [
            ("{path}", "/w/-a b"),
            ("--in={path}:{path}", "--in=/w/-a b:/w/-a b"),
            ("{ path}", "{ path}"),
            ("", ""),
        ] {
            assert_eq!(with_path(argument, path), expected, "{argument}");
        }
    }
}
