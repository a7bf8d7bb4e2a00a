//! Reads `[[verifier]]`: names, selections, programs and built-in rules. Never starts a program.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::builtin;
use super::document::{Field, Section};
use super::duration::{parse_duration, parse_long_duration};
use super::environment::is_executable;
use super::interpreter::{interpreter_problem, sought_by_env};
use super::limits;
use super::paths::Paths;
use super::{Builtin, VerifierConfig, VerifierKind};
use crate::domain::{Pattern, Scope, Template, Weight, safe_part};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_DEADLINE: Duration = Duration::from_hours(24);
const DEFAULT_FAILED: i32 = 1;
/// What says which kind of verifier it is: just one of them.
const KINDS: [&str; 4] = ["command", "builtin", "http", "external"];
/// Keys that only a command takes, and so on; those of built-in rules are read beside.
const COMMAND_KEYS: [&str; 3] = ["stdin", "failed", "limits"];
const HTTP_KEYS: [&str; 2] = ["secret", "deadline"];
const EXTERNAL_KEYS: [&str; 1] = ["deadline"];

/// Reads every `[[verifier]]`; those with problems, which are noted, are left out.
pub(super) fn read(sections: Vec<Section<'_>>, paths: Paths<'_>) -> Vec<VerifierConfig> {
    let mut lines = HashMap::new();
    let mut verifiers = Vec::new();
    for mut section in sections {
        let name = read_name(&mut section, "verifier", &mut lines);
        let sources = read_sources(&mut section);
        let kind = read_kind(&mut section, paths);
        let weight = match section.switch("advisory") {
            Some(true) => Weight::Advisory,
            Some(false) | None => Weight::Required,
        };
        let scope = read_scope(&mut section, sources.as_deref());
        let kind = kind.filter(|kind| may_judge(&section, kind, scope.as_ref()));
        let timeout = section.parsed("timeout", parse_duration);
        section.finish();
        if let (Some(name), Some(sources), Some(kind), Some(scope)) = (name, sources, kind, scope) {
            let timeout = timeout.map_or(DEFAULT_TIMEOUT, |field| field.value);
            verifiers.push(VerifierConfig {
                name,
                sources,
                kind,
                weight,
                scope,
                timeout,
            });
        }
    }
    verifiers
}

/// `noun`: what it is the name of. `lines`: where each name was first given.
pub(super) fn read_name(
    section: &mut Section<'_>,
    noun: &str,
    lines: &mut HashMap<String, usize>,
) -> Option<String> {
    let key = section.path("name");
    if !section.has("name") {
        section.problem(
            section.span(),
            format!("`{key}`: missing; every {noun} needs a name"),
        );
    }
    let name = section.parsed("name", |text| {
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
            return Err(format!(
                "`{}` is not a name: give letters, digits, `-`, `_` and `.`, at most 64 bytes",
                text.escape_debug()
            ));
        }
        Ok(text.to_owned())
    })?;
    let line = section.line(&name.span);
    if let Some(first) = lines.get(&name.value) {
        let message = format!(
            "`{key}`: `{}` is the name of the {noun} on line {first} already",
            name.value
        );
        section.problem(&name.span, message);
        return None;
    }
    lines.insert(name.value.clone(), line);
    Some(name.value)
}

pub(super) fn read_sources(section: &mut Section<'_>) -> Option<Vec<Pattern>> {
    const ACCEPTED: &str = r#"give tags and globs on names or addresses, such as ["tag:prices", "https://example.org/*.json"]"#;
    let key = section.path("sources");
    if !section.has("sources") {
        section.problem(section.span(), format!("`{key}`: missing; {ACCEPTED}"));
    }
    let patterns = section.texts("sources")?;
    if patterns.value.is_empty() {
        section.problem(
            &patterns.span,
            format!("`{key}`: selects nothing; {ACCEPTED}"),
        );
        return None;
    }
    let read = |pattern: &Field<&str>| match pattern.value.parse::<Pattern>() {
        Ok(read) => Some(read),
        Err(message) => {
            section.problem(&pattern.span, format!("`{key}`: {message}"));
            None
        }
    };
    // Every pattern is read, so that every bad one is told.
    let read: Vec<_> = patterns.value.iter().map(read).collect();
    read.into_iter().collect()
}

