//! Which of two media types a request prefers, by `Accept` (RFC 9110 §12.5.1).

use axum::http::{HeaderMap, header};

/// How a request names a media type.
#[derive(Clone, Copy)]
struct Named {
    /// By name, by `type/*`, or by `*/*`: 2, 1, 0.
    exactness: u8,
    /// The weight, from 0 to 1.
    weight: f32,
    /// The place in the list, from 0.
    place: usize,
}

/// Returns whether a request prefers a media type, known by some names, over another: when it has the greater weight, or
/// when it comes first with an equal weight, and the other is not named.
pub(super) fn prefers(headers: &HeaderMap, names: &[&str], other: &str) -> bool {
    let all = names.iter().filter_map(|name| named(headers, name));
    let wanted = all.filter(|one| one.weight > 0.0);
    let order = |a: &Named, b: &Named| (a.weight.total_cmp(&b.weight)).then(b.place.cmp(&a.place));
    let Some(wanted) = wanted.max_by(order) else {
        return false;
    };
    named(headers, other).is_none_or(|other| {
        let is_first = wanted.place < other.place && other.exactness < 2;
        let order = wanted.weight.total_cmp(&other.weight);
        order.is_gt() || order.is_eq() && is_first
    })
}

/// Returns how a request names a media type: its most exact range counts.
fn named(headers: &HeaderMap, name: &str) -> Option<Named> {
    let fields = headers.get_all(header::ACCEPT).iter();
    let ranges = fields.filter_map(|field| field.to_str().ok());
    let ranges = ranges.flat_map(|field| field.split(','));
    let of_name = ranges.enumerate().filter_map(|(place, range)| {
        let mut parts = range.split(';').map(str::trim);
        Some(Named {
            exactness: exactness(parts.next()?, name)?,
            weight: parts.find_map(weight).unwrap_or(1.0),
            place,
        })
    });
    of_name.reduce(|best, one| {
        if one.exactness > best.exactness {
            one
        } else {
            best
        }
    })
}

/// Returns how exactly a range names a media type; `None` when it does not.
fn exactness(range: &str, name: &str) -> Option<u8> {
    let kind = name.split('/').next().unwrap_or_default();
    if range.eq_ignore_ascii_case(name) {
        return Some(2);
    }
    match range.split_once('/')? {
        ("*", "*") => Some(0),
        (of_kind, "*") if of_kind.eq_ignore_ascii_case(kind) => Some(1),
        _ => None,
    }
}

/// Returns the weight that a parameter states; `None` for another parameter.
fn weight(parameter: &str) -> Option<f32> {
    let (name, value) = parameter.split_once('=')?;
    let value = value
        .trim()
        .parse::<f32>()
        .ok()
        .filter(|_| name.trim().eq_ignore_ascii_case("q"))?;
    value.is_finite().then(|| value.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_greater_weight_is_preferred_and_then_what_comes_first() {
        for (fields, expected) in [
            (&[][..], false),
            (&["*/*"], false),
            (&["text/plain"], true),
            (&["TEXT/Plain; charset=utf-8"], true),
            (&["text/x-diff"], true),
            (&["text/*"], true),
            (&["text/plain, */*"], true),
            (&["*/*, text/plain"], false),
            (&["application/json, text/plain, */*"], false),
            (&["text/plain, application/json"], false),
            (&["text/plain", "application/json"], false),
            (&["text/plain, application/json;q=0.9"], true),
            (&["text/plain;q=0.5, application/json;q=0.4"], true),
            (&["text/plain;q=0.4, application/*"], false),
            (&["text/plain;q=0, application/json"], false),
            (&["text/plain;q=0"], false),
            (&["text/plain;q=0, */*"], false),
            (&["text/plain;q=0, text/x-diff, application/json;q=0"], true),
            (&["text/html,application/xhtml+xml,*/*;q=0.8"], false),
            (&["text/plain;q=nan, application/json;q=0.1"], true),
            (&["image/png"], false),
            (&["text/plainer"], false),
            (&[";,=,/"], false),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(header::ACCEPT, HeaderValue::from_static(field));
            }
            let names = ["text/plain", "text/x-diff"];
            assert_eq!(
                prefers(&headers, &names, "application/json"),
                expected,
                "{fields:?}"
            );
        }
    }
}
