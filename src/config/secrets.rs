//! Secrets by name: from a file that only its owner may read, or from the environment.
//!
//! Never prints a value, not even in an error.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::{ConfigError, Environment};
use crate::domain::lines;

/// The shortest accepted secret, in bytes: shorter values occur by chance in too many texts to be masked there.
pub const LEAST_SECRET_BYTES: usize = 6;

/// The values for `${NAME}`; never printed, never stored. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Secrets {
    values: Arc<HashMap<String, SecretString>>,
    file: Option<PathBuf>,
    environment: Environment,
}

impl Secrets {
    /// Returns secrets with only these values, for tests and demos.
    pub fn from_values(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = values
            .into_iter()
            .map(|(name, value)| (name, SecretString::from(value)))
            .collect();
        Self {
            values: Arc::new(values),
            file: None,
            environment: Environment::default(),
        }
    }

    /// Reads the secrets of a file of `NAME=value` lines, and of the environment for names that are not in the file.
    ///
    /// Empty lines, lines that start with `#`, and `export` in front of a name are skipped. A value ends at the end of
    /// its line or at a `#` after a space; spaces around it and one pair of quotes are removed. On Unix the file's
    /// mode must be 600 or stricter.
    pub(super) fn read(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        check_mode(&file, path)?;
        let text = std::io::read_to_string(file).map_err(unreadable)?;
        let values = parse(&text).map_err(|(line, reason)| ConfigError::SecretsLine {
            path: path.to_owned(),
            line,
            reason,
        })?;
        Ok(Self {
            values: Arc::new(values),
            file: Some(path.to_owned()),
            environment: environment.clone(),
        })
    }

    /// Returns the secrets of the environment alone.
    pub(super) fn of_environment(environment: &Environment) -> Self {
        Self {
            values: Arc::default(),
            file: None,
            environment: environment.clone(),
        }
    }

    /// Returns whether the value is shorter than [`LEAST_SECRET_BYTES`]; no request may use it.
    pub fn is_too_short(&self, name: &str) -> bool {
        let value = self.get(name);
        value.is_some_and(|value| value.expose_secret().len() < LEAST_SECRET_BYTES)
    }

    /// Returns the path of the secrets file, if there is one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Returns why no request can use the secret, in words that follow its name; `None` if one can.
    pub fn problem(&self, name: &str) -> Option<String> {
        if self.get(name).is_none() {
            let why = "has no value in the secrets file or in the environment of this process; the environment of a service may have one";
            return Some(why.to_owned());
        }
        self.is_too_short(name).then(|| {
            format!(
                "has a value of fewer than {LEAST_SECRET_BYTES} bytes, with which no request is made"
            )
        })
    }

    /// Returns the value of `name`: from the file, else from the environment.
    pub fn get(&self, name: &str) -> Option<SecretString> {
        let of_environment = || {
            let value = self.environment.get(name)?.to_str()?;
            Some(SecretString::from(value))
        };
        self.values.get(name).cloned().or_else(of_environment)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} names in the file)", self.values.len())
    }
}

/// Checks the mode of the opened file, not of its path, which another file may take meanwhile.
#[cfg(unix)]
fn check_mode(file: &std::fs::File, path: &Path) -> Result<(), ConfigError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata().map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(ConfigError::SecretsOpen {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_file: &std::fs::File, _path: &Path) -> Result<(), ConfigError> {
    Ok(())
}

/// Returns the values by name, or the number, from 1, of a malformed line with the reason.
fn parse(text: &str) -> Result<HashMap<String, SecretString>, (usize, String)> {
    let text = text.trim_start_matches('\u{feff}');
    let mut values = HashMap::new();
    for (index, line) in lines(text).map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = parse_line(line).map_err(|why| (index + 1, why.to_owned()))?;
        if values
            .insert(name.to_owned(), SecretString::from(value))
            .is_some()
        {
            return Err((
                index + 1,
                format!("a line above gives {name} a value already"),
            ));
        }
    }
    Ok(values)
}

fn parse_line(line: &str) -> Result<(&str, &str), &'static str> {
    let line = match line.split_once(char::is_whitespace) {
        Some(("export", rest)) => rest.trim_start(),
        _ => line,
    };
    let (name, value) = line.split_once('=').ok_or("expected NAME=value")?;
    let name = name.trim_end();
    let first_is_digit = name.starts_with(|c: char| c.is_ascii_digit());
    let is_name = |c: u8| c == b'_' || c.is_ascii_alphanumeric();
    if name.is_empty() || first_is_digit || !name.bytes().all(is_name) {
        return Err("a name takes letters, digits and `_`, and no digit in front");
    }
    Ok((name, parse_value(value.trim())?))
}

fn parse_value(value: &str) -> Result<&str, &'static str> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let is_comment = |(at, c): &(usize, char)| {
            *c == '#'
                && value[..*at]
                    .chars()
                    .next_back()
                    .is_none_or(char::is_whitespace)
        };
        let end = value.char_indices().find(is_comment);
        return Ok(end.map_or(value, |(at, _)| value[..at].trim_end()));
    };
    let (inside, rest) = value[1..]
        .split_once(quote)
        .ok_or("the quote in front has no other behind; a value that begins with a quote stands in quotes of the other kind")?;
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(inside)
    } else {
        Err(
            "after the closing quote only a comment may stand; a value with quotes in it stands in quotes of the other kind",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines() {
        for (line, expected) in [
            ("TOKEN=a=b", Some(("TOKEN", "a=b"))),
            ("TOKEN = \" a \"", Some(("TOKEN", " a "))),
            ("T=abc # note", Some(("T", "abc"))),
            ("T=abc\t# note", Some(("T", "abc"))),
            ("T=a#b", Some(("T", "a#b"))),
            ("T= # note", Some(("T", ""))),
            ("T='a # b' # note", Some(("T", "a # b"))),
            ("T=\"it's\"", Some(("T", "it's"))),
            ("T=it's", Some(("T", "it's"))),
            ("T=", Some(("T", ""))),
            ("export T=1", Some(("T", "1"))),
            ("export\tT = 'x y'", Some(("T", "x y"))),
            ("export=1", Some(("export", "1"))),
            ("T_1='x", None),
            ("T='x'y", None),
            ("T='a'b'", None),
            ("T=\"", None),
            ("1T=x", None),
            ("T-x=1", None),
            ("export", None),
            ("=x", None),
            ("x", None),
        ] {
            assert_eq!(parse_line(line).ok(), expected, "{line}");
        }
    }

    #[test]
    fn lines_are_counted_and_never_repeated() {
        let read = |text: &str| parse(text).map(|values| values.len());
        assert_eq!(read("\u{feff}A=1\r\n\r\n# x\r\nB=2\r\n"), Ok(2));
        assert_eq!(read("A=1\rB=2\r# x\rC=3"), Ok(3));
        for (text, line) in [
            ("A=1\nB='hunter2\n", 2),
            ("A=1\n\nA=hunter2\n", 3),
            ("A=1\r\rA=hunter2\r", 3),
        ] {
            let (at, why) = read(text).expect_err(text);
            assert_eq!(at, line);
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let secrets = Secrets::from_values([("TOKEN".to_owned(), "hunter2".to_owned())]);
        assert!(!format!("{secrets:?}").contains("hunter2"));
    }
}
