//! The conditions of a request on what it names (RFC 9110 §13): by entity tags, and by dates in whole seconds.
//!
//! Never reads what is named: its entity tag and the time of its last change are arguments.

use std::convert::Infallible;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use chrono::{DateTime, NaiveDateTime, Utc};

/// The forms of a date: the present one, and the two obsolete ones (RFC 9110 §5.6.7).
const DATE_FORMS: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

/// The conditions of a request for content, and the range that it asks for.
#[derive(Default)]
pub(super) struct Conditions {
    is_head: bool,
    fields: HeaderMap,
}

/// What the conditions of a request make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The content is sent.
    Met,
    /// The client has the content already: 304.
    Unchanged,
    /// The content is not what the client takes it for: 412.
    Failed,
}

impl<S: Send + Sync> FromRequest<S> for Conditions {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        let (parts, _) = request.into_parts();
        Ok(Self {
            is_head: parts.method == Method::HEAD,
            fields: parts.headers,
        })
    }
}

impl Conditions {
    /// Evaluates the conditions for content with a strong entity tag, in the order of RFC 9110 §13.2.2.
    pub(super) fn outcome(&self, tag: &str, modified: Option<DateTime<Utc>>) -> Outcome {
        // A date counts only beside no list of tags, and for content whose date is known.
        let is_changed_since = |name: HeaderName| {
            let since = date(single(&self.fields, name)?)?;
            modified.map(|at| at.timestamp() > since)
        };
        let is_right = matches(&self.fields, tag).or_else(|| {
            is_changed_since(header::IF_UNMODIFIED_SINCE).map(|is_changed| !is_changed)
        });
        if is_right == Some(false) {
            return Outcome::Failed;
        }
        let is_known = lists(&self.fields, header::IF_NONE_MATCH, tag, Weak::Same)
            .or_else(|| is_changed_since(header::IF_MODIFIED_SINCE).map(|is_changed| !is_changed));
        if is_known == Some(true) {
            Outcome::Unchanged
        } else {
            Outcome::Met
        }
    }

    /// Returns the range that a GET asks for, if the client has parts of the same content (RFC 9110 §13.1.5).
    pub(super) fn range(&self, tag: &str, modified: Option<DateTime<Utc>>) -> Option<&HeaderValue> {
        let range = single(&self.fields, header::RANGE).filter(|_| !self.is_head)?;
        if !self.fields.contains_key(header::IF_RANGE) {
            return Some(range);
        }
        let condition = single(&self.fields, header::IF_RANGE)?;
        let is_same = condition == tag
            || date(condition).is_some_and(|at| modified.is_some_and(|own| own.timestamp() == at));
        is_same.then_some(range)
    }
}

/// Returns whether `If-Match` names an entity tag; `None` for a request without it.
pub(super) fn matches(fields: &HeaderMap, tag: &str) -> Option<bool> {
    lists(fields, header::IF_MATCH, tag, Weak::Other)
}

/// Whether a weak tag counts as the strong one with the same text (RFC 9110 §8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weak {
    Same,
    Other,
}

/// Returns whether fields of a name, which are one list, have a tag or `*`; `None` for a request without them.
fn lists(fields: &HeaderMap, name: HeaderName, tag: &str, weak: Weak) -> Option<bool> {
    let mut values = fields.get_all(name).iter().peekable();
    values.peek()?;
    let is_it = |one: &[u8]| {
        let strong = one.strip_prefix(b"W/").filter(|_| weak == Weak::Same);
        one == b"*" || strong.unwrap_or(one) == tag.as_bytes()
    };
    Some(values.any(|value| tags(value.as_bytes()).any(is_it)))
}

/// Returns the entity tags of a list, each with its quotes; there may be commas within them.
fn tags(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        while let [b',' | b' ' | b'\t', after @ ..] = rest {
            rest = after;
        }
        let mut is_quoted = false;
        let end = rest.iter().position(|byte| {
            is_quoted ^= *byte == b'"';
            !is_quoted && *byte == b','
        });
        let (tag, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!tag.is_empty()).then(|| tag.trim_ascii_end())
    })
}

/// Returns the one field of a name.
fn single(fields: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = fields.get_all(name).iter();
    let only = values.next()?;
    values.next().is_none().then_some(only)
}

