//! What is said of the configuration and the catalogue before the work begins.

use super::services::Services;
use crate::app::Result;
use crate::config::Config;
use crate::faces::cli::Console;
use crate::faces::cli::args::Access;

/// Says that what is read is perhaps not what is looked for.
pub(super) fn warn_of_mismatch(services: &Services, console: &mut Console<'_>) {
    if let Some(error) = &services.mismatch {
        console.warn(&format!("{error}: reading goes on, nothing can be changed"));
    }
}

/// Says that the configuration is not the one that it should be, and what a command with such access does all the same.
pub(super) fn warn_of_unusable(config: &Config, access: Access, console: &mut Console<'_>) {
    if let Some(why) = &config.unusable {
        let goes_on = match access {
            Access::Read => "reading goes on",
            Access::Change | Access::Create => "changes of sources are recorded",
        };
        // First: the mistakes may be many lines.
        console.warn(&format!(
            "the configuration cannot be used: {goes_on}, nothing is fetched, judged or published"
        ));
        console.warn_line(why);
    }
}

/// A worker of a store without sources may be one of a mistyped folder: it says so.
pub(super) async fn warn_without_sources(
    services: &Services,
    console: &mut Console<'_>,
) -> Result<()> {
    if services.app.first_sources(1).await?.is_empty() {
        let config = services.app.config();
        let folder = config.data_dir.display();
        console.warn(&format!(
            "no sources in {folder}: `gannet add URL` adds one; or is it another folder that is meant?"
        ));
    }
    Ok(())
}

/// A verifier that judges nothing lets everything through: most often its tag is mistyped.
pub(super) async fn warn_of_idle_selections(
    services: &Services,
    console: &mut Console<'_>,
) -> Result<()> {
    for line in services.app.idle_selections().await? {
        console.warn(&line);
    }
    Ok(())
}
