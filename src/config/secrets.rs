//! Secrets by name: from a file that only its owner may read, or from the environment.
//!
//! Never prints a value, not even in an error.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use super::{ConfigError, Environment};

/// Values for `${NAME}`; never printed, never stored. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Secrets {
    values: Arc<HashMap<String, SecretString>>,
    environment: Environment,
}

impl Secrets {
    /// Returns secrets with these values and nothing else: for tests and demos.
    pub fn from_values(values: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = values
            .into_iter()
            .map(|(name, value)| (name, SecretString::from(value)))
            .collect();
        Self {
            values: Arc::new(values),
            environment: Environment::default(),
        }
    }

    /// Returns the secrets of a file of `NAME=value` lines, and of the environment for names that are not in it.
    ///
    /// Empty lines and lines that start with `#` are skipped; a value runs to the end of its line, spaces around it
    /// and one pair of quotes removed. On Unix the file's mode must be 600 or stricter.
    pub(super) fn read(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        check_mode(&file, path)?;
        let text = std::io::read_to_string(file).map_err(unreadable)?;
        let mut values = HashMap::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = parse_line(line).ok_or_else(|| ConfigError::SecretsLine {
                path: path.to_owned(),
                line: index + 1,
            })?;
            values.insert(name.to_owned(), SecretString::from(value));
        }
        Ok(Self {
            values: Arc::new(values),
            environment: environment.clone(),
        })
    }

    /// Returns the secrets of the environment alone.
    pub(super) fn of_environment(environment: &Environment) -> Self {
        Self {
            values: Arc::default(),
            environment: environment.clone(),
        }
    }

    /// Returns the value of `name`: the file's, else the environment's.
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

/// Checks the opened file, not its path: another file may take the path in between.
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

fn parse_line(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim_end();
    let first_is_digit = name.starts_with(|c: char| c.is_ascii_digit());
    let is_name = |c: u8| c == b'_' || c.is_ascii_alphanumeric();
    if name.is_empty() || first_is_digit || !name.bytes().all(is_name) {
        return None;
    }
    let value = value.trim();
    let unquoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    Some((
        name,
        unquoted('"').or_else(|| unquoted('\'')).unwrap_or(value),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines() {
        for (line, expected) in [
            ("TOKEN=a=b", Some(("TOKEN", "a=b"))),
            ("TOKEN = \" a \"", Some(("TOKEN", " a "))),
            ("T_1='x", Some(("T_1", "'x"))),
            ("T=", Some(("T", ""))),
            ("T=\"", Some(("T", "\""))),
            ("1T=x", None),
            ("T-x=1", None),
            ("export T=1", None),
            ("=x", None),
            ("x", None),
        ] {
            assert_eq!(parse_line(line), expected, "{line}");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let secrets = Secrets::from_values([("TOKEN".to_owned(), "hunter2".to_owned())]);
        assert!(!format!("{secrets:?}").contains("hunter2"));
    }
}
