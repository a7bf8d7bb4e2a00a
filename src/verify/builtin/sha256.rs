//! `sha256`: exactly this content.

use std::io;

use super::source::{Finding, Source, bad};
use crate::domain::{Digest, Digester};

/// The content has this digest.
pub(super) fn judge(source: &mut Source, expected: Digest) -> Finding {
    let found = digest_of(source)?;
    if found == expected {
        Ok(found.to_string())
    } else {
        bad(format!("is {found}, not {expected}"))
    }
}

/// Digests what is left of the stream.
pub(super) fn digest_of(source: &mut Source) -> io::Result<Digest> {
    let mut digester = Digester::default();
    source.pieces(|piece| {
        digester.update(piece);
        None::<()>
    })?;
    Ok(digester.finish())
}

#[cfg(test)]
mod tests {
    use crate::config::Builtin;
    use crate::domain::Digest;
    use crate::verify::builtin::tests::{assert_fails, assert_passes};

    #[test]
    fn sha256_is_of_the_bytes() {
        let rule = Builtin::Sha256(Digest::of(b"abc"));
        assert_passes(&rule, b"abc");
        assert_fails(&rule, b"abd", &Digest::of(b"abd").to_string());
    }
}
