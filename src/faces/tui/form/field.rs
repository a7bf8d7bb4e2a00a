//! The fields of a form: labels, help, and the conversion of a field's text into a setting.

use tui_input::Input;

use crate::app::check_settings;
use crate::domain::{
    Address, Interval, Provider, PublishPolicy, SettingsPatch, SourceSettings, parse_number,
    parse_size,
};
use crate::faces::options::as_fields;
use crate::faces::text::without_comment;
use crate::faces::tui::labels::labels;

labels! {
    /// The setting that a field edits, with the field's label and the values that it accepts.
    enum FieldKey { label, help }
    Address = "address", "https://…; paste many lines to add many";
    Interval = "interval", "whole hours or days: 1h, 12h, 1d, 7d";
    Name = "name", "the file's name when empty";
    Tags = "tags", "words, separated by commas";
    Headers = "headers", "Name: value; Name: ${SECRET}; a `;` within a value is written `\\;`";
    User = "user", "NAME:${PASSWORD}, for HTTP basic authentication";
    MaxSize = "max size", "such as 256MiB; the configuration's when empty";
    Days = "days", "of an address with {date}: how many to ask for; 10 when empty";
    FinalAfter = "final after", "days until a day is asked for no more; 3 when empty";
    Publish = "publish", "passed: what the verifiers passed; newest: whatever comes";
    Rates = "rates", "fixer or ecb, for files with their currency rates; empty for others";
    Enabled = "enabled", "space changes it";
    AllowPrivate = "allow private", "private and loopback addresses; space changes it";
    AllowHttp = "allow http", "plain http; space changes it";
    AllowEmpty = "allow empty", "an empty body after one with content; space changes it";
}

/// The value of a field: text, a switch, or a choice.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Input),
    Switch(bool),
    Publish(PublishPolicy),
}

impl Value {
    /// Returns the typed text, trimmed; empty for a switch.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(input) => input.value().trim_ascii().to_owned(),
            _ => String::new(),
        }
    }

    pub(super) fn is_on(&self) -> bool {
        matches!(self, Self::Switch(true))
    }

    fn policy(&self) -> PublishPolicy {
        match self {
            Self::Publish(policy) => *policy,
            _ => PublishPolicy::default(),
        }
    }

    /// Returns whether both values are the same; the cursor does not count.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.value() == other.value(),
            (Self::Switch(one), Self::Switch(other)) => one == other,
            (Self::Publish(one), Self::Publish(other)) => one == other,
            _ => false,
        }
    }
}

/// One line of a form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) key: FieldKey,
    pub(crate) value: Value,
    /// The value when the form was opened.
    initial: Value,
}

impl Field {
    pub(super) fn new(key: FieldKey, value: Value) -> Self {
        Self {
            key,
            initial: value.clone(),
            value,
        }
    }

    /// Returns whether the value differs from the initial one. An untouched field leaves its setting as it is, even a
    /// setting that the field cannot express.
    pub(super) fn is_touched(&self) -> bool {
        !self.value.is_same(&self.initial)
    }
}

/// Returns the initial value of a field: from these settings, or else the default.
pub(super) fn initial(key: FieldKey, settings: Option<&SourceSettings>) -> Value {
    let text = |of: fn(&SourceSettings) -> String| {
        Value::Text(Input::new(settings.map(of).unwrap_or_default()))
    };
    let switch = |of: fn(&SourceSettings) -> bool, default: bool| {
        Value::Switch(settings.map_or(default, of))
    };
    match key {
        FieldKey::Address => text(|s| s.address.to_string()),
        FieldKey::Interval => Value::Text(Input::new(
            settings
                .map_or(Interval::DEFAULT, |s| s.interval)
                .to_string(),
        )),
        FieldKey::Name => text(|s| s.name.clone()),
        FieldKey::Tags => text(|s| s.tags.join(", ")),
        FieldKey::Headers => text(|s| header_text(&s.headers)),
        FieldKey::User => text(|s| s.user.clone().unwrap_or_default()),
        FieldKey::MaxSize => text(|s| {
            s.max_size_bytes
                .map(|bytes| format!("{bytes}B"))
                .unwrap_or_default()
        }),
        FieldKey::Days => text(|s| number(s.days)),
        FieldKey::FinalAfter => text(|s| number(s.final_after)),
        FieldKey::Publish => Value::Publish(settings.map(|s| s.publish).unwrap_or_default()),
        FieldKey::Rates => text(|s| s.rates.map(Provider::as_str).unwrap_or_default().to_owned()),
        FieldKey::Enabled => switch(|s| s.enabled, true),
        FieldKey::AllowPrivate => switch(|s| s.allow_private, false),
        FieldKey::AllowHttp => switch(|s| s.allow_http, false),
        FieldKey::AllowEmpty => switch(|s| s.allow_empty, false),
    }
}

