//! The operator's changes, made one after another in the order of their keys, and what takes them back.

use std::sync::Arc;

use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use super::effects::{as_now, told};
use super::message::{Change, Made, Msg, Refused};
use super::run::Engine;
use crate::app::{App, Error, ErrorKind, LeftAlone, NewSource, Result, Undo};
use crate::domain::{SettingsPatch, Source, SourceId};
use crate::faces::text::{clean, count};

/// Changes that can be taken back.
const UNDOS: usize = 50;

/// Makes changes.
pub(super) struct Changes {
    app: Arc<App>,
    engine: Arc<dyn Engine>,
    messages: Sender<Msg>,
    /// The last change comes last.
    undos: Vec<Undo>,
}

impl Changes {
    pub(super) fn new(app: Arc<App>, engine: Arc<dyn Engine>, messages: Sender<Msg>) -> Self {
        Self {
            app,
            engine,
            messages,
            undos: Vec::new(),
        }
    }

    /// Makes every change that comes, until nobody listens.
    pub(super) async fn run(mut self, mut changes: UnboundedReceiver<Change>) {
        while let Some(change) = changes.recv().await {
            let origin = change.origin();
            let message = match self.make(change).await {
                Ok(made) => Msg::Made(Box::new(Made { origin, ..made })),
                Err(error) => Msg::Refused(Refused {
                    text: told(&error),
                    origin,
                }),
            };
            if self.messages.send(message).await.is_err() {
                return;
            }
        }
    }

    async fn make(&mut self, change: Change) -> Result<Made> {
        match change {
            Change::Add(new) => self.add(new).await,
            Change::Edit(ids, edit) => {
                self.present(&ids).await?;
                self.edit(ids, *edit, "changed").await
            }
            Change::Toggle(ids) => self.toggle(&ids).await,
            Change::Remove(ids) => {
                let removed = self.app.remove(&selectors(&ids), false).await?;
                self.remember(Undo::Removed(ids.clone()));
                let text = format!("removed {}; z brings back", count(removed.len(), "source"));
                Ok(self.made(text, ids).await)
            }
            Change::Undo => self.undo().await,
        }
    }

    async fn add(&mut self, new: Vec<NewSource>) -> Result<Made> {
        let added = self.app.add(new).await?;
        let ids: Vec<_> = added.iter().map(|added| added.source.id).collect();
        self.remember(Undo::Added(ids.clone()));
        let text = format!("added {}", count(ids.len(), "source"));
        Ok(Made {
            shown: ids.first().copied(),
            added: ids.clone(),
            ..self.made(text, ids).await
        })
    }

    /// Makes of all what the first of them is not now, whatever the screen showed when the key was pressed.
    async fn toggle(&mut self, ids: &[SourceId]) -> Result<Made> {
        let before = self.present(ids).await?;
        let first = before.iter().find(|source| ids.first() == Some(&source.id));
        let enabled = !first.is_some_and(|source| source.settings.enabled);
        let patch = SettingsPatch {
            enabled: Some(enabled),
            ..SettingsPatch::default()
        };
        let word = if enabled {
            "switched on"
        } else {
            "switched off"
        };
        self.edit(ids.to_vec(), patch, word).await
    }

    /// Returns these sources as they are before a change. All of them are there, or none is changed.
    async fn present(&self, ids: &[SourceId]) -> Result<Vec<Source>> {
        let sources = self.app.sources_by_id(ids.to_vec()).await?;
        if sources.len() < ids.len() {
            return Err(Error::not_found("removed meanwhile: nothing is changed"));
        }
        Ok(sources)
    }

    async fn edit(&mut self, ids: Vec<SourceId>, patch: SettingsPatch, word: &str) -> Result<Made> {
        let edits = self.app.edit(&selectors(&ids), patch).await?;
        let text = match &edits[..] {
            [one] => format!("{word} {}", clean(&one.source.settings.name)),
            many => format!("{word} {}", count(many.len(), "source")),
        };
        let Some(undo) = Undo::of_edits(edits) else {
            let text = "nothing changed: it was so already".to_owned();
            return Ok(self.made(text, ids).await);
        };
        self.remember(undo);
        self.engine.look();
        Ok(self.made(text, ids).await)
    }

    async fn undo(&mut self) -> Result<Made> {
        let Some(undo) = self.undos.pop() else {
            return Ok(Made {
                text: "nothing to take back: this session has changed nothing".to_owned(),
                ..Made::default()
            });
        };
        let undone = self.app.undo(&undo).await;
        if undone
            .as_ref()
            .is_err_and(|error| error.kind == ErrorKind::Unavailable)
        {
            // It may be taken back later.
            self.undos.push(undo.clone());
        }
        let undone = undone?;
        let mut text = format!("taken back: {}", count(undone.sources.len(), "source"));
        text.push_str(&left_alone(&undone.left_alone));
        self.engine.look();
        let (ids, shown) = match undo {
            Undo::Added(ids) => (ids, None),
            Undo::Removed(ids) => (ids.clone(), ids.first().copied()),
            Undo::Edited(edits) => (edits.iter().map(|(id, _)| *id).collect(), None),
        };
        Ok(Made {
            shown,
            ..self.made(text, ids).await
        })
    }

    fn remember(&mut self, undo: Undo) {
        if self.undos.len() == UNDOS {
            self.undos.remove(0);
        }
        self.undos.push(undo);
    }

    /// Returns what is to be shown of a change of these sources.
    async fn made(&self, text: String, ids: Vec<SourceId>) -> Made {
        // The change is made, whether this can be read or not: whoever watches the catalogue tells of it, too.
        let (rows, gone) = as_now(&self.app, ids).await.unwrap_or_default();
        Made {
            text,
            rows,
            gone,
            ..Made::default()
        }
    }
}

/// Says which settings others have changed since, and of which sources.
fn left_alone(all: &[LeftAlone]) -> String {
    const SHOWN: usize = 3;
    let shown = all.iter().take(SHOWN);
    let mut parts: Vec<_> = shown
        .map(|one| format!("{} ({})", clean(&one.name), one.settings.join(", ")))
        .collect();
    if let more @ 1.. = all.len().saturating_sub(SHOWN) {
        parts.push(format!("{more} more"));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!(
        "; left alone, since changed by others: {}",
        parts.join(", ")
    )
}

fn selectors(ids: &[SourceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
