//! `not-html`: fails an HTML page, such as an error page under status 200.

use std::io::Read as _;

use super::input::{Input, RuleResult, bad};
use crate::verify::html;

pub(super) fn judge(input: Input) -> RuleResult {
    let mut window = Vec::new();
    input
        .take(html::WINDOW_BYTES as u64)
        .read_to_end(&mut window)?;
    match html::html_start(&window) {
        None => Ok("not an HTML page".to_owned()),
        Some(start) => bad(format!("an HTML page: begins with {start}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Builtin;
    use crate::verify::builtin::tests::{assert_fails, assert_passes};

    #[test]
    fn not_html_looks_at_the_beginning() {
        assert_passes(&Builtin::NotHtml, b"a,b\n");
        assert_fails(
            &Builtin::NotHtml,
            b"\n<!DOCTYPE html><title>404",
            "begins with <!doctype html",
        );
    }
}
