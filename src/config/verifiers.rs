//! Reads `[[verifier]]`: names, selections, programs and built-in rules. Never starts a program.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::Glob;

use super::document::{Field, Section};
use super::duration::parse_duration;
use super::environment::is_executable;
use super::{Builtin, Environment, Pattern, VerifierConfig, VerifierKind};
use crate::domain::{Digest, parse_size};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_FAILED: i32 = 1;
const BUILTINS: &str = "utf8, json, size, sha256 or not-html";
/// Keys that only a command takes, and only a rule takes, with the rule.
const COMMAND_KEYS: [&str; 2] = ["stdin", "failed"];
const BUILTIN_KEYS: [(&str, &str); 3] = [("min", "size"), ("max", "size"), ("digest", "sha256")];

/// Reads every `[[verifier]]`; those with problems, which are noted, are left out.
pub(super) fn read(
    sections: Vec<Section<'_>>,
    folder: &Path,
    environment: &Environment,
) -> Vec<VerifierConfig> {
    let mut lines = HashMap::new();
    let mut verifiers = Vec::new();
    for mut section in sections {
        let reader = ProgramFinder {
            folder,
            environment,
        };
        let name = read_name(&mut section, &mut lines);
        let sources = read_sources(&mut section);
        let kind = read_kind(&mut section, &reader);
        let timeout = section.parsed("timeout", parse_duration);
        section.finish();
        if let (Some(name), Some(sources), Some(kind)) = (name, sources, kind) {
            let timeout = timeout.map_or(DEFAULT_TIMEOUT, |field| field.value);
            verifiers.push(VerifierConfig {
                name,
                sources,
                kind,
                timeout,
            });
        }
    }
    verifiers
}

/// `lines`: where each name was first given.
fn read_name(section: &mut Section<'_>, lines: &mut HashMap<String, usize>) -> Option<String> {
    if !section.has("name") {
        section.problem(
            section.span(),
            "`verifier.name`: missing; every verifier needs a name",
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
            "`verifier.name`: `{}` is the name of the verifier on line {first} already",
            name.value
        );
        section.problem(&name.span, message);
        return None;
    }
    lines.insert(name.value.clone(), line);
    Some(name.value)
}

fn read_sources(section: &mut Section<'_>) -> Option<Vec<Pattern>> {
    const ACCEPTED: &str = r#"give tags and globs on names or addresses, such as ["tag:prices", "https://example.org/*.json"]"#;
    if !section.has("sources") {
        section.problem(
            section.span(),
            format!("`verifier.sources`: missing; {ACCEPTED}"),
        );
    }
    let patterns = section.texts("sources")?;
    if patterns.value.is_empty() {
        section.problem(
            &patterns.span,
            format!("`verifier.sources`: selects nothing; {ACCEPTED}"),
        );
        return None;
    }
    let read = |pattern: &Field<&str>| match parse_pattern(pattern.value) {
        Ok(read) => Some(read),
        Err(message) => {
            section.problem(&pattern.span, format!("`verifier.sources`: {message}"));
            None
        }
    };
    // Every pattern is read, so that every bad one is told.
    let read: Vec<_> = patterns.value.iter().map(read).collect();
    read.into_iter().collect()
}

fn parse_pattern(text: &str) -> Result<Pattern, String> {
    match text.strip_prefix("tag:") {
        Some("") => Err("`tag:` needs a tag after it".to_owned()),
        Some(tag) => Ok(Pattern::Tag(tag.to_owned())),
        None if text.is_empty() => Err("an empty glob matches nothing".to_owned()),
        None => Glob::new(text)
            .map(|glob| Pattern::Glob(glob.compile_matcher()))
            .map_err(|error| format!("`{text}` is not a glob: {}", error.kind())),
    }
}

fn read_kind(section: &mut Section<'_>, finder: &ProgramFinder<'_>) -> Option<VerifierKind> {
    let at = section.span().clone();
    let kinds = (section.has("command"), section.has("builtin"));
    // Both are always asked for, so that neither is ever an unknown key.
    let command = section.texts("command");
    let builtin = section.text("builtin");
    let (command_kind, builtin_kind) = (
        read_command(section, command, finder),
        read_builtin(section, builtin.as_ref()),
    );
    match kinds {
        (true, false) => {
            let stray = BUILTIN_KEYS.map(|(key, _)| key);
            let kind = command_kind?;
            refuse(section, &stray, "with a command").then_some(kind)
        }
        (false, true) => {
            let stray = stray_keys(builtin?.value);
            let kind = builtin_kind?;
            refuse(section, &stray, "with this builtin").then_some(kind)
        }
        (both, _) => {
            let found = if both {
                "both are given"
            } else {
                "neither is given"
            };
            let message = format!("a verifier needs either `command` or `builtin`: {found}");
            section.problem(&at, message);
            None
        }
    }
}

