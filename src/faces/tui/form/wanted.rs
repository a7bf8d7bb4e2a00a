//! What a filled form asks for.

use super::Form;
use super::field::{FieldKey, address_line, optional, parsed_interval};
use super::open::Purpose;
use crate::app::NewSource;
use crate::domain::{Address, SettingsPatch, SourceId, SourceSettings};

/// What a form asks for when it is accepted.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Add(Vec<NewSource>),
    Edit(Vec<SourceId>, Box<SettingsPatch>),
}

impl Form {
    /// Returns what the form asks for, or why it asks for nothing yet.
    pub(crate) fn wanted(&self) -> Result<Wanted, String> {
        if let Some(problem) = self.fields.iter().find_map(|field| self.problem(field.key)) {
            return Err(problem);
        }
        match &self.purpose {
            Purpose::Add => self.additions().map(Wanted::Add),
            Purpose::Interval(ids) => {
                let edit = SettingsPatch {
                    interval: Some(parsed_interval(&self.text(FieldKey::Interval))?),
                    ..SettingsPatch::default()
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
        let settings = SettingsPatch {
            name,
            interval,
            ..self.shared_settings()?
        };
        Ok(NewSource {
            address: address.to_owned(),
            settings,
            literal: false,
        })
    }

    /// Returns what differs from what was; the rest stays whatever someone else made of it meanwhile.
    fn changes(&self, before: &SourceSettings) -> Result<SettingsPatch, String> {
        // Whether plain HTTP is allowed is decided where the patch is applied.
        let address = Address::parse(&self.text(FieldKey::Address), true);
        let all = SettingsPatch {
            address: Some(address.map_err(|error| error.to_string())?),
            interval: Some(parsed_interval(&self.text(FieldKey::Interval))?),
            name: Some(self.text(FieldKey::Name)),
            ..self.shared_settings()?
        };
        Ok(all.without(before))
    }
}
