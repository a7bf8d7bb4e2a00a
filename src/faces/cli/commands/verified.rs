//! Lines and JSON for judged versions.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;

use super::verdict_lines::write_verdicts;
use crate::app::Verified;
use crate::domain::{Source, SourceId, VersionId};
use crate::faces::file_change::FileChange;
use crate::faces::json::{SetAsideJson, VerdictJson, set_aside_json};
use crate::faces::text::clean;

#[derive(Serialize)]
pub(super) struct VerifiedJson<'a> {
    source_id: SourceId,
    source: &'a str,
    version_id: VersionId,
    verified: &'static str,
    verdicts: Vec<VerdictJson<'a>>,
    /// Verdicts by hand that no longer count.
    set_aside: Vec<SetAsideJson<'a>>,
    /// The change of the source's published file; `None` if the source was purged meanwhile.
    published: Option<&'a FileChange>,
}

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

pub(super) fn object<'a>(
    verified: &'a Verified,
    files: &HashMap<SourceId, &'a FileChange>,
    actor: &'a str,
) -> VerifiedJson<'a> {
    let verdicts = verified.verdicts.iter();
    VerifiedJson {
        source_id: verified.source.id,
        source: &verified.source.settings.name,
        version_id: verified.version.id,
        verified: verified.state.as_str(),
        verdicts: verdicts
            .map(|verdict| VerdictJson::new(verdict, actor))
            .collect(),
        set_aside: set_aside_json(&verified.set_aside),
        published: files.get(&verified.source.id).copied(),
    }
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
