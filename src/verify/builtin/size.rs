//! `size`: a length within bounds.

use super::source::Finding;
use crate::domain::format_size;

pub(super) fn judge(bytes: u64, min: Option<u64>, max: Option<u64>) -> Finding {
    match (min, max) {
        (Some(min), _) if bytes < min => {
            Err(format!("{} is less than {}", exact(bytes), exact(min)))
        }
        (_, Some(max)) if bytes > max => {
            Err(format!("{} is more than {}", exact(bytes), exact(max)))
        }
        _ => Ok(exact(bytes)),
    }
}

/// Prints a size to the byte, and for people when it is large.
fn exact(bytes: u64) -> String {
    let short = format_size(bytes);
    if short.ends_with(" B") {
        short
    } else {
        format!("{bytes} B ({short})")
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Builtin;
    use crate::verify::builtin::tests::{assert_fails, assert_passes};

    #[test]
    fn size_is_within_bounds() {
        let rule = |min, max| Builtin::Size { min, max };
        for (min, max) in [(Some(3), None), (None, Some(3)), (Some(3), Some(3))] {
            assert_passes(&rule(min, max), b"abc");
        }
        assert_fails(&rule(Some(4), None), b"abc", "3 B is less than 4 B");
        assert_fails(&rule(None, Some(2)), b"abc", "3 B is more than 2 B");
        assert_fails(
            &rule(Some(1 << 20), None),
            b"",
            "0 B is less than 1048576 B (1.0 MiB)",
        );
    }
}
