//! An open form: takes typed and pasted text, and checks its fields.

use tui_input::{Input, InputRequest};

use super::field::{Field, FieldError, FieldKey, Value, address_line, initial, setting};
use crate::app::NewSource;
use crate::domain::{Interval, PublishPolicy, SettingsPatch, SourceId, SourceSettings};
use crate::faces::options::as_fields;

/// The purpose of a form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// Adding sources.
    Add,
    /// Changing the interval of these sources.
    Interval(Vec<SourceId>),
    /// Changing all settings of one source; these are the settings when the form was opened.
    Edit(SourceId, Box<SourceSettings>),
}

/// An open form.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) purpose: Purpose,
    pub(crate) fields: Vec<Field>,
    pub(crate) focus: usize,
    /// The pasted lines, one address each, which replace the address field.
    pub(crate) pasted: Vec<String>,
    /// Why the form was refused when it was submitted.
    refused: Option<String>,
}

impl Form {
    pub(crate) fn add() -> Self {
        let settings = None;
        Self::new(Purpose::Add, FieldKey::ALL, settings)
    }

    pub(crate) fn interval(ids: Vec<SourceId>, now: Interval) -> Self {
        let mut form = Self::new(Purpose::Interval(ids), &[FieldKey::Interval], None);
        form.fields[0].value = Value::Text(Input::new(now.to_string()));
        form
    }

    pub(crate) fn edit(id: SourceId, settings: &SourceSettings) -> Self {
        let purpose = Purpose::Edit(id, Box::new(settings.clone()));
        Self::new(purpose, FieldKey::ALL, Some(settings))
    }

