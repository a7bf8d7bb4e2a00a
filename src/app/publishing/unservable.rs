//! Withdraws files and folders that readers must not find any more, when their successors cannot be published.
//!
//! Never withdraws what may be served; the successor's task stays.

use crate::app::{App, Error, Result};
use crate::archive::{EditionFile, FileLock};
use crate::domain::{EditionId, SetPublication, SourceId};
use crate::store::{Shown, Unservable};

impl App {
    /// Withdraws the file at a source's published path when it must not be served and its successor failed. Returns the
    /// failure, with the file's fate. The caller holds the lock.
    pub(in crate::app) async fn replacement_failed(
        &self,
        source: SourceId,
        path: String,
        error: Error,
        _lock: &FileLock,
    ) -> Error {
        let file = self.published_file(&path);
        match self.take_file_away(source, path).await {
            Ok(None) => error,
            Ok(Some(why)) => in_front_of(
                error,
                &format!("took {} away, {why}; its successor: ", file.display()),
            ),
            Err((None, other)) => {
                tracing::warn!("cannot tell whether {} may stay: {other}", file.display());
                error
            }
            Err((Some(why), other)) => in_front_of(
                error,
                &format!(
                    "{} is still served, {why}: {other}; its successor: ",
                    file.display()
                ),
            ),
        }
    }

    /// Adds to the error of a failed withdrawal that readers still find the file, if it is there.
    pub(in crate::app) fn still_served(&self, path: &str, error: Error) -> Error {
        let file = self.published_file(path);
        if !file.is_file() {
            return error;
        }
        in_front_of(error, &format!("{} is still served: ", file.display()))
    }

    /// Returns why the file was withdrawn; `None` when it may stay. The error includes the reason for the withdrawal,
    /// if known.
    async fn take_file_away(
        &self,
        source: SourceId,
        path: String,
    ) -> std::result::Result<Option<String>, (Option<String>, Error)> {
        let of = path.clone();
        // Unreadable contents are not known to be bad.
        let content = self.with_archive(move |archive| {
            Ok(archive.published().looks().content(&of).ok().flatten())
        });
        let content = content.await.map_err(|error| (None, error))?;
        let digest = content.map(|(digest, _)| digest);
        let file = Shown::File {
            source,
            content: digest,
        };
        let found = self.ports.store.read(file).await;
        let Some(unservable) = found.map_err(|error| (None, error.into()))? else {
            return Ok(None);
        };
        let why = match &unservable {
            Unservable::Failed(who) => format!("which was failed by {who}"),
            Unservable::Foreign => "whose contents are not what was published".to_owned(),
        };
        let recorded = async {
            self.take_away(&path, true).await?;
            if matches!(unservable, Unservable::Failed(_)) {
                self.ports
                    .store
                    .record_withdrawal(source, self.stamp())
                    .await?;
            }
            self.tidy(path).await;
            Ok(())
        };
        match recorded.await {
            Ok(()) => Ok(Some(why)),
            Err(error) => Err((Some(why), error)),
        }
    }

    /// Removes a set's link when its edition must not be served and the successor failed. Returns the failure, with the
    /// link's fate. The caller holds the lock.
    pub(in crate::app) async fn edition_replacement_failed(
        &self,
        set: &str,
        published: Option<EditionId>,
        error: Error,
        _lock: &FileLock,
    ) -> Error {
        let link = self.ports.archive.sets().link(set);
        let why = match self.why_edition_must_go(set, published).await {
            Ok(None) => return error,
            Ok(Some(why)) => why,
            Err(other) => {
                tracing::warn!("cannot tell whether {} may stay: {other}", link.display());
                return error;
            }
        };
        let words = match self.take_edition_away(set, &why).await {
            Ok(()) => format!(
                "took {} away, {}; its successor: ",
                link.display(),
                why.words
            ),
            Err(other) => format!(
                "{} is still served, {}: {other}; its successor: ",
                link.display(),
                why.words
            ),
        };
        in_front_of(error, &words)
    }

    async fn why_edition_must_go(
        &self,
        set: &str,
        published: Option<EditionId>,
    ) -> Result<Option<MustGo>> {
        let Some(published) = published.filter(|_| self.ports.archive.sets().is_linked(set)) else {
            return Ok(None);
        };
        let edition = Shown::Edition(published);
        if let Some(Unservable::Failed(who)) = self.read(edition).await? {
            return Ok(Some(MustGo {
                words: format!("of which edition {published} was failed by {who}"),
                has_failed: true,
            }));
        }
        let (edition, files) = self.edition_files(published).await?;
        let files: Vec<EditionFile> = files.into_iter().map(|(_, file)| file).collect();
        let altered = self
            .with_archive(move |archive| archive.sets().altered(&edition.set, &files))
            .await?;
        Ok(altered.map(|file| MustGo {
            words: format!("since its {file} is not what was published"),
            has_failed: false,
        }))
    }

    async fn take_edition_away(&self, set: &str, why: &MustGo) -> Result<()> {
        let (name, now) = (set.to_owned(), self.now().into());
        self.with_archive(move |archive| archive.sets().withdraw(&name, now))
            .await?;
        if why.has_failed {
            self.ports
                .store
                .record_set_publication(set.to_owned(), SetPublication::Withdraw, self.stamp())
                .await?;
        }
        Ok(())
    }
}

/// Why an edition must not be served.
struct MustGo {
    words: String,
    /// Otherwise its verdicts are good, but its files are not what they should be.
    has_failed: bool,
}

fn in_front_of(error: Error, words: &str) -> Error {
    Error {
        message: format!("{words}{}", error.message),
        ..error
    }
}