/// Reads `scope`; nothing when what is said cannot be.
fn read_scope(section: &mut Section<'_>, sources: Option<&[Pattern]>) -> Option<Scope> {
    const ONE_TAG: &str = r#"`verifier.sources`: a set is all sources of one tag; give just that, such as ["tag:release"]"#;
    let said = section.has("scope");
    let is_set = section.parsed("scope", |text| match text {
        "source" => Ok(false),
        "set" => Ok(true),
        other => Err(format!(
            "`{}` is not a scope: expected source or set",
            other.escape_debug()
        )),
    });
    match is_set {
        None => (!said).then(Scope::default),
        Some(Field { value: false, .. }) => Some(Scope::Source),
        Some(Field { value: true, span }) => {
            let tag = match sources? {
                [pattern] => pattern.tag(),
                _ => None,
            };
            let Some(tag) = tag else {
                section.problem(&span, ONE_TAG);
                return None;
            };
            if safe_part(tag).as_deref() != Some(tag) {
                let message = format!(
                    "`verifier.sources`: the set `{}` cannot have a folder of its name; give a tag without separators",
                    tag.escape_debug()
                );
                section.problem(&span, message);
                return None;
            }
            Some(Scope::Set {
                tag: tag.to_owned(),
            })
        }
    }
}

/// Notes a kind of verifier that judges single files only, when it is to judge a set.
fn may_judge(section: &Section<'_>, kind: &VerifierKind, scope: Option<&Scope>) -> bool {
    if !matches!(scope, Some(Scope::Set { .. })) {
        return true;
    }
    let refused = match kind {
        VerifierKind::Command { stdin: true, .. } => {
            r#"`verifier.stdin` means nothing with scope = "set": the files lie in the folder `{path}`"#
        }
        VerifierKind::Command { .. }
        | VerifierKind::External { .. }
        | VerifierKind::Builtin(Builtin::Companion(_)) => return true,
        VerifierKind::Builtin(_) | VerifierKind::Http { .. } => {
            "`verifier.scope`: a set is judged by `command`, `external = true`, or `builtin = \"sha256\"` with `companion`"
        }
    };
    section.problem(section.span(), refused);
    false
}

fn read_kind(section: &mut Section<'_>, paths: Paths<'_>) -> Option<VerifierKind> {
    let at = section.span().clone();
    let external = section.switch("external").unwrap_or(false);
    let given: Vec<_> = KINDS
        .into_iter()
        .filter(|kind| section.has(kind) && (*kind != "external" || external))
        .collect();
    // All are always asked for, so that none is ever an unknown key.
    let command = section.texts("command");
    let url = section.parsed("http", parse_web_address);
    let secret = section.parsed("secret", |text| Ok(text.to_owned()));
    let deadline = section.parsed("deadline", parse_long_duration);
    let deadline_duration = deadline.map_or(DEFAULT_DEADLINE, |field| field.value);
    let command_kind = read_command(section, command, paths);
    let rule = builtin::read(section, paths);
    let (kind, own_keys) = match given[..] {
        ["command"] => (command_kind?, COMMAND_KEYS.to_vec()),
        ["builtin"] => (VerifierKind::Builtin(rule?), builtin::keys()),
        ["http"] => {
            let kind = VerifierKind::Http {
                url: url?.value,
                secret: secret.map(|field| field.value),
                deadline: deadline_duration,
            };
            (kind, HTTP_KEYS.to_vec())
        }
        ["external"] => {
            let deadline = deadline_duration;
            (VerifierKind::External { deadline }, EXTERNAL_KEYS.to_vec())
        }
        _ => {
            let found = match given.len() {
                0 => "none is given".to_owned(),
                _ => format!("{} are given", given.join(" and ")),
            };
            let message = format!(
                "a verifier needs one of `command`, `builtin`, `http` and `external = true`: {found}"
            );
            section.problem(&at, message);
            return None;
        }
    };
    refuse_others(section, given[0], &own_keys).then_some(kind)
}

/// Notes every key that is there and goes with another kind of verifier only.
fn refuse_others(section: &Section<'_>, kind: &str, own: &[&str]) -> bool {
    let all = [
        &COMMAND_KEYS[..],
        &HTTP_KEYS,
        &EXTERNAL_KEYS,
        &builtin::keys(),
    ];
    let mut stray: Vec<_> = all
        .concat()
        .into_iter()
        .filter(|key| !own.contains(key))
        .collect();
    stray.sort_unstable();
    stray.dedup();
    let why = if kind == "builtin" {
        "with this builtin".to_owned()
    } else {
        format!("with `{kind}`")
    };
    section.refuse(&stray, &why)
}

