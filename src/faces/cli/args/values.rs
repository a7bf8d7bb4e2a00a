//! Parsers of arguments that are no domain values: headers, sizes with a default.

use std::str::FromStr;

use crate::domain::parse_size;

/// `--max-size`: a size, or the configuration's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MaxSize {
    /// The configuration's limit.
    Default,
    /// This many bytes.
    Bytes(u64),
}

impl FromStr for MaxSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self::Default);
        }
        parse_size(text).map(Self::Bytes)
    }
}

/// A word, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrNone<T>(pub(super) Option<T>);

impl<T: FromStr> FromStr for OrNone<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "none" {
            return Ok(Self(None));
        }
        text.parse().map(|word| Self(Some(word)))
    }
}

/// Parses `NAME: VALUE`; the name is a token (RFC 9110 §5.6.2), the value has no line break.
pub(super) fn parse_header(text: &str) -> Result<(String, String), String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let (name, value) = text
        .split_once(':')
        // The message leaves out the value, which may be a secret.
        .ok_or("a header is `NAME: VALUE`, such as 'Authorization: Bearer ${TOKEN}'")?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(format!("`{name}` is not the name of a header"));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(format!(
            "the value of header `{name}` holds a control character"
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Parses the predecessor's `True` and `False`, in any case.
pub(super) fn parse_truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("`{text}` is neither True nor False")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_a_name_and_a_value() {
        assert_eq!(
            parse_header("Authorization: Bearer ${TOKEN}"),
            Ok(("Authorization".to_owned(), "Bearer ${TOKEN}".to_owned()))
        );
        assert_eq!(
            parse_header("X-Time: 12:00"),
            Ok(("X-Time".to_owned(), "12:00".to_owned()))
        );
        for text in ["", "Authorization", ": x", "A B: x", "A: x\r\nB: y"] {
            assert!(parse_header(text).is_err(), "{text}");
        }
        let error = parse_header("hunter2").expect_err("no colon");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
