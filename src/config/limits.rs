//! Reads `[verifier.limits]`: what a verifier's program may use. Never sets a limit.

use std::time::Duration;

use super::ResourceLimits;
use super::document::{Field, Section};
use super::duration::parse_duration;
use crate::domain::parse_size;

/// No interpreter, and hardly any program, can begin with less.
const LEAST_MEMORY_BYTES: u64 = 16 << 20;
const LEAST_OPEN_FILES: u32 = 16;
const MOST_OPEN_FILES: u32 = 1 << 20;

/// Reads the section `limits` of a verifier, when it is there; what has a problem, which is noted, stays as it is by
/// default.
pub(super) fn read(verifier: &mut Section<'_>) -> ResourceLimits {
    let default = ResourceLimits::default();
    let Some(mut section) = verifier.section("limits") else {
        return default;
    };
    let value = |field: Field<u64>| field.value;
    let limits = ResourceLimits {
        cpu: section.parsed("cpu", parse_cpu).map(|field| field.value),
        memory_bytes: section.parsed("memory", parse_memory).map(value),
        file_size_bytes: section
            .parsed("file_size", parse_size)
            .map_or(default.file_size_bytes, value),
        open_files: section.number("open_files", LEAST_OPEN_FILES..=MOST_OPEN_FILES),
        folder_bytes: section
            .parsed("folder", parse_size)
            .map_or(default.folder_bytes, value),
    };
    section.finish();
    limits
}

fn parse_cpu(text: &str) -> Result<Duration, String> {
    let cpu = parse_duration(text)?;
    if cpu.subsec_nanos() != 0 {
        return Err(format!(
            "`{text}` is no whole number of seconds: CPU time is limited by the second, such as 10s or 5m"
        ));
    }
    Ok(cpu)
}

fn parse_memory(text: &str) -> Result<u64, String> {
    let bytes = parse_size(text)?;
    if bytes < LEAST_MEMORY_BYTES {
        return Err(format!(
            "`{text}` is less than any program can begin with: give at least 16MiB"
        ));
    }
    Ok(bytes)
}
