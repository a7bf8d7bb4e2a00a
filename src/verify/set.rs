//! The files of a set, as a verifier gets them to judge them together.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{Companion, VersionFacts};
use crate::domain::Content;

/// Files that are judged together.
#[derive(Clone, Debug)]
pub struct SetFiles {
    /// The set's name (`GANNET_SET` for a program).
    pub name: String,
    /// The files, by name.
    pub files: Vec<SetFile>,
}

/// One file of a set.
#[derive(Clone, Debug)]
pub struct SetFile {
    /// Its name in the folder: one path part, unique in the set.
    pub file: String,
    /// Its bytes.
    pub content: Content,
    /// The facts about its version.
    pub facts: VersionFacts,
}

impl SetFiles {
    /// Separates the companion, the member with this name or address, from the other members. Fails with the reason
    /// when there is not exactly one companion, or no other member.
    pub(super) fn beside(&self, companion: &str) -> Result<(Companion, Vec<&SetFile>), String> {
        let is_it = |file: &&SetFile| {
            file.facts.source_name == companion || file.facts.address == companion
        };
        let (lists, others): (Vec<_>, Vec<_>) = self.files.iter().partition(is_it);
        let list = match lists[..] {
            [list] => list,
            [] => {
                let members: Vec<_> = self
                    .files
                    .iter()
                    .map(|file| file.facts.source_name.as_str())
                    .collect();
                return Err(format!(
                    "the set has no member `{companion}`: its members are {}",
                    members.join(", ")
                ));
            }
            _ => {
                return Err(format!(
                    "several members of the set are called `{companion}`"
                ));
            }
        };
        if others.is_empty() {
            return Err(format!("the set has no member beside `{companion}`"));
        }
        let companion = Companion {
            name: list.facts.source_name.clone(),
            newest: list.facts.version_id,
            lists: vec![list.content.clone()],
            // A set is judged once no member can be newer than the list, so the list always counts.
            checked_at: DateTime::<Utc>::MAX_UTC,
        };
        Ok((companion, others))
    }

    /// Returns the manifest beside the folder: JSON (RFC 8259), an array with one object for each file.
    pub(super) fn manifest(&self) -> String {
        let objects: Vec<_> = self.files.iter().map(object).collect();
        let mut text = format!("{:#}", Value::Array(objects));
        text.push('\n');
        text
    }
}

fn object(file: &SetFile) -> Value {
    let facts = &file.facts;
    let fetched_at = facts
        .fetched_at
        .to_rfc3339_opts(SecondsFormat::AutoSi, true);
    json!({
        "name": file.file,
        "source": facts.source_name,
        "address": facts.address,
        "version_id": facts.version_id,
        "digest": facts.digest.to_string(),
        "size_bytes": facts.size_bytes,
        "media_type": facts.media_type,
        "fetched_at": fetched_at,
    })
}
