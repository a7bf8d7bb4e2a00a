//! Lines for judged versions.

use std::collections::HashMap;
use std::io::{self, Write};

use super::verdict_lines::write_verdicts;
use crate::app::Verified;
use crate::domain::{Source, SourceId};
use crate::faces::file_change::FileChange;
use crate::faces::text::clean;

/// Indexes the changes of published files by source.
pub(super) fn by_source(files: &[(Source, FileChange)]) -> HashMap<SourceId, &FileChange> {
    let files = files.iter();
    files.map(|(source, file)| (source.id, file)).collect()
}

/// Writes a line for each published file.
pub(super) fn write_files(files: &[(Source, FileChange)], out: &mut dyn Write) -> io::Result<()> {
    for (source, file) in files {
        writeln!(out, "{}: {}", clean(&source.settings.name), file.clause())?;
    }
    Ok(())
}

pub(super) fn write(verified: &Verified, out: &mut dyn Write) -> io::Result<()> {
    let name = clean(&verified.source.settings.name);
    writeln!(
        out,
        "v{} of {name}: {}",
        verified.version.id, verified.state
    )?;
    let judged = ("v", verified.version.id.0);
    write_verdicts(judged, &verified.verdicts, &verified.set_aside, out)
}
