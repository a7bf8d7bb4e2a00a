//! The programs of verifiers and notifiers: finds them, and explains why one cannot run. Never starts a program.

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::document::Section;
use super::environment::is_executable;
use super::interpreter::{PROGRAM_PATH, interpreter_problem, missing_for_env};
use super::paths::Paths;
use super::{Environment, program_search};
use crate::domain::io_words;

/// Returns the `command` of a section: the absolute path of the program, and its arguments.
pub(super) fn read_argv(
    section: &Section<'_>,
    command: &[Spanned<String>],
    paths: Paths<'_>,
) -> Option<Vec<String>> {
    let key = section.path("command");
    let Some((program, arguments)) = command.split_first() else {
        let message = format!(
            r#"`{key}`: empty; give a program and its arguments, such as ["check-prices", "{{path}}"]"#
        );
        section.problem("command", message);
        return None;
    };
    let program = find_program(section, program, paths)?;
    let mut arguments = arguments.iter();
    if let Some(argument) = arguments.clone().find(|text| text.get_ref().contains('\0')) {
        let message = format!("`{key}`: an argument cannot hold a NUL");
        section.problem_at(&argument.span(), message);
        return None;
    }
    let mut argv = vec![program];
    argv.extend(arguments.by_ref().map(|text| text.get_ref().clone()));
    Some(argv)
}

/// Returns the absolute path of a program: in the folders of [`PROGRAM_PATH`] if its name has no slash, else relative
/// to the configuration file's folder. A missing program does not make the configuration unusable: its verifier cannot
/// judge until it exists ([`program_problem`]). A bare name that is not found is returned unchanged.
fn find_program(
    section: &Section<'_>,
    program: &Spanned<String>,
    paths: Paths<'_>,
) -> Option<String> {
    let name = program.get_ref().as_str();
    let found: Result<PathBuf, String> = if name.is_empty() || name.contains('\0') {
        Err("not a program's name".to_owned())
    } else if name.contains('/') {
        paths.resolve_for_all(name)
    } else {
        Ok(program_search::find(name).unwrap_or_else(|| PathBuf::from(name)))
    };
    let text = found.and_then(|path| {
        path.into_os_string()
            .into_string()
            .map_err(|_| "its path is not UTF-8".to_owned())
    });
    text.map_err(|why| {
        let message = format!("`{}`: cannot use the program `{}`: {why}; give an executable file's path, or its name when it lies in {PROGRAM_PATH}", section.path("command"), name.escape_debug());
        section.problem_at(&program.span(), message);
    })
    .ok()
}

/// Returns why a program cannot run at present; for a script, also why its interpreter cannot.
pub fn program_problem(argv: &[String]) -> Option<String> {
    const GIVE: &str = "; give the whole path of an executable file";
    let (program, arguments) = argv.split_first()?;
    let path = Path::new(program);
    let (why, advice) = if !program.contains('/') {
        let why = program_search::not_found(program, &Environment::of_process());
        (why, "")
    } else if let Err(error) = path.metadata() {
        (io_words(&error), GIVE)
    } else if !is_executable(path) {
        ("not an executable file".to_owned(), GIVE)
    } else {
        let arguments = arguments.iter().map(String::as_str);
        let why = interpreter_problem(path).or_else(|| missing_for_env(path, arguments));
        (why?, "")
    };
    let program = program.escape_debug();
    Some(format!("cannot use the program `{program}`: {why}{advice}"))
}
