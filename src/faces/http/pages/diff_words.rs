//! Marks the words that differ between two lines, one of which took the place of the other.

use std::time::Duration;

use maud::{Markup, html};
use similar::{ChangeTag, TextDiff};

/// After this time a comparison by words returns a longer result.
const PATIENCE: Duration = Duration::from_millis(50);
/// Lines with more characters are not compared by words.
const MAX_CHARS: usize = 1000;

/// Returns both lines, with the words marked that the other one lacks.
pub(super) fn marked_pair(old: &str, new: &str) -> (Markup, Markup) {
    if old.len() > MAX_CHARS || new.len() > MAX_CHARS {
        return (html! { (old) }, html! { (new) });
    }
    let diff = TextDiff::configure().timeout(PATIENCE).diff_words(old, new);
    // Nothing in common: marks on everything would only be noise.
    let has_common = diff
        .iter_all_changes()
        .any(|change| change.tag() == ChangeTag::Equal && !change.value().trim().is_empty());
    if !has_common {
        return (html! { (old) }, html! { (new) });
    }
    (
        side(&diff, ChangeTag::Delete),
        side(&diff, ChangeTag::Insert),
    )
}

fn side(diff: &TextDiff<'_, '_, str>, own: ChangeTag) -> Markup {
    html! {
        @for change in diff.iter_all_changes() {
            @if change.tag() == ChangeTag::Equal { (change.value()) }
            @else if change.tag() == own { mark { (change.value()) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_words_are_marked() {
        let (old, new) = marked_pair("price 17 <b>", "price 18 <b>");
        assert_eq!(old.into_string(), "price <mark>17</mark> &lt;b&gt;");
        assert_eq!(new.into_string(), "price <mark>18</mark> &lt;b&gt;");
        let (old, _) = marked_pair("one", "two");
        assert_eq!(old.into_string(), "one");
    }
}
