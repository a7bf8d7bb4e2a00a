//! `cat`: a version's bytes, exactly.

use std::fs::File;
use std::io;

use crate::app::App;
use crate::domain::Content;
use crate::faces::cli::args::CatArgs;
use crate::faces::cli::exit::{CommandResult, unreadable};
use crate::faces::cli::{Console, ExitStatus};

pub(super) async fn run(app: &App, args: &CatArgs, console: &mut Console<'_>) -> CommandResult {
    let (_, version) = app.version(&args.version).await?;
    match app.content(&version).await? {
        Content::Memory(bytes) => console.out.write_all(&bytes)?,
        Content::File { path, .. } => {
            let mut file = File::open(&*path).map_err(|error| unreadable(&path, &error))?;
            io::copy(&mut file, &mut console.out)?;
        }
    }
    Ok(ExitStatus::Done)
}
