//! Paths as a configuration says them: from the configuration's folder, or after `~/` from the account's home.

use std::path::{Path, PathBuf};

use super::{Environment, account};

/// Where paths are taken from.
#[derive(Clone, Copy)]
pub(super) struct Paths<'a> {
    /// The folder of the configuration file.
    pub(super) folder: &'a Path,
    pub(super) environment: &'a Environment,
}

impl Paths<'_> {
    /// Returns the path that `text` means, or why it means none.
    pub(super) fn resolve(&self, text: &str) -> Result<PathBuf, String> {
        if text.is_empty() {
            return Err("expected a path, found nothing in the quotes".to_owned());
        }
        Ok(self.folder.join(expand(Path::new(text), self.environment)?))
    }
}

/// Returns a path with the account's home in the place of a leading `~`.
pub(super) fn expand(path: &Path, environment: &Environment) -> Result<PathBuf, String> {
    let mut parts = path.components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy());
    match first.as_deref() {
        Some("~") => {
            let of_account = || account::own().map(|account| account.home);
            let home = environment.path("HOME").or_else(of_account);
            let home = home
                .ok_or_else(|| format!("`{}`: this account has no home folder", path.display()))?;
            Ok(home.join(parts.as_path()))
        }
        Some(other) if other.starts_with('~') => Err(format!(
            "`{}`: only `~/` stands for a home folder; write the other one out, or `./{}` for a folder of that name",
            path.display(),
            path.display()
        )),
        _ => Ok(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_and_nothing_else_is() {
        let environment = Environment::new([("HOME", "/home/joe")], None);
        let paths = Paths {
            folder: Path::new("/etc/gannet"),
            environment: &environment,
        };
        for (text, expected) in [
            ("~/data", Ok("/home/joe/data")),
            ("~", Ok("/home/joe")),
            ("data", Ok("/etc/gannet/data")),
            ("./~joe", Ok("/etc/gannet/./~joe")),
            ("a/~/b", Ok("/etc/gannet/a/~/b")),
            ("/a~", Ok("/a~")),
            ("~joe/data", Err("only `~/` stands for a home folder")),
        ] {
            match (paths.resolve(text), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, Path::new(expected), "{text}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
