//! Shows JSON as a tree that can be unfolded, bounded in depth and size.

use maud::{Markup, html};
use serde_json::Value;

use super::elements::text;
use crate::domain::shortened;

/// The most values that are shown.
const MAX_VALUES: usize = 3000;
/// Objects and arrays down to this depth are unfolded at first.
const OPEN_DEPTH: usize = 1;
/// The most objects and arrays inside each other that are shown.
const MAX_DEPTH: usize = 64;
/// The most characters of a string that are shown.
const MAX_CHARS: usize = 500;

/// Shows a value.
pub(super) fn tree(value: &Value) -> Markup {
    let mut left = MAX_VALUES;
    html! {
        div.tree { (node(None, value, 0, &mut left)) }
        @if left == 0 { p.dim { "More was cut: the text shows all." } }
    }
}

fn node(key: Option<&str>, value: &Value, depth: usize, left: &mut usize) -> Markup {
    let label = key.map(|key| html! { span.key { (text(&shortened(key, MAX_CHARS))) } ": " });
    if *left == 0 {
        return html! {};
    }
    *left -= 1;
    let (open, close, count) = match value {
        Value::Object(map) => ("{", "}", map.len()),
        Value::Array(items) => ("[", "]", items.len()),
        _ => return html! { div.leaf { @if let Some(label) = &label { (label) } (leaf(value)) } },
    };
    html! {
        details open[depth <= OPEN_DEPTH] {
            summary { @if let Some(label) = &label { (label) } (open) span.dim { " " (count) " " } (close) }
            div.children {
                @if depth >= MAX_DEPTH { p.dim { "deeper than is shown" } } @else { (children(value, depth, left)) }
            }
        }
    }
}

fn children(value: &Value, depth: usize, left: &mut usize) -> Markup {
    html! {
        @match value {
            Value::Object(map) => @for (key, value) in map { (node(Some(key), value, depth + 1, left)) },
            Value::Array(items) => @for (at, value) in items.iter().enumerate() { (node(Some(&at.to_string()), value, depth + 1, left)) },
            _ => {},
        }
    }
}

fn leaf(value: &Value) -> Markup {
    match value {
        Value::String(string) => {
            html! { span.string { "\"" (text(&shortened(string, MAX_CHARS))) "\"" } }
        }
        Value::Number(number) => html! { span.value { (number) } },
        other => html! { span.value { (other) } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_tree_is_escaped_and_bounded() {
        let shown = tree(&json!({"<b>": ["a\u{202e}<script>", 1, null]})).into_string();
        assert!(
            shown.contains("&lt;b&gt;") && shown.contains("a&lt;script&gt;"),
            "{shown}"
        );
        assert!(!shown.contains("<script>") && !shown.contains('\u{202e}'));
        let many = tree(&json!(vec![1; 100_000])).into_string();
        assert!(many.contains("More was cut") && many.len() < 1 << 20);
    }
}