/// Reads the address of a service of the operator's own: plain HTTP and private hosts are their choice here.
pub(super) fn parse_web_address(text: &str) -> Result<String, String> {
    // A secret may stand for the whole, or for any part but the scheme.
    let name = Template(text).whole_name();
    let is_secret = name.is_some_and(|name| !name.is_empty() && !name.contains('$'));
    let is_web = ["http://", "https://"]
        .iter()
        .any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !(is_web || is_secret) || !is_printable {
        // The text is not repeated: it may hold a password.
        return Err(
            "expected an address that begins with http:// or https://, such as https://service.internal/check, or a secret that is one, such as ${HOOK}"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

fn read_command(
    section: &mut Section<'_>,
    command: Option<Field<Vec<Field<&str>>>>,
    paths: Paths<'_>,
) -> Option<VerifierKind> {
    let stdin = section.switch("stdin").unwrap_or(false);
    let failed = read_failed(section);
    let limits = limits::read(section);
    Some(VerifierKind::Command {
        argv: read_argv(section, &command?, paths)?,
        stdin,
        failed: failed?,
        limits,
    })
}

/// Returns a program, found and absolute, and its arguments.
pub(super) fn read_argv(
    section: &Section<'_>,
    command: &Field<Vec<Field<&str>>>,
    paths: Paths<'_>,
) -> Option<Vec<String>> {
    let key = section.path("command");
    let Some((program, arguments)) = command.value.split_first() else {
        let message = format!(
            r#"`{key}`: empty; give a program and its arguments, such as ["check-prices", "{{path}}"]"#
        );
        section.problem(&command.span, message);
        return None;
    };
    let program = find_program(section, program, paths)?;
    if let Some(argument) = arguments
        .iter()
        .find(|argument| argument.value.contains('\0'))
    {
        let message = format!("`{key}`: an argument cannot hold a NUL");
        section.problem(&argument.span, message);
        return None;
    }
    let arguments = arguments.iter().map(|argument| argument.value.to_owned());
    Some(std::iter::once(program).chain(arguments).collect())
}

fn read_failed(section: &mut Section<'_>) -> Option<Vec<i32>> {
    const ACCEPTED: &str = "give exit codes from 1 to 255 that mean failed; 0 always means passed, any other code that the verifier could not judge";
    if !section.has("failed") {
        let _ = section.numbers("failed");
        return Some(vec![DEFAULT_FAILED]);
    }
    let codes = section.numbers("failed")?;
    let valid = |code: &Field<Option<u32>>| {
        let code = code.value.filter(|code| (1..=255).contains(code))?;
        i32::try_from(code).ok()
    };
    let mut read: Vec<i32> = codes.value.iter().filter_map(valid).collect();
    if read.is_empty() || read.len() < codes.value.len() {
        section.problem(&codes.span, format!("`verifier.failed`: {ACCEPTED}"));
        return None;
    }
    read.sort_unstable();
    read.dedup();
    Some(read)
}

/// Returns the absolute path of a program: in the folders of `PATH` when its name has no slash, else taken from the
/// configuration file's folder. One that is not there is no problem of the configuration: its verifier cannot judge until
/// it comes ([`program_problem`]); a name that is not in `PATH` is returned as it stands.
fn find_program(section: &Section<'_>, program: &Field<&str>, paths: Paths<'_>) -> Option<String> {
    let name = program.value;
    let found: Result<PathBuf, String> = if name.is_empty() || name.contains('\0') {
        Err("not a program's name".to_owned())
    } else if name.contains('/') {
        paths.resolve(name)
    } else {
        let found = paths.environment.find_program(name);
        Ok(found.unwrap_or_else(|| PathBuf::from(name)))
    };
    let text = found.and_then(|path| {
        path.into_os_string()
            .into_string()
            .map_err(|_| "its path is not UTF-8".to_owned())
    });
    text.map_err(|why| {
        let message = format!("`{}`: cannot use the program `{}`: {why}; give an executable file's path, or its name when it is in PATH", section.path("command"), name.escape_debug());
        section.problem(&program.span, message);
    })
    .ok()
}

/// Returns why a program that the configuration names cannot be run, as of now; of a script also why its interpreter cannot.
pub fn program_problem(argv: &[String]) -> Option<String> {
    const GIVE: &str = "; give an executable file's path, or its name when it is in PATH";
    let (program, arguments) = argv.split_first()?;
    let path = Path::new(program);
    let (why, advice) = if !program.contains('/') {
        let why = "not found in PATH, or not executable there";
        (why.to_owned(), GIVE)
    } else if let Err(error) = path.metadata() {
        (error.to_string(), GIVE)
    } else if !is_executable(path) {
        ("not an executable file".to_owned(), GIVE)
    } else {
        let arguments = arguments.iter().map(String::as_str);
        let why = interpreter_problem(path).or_else(|| sought_by_env(path, arguments));
        (why?, "")
    };
    let program = program.escape_debug();
    Some(format!("cannot use the program `{program}`: {why}{advice}"))
}
