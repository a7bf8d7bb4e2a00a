//! `history`: a source's attempts and versions. `show` and `dump` use the same tables.

use std::io::{self, Write};

use serde_json::Map;

use super::damaged::Damaged;
use crate::app::{App, History};
use crate::domain::{Attempt, Verdict, VerdictOutcome, format_size, last_of_each, with_origin};
use crate::faces::cli::Console;
use crate::faces::cli::args::{HistoryArgs, TableFormat};
use crate::faces::cli::exit::{CommandResult, Failure};
use crate::faces::cli::look::Look;
use crate::faces::cli::table::{Table, below, flexible, left, right, toned};
use crate::faces::csv;
use crate::faces::json::{self, AttemptJson, VersionJson, write_history};
use crate::faces::text::or_dash;

pub(super) async fn run(app: &App, args: &HistoryArgs, console: &mut Console<'_>) -> CommandResult {
    let mut damaged = Damaged::default();
    let history = damaged.record(app.sound_history(&args.source, args.limit()).await?);
    let look = Look::of(app, console);
    let out = &mut console.out;
    match args.format() {
        _ if args.versions => csv::write(out, VersionJson::FIELDS, version_rows(&history))?,
        TableFormat::Json => {
            let verdicts = async |id| app.verdicts(id).await.map_err(Failure::from);
            write_history(out, &Map::new(), &history, verdicts).await?;
        }
        TableFormat::Csv => csv::write(out, AttemptJson::FIELDS, json::attempts(&history))?,
        TableFormat::People => write_tables(&history, &look, out)?,
    }
    Ok(damaged.report(console))
}

fn version_rows(history: &History) -> impl Iterator<Item = VersionJson<'_>> {
    let versions = history.versions.iter();
    versions.map(|(version, _)| json::version(history, version, &[]))
}

/// Writes the tables of versions and attempts, each under its heading, newest first.
pub(super) fn write_tables(history: &History, look: &Look, out: &mut dyn Write) -> io::Result<()> {
    for (heading, table) in [
        ("versions", versions_table(history, look)),
        ("attempts", attempts_table(&history.attempts, look)),
    ] {
        if table.is_empty() {
            writeln!(out, "{heading}: none yet")?;
        } else {
            writeln!(out, "{heading}:")?;
            table.write(out, 2, look)?;
        }
    }
    Ok(())
}

/// Returns a row for each attempt.
pub(super) fn attempts_table(attempts: &[Attempt], look: &Look) -> Table {
    let mut table = Table::new([
        left(look.heading("STARTED")),
        toned("OUTCOME"),
        right("STATUS"),
        right("SIZE"),
        right("TOOK"),
        left("VERSION"),
        flexible("PEER"),
        below("ERROR"),
    ]);
    for attempt in attempts {
        let error = match (attempt.error_kind, &attempt.error) {
            (Some(kind), Some(error)) => format!("{kind}: {error}"),
            (Some(kind), None) => kind.to_string(),
            (None, error) => error.clone().unwrap_or_default(),
        };
        table.row([
            look.time(attempt.started_at),
            attempt.outcome.to_string(),
            or_dash(attempt.http_status),
            or_dash(attempt.size_bytes.map(format_size)),
            format!("{:.1} s", attempt.duration.as_secs_f64()),
            or_dash(attempt.version_id.map(|id| format!("v{id}"))),
            or_dash(peer(attempt)),
            error,
        ]);
    }
    table
}

/// Returns the peer that answered an attempt, without the port of `https`.
fn peer(attempt: &Attempt) -> Option<&str> {
    let peer = attempt.provenance.as_ref()?.last.peer.as_ref()?;
    let address = peer.address.as_str();
    Some(address.strip_suffix(":443").unwrap_or(address))
}

/// Returns a row for each version, with the last verdict of each verifier and a mark for the published version.
pub(super) fn versions_table(history: &History, look: &Look) -> Table {
    let mut table = Table::new([
        left("VERSION"),
        left(look.heading("FETCHED")),
        right("SIZE"),
        toned("VERIFIED"),
        left("PUBLISHED"),
        left("DIGEST"),
        flexible("FILE"),
        below("VERDICTS"),
    ]);
    for (version, verdicts) in &history.versions {
        let is_served = history.served == Some(version.id);
        table.row([
            format!("v{}", version.id),
            look.time(version.fetched_at),
            format_size(version.size_bytes),
            version.state.to_string(),
            if is_served { "now" } else { "" }.to_owned(),
            version.digest.to_hex()[..12].to_owned(),
            version.name.clone(),
            last_verdicts(verdicts),
        ]);
    }
    table
}

