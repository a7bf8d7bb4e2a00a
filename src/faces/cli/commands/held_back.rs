//! The note of `cat` and `diff` on a version that is not published.

use crate::app::{App, Error};
use crate::domain::{Source, Version, VersionState};
use crate::faces::text::clean;

/// Prints why a version is not published, and which version is; nothing for a good version, unless it is the newest.
pub(super) async fn note(
    app: &App,
    source: &Source,
    version: &Version,
) -> Result<Option<String>, Error> {
    let served = app.served(source.id).await?;
    let Some(why) = why(app, source, version, served == Some(version.id)).await? else {
        return Ok(None);
    };
    let name = clean(&source.settings.name);
    let used = match served {
        Some(served) if served == version.id => "it is published all the same".to_owned(),
        Some(served) => format!("published is v{served}: gannet cat {name}:published"),
        None => "nothing of it is published".to_owned(),
    };
    let why = clean(&why);
    Ok(Some(format!("v{} of {name} {why}; {used}", version.id)))
}

async fn why(
    app: &App,
    source: &Source,
    version: &Version,
    is_served: bool,
) -> Result<Option<String>, Error> {
    let state = &source.state;
    Ok(Some(match version.state {
        VersionState::Failed => "failed its verification".to_owned(),
        VersionState::Error => "could not be judged".to_owned(),
        VersionState::Pending => "waits for a verdict".to_owned(),
        VersionState::Passed | VersionState::Unverified => {
            let is_newest = state.version_id == Some(version.id);
            if !is_newest || is_served || source.removed_at.is_some() {
                return Ok(None);
            }
            match (&state.publish_error, &state.set) {
                (Some(why), _) => format!("could not be published ({why})"),
                (None, Some(set)) => match app.set_failure(source).await? {
                    Some(why) => format!("is held back by its set {set} ({why})"),
                    None => format!("waits for its set {set}"),
                },
                (None, None) => "is not published yet".to_owned(),
            }
        }
    }))
}
