//! What the catalogue costs with many sources: claiming some of a million, and recording that nothing changed.

use std::path::Path;
use std::time::{Duration, Instant};

use gannet::domain::{BlobForm, Digest, NewBlob, StoredBody};
use gannet::store::AttemptResult;

use super::recorder::Recorder;
use super::{median, milliseconds};

/// Sources that are claimed at once.
const CLAIMED: usize = 256;

/// Claims 256 of 1,000,000 due sources, each with a version, and records them, over and over.
pub(crate) fn claims(folder: &Path) {
    const SOURCES: usize = 1_000_000;
    fill(folder, SOURCES);
    for round in ["opened anew", "once more"] {
        let mut recorder = Recorder::open(folder);
        recorder.pass_days(1);
        let times: Vec<Duration> = (0..41)
            .map(|_| {
                let start = Instant::now();
                let claims = recorder.claim_due(CLAIMED);
                let time = start.elapsed();
                assert_eq!(claims.len(), CLAIMED);
                recorder.record_all(&claims, CLAIMED, |_| AttemptResult::Unchanged);
                time
            })
            .collect();
        println!(
            "claim 256 of 1,000,000, {round}: first {:.2} ms, median {:.2} ms, worst {:.2} ms",
            milliseconds(times[0]),
            milliseconds(median(times.clone())),
            milliseconds(times.into_iter().max().unwrap_or_default()),
        );
    }
}

/// Records 50,000 attempts that found nothing new, 256 at once.
pub(crate) fn unchanged(folder: &Path) {
    const SOURCES: usize = 10_000;
    const ROUNDS: usize = 5;
    fill(folder, SOURCES);
    let mut recorder = Recorder::open(folder);
    let rates: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            recorder.pass_days(1);
            let claims = recorder.claim_due(SOURCES);
            assert_eq!(claims.len(), SOURCES);
            let start = Instant::now();
            recorder.record_all(&claims, CLAIMED, |_| AttemptResult::Unchanged);
            start.elapsed()
        })
        .collect();
    let rate = |time: Duration| 10_000.0 / time.as_secs_f64();
    println!(
        "unchanged, 256 at once: {:.0}/s, best {:.0}/s",
        rate(median(rates.clone())),
        rate(rates.into_iter().min().unwrap_or_default()),
    );
}

/// Makes sources, each with a first version of one line.
pub(crate) fn fill(folder: &Path, count: usize) {
    const BATCH: usize = 20_000;
    let recorder = Recorder::open(folder);
    for batch in (0..count).step_by(BATCH) {
        let numbers = batch..count.min(batch + BATCH);
        recorder.add(numbers.map(|number| format!("f{number}.csv")));
        let claims = recorder.claim_due(BATCH);
        recorder.record_all(&claims, CLAIMED, |claim| {
            let line = format!("source {}\n", claim.source.id);
            Recorder::new_version(raw(line.as_bytes()), recorder.now())
        });
    }
}

pub(crate) fn raw(content: &[u8]) -> NewBlob {
    NewBlob {
        digest: Digest::of(content),
        size_bytes: content.len() as u64,
        form: BlobForm::Raw,
        base: None,
        depth: 0,
        stored_bytes: content.len() as u64,
        body: StoredBody::Inline(content.to_vec()),
    }
}