/// Returns the last verdict of each verifier: `schema failed (line 3), size passed`.
fn last_verdicts(oldest_first: &[Verdict]) -> String {
    let last = last_of_each(oldest_first, |one| &one.verdict).into_iter();
    let words = last.map(|verdict| {
        let judgement = &verdict.verdict.judgement;
        let verifier = &verdict.verdict.verifier;
        let detail = match judgement.outcome {
            VerdictOutcome::Failed | VerdictOutcome::Error => judgement.detail.as_str(),
            VerdictOutcome::Passed | VerdictOutcome::Pending => "",
        };
        let detail = with_origin(detail, verdict.given_on.map(|id| format!("v{id}")));
        let outcome = verdict.verdict.outcome_words();
        if detail.is_empty() {
            format!("{verifier} {outcome}")
        } else {
            format!("{verifier} {outcome} ({detail})")
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AttemptOutcome, VersionId, VersionState};
    use crate::faces::fixtures::{at, failed_attempt, source, verdict, version};

    fn sample() -> History {
        let mut good = failed_attempt(1);
        good.outcome = AttemptOutcome::New;
        good.http_status = Some(200);
        good.size_bytes = Some(5);
        good.version_id = Some(VersionId(11));
        good.provenance = None;
        good.error_kind = None;
        good.error = None;
        let mut bad = version(12, 1, b"worse");
        bad.state = VersionState::Failed;
        History {
            source: source(1, "prices"),
            served: Some(VersionId(11)),
            set_failure: None,
            attempts: vec![failed_attempt(2), good],
            versions: vec![
                (
                    bad,
                    vec![
                        verdict(12, VerdictOutcome::Error, "timed out"),
                        verdict(12, VerdictOutcome::Failed, "line 3"),
                    ],
                ),
                (version(11, 0, b"good"), vec![]),
            ],
        }
    }

    fn text(out: Vec<u8>) -> String {
        String::from_utf8(out).expect("UTF-8").replace("\r\n", "\n")
    }

    #[test]
    fn people_see_two_tables() {
        let (history, mut out) = (sample(), Vec::new());
        write_tables(&history, &Look::plain(at("18:30:00")), &mut out).expect("a buffer");
        insta::assert_snapshot!(text(out), @r"
        versions:
          VERSION  FETCHED (UTC)     SIZE  VERIFIED  PUBLISHED  DIGEST        FILE        VERDICTS
          v12      2026-01-31 12:00   5 B  failed               e760bdbe0be6  prices.csv  schema failed (line 3)
          v11      2026-01-31 12:00   4 B  passed    now        770e607624d6  prices.csv
        attempts:
          STARTED (UTC)     OUTCOME  STATUS  SIZE   TOOK  VERSION  PEER                ERROR
          2026-01-31 18:00  failed      503     -  1.2 s  -        [2001:db8::7]:8443  status: 503 Service Unavailable[2J
          2026-01-31 18:00  new         200   5 B  1.2 s  v11      -
        ");
    }

    /// Removes the output from each verdict, as a list returns it.
    fn forget_output(history: &mut History) {
        let verdicts = history.versions.iter_mut().flat_map(|(_, said)| said);
        verdicts.for_each(|one| one.verdict.judgement.output.clear());
    }

    async fn json(history: &History, said: Vec<Verdict>) -> String {
        let mut out = Vec::new();
        let verdicts = async |_| io::Result::Ok(said.clone());
        let written = write_history(&mut out, &Map::new(), history, verdicts).await;
        written.expect("a buffer");
        text(out)
    }

    #[tokio::test]
    async fn programs_get_the_attempts_as_json() {
        let json = json(&sample(), Vec::new()).await;
        let (attempts, _) = json.split_once("\n  \"versions\"").expect("versions");
        insta::assert_snapshot!(attempts, @r#"
        {
          "attempts": [
            {
              "id": 2,
              "started_at": "2026-01-31T18:00:02.000Z",
              "duration_ms": 1204,
              "outcome": "failed",
              "http_status": 503,
              "size_bytes": null,
              "version_id": null,
              "digest": null,
              "error_kind": "status",
              "error": "503 Service Unavailable\u001b[2J",
              "asked": "https://example.org/1.csv",
              "final_address": "https://files.example.org/1.csv?…",
              "peer": "[2001:db8::7]:8443",
              "proxy": null,
              "tls": "1.3",
              "certificate": "sha256:03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72",
              "redirects": [
                {
                  "status": 302,
                  "to": "https://files.example.org/1.csv?…",
                  "peer": "192.0.2.7:443",
                  "proxy": null,
                  "tls": "1.3",
                  "certificate": "sha256:03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72"
                }
              ]
            },
            {
              "id": 1,
              "started_at": "2026-01-31T18:00:02.000Z",
              "duration_ms": 1204,
              "outcome": "new",
              "http_status": 200,
              "size_bytes": 5,
              "version_id": 11,
              "digest": "sha256:770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c",
              "error_kind": null,
              "error": null,
              "asked": null,
              "final_address": null,
              "peer": null,
              "proxy": null,
              "tls": null,
              "certificate": null,
              "redirects": null
            }
          ],
        "#);
    }

    #[tokio::test]
    async fn programs_get_the_versions_as_json() {
        let mut history = sample();
        let said = history.versions[0].1.clone();
        forget_output(&mut history);
        history.attempts.clear();
        insta::assert_snapshot!(json(&history, said).await, @r#"
        {
          "attempts": [],
          "versions": [
            {
              "id": 12,
              "digest": "sha256:e760bdbe0be65db96a57ff47b62e8ab179c0d6b2f3316b80f71ecac63abd2da8",
              "size_bytes": 5,
              "stored_bytes": 7,
              "name": "prices.csv",
              "media_type": "text/csv",
              "last_modified": "2026-01-31T11:59:00Z",
              "fetched_at": "2026-01-31T12:00:03.250Z",
              "verified": "failed",
              "policy_revision": 1,
              "published": false,
              "verdicts": [
                {
                  "verifier": "schema",
                  "fingerprint": "ab12",
                  "argv": [
                    "/bin/check",
                    "{path}"
                  ],
                  "outcome": "error",
                  "detail": "timed out",
                  "exit_code": 1,
                  "output": "line 3: bad\n",
                  "started_at": "2026-01-31T12:00:04.000Z",
                  "duration_ms": 35,
                  "actor": "worker@host",
                  "given_on": null,
                  "by_hand": false,
                  "id": 1
                },
                {
                  "verifier": "schema",
                  "fingerprint": "ab12",
                  "argv": [
                    "/bin/check",
                    "{path}"
                  ],
                  "outcome": "failed",
                  "detail": "line 3",
                  "exit_code": 1,
                  "output": "line 3: bad\n",
                  "started_at": "2026-01-31T12:00:04.000Z",
                  "duration_ms": 35,
                  "actor": "worker@host",
                  "given_on": null,
                  "by_hand": false,
                  "id": 1
                }
              ]
            },
            {
              "id": 11,
              "digest": "sha256:770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c",
              "size_bytes": 4,
              "stored_bytes": 7,
              "name": "prices.csv",
              "media_type": "text/csv",
              "last_modified": "2026-01-31T11:59:00Z",
              "fetched_at": "2026-01-31T12:00:03.250Z",
              "verified": "passed",
              "policy_revision": 1,
              "published": true,
              "verdicts": []
            }
          ]
        }
        "#);
    }

    #[test]
    fn spreadsheets_get_csv() {
        let (history, mut out) = (sample(), Vec::new());
        csv::write(&mut out, AttemptJson::FIELDS, json::attempts(&history)).expect("a buffer");
        insta::assert_snapshot!(text(out), @r"
        id,started_at,duration_ms,outcome,http_status,size_bytes,version_id,digest,error_kind,error,asked,final_address,peer,proxy,tls,certificate
        2,2026-01-31T18:00:02.000Z,1204,failed,503,,,,status,503 Service Unavailable[2J,https://example.org/1.csv,https://files.example.org/1.csv?…,[2001:db8::7]:8443,,1.3,sha256:03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72
        1,2026-01-31T18:00:02.000Z,1204,new,200,5,11,sha256:770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c,,,,,,,,
        ");
    }
}
