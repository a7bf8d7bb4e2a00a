//! Forms: adding sources, changing their settings. Every field is checked as it is typed.

use tui_input::{Input, InputRequest};

use crate::app::{NewSource, SourceEdit};
use crate::domain::{Address, Interval, PublishPolicy, SourceSettings, parse_size};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FieldKey {
    Address,
    Interval,
    Name,
    Tags,
    Headers,
    MaxSize,
    Publish,
    Enabled,
    AllowPrivate,
    AllowHttp,
    AllowEmpty,
}

impl FieldKey {
    const ALL: [Self; 11] = [
        Self::Address,
        Self::Interval,
        Self::Name,
        Self::Tags,
        Self::Headers,
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
            Self::MaxSize => "max size",
            Self::Publish => "publish",
            Self::Enabled => "enabled",
            Self::AllowPrivate => "allow private",
            Self::AllowHttp => "allow http",
            Self::AllowEmpty => "allow empty",
        }
    }

    /// Says what is accepted, while the field is empty or right.
    pub(crate) fn help(self) -> &'static str {
        match self {
            Self::Address => "https://…; paste many lines to add many",
            Self::Interval => "whole hours or days: 1h, 12h, 1d, 7d",
            Self::Name => "the file's name when empty",
            Self::Tags => "words, separated by commas",
            Self::Headers => "Name: value; Name: ${SECRET}",
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

/// What a form is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// Adding sources.
    Add,
    /// Changing the interval of these sources.
    Interval(Vec<crate::domain::SourceId>),
    /// Changing all settings of one source, which were these.
    Edit(crate::domain::SourceId, Box<SourceSettings>),
}

/// An open form.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) purpose: Purpose,
    pub(crate) fields: Vec<Field>,
    pub(crate) focus: usize,
    /// Lines that were pasted into the address.
    pub(crate) pasted: Vec<String>,
    /// Why it could not be accepted.
    pub(crate) refused: Option<String>,
}

/// What a form asks for when it is accepted.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Add(Vec<NewSource>),
    Edit(Vec<crate::domain::SourceId>, Box<SourceEdit>),
}

impl Form {
    pub(crate) fn add() -> Self {
        let settings = None;
        Self::new(Purpose::Add, &FieldKey::ALL, settings)
    }

    pub(crate) fn interval(ids: Vec<crate::domain::SourceId>, now: Interval) -> Self {
        let mut form = Self::new(Purpose::Interval(ids), &[FieldKey::Interval], None);
        form.fields[0].value = Value::Text(Input::new(now.to_string()));
        form
    }

    pub(crate) fn edit(id: crate::domain::SourceId, settings: &SourceSettings) -> Self {
        let purpose = Purpose::Edit(id, Box::new(settings.clone()));
        Self::new(purpose, &FieldKey::ALL, Some(settings))
    }

    fn new(purpose: Purpose, keys: &[FieldKey], settings: Option<&SourceSettings>) -> Self {
        let fields = keys.iter().map(|key| Field {
            key: *key,
            value: initial(*key, settings),
        });
        Self {
            purpose,
            fields: fields.collect(),
            focus: 0,
            pasted: Vec::new(),
            refused: None,
        }
    }

    pub(crate) fn title(&self) -> String {
        match &self.purpose {
            Purpose::Add => "Add sources".to_owned(),
            Purpose::Interval(ids) if ids.len() > 1 => format!("Interval of {} sources", ids.len()),
            Purpose::Interval(_) => "Interval".to_owned(),
            Purpose::Edit(_, settings) => format!("Edit {}", settings.name),
        }
    }

    pub(crate) fn next(&mut self) {
        self.focus = (self.focus + 1) % self.fields.len();
    }

    pub(crate) fn previous(&mut self) {
        self.focus = (self.focus + self.fields.len() - 1) % self.fields.len();
    }

    /// Gives what was typed to the field that has the focus.
    pub(crate) fn typed(&mut self, request: InputRequest) {
        self.refused = None;
        let field = &mut self.fields[self.focus];
        let is_space = request == InputRequest::InsertChar(' ');
        match &mut field.value {
            Value::Text(input) => {
                if field.key == FieldKey::Address && !self.pasted.is_empty() {
                    self.pasted.clear();
                }
                input.handle(request);
            }
            Value::Switch(on) if is_space => *on = !*on,
            Value::Publish(policy) if is_space => {
                *policy = match policy {
                    PublishPolicy::Passed => PublishPolicy::Newest,
                    PublishPolicy::Newest => PublishPolicy::Passed,
                }
            }
            Value::Switch(_) | Value::Publish(_) => {}
        }
    }

