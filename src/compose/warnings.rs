//! Warnings about the configuration and the catalogue, printed before a command begins its work.

use super::services::Services;
use crate::app::Result;
use crate::config::Config;
use crate::faces::cli::Console;
use crate::faces::cli::args::Access;

/// Warns that the catalogue does not belong to the archive beside it.
pub(super) fn warn_of_mismatch(services: &Services, console: &mut Console<'_>) {
    if let Some(error) = &services.mismatch {
        console.warn(&format!("{error}: reading goes on, nothing can be changed"));
    }
}

/// Warns that the configuration cannot be used, and names what a command with this access still does.
pub(super) fn warn_of_unusable(config: &Config, access: Access, console: &mut Console<'_>) {
    if let Some(why) = &config.unusable {
        let goes_on = match access {
            Access::Read => "reading goes on",
            Access::Change | Access::Create => "changes of sources are recorded",
        };
        // The consequence comes first: the mistakes may be many lines.
        console.warn(&format!(
            "the configuration cannot be used: {goes_on}, with it nothing is fetched, judged or published"
        ));
        console.warn_line(why);
    }
}

/// Warns if the catalogue has no sources: the data folder may be mistyped.
pub(super) async fn warn_without_sources(
    services: &Services,
    console: &mut Console<'_>,
) -> Result<()> {
    if services.app.sources_after(None, 1).await?.is_empty() {
        let config = services.app.config();
        let place = config.catalogue_place();
        console.warn(&format!(
            "no sources in {place}: `gannet add URL` adds one; or is it another folder that is meant?"
        ));
    }
    Ok(())
}

/// Warns of servers on which messages may wait, and which nobody empties.
pub(super) async fn warn_of_former_queue_servers(
    services: &Services,
    console: &mut Console<'_>,
) -> Result<()> {
    for line in services.app.former_queue_servers().await? {
        console.warn(&line);
    }
    Ok(())
}

/// Warns of verifiers and notifiers that select no source: most often a tag is mistyped.
pub(super) async fn warn_of_idle_selections(
    services: &Services,
    console: &mut Console<'_>,
) -> Result<()> {
    for line in services.app.idle_selections().await? {
        console.warn(&line);
    }
    Ok(())
}
