//! `sha256`: the content has a configured digest.

use super::input::{Input, RuleResult, bad};
use crate::domain::Digest;

pub(super) fn judge(input: &mut Input, expected: Digest) -> RuleResult {
    let found = Digest::of_reader(input)?;
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