    /// Takes pasted text: many lines become many sources, one line goes where the cursor is.
    pub(crate) fn paste(&mut self, text: &str) {
        let lines: Vec<_> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        if lines.len() > 1 && self.purpose == Purpose::Add {
            self.refused = None;
            self.pasted = lines.into_iter().map(str::to_owned).collect();
            self.focus = 0;
            return;
        }
        for character in lines.join(" ").chars().filter(|c| !c.is_control()) {
            if !matches!(self.fields[self.focus].value, Value::Text(_)) {
                return;
            }
            self.typed(InputRequest::InsertChar(character));
        }
    }

    /// Returns what is wrong with a field, as far as it can be said without asking anyone.
    pub(crate) fn problem(&self, key: FieldKey) -> Option<String> {
        let text = self.text(key);
        match key {
            FieldKey::Address if !self.pasted.is_empty() => {
                self.pasted.iter().find_map(|line| self.line_problem(line))
            }
            FieldKey::Address | FieldKey::Interval | FieldKey::MaxSize if text.is_empty() => None,
            FieldKey::Address => self.line_problem(&text),
            FieldKey::Interval => text.parse::<Interval>().err().map(|e| e.to_string()),
            FieldKey::MaxSize => parse_size(&text).err(),
            FieldKey::Headers => headers(&text).err(),
            _ => None,
        }
    }

    fn line_problem(&self, line: &str) -> Option<String> {
        match address_line(line) {
            Ok((address, _)) => Address::parse(address, self.switch(FieldKey::AllowHttp))
                .err()
                .map(|error| error.to_string()),
            Err(problem) => Some(problem),
        }
    }

    /// Returns what the form asks for, or why it asks for nothing yet.
    pub(crate) fn wanted(&self) -> Result<Wanted, String> {
        if let Some(problem) = self.fields.iter().find_map(|field| self.problem(field.key)) {
            return Err(problem);
        }
        match &self.purpose {
            Purpose::Add => self.additions().map(Wanted::Add),
            Purpose::Interval(ids) => {
                let edit = SourceEdit {
                    interval: Some(parsed_interval(&self.text(FieldKey::Interval))?),
                    ..SourceEdit::default()
                };
                Ok(Wanted::Edit(ids.clone(), Box::new(edit)))
            }
            Purpose::Edit(id, before) => {
                Ok(Wanted::Edit(vec![*id], Box::new(self.changes(before)?)))
            }
        }
    }

    fn additions(&self) -> Result<Vec<NewSource>, String> {
        let typed = vec![self.text(FieldKey::Address)];
        let lines = if self.pasted.is_empty() {
            &typed
        } else {
            &self.pasted
        };
        if lines.iter().all(String::is_empty) {
            return Err("give an address: https://host/path".to_owned());
        }
        let name = Some(self.text(FieldKey::Name)).filter(|name| !name.is_empty());
        if name.is_some() && lines.len() > 1 {
            return Err(format!(
                "{} sources cannot share one name: leave it empty",
                lines.len()
            ));
        }
        lines
            .iter()
            .map(|line| self.addition(line, name.clone()))
            .collect()
    }

    fn addition(&self, line: &str, name: Option<String>) -> Result<NewSource, String> {
        let (address, own_interval) = address_line(line)?;
        let interval = match own_interval {
            Some(interval) => Some(interval),
            None => optional(&self.text(FieldKey::Interval), parsed_interval)?,
        };
        Ok(NewSource {
            address: address.to_owned(),
            interval,
            name,
            tags: self.tags(),
            headers: headers(&self.text(FieldKey::Headers))?,
            allow_private: self.switch(FieldKey::AllowPrivate),
            allow_http: self.switch(FieldKey::AllowHttp),
            allow_empty: self.switch(FieldKey::AllowEmpty),
            publish: self.publish(),
            max_size_bytes: optional(&self.text(FieldKey::MaxSize), parse_size)?,
            disabled: !self.switch(FieldKey::Enabled),
        })
    }

