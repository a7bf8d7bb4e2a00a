//! Names of objects: `ab/cdef…-owner-random`, by the digest of the content and the process that made the object.
//!
//! Never touches a file.

use std::path::Path;

use super::run_folder::OWNER;
use crate::domain::Digest;

/// Returns the folder for objects of a content.
pub(super) fn shelf(digest: Digest) -> String {
    digest.to_hex()[..2].to_owned()
}

/// Returns the prefix of the file names of a content's objects made by the owner of `temp_dir`.
pub(super) fn file_prefix(digest: Digest, temp_dir: &Path) -> String {
    format!("{}-{}-", &digest.to_hex()[2..], owner_tag(temp_dir))
}

/// Returns the prefix of an unfinished copy of an object; by its name the copy is an object that no blob names.
pub(super) fn copy_prefix(name: &str, temp_dir: &Path) -> String {
    let file = name.rsplit('/').next().unwrap_or_default();
    let digest = file.split('-').next().unwrap_or_default();
    format!("{digest}-{}-", owner_tag(temp_dir))
}

/// Returns the path of an object in the data folder.
pub(super) fn below_data_dir(name: &str) -> String {
    format!("objects/{name}")
}

/// Reads the digest in the name of an object; `None` when the name is not an object's.
pub(super) fn digest_in(name: &str) -> Option<Digest> {
    let (hex, _) = name.split_once('-')?;
    hex.replacen('/', "", 1).parse().ok()
}

/// Returns the distinguishing part of an owner's name.
fn owner_tag(temp_dir: &Path) -> &str {
    let name = temp_dir.file_name().and_then(|name| name.to_str());
    name.map_or("", |name| name.trim_start_matches(OWNER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_content() {
        let digest = Digest::of(b"content");
        let name = format!(
            "{}/{}random",
            shelf(digest),
            file_prefix(digest, Path::new("/data/tmp/run-tag"))
        );
        let hex = digest.to_hex();
        assert_eq!(name, format!("{}/{}-tag-random", &hex[..2], &hex[2..]));
        let older = format!("{}/{}-random", &hex[..2], &hex[2..]);
        for (name, found) in [
            (&*name, Some(digest)),
            (&*older, Some(digest)),
            ("ab/no-object", None),
            ("ab/cdef", None),
            ("", None),
        ] {
            assert_eq!(digest_in(name), found, "{name}");
        }
        let copy = copy_prefix(&name, Path::new("/data/tmp/run-two"));
        assert_eq!(copy, format!("{}-two-", &hex[2..]));
        assert_eq!(below_data_dir(&name), format!("objects/{name}"));
    }
}
