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
    let (old_words, new_words) = (words(old), words(new));
    let diff = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_slices(&old_words, &new_words);
    // Nothing in common: marks on everything would only be noise.
    let has_common = diff
        .iter_all_changes()
        .any(|change| change.tag() == ChangeTag::Equal && change.value().contains(is_of_word));
    if !has_common {
        return (html! { (old) }, html! { (new) });
    }
    (
        side(&diff, ChangeTag::Delete),
        side(&diff, ChangeTag::Insert),
    )
}

/// Splits a line into words, numbers with their signs and points, runs of spaces, and all other characters one by one.
fn words(line: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), line);
    while let Some(first) = rest.chars().next() {
        let goes_on = |next: char| {
            is_of_word(first) && is_of_word(next) || first.is_whitespace() && next.is_whitespace()
        };
        let end = rest[first.len_utf8()..].find(|next| !goes_on(next));
        let end = end.map_or(rest.len(), |end| first.len_utf8() + end);
        let (word, behind) = rest.split_at(end);
        words.push(word);
        rest = behind;
    }
    words
}

fn is_of_word(one: char) -> bool {
    one.is_alphanumeric() || matches!(one, '.' | '-' | '+' | '_')
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
        let (old, new) = marked_pair("nut,5.05,EUR", "nut,-5.05,EUR");
        assert_eq!(old.into_string(), "nut,<mark>5.05</mark>,EUR");
        assert_eq!(new.into_string(), "nut,<mark>-5.05</mark>,EUR");
        let (old, _) = marked_pair("one,", "two,");
        assert_eq!(old.into_string(), "one,");
        let (old, _) = marked_pair("one", "two");
        assert_eq!(old.into_string(), "one");
    }
}
