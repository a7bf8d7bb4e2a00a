//! The fields of a form: what each is called, what it accepts, how what was typed is read.

use tui_input::Input;

use super::Form;
use crate::domain::{Interval, PublishPolicy, SettingsPatch, SourceSettings, parse_size};
use crate::faces::text::without_comment;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FieldKey {
    Address,
    Interval,
    Name,
    Tags,
    Headers,
    User,
    MaxSize,
    Publish,
    Enabled,
    AllowPrivate,
    AllowHttp,
    AllowEmpty,
}

impl FieldKey {
    pub(super) const ALL: [Self; 12] = [
        Self::Address,
        Self::Interval,
        Self::Name,
        Self::Tags,
        Self::Headers,
        Self::User,
        Self::MaxSize,
        Self::Publish,
        Self::Enabled,
        Self::AllowPrivate,
        Self::AllowHttp,
        Self::AllowEmpty,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Interval => "interval",
            Self::Name => "name",
            Self::Tags => "tags",
            Self::Headers => "headers",
            Self::User => "user",
            Self::MaxSize => "max size",
            Self::Publish => "publish",
            Self::Enabled => "enabled",
            Self::AllowPrivate => "allow private",
            Self::AllowHttp => "allow http",
            Self::AllowEmpty => "allow empty",
        }
    }

    /// Says what is accepted.
    pub(crate) fn help(self) -> &'static str {
        match self {
            Self::Address => "https://…; paste many lines to add many",
            Self::Interval => "whole hours or days: 1h, 12h, 1d, 7d",
            Self::Name => "the file's name when empty",
            Self::Tags => "words, separated by commas",
            Self::Headers => "Name: value; Name: ${SECRET}",
            Self::User => "NAME:${PASSWORD}, for HTTP basic authentication",
            Self::MaxSize => "such as 256MiB; the configuration's when empty",
            Self::Publish => "passed: what the verifiers passed; newest: whatever comes",
            Self::Enabled => "space changes it",
            Self::AllowPrivate => "private and loopback addresses; space changes it",
            Self::AllowHttp => "plain http; space changes it",
            Self::AllowEmpty => "an empty body after one with content; space changes it",
        }
    }
}

/// What a field's value is edited by.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Input),
    Switch(bool),
    Publish(PublishPolicy),
}

/// One line of a form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) key: FieldKey,
    pub(crate) value: Value,
}

/// Returns what a field begins with: what these settings say, else the default.
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
        FieldKey::Headers => text(|s| {
            let lines = s
                .headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}"));
            lines.collect::<Vec<_>>().join("; ")
        }),
        FieldKey::User => text(|s| s.user.clone().unwrap_or_default()),
        FieldKey::MaxSize => text(|s| {
            s.max_size_bytes
                .map(|bytes| format!("{bytes}B"))
                .unwrap_or_default()
        }),
        FieldKey::Publish => Value::Publish(settings.map(|s| s.publish).unwrap_or_default()),
        FieldKey::Enabled => switch(|s| s.enabled, true),
        FieldKey::AllowPrivate => switch(|s| s.allow_private, false),
        FieldKey::AllowHttp => switch(|s| s.allow_http, false),
        FieldKey::AllowEmpty => switch(|s| s.allow_empty, false),
    }
}

impl Form {
    /// Returns the settings that mean the same for one source and for several that are added, empty or not.
    pub(super) fn shared_settings(&self) -> Result<SettingsPatch, String> {
        Ok(SettingsPatch {
            address: None,
            interval: None,
            name: None,
            enabled: Some(self.switch(FieldKey::Enabled)),
            tags: Some(self.tags()),
            headers: Some(headers(&self.text(FieldKey::Headers))?),
            allow_private: Some(self.switch(FieldKey::AllowPrivate)),
            allow_http: Some(self.switch(FieldKey::AllowHttp)),
            allow_empty: Some(self.switch(FieldKey::AllowEmpty)),
            publish: Some(self.publish()),
            user: Some(Some(self.text(FieldKey::User)).filter(|user| !user.is_empty())),
            max_size_bytes: Some(optional(&self.text(FieldKey::MaxSize), parse_size)?),
        })
    }
}

/// Reads an address, and behind it the interval that it may have, and a comment.
pub(super) fn address_line(line: &str) -> Result<(&str, Option<Interval>), String> {
    // Other spaces are told as what cannot be seen in an address.
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

/// Reads `Name: value; Name: value`.
pub(super) fn headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let parts = text
        .split(';')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| match part.split_once(':') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err("a header is `Name: value`, several are separated by `;`".to_owned()),
        })
        .collect()
}
