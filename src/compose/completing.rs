//! Completes names in shells.

use std::collections::BTreeSet;

use super::services::Services;
use crate::app::{App, Result};
use crate::config::{Environment, Flags};
use crate::domain::Source;
use crate::faces::cli::args::Access;
use crate::faces::cli::{self, Console, ExitStatus, NameKind};

/// Prints the candidates for the next word of a line. An error leaves names out: a shell has no use for a message.
pub(super) async fn complete(
    words: &[String],
    environment: &Environment,
    console: &mut Console<'_>,
) -> ExitStatus {
    let wanted = cli::completion(words);
    let flags = Flags {
        config: wanted.config.clone(),
        data_dir: wanted.data_dir.clone(),
        ..Flags::default()
    };
    let mut names = Vec::new();
    if !wanted.names.is_empty()
        && let Ok(services) = Services::open_for_operator(Access::Read, &flags, environment).await
    {
        for kind in &wanted.names {
            names.extend(names_of(&services.app, *kind).await.unwrap_or_default());
        }
    }
    cli::print_completion(&wanted, names, console)
}

async fn names_of(app: &App, kind: NameKind) -> Result<Vec<String>> {
    let config = app.config();
    let tags = |sources: Vec<Source>| -> BTreeSet<String> {
        let tags = sources.into_iter().flat_map(|source| source.settings.tags);
        tags.collect()
    };
    let names = |sources: Vec<Source>| sources.into_iter().map(|source| source.settings.name);
    Ok(match kind {
        NameKind::Source => names(app.sources(&[]).await?).collect(),
        NameKind::Removed => names(app.removed_sources(&[]).await?).collect(),
        NameKind::Tag => tags(app.sources(&[]).await?).into_iter().collect(),
        NameKind::TagOfSources => {
            let tags = tags(app.sources(&[]).await?);
            tags.into_iter().map(|tag| format!("tag:{tag}")).collect()
        }
        NameKind::Set => {
            let sets = app.set_names().into_iter();
            sets.map(|set| format!("set:{set}")).collect()
        }
        NameKind::Verifier => {
            let verifiers = config.verifiers.iter();
            verifiers.map(|one| one.name.clone()).collect()
        }
        NameKind::Person => {
            let people = app.people().await?.into_iter();
            people.map(|person| person.name).collect()
        }
        NameKind::Token => {
            let tokens = app.tokens().await?.into_iter();
            let tokens = tokens.filter(|token| token.revoked_at.is_none());
            tokens.map(|token| token.name).collect()
        }
        NameKind::Notifier => {
            let notifiers = config.notifiers.iter();
            notifiers.map(|one| one.name.clone()).collect()
        }
    })
}
