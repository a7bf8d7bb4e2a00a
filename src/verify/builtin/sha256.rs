//! `sha256`: exactly this content.

use std::io;

use super::source::{Finding, Source};
use crate::domain::{Digest, Digester};

pub(super) fn judge(source: &mut Source, expected: Digest) -> io::Result<Finding> {
    let mut digester = Digester::default();
    source.pieces(|piece| {
        digester.update(piece);
        None::<()>
    })?;
    let found = digester.finish();
    Ok(if found == expected {
        Ok(found.to_string())
    } else {
        Err(format!("is {found}, not {expected}"))
    })
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
