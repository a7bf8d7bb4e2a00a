//! `config check`: whether the configuration can be used on this machine, beyond what its text says.

use std::path::Path;

use super::house::{House, has_catalogue};
use crate::app::{Error, Result};
use crate::config::{Config, Environment, Flags};
use crate::faces::cli::args::Access;
use crate::faces::cli::{self, Console, ExitStatus};
use crate::faces::tui;
use crate::files::{self, is_open_to_others};
use crate::net;

/// Prints what is in force and what deserves a look; everything that keeps gannet from working is one error.
pub(super) async fn config_check(
    config: &Config,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    tui::keys_page(config)?;
    let mut problems = Vec::new();
    let mut looks = open_to_others(config.config_file.as_deref());
    if let Err(error) = net::check_certificates(&config.fetch.ca_files) {
        problems.push(error.to_string());
    }
    for (what, folder) in [("data", &config.data_dir), ("logs", &config.log_dir)] {
        match files::check_folder(folder) {
            Ok(()) => {}
            // Whoever checks need not be whoever works.
            Err(error) if is_refused(&error) && folder.is_dir() => looks.push(format!(
                "this account may not write to {}, where the {what} go: {error}",
                folder.display()
            )),
            Err(error) => problems.push(format!(
                "cannot use {} for the {what}: {error}",
                folder.display()
            )),
        }
    }
    if !problems.is_empty() {
        return Err(Error::invalid(problems.join("\n")));
    }
    if has_catalogue(&config.data_dir)? {
        let house =
            House::open(Access::Read, flags, environment, |who| who.operator("cli")).await?;
        looks.extend(house.app.idle_selections().await?);
    }
    cli::print_text(&cli::config_page(config, &looks), console)
}

fn is_refused(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Returns a line for the configuration's file and its folder when other accounts may change them: it names programs that
/// run as this one.
pub(super) fn open_to_others(file: Option<&Path>) -> Vec<String> {
    let paths = file
        .into_iter()
        .flat_map(|file| [Some(file), file.parent()]);
    let open = paths.flatten().filter(|path| is_open_to_others(path));
    open.map(|path| {
        let path = path.display();
        format!("every account may write to {path}, and so choose the programs that run here: `chmod o-w {path}`")
    })
    .collect()
}
