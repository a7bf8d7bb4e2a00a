//! Suggests the nearest existing name for one that does not exist.

use crate::app::Error;
use crate::domain::masked;

/// Names less alike than this are not suggested.
const LIKENESS: f64 = 0.85;

/// Returns the error for a name, such as a verifier's, that does not exist. Its hint is the nearest name, else
/// `otherwise`.
pub(in crate::app) fn no_such_name<'a>(
    noun: &str,
    name: &str,
    names: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> Error {
    let shown = masked(name);
    let hint = suggestion(name, names).unwrap_or_else(|| otherwise.to_owned());
    Error::not_found(format!("no {noun} is called `{}`", shown.escape_debug())).hint(hint)
}

/// Returns `did you mean prices.csv?` when one of the names is near the typed one.
pub fn suggestion<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(typed, names).map(|name| format!("did you mean {name}?"))
}

/// Returns the name most like the typed one: in another case, with more letters, or without a slip.
pub(in crate::app) fn nearest<'a>(
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        match name.strip_prefix(&typed) {
            Some("") => 2.0,
            // Of several that begin so, the shortest: `prices` is `prices.csv` before `prices-of-last-year.csv`.
            #[expect(clippy::cast_precision_loss, reason = "names are short")]
            Some(rest) if !typed.is_empty() => 1.0 + 1.0 / (1.0 + rest.len() as f64),
            _ => strsim::jaro_winkler(&typed, &name),
        }
    };
    names
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        let names = ["prices.csv", "prices-of-2024.csv", "rates.json", "legal"];
        for (typed, expected) in [
            ("prices", Some("prices.csv")),
            ("Prices.csv", Some("prices.csv")),
            ("prces.csv", Some("prices.csv")),
            ("lgal", Some("legal")),
            ("rates.jsn", Some("rates.json")),
            ("terms.txt", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names), expected, "{typed}");
        }
    }
}
