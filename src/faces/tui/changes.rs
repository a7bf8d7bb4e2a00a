//! The operator's changes, made one after another in the order of their keys, and what takes them back.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use super::effects::{as_now, told};
use super::message::{Change, Made, Msg, Refused};
use super::run::Engine;
use crate::app::{App, Error, ErrorKind, NewSource, Result, SourceEdit, Undo};
use crate::domain::{Source, SourceId};
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
                let before = self.present(&ids).await?;
                self.edit(before, &edit, "changed").await
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
        let edit = SourceEdit {
            enabled: Some(enabled),
            ..SourceEdit::default()
        };
        let word = if enabled {
            "switched on"
        } else {
            "switched off"
        };
        self.edit(before, &edit, word).await
    }

    /// Returns these sources as they are before a change. All of them are there, or none is changed.
    async fn present(&self, ids: &[SourceId]) -> Result<Vec<Source>> {
        let sources = self.app.sources_by_id(ids.to_vec()).await?;
        if sources.len() < ids.len() {
            return Err(Error::not_found("removed meanwhile: nothing is changed"));
        }
        Ok(sources)
    }

    async fn edit(
        &mut self,
        mut before: Vec<Source>,
        edit: &SourceEdit,
        word: &str,
    ) -> Result<Made> {
        let ids: Vec<_> = before.iter().map(|source| source.id).collect();
        let now = self.app.edit(&selectors(&ids), edit).await?;
        let settings: HashMap<_, _> = now.iter().map(|now| (now.id, &now.settings)).collect();
        before.retain(|before| settings.get(&before.id) != Some(&&before.settings));
        if before.is_empty() {
            let text = "nothing changed: it was so already".to_owned();
            return Ok(self.made(text, ids).await);
        }
        self.remember(Undo::Edited(before));
        self.engine.look();
        let text = match &now[..] {
            [source] => format!("{word} {}", clean(&source.settings.name)),
            many => format!("{word} {}", count(many.len(), "source")),
        };
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
        let text = format!("taken back: {}", count(undone?, "source"));
        self.engine.look();
        let (ids, shown) = match undo {
            Undo::Added(ids) => (ids, None),
            Undo::Removed(ids) => (ids.clone(), ids.first().copied()),
            Undo::Edited(before) => (before.iter().map(|source| source.id).collect(), None),
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

fn selectors(ids: &[SourceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
