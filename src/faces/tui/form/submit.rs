//! Submitting a form: its fields become new sources or a patch of settings.

use super::Form;
use super::field::{FieldError, FieldKey, address_line, optional, parsed_interval};
use super::form::Purpose;
use crate::app::NewSource;
use crate::domain::{SettingsError, SettingsPatch, SourceId, SourceSettings};
use crate::faces::options::as_fields;

/// The request of a submitted form.
#[derive(Clone, Debug)]
pub(crate) enum Submission {
    Add(Vec<NewSource>),
    Edit(Vec<SourceId>, Box<SettingsPatch>),
}

/// Returns a function that makes an error of this field from a text.
fn of(field: FieldKey) -> impl Fn(String) -> FieldError {
    move |text| FieldError { field, text }
}

impl Form {
    /// Returns the form's request, or the first error in its fields.
    pub(crate) fn submission(&self) -> Result<Submission, FieldError> {
        for field in &self.fields {
            if let Some(text) = self.field_error(field.key) {
                return Err(of(field.key)(text));
            }
        }
        match &self.purpose {
            Purpose::Add => self.additions().map(Submission::Add),
            Purpose::Interval(ids) => {
                let key = FieldKey::Interval;
                let edit = self.setting(key).map_err(of(key))?;
                Ok(Submission::Edit(ids.clone(), Box::new(edit)))
            }
            Purpose::Edit(id, before) => {
                Ok(Submission::Edit(vec![*id], Box::new(self.changes(before)?)))
            }
        }
    }

    fn additions(&self) -> Result<Vec<NewSource>, FieldError> {
        let typed = vec![self.text(FieldKey::Address)];
        let lines = if self.pasted.is_empty() {
            &typed
        } else {
            &self.pasted
        };
        if lines.iter().all(String::is_empty) {
            let text = "give an address: https://host/path".to_owned();
            return Err(of(FieldKey::Address)(text));
        }
        if !self.text(FieldKey::Name).is_empty() && lines.len() > 1 {
            let text = format!(
                "{} sources cannot share one name: leave it empty",
                lines.len()
            );
            return Err(of(FieldKey::Name)(text));
        }
        lines.iter().map(|line| self.addition(line)).collect()
    }

    fn addition(&self, line: &str) -> Result<NewSource, FieldError> {
        let (address, own_interval) = address_line(line).map_err(of(FieldKey::Address))?;
        let interval = match own_interval {
            Some(interval) => Some(interval),
            None => optional(&self.text(FieldKey::Interval), parsed_interval)
                .map_err(of(FieldKey::Interval))?,
        };
        let is_apart = |key| [FieldKey::Address, FieldKey::Interval].contains(&key);
        let is_default_name = |key| key == FieldKey::Name && self.text(FieldKey::Name).is_empty();
        let others = self.touched(|key| !is_apart(key) && !is_default_name(key))?;
        let new = NewSource {
            address: address.to_owned(),
            settings: SettingsPatch { interval, ..others },
            literal: false,
        };
        // Each field is right by itself; the fields together may still hold two logins.
        let checked = new.check();
        checked.map_err(|error| of(FieldKey::User)(as_fields(&error.with_hint())))?;
        Ok(new)
    }

    /// Returns a patch of the settings that differ from those before, without settings that somebody else changed
    /// meanwhile.
    fn changes(&self, before: &SourceSettings) -> Result<SettingsPatch, FieldError> {
        let patch = self.touched(|_| true)?;
        if let Err(error) = patch.apply_to(before) {
            let field = match error {
                SettingsError::Address(_) | SettingsError::OtherKind => FieldKey::Address,
                SettingsError::TwoLogins if self.is_touched(FieldKey::User) => FieldKey::User,
                SettingsError::TwoLogins => FieldKey::Headers,
                SettingsError::NotDated(_) if self.is_touched(FieldKey::Days) => FieldKey::Days,
                SettingsError::NotDated(_) => FieldKey::FinalAfter,
            };
            return Err(of(field)(as_fields(&error.to_string())));
        }
        Ok(patch.omit_unchanged(before))
    }

    /// Returns a patch of the fields that were touched and are `meant`.
    fn touched(&self, meant: impl Fn(FieldKey) -> bool) -> Result<SettingsPatch, FieldError> {
        let mut patch = SettingsPatch::default();
        for field in &self.fields {
            if field.is_touched() && meant(field.key) {
                let setting = self.setting(field.key).map_err(of(field.key))?;
                patch = patch.and_then(setting);
            }
        }
        Ok(patch)
    }
}