    /// Returns the help of the focused field; shown while the field has no error.
    pub(crate) fn help(&self) -> &'static str {
        match (self.fields[self.focus].key, &self.purpose) {
            (FieldKey::Address, Purpose::Edit(..)) => "https://…; another address is due at once",
            (key, _) => key.help(),
        }
    }

    fn new(purpose: Purpose, keys: &[FieldKey], settings: Option<&SourceSettings>) -> Self {
        let fields = keys
            .iter()
            .map(|key| Field::new(*key, initial(*key, settings)));
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

    /// Applies typed input to the focused field.
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

    /// Takes pasted text: several lines become several sources, one line is inserted at the cursor.
    pub(crate) fn paste(&mut self, text: &str) {
        let lines: Vec<_> = pasted_lines(text)
            .filter(|line| !line.starts_with('#'))
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

    /// Shows why the form was refused, until something is typed.
    pub(crate) fn refuse(&mut self, why: &str) {
        self.refused = Some(as_fields(why));
    }

    /// Shows why the form was refused, and focuses the field with the error.
    pub(crate) fn refuse_field(&mut self, problem: &FieldError) {
        let at = |field: &Field| field.key == problem.field;
        self.focus = self.fields.iter().position(at).unwrap_or(self.focus);
        self.refuse(&problem.text);
    }

    /// Returns the error to show: why the form was refused, or else the focused field's.
    pub(crate) fn error(&self) -> Option<String> {
        let focused = self.fields[self.focus].key;
        self.refused.clone().or_else(|| self.field_error(focused))
    }

    /// Returns the problem of a field, by rules that need no catalogue. An untouched field has no problem.
    pub(crate) fn field_error(&self, key: FieldKey) -> Option<String> {
        match key {
            FieldKey::Address if !self.pasted.is_empty() => {
                self.pasted.iter().find_map(|line| self.line_problem(line))
            }
            _ if !self.is_touched(key) => None,
            FieldKey::Address | FieldKey::Interval | FieldKey::MaxSize
                if self.text(key).is_empty() =>
            {
                None
            }
            FieldKey::Name if self.text(key).is_empty() && self.purpose == Purpose::Add => None,
            FieldKey::Address => self.line_problem(&self.text(key)),
            _ => self.setting(key).err(),
        }
    }

    pub(super) fn is_touched(&self, key: FieldKey) -> bool {
        let mut fields = self.fields.iter();
        fields.any(|field| field.key == key && field.is_touched())
    }

    fn line_problem(&self, line: &str) -> Option<String> {
        let (address, _) = match address_line(line) {
            Ok(line) => line,
            Err(problem) => return Some(problem),
        };
        let new = NewSource {
            settings: SettingsPatch {
                allow_http: Some(self.switch(FieldKey::AllowHttp)),
                allow_private: Some(self.switch(FieldKey::AllowPrivate)),
                ..SettingsPatch::default()
            },
            ..NewSource::at(address)
        };
        new.check().err().map(|error| as_fields(&error.with_hint()))
    }

    /// Returns the setting that a field holds, or the problem of the field.
    pub(super) fn setting(&self, key: FieldKey) -> Result<SettingsPatch, String> {
        self.value(key)
            .map_or_else(|| Ok(SettingsPatch::default()), |value| setting(key, value))
    }

    fn value(&self, key: FieldKey) -> Option<&Value> {
        let field = self.fields.iter().find(|field| field.key == key);
        field.map(|field| &field.value)
    }

    fn switch(&self, key: FieldKey) -> bool {
        self.value(key).is_some_and(Value::is_on)
    }

    pub(super) fn text(&self, key: FieldKey) -> String {
        self.value(key).map_or_else(String::new, Value::text)
    }
}

/// Returns the non-blank lines of pasted text, trimmed. A terminal may end a line with CR, LF or both: tmux and xterm
/// send CR, whatever the copied text has.
pub(crate) fn pasted_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\r', '\n'])
        .map(str::trim_ascii)
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Address;
    use crate::faces::tui::form::Submission;

    fn typed(form: &mut Form, text: &str) {
        for character in text.chars() {
            form.typed(InputRequest::InsertChar(character));
        }
    }

    #[test]
    fn a_field_says_what_is_wrong_as_it_is_typed() {
        let mut form = Form::add();
        assert_eq!(form.field_error(FieldKey::Address), None);
        typed(&mut form, "ftp://example.org/x");
        assert!(
            form.field_error(FieldKey::Address)
                .is_some_and(|p| p.contains("https"))
        );
        form.next();
        form.typed(InputRequest::DeleteLine);
        typed(&mut form, "30m");
        assert!(
            form.field_error(FieldKey::Interval)
                .is_some_and(|p| p.contains("1h, 12h"))
        );
        assert!(form.submission().is_err());
    }

    #[test]
    fn many_pasted_lines_are_many_sources() {
        let mut form = Form::add();
        form.paste("https://a.example/1 1h # often\n\n# no\nhttps://a.example/2 # daily\r\n");
        let Ok(Submission::Add(new)) = form.submission() else {
            panic!("two sources");
        };
        let added: Vec<_> = new
            .iter()
            .map(|n| (n.address.as_str(), n.settings.interval.map(Interval::hours)))
            .collect();
        assert_eq!(
            added,
            [
                ("https://a.example/1", Some(1)),
                ("https://a.example/2", Some(24))
            ]
        );
        form.paste("https://a.example/1\nfile:///etc/passwd");
        assert!(form.submission().is_err());
    }

    #[test]
    fn lines_end_as_the_terminal_likes() {
        for end in ["\r", "\n", "\r\n", "\r\r", "\n\n"] {
            let mut form = Form::add();
            form.paste(&["https://a.example/1", "https://a.example/2 2h", ""].join(end));
            assert_eq!(form.pasted.len(), 2, "{end:?}");
            assert!(
                matches!(form.submission(), Ok(Submission::Add(new)) if new.len() == 2),
                "{end:?}"
            );
            // One field takes one line.
            let mut form = Form::interval(vec![SourceId(1)], Interval::DEFAULT);
            form.typed(InputRequest::DeleteLine);
            form.paste(&["5h", ""].join(end));
            assert!(form.submission().is_ok(), "{end:?}");
        }
    }

    #[test]
    fn a_form_speaks_of_its_boxes() {
        let mut form = Form::add();
        typed(&mut form, "http://example.org/x");
        let problem = form.error().expect("plain http");
        assert!(
            problem.ends_with("allow it for this source with `allow http` below"),
            "{problem}"
        );
        form.refuse("larger than 1 MiB: allow more for this source with --max-size");
        let problem = form.error().expect("refused");
        assert!(problem.ends_with("with `max size` below"), "{problem}");
    }

    /// Opens the settings of a source for editing, and types into one field in place of what it holds.
    fn edited(settings: &SourceSettings, key: FieldKey, text: &str) -> Form {
        let mut form = Form::edit(SourceId(1), settings);
        let at = |field: &Field| field.key == key;
        form.focus = form.fields.iter().position(at).expect("a field");
        if matches!(form.fields[form.focus].value, Value::Text(_)) {
            form.typed(InputRequest::DeleteLine);
        }
        typed(&mut form, text);
        form
    }

    fn patch(form: &Form) -> SettingsPatch {
        match form.submission() {
            Ok(Submission::Edit(_, patch)) => *patch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_not_touched_is_left_alone_whatever_it_holds() {
        let header = |value: &str| vec![("Accept".to_owned(), value.to_owned())];
        let cases: [fn(&mut SourceSettings); 6] = [
            |s| s.tags = vec!["a b".to_owned()],
            |s| s.name = " 17 ".to_owned(),
            |s| s.user = Some("joe:plain".to_owned()),
            |s| s.headers = vec![("A b".to_owned(), String::new())],
            |s| s.address = Address::from_stored("https://h/a?token=hunter2".to_owned()),
            |_| (),
        ];
        for value in [
            "text/html;q=0.8",
            "text/html; charset: x",
            r"a\;b\\",
            "",
            "b\tc",
        ] {
            for case in cases {
                let mut settings = SourceSettings::sample("a");
                settings.headers = header(value);
                case(&mut settings);
                let form = edited(&settings, FieldKey::Interval, "6h");
                let only = SettingsPatch {
                    interval: Interval::from_hours(6),
                    ..SettingsPatch::default()
                };
                assert_eq!(patch(&form), only, "{settings:?}");
                let form = edited(&settings, FieldKey::Enabled, " ");
                let only = SettingsPatch {
                    enabled: Some(!settings.enabled),
                    ..SettingsPatch::default()
                };
                assert_eq!(patch(&form), only, "{settings:?}");
            }
        }
    }

    #[test]
    fn the_cursor_goes_to_the_field_that_is_wrong() {
        let mut settings = SourceSettings::sample("a");
        settings.headers = vec![("Authorization".to_owned(), "Bearer ${A}".to_owned())];
        for (key, text, part) in [
            (FieldKey::Address, "ftp://h/a", "https"),
            (FieldKey::Address, "", "expected https"),
            (
                FieldKey::Address,
                "https://h/a?token=hunter2",
                "`gannet add --literal`",
            ),
            (
                FieldKey::Address,
                "https://localhost/a",
                "`allow private` below",
            ),
            (FieldKey::Address, "https://u:p@h/a", "`user` below"),
            (FieldKey::Interval, "90m", "1h, 12h"),
            (FieldKey::Interval, "", "1h, 12h"),
            (FieldKey::Name, "17", "a letter"),
            (FieldKey::Name, "", "1 to 200 bytes"),
            (FieldKey::Tags, "a!", "cannot be a tag"),
            (FieldKey::Headers, "Accept: a;q=1", r"`\;`"),
            (FieldKey::Headers, "X-Token: abc", "plain text"),
            (FieldKey::User, "joe:plain", "plain text"),
            (FieldKey::User, "joe:${B}", "two logins"),
            (FieldKey::MaxSize, "lots", "is not a size"),
        ] {
            let mut form = edited(&settings, key, text);
            form.next();
            let problem = form.submission().expect_err(text);
            form.refuse_field(&problem);
            assert_eq!(form.fields[form.focus].key, key, "{text}: {problem:?}");
            let words = form.error().expect(text);
            assert!(words.contains(part), "{text}: {words}");
            assert!(!words.contains("hunter2"), "{words}");
        }
        // An address that was not touched is no more allowed when its permission is taken away.
        settings.allow_http = true;
        settings.address = Address::parse("http://h/a", true).expect("an address");
        let form = edited(&settings, FieldKey::AllowHttp, " ");
        let problem = form.submission().expect_err("plain http");
        assert_eq!(problem.field, FieldKey::Address, "{problem:?}");
    }

    #[test]
    fn a_new_source_is_held_to_the_same() {
        let mut form = Form::add();
        typed(&mut form, "https://h.example/a");
        let Ok(Submission::Add(new)) = form.submission() else {
            panic!("one source");
        };
        assert_eq!(new[0].settings.headers, None);
        let text = |form: &mut Form, key, text: &str| {
            let at = |field: &Field| field.key == key;
            form.focus = form.fields.iter().position(at).expect("a field");
            typed(form, text);
        };
        text(&mut form, FieldKey::Headers, "Authorization: Bearer ${A}");
        assert!(form.submission().is_ok());
        text(&mut form, FieldKey::User, "joe:${A}");
        let problem = form.submission().expect_err("two logins");
        assert_eq!(problem.field, FieldKey::User, "{problem:?}");
        assert!(problem.text.contains("two logins"), "{problem:?}");
    }
}