/// Returns the setting that a value stands for, or the problem with the value.
pub(super) fn setting(key: FieldKey, value: &Value) -> Result<SettingsPatch, String> {
    let text = value.text();
    let mut patch = SettingsPatch::default();
    match key {
        // The rule on plain HTTP is checked where the patch is applied.
        FieldKey::Address => {
            let address = Address::parse(&text, true);
            patch.address = Some(address.map_err(|error| as_fields(&error.to_string()))?);
        }
        FieldKey::Interval => patch.interval = Some(parsed_interval(&text)?),
        FieldKey::Name => patch.name = Some(text),
        FieldKey::Tags => patch.tags = Some(tags(&text)),
        FieldKey::Headers => patch.headers = Some(headers(&text)?),
        FieldKey::User => patch.user = Some(Some(text).filter(|user| !user.is_empty())),
        FieldKey::MaxSize => patch.max_size_bytes = Some(optional(&text, parse_size)?),
        FieldKey::Days => patch.days = Some(optional(&text, days)?),
        FieldKey::FinalAfter => patch.final_after = Some(optional(&text, days)?),
        FieldKey::Publish => patch.publish = Some(value.policy()),
        FieldKey::Rates => patch.rates = Some(optional(&text, str::parse)?),
        FieldKey::Enabled => patch.enabled = Some(value.is_on()),
        FieldKey::AllowPrivate => patch.allow_private = Some(value.is_on()),
        FieldKey::AllowHttp => patch.allow_http = Some(value.is_on()),
        FieldKey::AllowEmpty => patch.allow_empty = Some(value.is_on()),
    }
    check_settings(&patch).map_err(|error| as_fields(&error.with_hint()))?;
    Ok(patch)
}

/// Why a form cannot be submitted, and the field to correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldError {
    pub(crate) field: FieldKey,
    pub(crate) text: String,
}

/// Reads a line of an address, optionally followed by an interval and a comment.
pub(super) fn address_line(line: &str) -> Result<(&str, Option<Interval>), String> {
    // Other spaces are refused with the address, as characters that cannot be seen.
    let mut words = without_comment(line).split_ascii_whitespace();
    let address = words.next().unwrap_or_default();
    let interval = words.next().map(parsed_interval).transpose()?;
    match words.next() {
        Some(word) => Err(format!(
            "`{word}`: expected an address and at most an interval"
        )),
        None => Ok((address, interval)),
    }
}

pub(super) fn parsed_interval(text: &str) -> Result<Interval, String> {
    text.parse()
        .map_err(|error: crate::domain::IntervalError| error.to_string())
}

pub(super) fn optional<T>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if text.is_empty() {
        Ok(None)
    } else {
        parse(text).map(Some)
    }
}

fn number(days: Option<u32>) -> String {
    days.map(|days| days.to_string()).unwrap_or_default()
}

fn days(text: &str) -> Result<u32, String> {
    parse_number(text).ok_or_else(|| format!("`{text}` is not a number of days"))
}

fn tags(text: &str) -> Vec<String> {
    let words = text.split([',', ' ']).map(str::trim);
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Prints headers as [`headers`] reads them: separated by `;`, with `\;` and `\\` for the two characters in a value.
fn header_text(headers: &[(String, String)]) -> String {
    let quoted = |value: &str| value.replace('\\', r"\\").replace(';', r"\;");
    let lines = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", quoted(value)));
    lines.collect::<Vec<_>>().join("; ")
}

/// Reads headers: `Name: value; Name: value`.
pub(super) fn headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let part = parts.last_mut().expect("it begins with one");
        match (character, characters.peek()) {
            ('\\', Some(&quoted @ ('\\' | ';'))) => {
                characters.next();
                part.push(quoted);
            }
            (';', _) => parts.push(String::new()),
            _ => part.push(character),
        }
    }
    let parts = parts.iter().map(|part| part.trim());
    parts
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once(':') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err(
                r"a header is `Name: value`, several are separated by `;`, and a `;` within a value is written `\;`"
                    .to_owned(),
            ),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_one_by_one() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for (text, expected) in [
            ("", vec![]),
            ("A: b; C: ${D};", vec![pair("A", "b"), pair("C", "${D}")]),
            (
                r"Accept: text/html\;q=0.8; A: b",
                vec![pair("Accept", "text/html;q=0.8"), pair("A", "b")],
            ),
            (r"A: C:\dir", vec![pair("A", r"C:\dir")]),
            (r"A: C:\\; B: c", vec![pair("A", r"C:\"), pair("B", "c")]),
        ] {
            assert_eq!(headers(text), Ok(expected), "{text}");
        }
        for text in ["nonsense", "Accept: text/html;q=0.8", r"A\; b"] {
            let why = headers(text).expect_err(text);
            assert!(why.contains(r"written `\;`"), "{why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_header_can_be_said(
            headers in proptest::collection::vec(("[A-Za-z-]{1,5}", r"([!-~]([ -~]{0,8}[!-~])?)?"), 0..4)
        ) {
            proptest::prop_assert_eq!(super::headers(&header_text(&headers)), Ok(headers));
        }
    }
}