/// Returns the keys that do not go with a rule.
fn stray_keys(builtin: &str) -> Vec<&'static str> {
    let others = BUILTIN_KEYS
        .into_iter()
        .filter(|(_, owner)| *owner != builtin);
    COMMAND_KEYS
        .into_iter()
        .chain(others.map(|(key, _)| key))
        .collect()
}

fn refuse(section: &Section<'_>, keys: &[&str], why: &str) -> bool {
    let mut fine = true;
    for key in keys.iter().filter(|key| section.has(key)) {
        section.problem(
            section.span(),
            format!("`verifier.{key}` means nothing {why}"),
        );
        fine = false;
    }
    fine
}

fn read_command(
    section: &mut Section<'_>,
    command: Option<Field<Vec<Field<&str>>>>,
    finder: &ProgramFinder<'_>,
) -> Option<VerifierKind> {
    let stdin = section.switch("stdin").unwrap_or(false);
    let failed = read_failed(section);
    let command = command?;
    let Some((program, arguments)) = command.value.split_first() else {
        section.problem(&command.span, r#"`verifier.command`: empty; give a program and its arguments, such as ["check-prices", "{path}"]"#);
        return None;
    };
    let program = finder.find(section, program)?;
    if let Some(argument) = arguments
        .iter()
        .find(|argument| argument.value.contains('\0'))
    {
        section.problem(
            &argument.span,
            "`verifier.command`: an argument cannot hold a NUL",
        );
        return None;
    }
    let argv = std::iter::once(program)
        .chain(arguments.iter().map(|argument| argument.value.to_owned()))
        .collect();
    Some(VerifierKind::Command {
        argv,
        stdin,
        failed: failed?,
    })
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

fn read_builtin(section: &mut Section<'_>, builtin: Option<&Field<&str>>) -> Option<VerifierKind> {
    let min = section.parsed("min", parse_size);
    let max = section.parsed("max", parse_size);
    let digest = section.parsed("digest", |text| {
        text.parse::<Digest>().map_err(|error| error.to_string())
    });
    let builtin = builtin?;
    let rule = match builtin.value {
        "utf8" => Some(Builtin::Utf8),
        "json" => Some(Builtin::Json),
        "not-html" => Some(Builtin::NotHtml),
        "size" => bounds(section, &builtin.span, min, max),
        "sha256" => {
            if !section.has("digest") {
                section.problem(&builtin.span, "`verifier.builtin`: sha256 needs `digest`, `sha256:` and 64 hexadecimal digits");
            }
            digest.map(|digest| Builtin::Sha256(digest.value))
        }
        other => {
            section.problem(
                &builtin.span,
                format!(
                    "`verifier.builtin`: `{}` is not a rule: expected {BUILTINS}",
                    other.escape_debug()
                ),
            );
            None
        }
    };
    rule.map(VerifierKind::Builtin)
}

fn bounds(
    section: &Section<'_>,
    at: &Range<usize>,
    min: Option<Field<u64>>,
    max: Option<Field<u64>>,
) -> Option<Builtin> {
    if !section.has("min") && !section.has("max") {
        section.problem(at, r#"`verifier.builtin`: size needs `min`, `max` or both, such as min = "10B", max = "1MiB""#);
        return None;
    }
    let (min, max) = (min.map(|min| min.value), max.map(|max| max.value));
    if let (Some(least), Some(most)) = (min, max)
        && least > most
    {
        section.problem(
            at,
            "`verifier.min` is more than `verifier.max`: no content could pass",
        );
        return None;
    }
    Some(Builtin::Size { min, max })
}

/// Where programs are looked for.
struct ProgramFinder<'a> {
    folder: &'a Path,
    environment: &'a Environment,
}

impl ProgramFinder<'_> {
    /// Returns the absolute path of a program: in the folders of `PATH` when its name has no slash, else taken from the
    /// configuration file's folder.
    fn find(&self, section: &Section<'_>, program: &Field<&str>) -> Option<String> {
        let name = program.value;
        let found: Result<PathBuf, String> = if name.is_empty() || name.contains('\0') {
            Err("not a program's name".to_owned())
        } else if name.contains('/') {
            let path = self.folder.join(name);
            match path.metadata() {
                Err(error) => Err(error.to_string()),
                Ok(_) if is_executable(&path) => Ok(path),
                Ok(_) => Err("not an executable file".to_owned()),
            }
        } else {
            let found = self.environment.find_program(name);
            found.ok_or_else(|| "not found in PATH, or not executable there".to_owned())
        };
        let text = found.and_then(|path| {
            path.into_os_string()
                .into_string()
                .map_err(|_| "its path is not UTF-8".to_owned())
        });
        text.map_err(|why| {
            let message = format!("`verifier.command`: cannot use the program `{}`: {why}; give an executable file's path, or its name when it is in PATH", name.escape_debug());
            section.problem(&program.span, message);
        })
        .ok()
    }
}
