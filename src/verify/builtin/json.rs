//! `json`: one well-formed text.

use std::io::{self, BufReader};

use serde::de::IgnoredAny;

use super::source::{Case, Finding, PIECE_BYTES, bad};
use super::utf8;

/// One JSON text (RFC 8259), with nothing after it.
pub(super) fn judge(case: &Case) -> Finding {
    utf8::judge(&mut case.open()?)?;
    let buffered = BufReader::with_capacity(PIECE_BYTES, case.open()?);
    let mut reader = serde_json::Deserializer::from_reader(buffered);
    let read = serde::Deserialize::deserialize(&mut reader).and_then(|IgnoredAny| reader.end());
    match read {
        Ok(()) => Ok("well-formed JSON".to_owned()),
        Err(error) if error.is_io() => Err(io::Error::from(error).into()),
        Err(error) => bad(format!("not JSON: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Builtin;
    use crate::verify::builtin::tests::{assert_fails, assert_passes};

    #[test]
    fn json_is_one_text() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        for good in [
            "{}",
            " [1, 2.5e-3, \"\\u00e9\", null] \n",
            "3",
            "\"x\"",
            &deep,
        ] {
            assert_passes(&Builtin::Json, good.as_bytes());
        }
        for (bad, place) in [
            ("", "EOF"),
            ("  \n", "EOF"),
            ("{\"a\": 1,\n \"b\" 2}", "line 2 column 6"),
            ("{} {}", "trailing characters at line 1 column 4"),
            ("[1,]", "line 1 column 4"),
            ("{\"a\": 1", "EOF"),
            ("NaN", "line 1"),
            ("01", "line 1"),
            ("'x'", "line 1"),
            ("\"a\nb\"", "control character"),
            ("<html>", "line 1 column 1"),
            ("\u{FEFF}{}", "line 1 column 1"),
        ] {
            assert_fails(&Builtin::Json, bad.as_bytes(), place);
        }
        assert_fails(
            &Builtin::Json,
            b"\"\xFF\"",
            "not UTF-8: the byte at offset 1",
        );
    }
}
