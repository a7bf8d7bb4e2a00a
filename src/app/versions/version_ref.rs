//! References to versions: by id, by steps back, at a time, or as consumers see it.

use chrono::{DateTime, Utc};

use crate::app::{App, Error, ErrorKind, Result};
use crate::domain::{
    Moment, Source, SourceId, Version, VersionId, VersionRef, VersionRefError, masked,
};
use crate::store::{ServedVersion, StoreError, VersionQuery};

impl App {
    /// Returns the version that `reference` names, with its source. A source with exactly that name comes first.
    pub async fn version(&self, reference: &str) -> Result<(Source, Version)> {
        let parsed: VersionRef = reference
            .parse()
            .map_err(|error: VersionRefError| Error::invalid(error.to_string()))?;
        if let VersionRef::Id(id) = parsed {
            return self.version_by_id(id, reference).await;
        }
        let is_name = parsed.source() != Some(reference) && self.is_source(reference).await?;
        let parsed = if is_name {
            // A name or an address may itself end in `~2`.
            let source = reference.to_owned();
            VersionRef::Back { source, steps: 0 }
        } else {
            parsed
        };
        let source = match self.source(parsed.source().unwrap_or(reference)).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                return Err(self.wrong_suffix(reference).await?.unwrap_or(error));
            }
            source => source?,
        };
        self.refuse_future(&parsed, reference)?;
        let version = self.version_of(&source, &parsed).await?;
        match version {
            Some(version) => Ok((source, version)),
            None => Err(self.no_such_version(&source, &parsed, reference).await?),
        }
    }

    /// Refuses a future time, which would return the present version.
    fn refuse_future(&self, parsed: &VersionRef, reference: &str) -> Result<()> {
        let (VersionRef::At { moment, .. }
        | VersionRef::Published {
            moment: Some(moment),
            ..
        }) = parsed
        else {
            return Ok(());
        };
        if self.is_future(*moment) {
            let shown = shown(parsed, reference);
            let message = format!("no version `{shown}`: that time lies in the future");
            return Err(Error::invalid(message));
        }
        Ok(())
    }

    /// Reports whether a moment, such as a day's beginning, is in the future.
    pub fn is_future(&self, moment: Moment) -> bool {
        let now = self.now();
        self.config().zone.beginning(moment, now) > now
    }

    async fn version_by_id(&self, id: VersionId, reference: &str) -> Result<(Source, Version)> {
        let Some(version) = self.ports.store.find_version(id).await? else {
            let shown = masked(reference);
            return Err(
                Error::not_found(format!("no version `{shown}`: no version has this id"))
                    .hint("`gannet history SOURCE` shows the versions"),
            );
        };
        let source = self.source(&version.source_id.to_string()).await?;
        Ok((source, version))
    }

    async fn version_of(&self, source: &Source, parsed: &VersionRef) -> Result<Option<Version>> {
        let id = match parsed {
            VersionRef::Id(id) => Some(*id),
            VersionRef::Back { steps, .. } => {
                let (source, steps) = (source.id, *steps);
                let back = VersionQuery::Back { source, steps };
                return Ok(self.ports.store.find_version(back).await?);
            }
            VersionRef::At { moment, .. } => {
                let time = self.end_of(*moment);
                let source = source.id;
                let at = VersionQuery::At { source, time };
                return Ok(self.ports.store.find_version(at).await?);
            }
            VersionRef::Published { moment, .. } => {
                let time = moment.map(|moment| self.end_of(moment));
                self.read(ServedVersion(source.id, time)).await?
            }
        };
        Ok(match id {
            Some(id) => self.version_of_source(source.id, id).await?,
            None => None,
        })
    }

    /// Returns the version with this id if it is the source's.
    pub(in crate::app) async fn version_of_source(
        &self,
        source: SourceId,
        id: VersionId,
    ) -> Result<Option<Version>> {
        let version = self.ports.store.find_version(id).await?;
        if version.as_ref().is_none_or(|one| one.source_id == source) {
            return Ok(version);
        }
        let reason = "it is another source's".into();
        Err(StoreError::Damaged {
            version: id,
            reason,
        }
        .into())
    }

    /// Returns the version of a source that consumers see; `None`, with a note, when the rows for that are damaged.
    pub async fn served(&self, source: SourceId) -> Result<Option<VersionId>> {
        let served = self.read(ServedVersion(source, None)).await;
        Ok(self.unless_damaged(served)?.flatten())
    }

    fn end_of(&self, moment: Moment) -> DateTime<Utc> {
        self.config().zone.end(moment, self.now())
    }

    /// Returns what is wrong with `prices.csv@2x` when `prices.csv` is a source.
    async fn wrong_suffix(&self, reference: &str) -> Result<Option<Error>> {
        for (mark, expected) in [
            (
                '@',
                "not a time: give 2h, 3d, yesterday, 2026-01-31 or 2026-01-31T12:00",
            ),
            ('~', "not how many versions back: give a number, such as ~1"),
            (
                ':',
                "not something to ask of a source: give :published, or :published@TIME",
            ),
        ] {
            let Some((source, suffix)) = reference.rsplit_once(mark) else {
                continue;
            };
            // A time may follow `:published`.
            let source = match mark {
                '@' => source.strip_suffix(":published").unwrap_or(source),
                _ => source,
            };
            if !source.is_empty() && self.is_source(source).await? {
                let message = format!("`{}` is {expected}", masked(suffix));
                return Ok(Some(Error::invalid(message)));
            }
        }
        Ok(None)
    }

    /// Returns the error for a source without such a version.
    async fn no_such_version(
        &self,
        source: &Source,
        parsed: &VersionRef,
        reference: &str,
    ) -> Result<Error> {
        let name = &source.settings.name;
        let is_removed = source.removed_at.is_some();
        if source.state.version_id.is_none() && !is_removed {
            return self.no_version_yet(source).await;
        }
        let why = match parsed {
            VersionRef::Published { moment: None, .. } if is_removed => {
                let message = format!("nothing of {name} is published: it was removed");
                return Ok(Error::not_found(message).hint(ways_of_removed(source)));
            }
            VersionRef::Published { moment: None, .. } => {
                return Ok(
                    Error::not_found(format!("nothing of {name} is published")).hint(format!(
                        "`gannet show {name}` says what its versions wait for"
                    )),
                );
            }
            VersionRef::Published { .. } => "nothing of it was published then".to_owned(),
            VersionRef::Back { .. } => {
                let versions = self.count_versions(std::slice::from_ref(source)).await?;
                let plural = if versions == 1 { "" } else { "s" };
                format!("{name} has {versions} version{plural}")
            }
            _ => format!("{name} had none yet"),
        };
        let shown = shown(parsed, reference);
        let hint = if is_removed {
            ways_of_removed(source)
        } else {
            format!("`gannet history {name}` shows the versions")
        };
        Ok(Error::not_found(format!("no version `{shown}`: {why}")).hint(hint))
    }

    async fn no_version_yet(&self, source: &Source) -> Result<Error> {
        let name = &source.settings.name;
        let newest = self.newest(std::slice::from_ref(source)).await?;
        let failed = newest.get(&source.id).and_then(|newest| {
            let (kind, error) = (newest.error_kind?, newest.error.as_deref()?);
            Some(format!(" (last attempt: {kind}: {error})"))
        });
        let message = format!("{name} has no version yet{}", failed.unwrap_or_default());
        Ok(Error::not_found(message).hint(format!("`gannet fetch {name}` tries now")))
    }
}

/// Returns the commands for a removed source: its name may be another's by now.
fn ways_of_removed(source: &Source) -> String {
    let id = source.id;
    format!(
        "`gannet history {id}` shows the versions that it had; `gannet restore {id}` brings it back"
    )
}

/// Returns a reference as typed, without an address's credentials: the part after the source has none, and would be
/// parsed as an address's host.
fn shown(parsed: &VersionRef, reference: &str) -> String {
    match parsed
        .source()
        .and_then(|source| Some((source, reference.strip_prefix(source)?)))
    {
        Some((source, rest)) => format!("{}{rest}", masked(source)),
        None => masked(reference),
    }
}