    /// Returns what differs from what was; the rest stays whatever someone else made of it meanwhile.
    fn changes(&self, before: &SourceSettings) -> Result<SourceEdit, String> {
        fn changed<T: PartialEq>(now: T, before: &T) -> Option<T> {
            (now != *before).then_some(now)
        }
        let address = self.text(FieldKey::Address);
        Ok(SourceEdit {
            address: (address != before.address.as_str()).then_some(address),
            interval: changed(
                parsed_interval(&self.text(FieldKey::Interval))?,
                &before.interval,
            ),
            enabled: changed(self.switch(FieldKey::Enabled), &before.enabled),
            name: changed(self.text(FieldKey::Name), &before.name),
            tags: changed(self.tags(), &before.tags),
            headers: changed(headers(&self.text(FieldKey::Headers))?, &before.headers),
            allow_private: changed(self.switch(FieldKey::AllowPrivate), &before.allow_private),
            allow_http: changed(self.switch(FieldKey::AllowHttp), &before.allow_http),
            allow_empty: changed(self.switch(FieldKey::AllowEmpty), &before.allow_empty),
            publish: changed(self.publish(), &before.publish),
            max_size_bytes: changed(
                optional(&self.text(FieldKey::MaxSize), parse_size)?,
                &before.max_size_bytes,
            ),
        })
    }

    fn value(&self, key: FieldKey) -> Option<&Value> {
        let field = self.fields.iter().find(|field| field.key == key);
        field.map(|field| &field.value)
    }

    fn text(&self, key: FieldKey) -> String {
        match self.value(key) {
            Some(Value::Text(input)) => input.value().trim().to_owned(),
            _ => String::new(),
        }
    }

    fn switch(&self, key: FieldKey) -> bool {
        matches!(self.value(key), Some(Value::Switch(true)))
    }

    fn publish(&self) -> PublishPolicy {
        match self.value(FieldKey::Publish) {
            Some(Value::Publish(policy)) => *policy,
            _ => PublishPolicy::default(),
        }
    }

    fn tags(&self) -> Vec<String> {
        let text = self.text(FieldKey::Tags);
        let words = text
            .split([',', ' '])
            .map(str::trim)
            .filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    }
}

fn initial(key: FieldKey, settings: Option<&SourceSettings>) -> Value {
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

/// Reads an address, and behind it the interval that it may have.
fn address_line(line: &str) -> Result<(&str, Option<Interval>), String> {
    let mut words = line.split_whitespace();
    let address = words.next().unwrap_or_default();
    let interval = words.next().map(parsed_interval).transpose()?;
    match words.next() {
        Some(word) => Err(format!(
            "`{word}`: expected an address and at most an interval"
        )),
        None => Ok((address, interval)),
    }
}

fn parsed_interval(text: &str) -> Result<Interval, String> {
    text.parse()
        .map_err(|error: crate::domain::IntervalError| error.to_string())
}

fn optional<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text.is_empty() {
        Ok(None)
    } else {
        parse(text).map(Some)
    }
}

/// Reads `Name: value; Name: value`.
fn headers(text: &str) -> Result<Vec<(String, String)>, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(form: &mut Form, text: &str) {
        for character in text.chars() {
            form.typed(InputRequest::InsertChar(character));
        }
    }

    #[test]
    fn a_field_says_what_is_wrong_as_it_is_typed() {
        let mut form = Form::add();
        assert_eq!(form.problem(FieldKey::Address), None);
        typed(&mut form, "ftp://example.org/x");
        assert!(
            form.problem(FieldKey::Address)
                .is_some_and(|p| p.contains("https"))
        );
        form.next();
        form.typed(InputRequest::DeleteLine);
        typed(&mut form, "30m");
        assert!(
            form.problem(FieldKey::Interval)
                .is_some_and(|p| p.contains("1h, 12h"))
        );
        assert!(form.wanted().is_err());
    }

    #[test]
    fn many_pasted_lines_are_many_sources() {
        let mut form = Form::add();
        form.paste("https://a.example/1 1h\n\n# no\nhttps://a.example/2\r\n");
        let Ok(Wanted::Add(new)) = form.wanted() else {
            panic!("two sources");
        };
        let added: Vec<_> = new
            .iter()
            .map(|n| (n.address.as_str(), n.interval.map(Interval::hours)))
            .collect();
        assert_eq!(
            added,
            [
                ("https://a.example/1", Some(1)),
                ("https://a.example/2", Some(24))
            ]
        );
        form.paste("https://a.example/1\nfile:///etc/passwd");
        assert!(form.wanted().is_err());
    }

    #[test]
    fn headers_are_read_one_by_one() {
        assert_eq!(headers("A: b; C: ${D}").map(|h| h.len()), Ok(2));
        assert!(headers("nonsense").is_err());
    }
}
