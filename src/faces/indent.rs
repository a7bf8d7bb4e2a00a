//! JSON with line breaks and indentation; its parts stay as they are, byte for byte.

use serde_json::value::RawValue;

use super::json_tokens::Tokens;

/// Returns JSON with each part on a line of its own, cut once it has `most` bytes; and whether it was cut. A text that is no
/// JSON stays as it is.
pub(crate) fn indented(body: &str, most: usize) -> (String, bool) {
    if serde_json::from_str::<&RawValue>(body).is_err() {
        return (body.to_owned(), false);
    }
    let mut writer = Writer::default();
    let mut tokens = Tokens::of(body).peekable();
    while let Some(token) = tokens.next() {
        if writer.text.len() > most {
            return (writer.text, true);
        }
        let next = tokens.peek().copied().unwrap_or_default();
        writer.put(token, next);
    }
    (writer.text, false)
}

#[derive(Default)]
struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    fn put(&mut self, token: &str, next: &str) {
        match token {
            "{" | "[" => {
                self.text.push_str(token);
                self.depth += 1;
                if !matches!(next, "}" | "]") {
                    self.break_line();
                }
            }
            "}" | "]" => {
                self.depth = self.depth.saturating_sub(1);
                if !self.text.ends_with(['{', '[']) {
                    self.break_line();
                }
                self.text.push_str(token);
            }
            "," => {
                self.text.push(',');
                self.break_line();
            }
            ":" => self.text.push_str(": "),
            other => self.text.push_str(other),
        }
    }

    fn break_line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn parts_stay_as_they_are() {
        for (body, expected) in [
            ("1e400", "1e400"),
            ("\"a, \\\" {\"", "\"a, \\\" {\""),
            ("{}", "{}"),
            ("[ ]", "[]"),
            (
                r#"{"a":[1.10,2,{}],"b" : "\\","c":""}"#,
                "{\n  \"a\": [\n    1.10,\n    2,\n    {}\n  ],\n  \"b\": \"\\\\\",\n  \"c\": \"\"\n}",
            ),
            (
                r#"{"a":["[",[]]}"#,
                "{\n  \"a\": [\n    \"[\",\n    []\n  ]\n}",
            ),
            ("{\"a\": damaged", "{\"a\": damaged"),
        ] {
            assert_eq!(indented(body, 1000), (expected.to_owned(), false), "{body}");
        }
    }

    #[test]
    fn a_body_that_would_grow_too_much_is_cut() {
        let body = format!(
            "{}{}{}",
            "[".repeat(100),
            "1,".repeat(99_999) + "1",
            "]".repeat(100)
        );
        let (text, is_cut) = indented(&body, 100_000);
        assert!(is_cut && text.len() < 101_000, "{}", text.len());
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec((any::<String>(), inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_indented_as_serde_does(value in json()) {
            let expected = serde_json::to_string_pretty(&value).expect("JSON");
            for body in [value.to_string(), expected.clone()] {
                prop_assert_eq!(&indented(&body, usize::MAX).0, &expected);
            }
        }

        #[test]
        fn no_text_breaks_it(text in ".{0,60}") {
            indented(&text, 40);
        }
    }
}
