//! Strikes secrets out of texts about content: a server may repeat a request in a body, and a verifier may print the
//! body.
//!
//! Never touches the content itself, which is archived byte for byte.

use secrecy::ExposeSecret as _;

use super::secret::{Scrubber, expand_signing, value_of};
use crate::config::Secrets;
use crate::domain::{OMITTED, Template};

/// Marks of a cut line: the mark of [`crate::domain::shortened`], and the number of missing lines.
const CUTS: [&str; 2] = ["…", " (+"];

/// Strikes the secrets of some sources out of texts.
#[derive(Default)]
pub struct Redactor {
    scrubber: Scrubber,
}

impl Redactor {
    /// Returns a redactor for the secrets in these addresses and headers, and for signing secrets. A secret without a
    /// usable value was never sent.
    pub fn new<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        signing: impl IntoIterator<Item = &'a str>,
        secrets: &Secrets,
    ) -> Self {
        let mut scrubber = Scrubber::default();
        for name in texts.into_iter().flat_map(|text| Template(text).names()) {
            if let Ok(value) = value_of(name, secrets) {
                scrubber.add(name, value.expose_secret());
            }
        }
        for secret in signing {
            // A signing secret without a value signs nothing.
            let _ = expand_signing(secret, secrets, &mut scrubber);
        }
        Self { scrubber }
    }

    /// Returns whether there is nothing to strike out.
    pub fn is_empty(&self) -> bool {
        self.scrubber.is_empty()
    }

    /// Replaces the values of secrets in a text by their names.
    pub fn redact(&self, text: String) -> String {
        self.scrubber.scrub(text)
    }

    /// Redacts a line that may contain cut texts: also the beginning of a value before a cut, its end behind a cut, and
    /// its middle between two.
    pub fn redact_line(&self, text: String) -> String {
        if self.is_empty() {
            return text;
        }
        let mut text = self.redact(text);
        for cut in CUTS {
            let pieces = text.split(cut).enumerate().map(|(number, piece)| {
                let piece = piece.to_owned();
                let is_rest = number > 0;
                self.redact(if is_rest {
                    self.scrubber.scrub_ending(piece)
                } else {
                    piece
                })
            });
            text = pieces.collect::<Vec<_>>().join(cut);
        }
        text
    }

    /// Redacts the output of a program: head and tail, with [`OMITTED`] in between.
    pub fn redact_output(&self, text: String) -> String {
        if self.is_empty() || !text.contains(OMITTED) {
            return self.redact(text);
        }
        let mut lines = Vec::new();
        let mut head = Vec::new();
        let mut is_tail = false;
        for line in text.split('\n') {
            if line.contains(OMITTED) {
                lines.push(self.redact(head.join("\n")));
                head.clear();
                lines.push(line.to_owned());
                is_tail = true;
            } else if std::mem::take(&mut is_tail) {
                head.push(self.scrubber.scrub_ending(line.to_owned()));
            } else {
                head.push(line.to_owned());
            }
        }
        lines.push(self.redact(head.join("\n")));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_value_leaves_nothing_behind() {
        let secrets = Secrets::from_values([("KEY".to_owned(), "hunter2/+&x".to_owned())]);
        let redactor = Redactor::new(["https://h/", "Bearer ${KEY}", "${NONE}"], [], &secrets);
        for (line, expected) in [
            ("got hunter2/+&x.", "got ${KEY}."),
            ("got hunter (+3 lines)", "got ${KEY} (+3 lines)"),
            ("got \"hunter2%2F…\" in row 3", "got \"${KEY}…\" in row 3"),
            ("the hunt goes on", "the hunt goes on"),
            ("`…r2/+&x` where", "`…${KEY}` where"),
            ("`…ter2/…` where", "`…${KEY}…` where"),
            ("`…er2%2f%2…` where", "`…${KEY}…` where"),
            ("`…er2~1+&…` where", "`…${KEY}…` where"),
            ("`…bnRlcj…` where", "`…${KEY}…` where"),
            ("`…75 6e…` in `…r2/…`", "`…75 6e…` in `…r2/…`"),
            ("at `/hunter2~1+&x/0`", "at `/${KEY}/0`"),
        ] {
            assert_eq!(redactor.redact_line(line.to_owned()), expected);
        }
        let omitted = format!("[… 7 {OMITTED}]");
        for (head, tail, clean_head, clean_tail) in [
            ("hunter2/", "+&x\nmore", "${KEY}", "+&x\nmore"),
            ("a\nhunter", "r2/+&x b", "a\n${KEY}", "${KEY} b"),
            ("hunter2%2", "F%2B%26x b", "${KEY}", "F%2B%26x b"),
            ("a", "er2%2F%2B%26x b", "a", "${KEY} b"),
            ("a", "odW50ZXIyLysmeA== b", "a", "${KEY} b"),
        ] {
            let output = format!("{head}\n{omitted}\n{tail}");
            let expected = format!("{clean_head}\n{omitted}\n{clean_tail}");
            assert_eq!(redactor.redact_output(output), expected);
        }
        assert!(Redactor::new(["https://h/"], [], &secrets).is_empty());
    }
}
