//! Shows JSON as a tree that can be unfolded, bounded in depth and size. Members stand in their order, and numbers as they
//! are written.

use maud::{Markup, html};
use serde_json::value::RawValue;

use super::elements::text;
use crate::domain::shortened;
use crate::faces::json_tokens::Tokens;

/// The most values that are shown.
const MAX_VALUES: usize = 3000;
/// Objects and arrays down to this depth are unfolded at first.
const OPEN_DEPTH: usize = 1;
/// The most objects and arrays inside each other that are shown: as deep as a message may be.
const MAX_DEPTH: usize = 128;
/// The most characters of a string or a number that are shown.
const MAX_CHARS: usize = 500;

/// Shows a value.
pub(super) fn tree(value: &RawValue) -> Markup {
    let mut reader = Reader {
        tokens: Tokens::of(value.get()),
        left: MAX_VALUES,
    };
    let root = reader.next_value(0);
    html! {
        @if let Some(root) = &root { div.tree { (node(None, root, 0)) } }
        @if reader.left == 0 { p.dim { "More was cut: the text shows all." } }
    }
}

/// A value as far as it is shown.
enum Node<'a> {
    /// A string, a number, or a word.
    Leaf(&'a str),
    Object(Children<'a>),
    Array(Children<'a>),
}

/// The members of an object, or the elements of an array.
#[derive(Default)]
struct Children<'a> {
    count: usize,
    /// The first of them; each with its key in an object.
    shown: Vec<(Option<&'a str>, Node<'a>)>,
}

/// Reads the tokens of JSON, and keeps so many values as are shown.
struct Reader<'a> {
    tokens: Tokens<'a>,
    left: usize,
}

impl<'a> Reader<'a> {
    /// Returns the value that comes next, inside so many others.
    fn next_value(&mut self, depth: usize) -> Option<Node<'a>> {
        self.left = self.left.saturating_sub(1);
        Some(match self.tokens.next()? {
            "{" => Node::Object(self.children(true, depth)),
            "[" => Node::Array(self.children(false, depth)),
            leaf => Node::Leaf(leaf),
        })
    }

    fn children(&mut self, have_keys: bool, depth: usize) -> Children<'a> {
        let mut children = Children::default();
        loop {
            let before = self.tokens.clone();
            let key = match self.tokens.next() {
                None | Some("}" | "]") => return children,
                Some(",") => continue,
                Some(key) if have_keys => {
                    self.tokens.next();
                    Some(key)
                }
                Some(_) => {
                    self.tokens = before;
                    None
                }
            };
            children.count += 1;
            if depth >= MAX_DEPTH || self.left == 0 {
                self.skip_value();
            } else if let Some(value) = self.next_value(depth + 1) {
                children.shown.push((key, value));
            }
        }
    }

    fn skip_value(&mut self) {
        let mut open = 0_usize;
        for token in self.tokens.by_ref() {
            match token {
                "{" | "[" => open += 1,
                "}" | "]" => open = open.saturating_sub(1),
                _ => {}
            }
            if open == 0 {
                return;
            }
        }
    }
}

fn node(key: Option<&str>, value: &Node<'_>, depth: usize) -> Markup {
    let label =
        html! { @if let Some(key) = key { span.key { (text(&shortened(key, MAX_CHARS))) } ": " } };
    let (open, close, children) = match value {
        Node::Object(children) => ("{", "}", children),
        Node::Array(children) => ("[", "]", children),
        Node::Leaf(leaf) => return html! { div.leaf { (label) (self::leaf(leaf)) } },
    };
    html! {
        details open[depth <= OPEN_DEPTH] {
            summary { (label) (open) span.dim { " " (children.count) " " } (close) }
            div.children {
                @if depth >= MAX_DEPTH && children.count > 0 { p.dim { "deeper than is shown" } }
                @for (at, (key, value)) in children.shown.iter().enumerate() {
                    @match key {
                        Some(key) => (node(Some(&string(key)), value, depth + 1)),
                        None => (node(Some(&at.to_string()), value, depth + 1)),
                    }
                }
            }
        }
    }
}

fn leaf(leaf: &str) -> Markup {
    if leaf.starts_with('"') {
        return html! { span.string { "\"" (text(&shortened(&string(leaf), MAX_CHARS))) "\"" } };
    }
    html! { span.value { (text(&shortened(leaf, MAX_CHARS))) } }
}

/// Returns what a string says; one that cannot be decoded, such as a lone surrogate, as it is written.
fn string(token: &str) -> String {
    serde_json::from_str(token).unwrap_or_else(|_| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> String {
        tree(serde_json::from_str(json).expect("JSON")).into_string()
    }

    /// Returns what a reader sees of a tree: a space for each element.
    fn words(json: &str) -> String {
        let shown = shown(json);
        let words = shown.split('<').map(|part| {
            let end = part.find('>').map_or(0, |end| end + 1);
            part[end..].trim()
        });
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }

    #[test]
    fn a_tree_is_escaped_and_bounded() {
        let shown_tree = shown("{\"<b>\": [\"a\u{202e}<script>\", 1, null]}");
        assert!(
            shown_tree.contains("&lt;b&gt;") && shown_tree.contains("a&lt;script&gt;"),
            "{shown_tree}"
        );
        assert!(!shown_tree.contains("<script>") && !shown_tree.contains('\u{202e}'));
        let many = shown(&format!("[{}1]", "1,".repeat(99_999)));
        assert!(many.contains("More was cut") && many.len() < 1 << 20);
        assert!(many.contains(" 100000 "));
    }

    #[test]
    fn members_stand_in_their_order_and_numbers_as_they_are_written() {
        for (json, expected) in [
            (
                r#"{"z": 123456789012345678901234567890, "a": [1.10, -0, 1E400]}"#,
                "{ 2 } z : 123456789012345678901234567890 a : [ 3 ] 0 : 1.10 1 : -0 2 : 1E400",
            ),
            (r#"[[], {}, "]"]"#, "[ 3 ] 0 : [ 0 ] 1 : { 0 } 2 : \"]\""),
            (r#""Zo\u00eb""#, "\"Zo\u{eb}\""),
            (r#"{"\ud800": true}"#, "{ 1 } \"\\ud800\" : true"),
            ("17", "17"),
        ] {
            assert_eq!(words(json).replace("&quot;", "\""), expected, "{json}");
        }
    }

    #[test]
    fn what_is_as_deep_as_a_message_may_be_is_shown_and_what_is_deeper_is_cut() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let deepest = shown(&nested(MAX_DEPTH));
        assert_eq!(deepest.matches("<details").count(), MAX_DEPTH);
        assert!(!deepest.contains("deeper than"));
        let deeper = shown(&format!("[{},7]", nested(100_000)));
        assert!(deeper.contains("deeper than is shown") && deeper.contains(">7<"));
        let long = shown(&"9".repeat(100_000));
        assert!(long.len() < 1000, "{}", long.len());
    }
}
