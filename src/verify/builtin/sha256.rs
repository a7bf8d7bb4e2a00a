//! `sha256`: exactly this content.

use super::source::{Finding, Source, bad};
use crate::domain::Digest;

/// The content has this digest.
pub(super) fn judge(source: &mut Source, expected: Digest) -> Finding {
    let found = Digest::of_reader(source)?;
    if found == expected {
        Ok(found.to_string())
    } else {
        bad(format!("is {found}, not {expected}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Builtin, Sha256Rule};
    use crate::domain::Digest;
    use crate::verify::builtin::tests::{assert_fails, assert_passes};

    #[test]
    fn sha256_is_of_the_bytes() {
        let rule = Builtin::Sha256(Sha256Rule::Digest(Digest::of(b"abc")));
        assert_passes(&rule, b"abc");
        assert_fails(&rule, b"abd", &Digest::of(b"abd").to_string());
    }
}
