//! Reads the configuration: that of the flags, or the one that the catalogue was adopted from.

use std::path::Path;
use std::sync::Arc;

use crate::app::{Error, ReadConfig, Result};
use crate::config::{Config, Environment, Flags};
use crate::faces::cli::args::Access;
use crate::files::is_open_to_others;
use crate::store::Store;

/// The catalogue's file in a data folder.
pub(super) const CATALOGUE: &str = "gannet.db";

pub(super) fn load(flags: &Flags, environment: &Environment, access: Access) -> Result<Config> {
    let remembered = |data_dir: &Path| Store::policy_file(&data_dir.join(CATALOGUE));
    Config::load_for_catalogue(flags, environment, access == Access::Read, remembered)
        .map_err(|error| Error::invalid(error.to_string()))
}

/// Returns what reads the configuration again, by the same flags and environment: a process that was given no file goes by
/// the one that the catalogue was adopted from, another one by then perhaps.
pub(super) fn reader(config: &Config, flags: &Flags, environment: &Environment) -> ReadConfig {
    let (flags, environment) = (flags.clone(), environment.clone());
    let data_dir = config.data_dir.clone();
    Arc::new(move || {
        Config::load_for_catalogue(&flags, &environment, false, |_| {
            Store::policy_file(&data_dir.join(CATALOGUE))
        })
    })
}

/// Returns a line for the configuration's file and its folder when other accounts may change them: it names programs that
/// run as this one.
pub(super) fn open_to_others(file: Option<&Path>) -> Vec<String> {
    let paths = file
        .into_iter()
        .flat_map(|file| [Some(file), file.parent()]);
    // Everybody may write to `/dev/null`, and nobody reads that again.
    let kept = |path: &&Path| path.is_file() || path.is_dir();
    let open = paths.flatten().filter(kept);
    let open = open.filter(|path| is_open_to_others(path));
    open.map(|path| {
        let path = path.display();
        format!("every account may write to {path}, and so choose the programs that run here: `chmod o-w {path}`")
    })
    .collect()
}
