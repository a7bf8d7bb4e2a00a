//! Finds the known word that a mistyped one may mean, among the few keys and values of a language.

/// A correction is suggested up to this many insertions, deletions, changes and swaps.
const MAX_TYPOS: usize = 3;

/// Returns the known word that takes the fewest corrections; `None` if none is near.
pub fn nearest_word<'n>(typed: &str, known: &[&'n str]) -> Option<&'n str> {
    known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(typed, word), *word))
        .filter(|(typos, word)| *typos <= MAX_TYPOS.min(word.len() / 2))
        .min()
        .map(|(_, word)| word)
}