/// Returns a date in seconds since 1970 (RFC 9110 §5.6.7); `None` for a text that is none.
fn date(field: &HeaderValue) -> Option<i64> {
    let text = field.to_str().ok()?.trim();
    let read = |form: &&str| NaiveDateTime::parse_from_str(text, form).ok();
    let at = DATE_FORMS.iter().find_map(read)?;
    Some(at.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"a,b\"";
    const BEFORE: &str = "Sat, 31 Jan 2026 11:59:59 GMT";
    const AT: &str = "Sat, 31 Jan 2026 12:00:00 GMT";
    const AFTER: &str = "Sat, 31 Jan 2026 12:00:01 GMT";

    fn modified() -> DateTime<Utc> {
        let at = DateTime::parse_from_rfc3339("2026-01-31T12:00:00.75Z").expect("a time");
        at.to_utc()
    }

    /// Returns the conditions of these fields, `NAME: VALUE` each.
    fn conditions(fields: &[&str]) -> Conditions {
        let mut conditions = Conditions::default();
        for field in fields {
            let (name, value) = field.split_once(": ").expect("a field");
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            let value = HeaderValue::from_str(value).expect("a value");
            conditions.fields.append(name, value);
        }
        conditions
    }

    #[test]
    fn conditions_are_evaluated_in_order() {
        use Outcome::{Failed, Met, Unchanged};
        let (ims, ius) = ("if-modified-since", "if-unmodified-since");
        for (fields, expected) in [
            (vec![], Met),
            (vec!["if-none-match: \"a,b\"".to_owned()], Unchanged),
            (vec!["if-none-match: W/\"a,b\"".to_owned()], Unchanged),
            (vec!["if-none-match: *".to_owned()], Unchanged),
            (
                vec!["if-none-match: \"x\",\t\"a,b\" ,".to_owned()],
                Unchanged,
            ),
            (vec!["if-none-match: \"a\", b\"".to_owned()], Met),
            (vec!["if-none-match: \"a".to_owned()], Met),
            (
                vec![
                    "if-none-match: \"x\"".to_owned(),
                    "if-none-match: \"a,b\"".to_owned(),
                ],
                Unchanged,
            ),
            (vec![format!("{ims}: {BEFORE}")], Met),
            (vec![format!("{ims}: {AT}")], Unchanged),
            (vec![format!("{ims}: {AFTER}")], Unchanged),
            (
                vec![format!("{ims}: Saturday, 31-Jan-26 12:00:00 GMT")],
                Unchanged,
            ),
            (vec![format!("{ims}: Sat Jan 31 12:00:00 2026")], Unchanged),
            (vec![format!("{ims}: yesterday")], Met),
            (vec![format!("{ims}: {AT}"), format!("{ims}: {AT}")], Met),
            // The date does not count beside a list of tags.
            (
                vec![format!("{ims}: {AT}"), "if-none-match: \"x\"".to_owned()],
                Met,
            ),
            (
                vec![
                    format!("{ims}: {BEFORE}"),
                    "if-none-match: \"a,b\"".to_owned(),
                ],
                Unchanged,
            ),
            (vec!["if-match: \"a,b\"".to_owned()], Met),
            (vec!["if-match: *".to_owned()], Met),
            (vec!["if-match: W/\"a,b\"".to_owned()], Failed),
            (vec!["if-match: \"x\"".to_owned()], Failed),
            (
                vec!["if-match: \"x\"".to_owned(), "if-match: \"a,b\"".to_owned()],
                Met,
            ),
            (vec![format!("{ius}: {BEFORE}")], Failed),
            (vec![format!("{ius}: {AT}")], Met),
            (vec![format!("{ius}: never")], Met),
            (
                vec![format!("{ius}: {BEFORE}"), "if-match: \"a,b\"".to_owned()],
                Met,
            ),
            (
                vec![format!("{ius}: {AT}"), "if-match: \"x\"".to_owned()],
                Failed,
            ),
            (
                vec![
                    "if-match: \"a,b\"".to_owned(),
                    "if-none-match: \"a,b\"".to_owned(),
                ],
                Unchanged,
            ),
            (
                vec![
                    "if-match: \"x\"".to_owned(),
                    "if-none-match: \"a,b\"".to_owned(),
                ],
                Failed,
            ),
            (
                vec![format!("{ius}: {AT}"), format!("{ims}: {AT}")],
                Unchanged,
            ),
        ] {
            let names: Vec<_> = fields.iter().map(String::as_str).collect();
            assert_eq!(
                conditions(&names).outcome(TAG, Some(modified())),
                expected,
                "{fields:?}"
            );
        }
        for name in [ims, ius] {
            let dated = format!("{name}: {BEFORE}");
            assert_eq!(conditions(&[&dated]).outcome(TAG, None), Met, "{name}");
        }
    }

    #[test]
    fn a_range_is_of_the_same_content() {
        let range = "range: bytes=0-1";
        for (condition, expected) in [
            ("x-none: ", true),
            ("if-range: \"a,b\"", true),
            ("if-range: W/\"a,b\"", false),
            ("if-range: \"x\"", false),
            (&format!("if-range: {AT}"), true),
            (&format!("if-range: {BEFORE}"), false),
            (&format!("if-range: {AFTER}"), false),
            ("if-range: never", false),
            ("range: bytes=2-3", false),
        ] {
            let asked = conditions(&[range, condition]);
            assert_eq!(
                asked.range(TAG, Some(modified())).is_some(),
                expected,
                "{condition}"
            );
        }
        let head = Conditions {
            is_head: true,
            ..conditions(&[range])
        };
        assert_eq!(head.range(TAG, Some(modified())), None);
        let dated = format!("if-range: {AT}");
        assert_eq!(conditions(&[range, &dated]).range(TAG, None), None);
    }
}
