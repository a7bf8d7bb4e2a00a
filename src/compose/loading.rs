//! Reads the configuration: the flags' file, or the one from which the catalogue's policy was adopted.

use std::path::Path;
use std::sync::Arc;

use crate::app::{Error, ReadConfig, Result};
use crate::config::{Config, Environment, Flags};
use crate::faces::cli::args::Access;
use crate::files::is_open_to_others;
use crate::store::Store;

pub(super) fn load(flags: &Flags, environment: &Environment, access: Access) -> Result<Config> {
    let only_reads = access == Access::Read;
    Config::load_for_catalogue(flags, environment, only_reads, Store::policy_file_at)
        .map_err(|error| Error::invalid(error.to_string()))
}

/// Returns a function that reads the configuration again, with the same flags and environment. Without a file in them,
/// it reads the file that the catalogue names by then, which may be another one.
pub(super) fn reader(config: &Config, flags: &Flags, environment: &Environment) -> ReadConfig {
    let (flags, environment) = (flags.clone(), environment.clone());
    let place = config.catalogue_place();
    Arc::new(move || {
        Config::load_for_catalogue(&flags, &environment, false, |_| {
            Store::policy_file_at(&place)
        })
    })
}

/// Returns a warning for the configuration's file and for its folder if every account may write to them: the file names
/// programs that run as this account.
pub(super) fn open_to_others(file: Option<&Path>) -> Vec<String> {
    let paths = file
        .into_iter()
        .flat_map(|file| [Some(file), file.parent()]);
    // Only files and folders: every account may write to `/dev/null`, which is harmless.
    let kept = |path: &&Path| path.is_file() || path.is_dir();
    let open = paths.flatten().filter(kept);
    let open = open.filter(|path| is_open_to_others(path));
    open.map(|path| {
        let path = path.display();
        format!("every account may write to {path}, and so choose the programs that run here: `chmod o-w {path}`")
    })
    .collect()
}
