//! One pass: over all sources that are due, or over those that the command line names.

use super::services::Services;
use super::signals;
use super::warnings::{warn_of_idle_selections, warn_without_sources};
use crate::app::{App, Error, ErrorKind, Result, SourceOutcome, SourceResult};
use crate::config::{Environment, Flags, Identity};
use crate::domain::Source;
use crate::faces::cli::args::{Access, FetchArgs, RatesIngestArgs};
use crate::faces::cli::{self, Console, ExitStatus, PassToPrint, SetFolders};
use crate::worker::{MAX_FAILURES, PassReport, Progress, Selection, Stop, Worker};

pub(super) async fn one_pass(
    json: bool,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    let services = Services::open(Access::Change, flags, environment, Identity::worker).await?;
    warn_without_sources(&services, console).await?;
    // Cron would mail these warnings every hour.
    if console.is_terminal {
        warn_of_idle_selections(&services, console).await?;
    }
    let folders = cli::SetFolders::now(&services.app).await;
    let worker = if json {
        services.worker().keeping_results()
    } else {
        services.worker()
    };
    let report = watched_pass(&worker, Selection::Due, console.is_quiet()).await;
    let app = &services.app;
    let status = if json {
        with_names(app, &report, &folders)
            .await
            .print(false, console)
    } else {
        let status = cli::print_pass(app, &report.summary, &folders, console).await;
        cli::name_put_back(app, &report.put_back, console).await?;
        status
    };
    services.close().await;
    Ok(conclude(&report, status, console))
}

pub(super) async fn fetch(
    args: &FetchArgs,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    let services = Services::open_for_operator(Access::Change, flags, environment).await?;
    let sources = services.app.sources_to_fetch(&args.sources).await?;
    let ids: Vec<_> = sources.iter().map(|source| source.id).collect();
    if args.whole {
        services.app.ask_whole(&ids).await?;
    }
    let folders = cli::SetFolders::now(&services.app).await;
    let selection = Selection::These(ids);
    let mut report = watched_pass(&services.worker(), selection, console.is_quiet()).await;
    // What cannot be read back from the catalogue is an error of the pass, whose results are printed all the same.
    if let Err(error) = leave_out_purged(&services.app, &sources, &mut report, console).await {
        report.fail(error);
    }
    leave_out_dated(&sources, &mut report);
    let app = &services.app;
    let is_bad = is_bad(app, &mut report).await;
    let status = if args.json {
        with_names(app, &report, &folders)
            .await
            .print(false, console)
    } else {
        cli::print_fetched(app, &report.results, &report.summary, &folders, console).await
    };
    let status = if is_bad {
        status.max(ExitStatus::Problems)
    } else {
        status
    };
    services.close().await;
    Ok(conclude(&report, status, console))
}

/// Fetches the currency rates that are wanted and not held.
pub(super) async fn ingest(
    args: &RatesIngestArgs,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    let services = Services::open_for_operator(Access::Change, flags, environment).await?;
    let ingest = services.app.rates_to_ingest(&args.wanted()).await?;
    let folders = cli::SetFolders::now(&services.app).await;
    let selection = Selection::These(ingest.sources.clone());
    let mut report = watched_pass(&services.worker(), selection, console.is_quiet()).await;
    report.failures.extend(ingest.refused.clone());
    let app = &services.app;
    let is_bad = is_bad(app, &mut report).await;
    let status = cli::print_pass(app, &report.summary, &folders, console).await;
    cli::print_ingest(&ingest, console);
    services.close().await;
    let status = if is_bad {
        status.max(ExitStatus::Problems)
    } else {
        status
    };
    Ok(conclude(&report, status, console))
}

/// Removes the results of dated sources where their days have results of their own.
fn leave_out_dated(asked: &[Source], report: &mut PassReport) {
    let is_dated = |result: &SourceResult| {
        let mut dated = asked.iter().filter(|source| source.state.days.is_some());
        dated.any(|source| source.id == result.id)
    };
    if !report.results.iter().all(is_dated) {
        report.results.retain(|result| !is_dated(result));
    }
}

/// Reports whether a source was not fetched, or its newest version is not good: exit code 1.
async fn is_bad(app: &App, report: &mut PassReport) -> bool {
    let is_dropped = |result: &SourceResult| result.outcome == SourceOutcome::Dropped;
    match app.any_bad(&report.results).await {
        Ok(is_bad) => is_bad || report.results.iter().any(is_dropped),
        Err(error) => {
            report.fail(error);
            false
        }
    }
}

/// Prints the error of a pass that did not begin, with `json` as the pass's object too; returns the exit code.
pub(super) fn failed(json: bool, error: &Error, console: &mut Console<'_>) -> ExitStatus {
    if json {
        cli::print_failed_pass_json(error, console);
    }
    cli::report(error, console)
}

/// Returns a pass to print as JSON, given the set folders before it.
pub(super) async fn with_names<'a>(
    app: &App,
    report: &'a PassReport,
    folders: &SetFolders,
) -> PassToPrint<'a> {
    let numbers = (&report.summary, &report.results[..]);
    let problems = (&report.faults, report.error.as_ref());
    PassToPrint::read(app, numbers, problems, folders).await
}

/// Removes the sources that were purged during the pass from its report, and warns of each.
async fn leave_out_purged(
    app: &App,
    asked: &[Source],
    report: &mut PassReport,
    console: &mut Console<'_>,
) -> Result<()> {
    let ids: Vec<_> = asked.iter().map(|source| source.id).collect();
    let purged = app.purged(&ids).await?;
    for source in asked.iter().filter(|source| purged.contains(&source.id)) {
        console.warn(&cli::purged_meanwhile(source));
    }
    report.results.retain(|one| !purged.contains(&one.id));
    report.busy.retain(|id| !purged.contains(id));
    Ok(())
}

/// Runs one pass under the process's signals, with a progress bar on a terminal.
async fn watched_pass(worker: &Worker, selection: Selection, quiet: bool) -> PassReport {
    let (stop, progress) = (Stop::default(), Progress::default());
    tokio::select! {
        report = worker.pass(selection, &stop, &progress) => report,
        never = signals::watch(&stop) => match never {},
        never = cli::draw_progress(progress.watch(), quiet) => match never {},
    }
}

/// Prints the failures and omissions of a pass. Returns the exit code: `status`, or one that the failures demand.
pub(super) fn conclude(
    report: &PassReport,
    status: ExitStatus,
    console: &mut Console<'_>,
) -> ExitStatus {
    if let Some(adoption) = &report.adopted {
        console.warn_line(&adoption.to_string());
    }
    if let Some(problem) = &report.rejected {
        console.warn(problem);
    }
    cli::print_failures(&report.failures, console);
    cli::print_failures(&report.notify_failures, console);
    if report.failures.len() == MAX_FAILURES {
        console.warn("there may be more: `gannet list` shows the state of every source");
    }
    warn_of_omissions(report, console);
    match &report.error {
        Some(error) => match (cli::report(error, console), error.kind) {
            // One file was blocked; the pass went on without it.
            (_, ErrorKind::Blocked) => ExitStatus::Problems,
            (status, _) => status,
        },
        None if report.not_tried > 0 => ExitStatus::Problems,
        None => status,
    }
}

fn warn_of_omissions(report: &PassReport, console: &mut Console<'_>) {
    if !report.busy.is_empty() {
        let ids: Vec<_> = report.busy.iter().map(ToString::to_string).collect();
        console.warn(&format!(
            "another worker is fetching source {} just now; left to it",
            ids.join(", ")
        ));
    }
    if report.not_tried > 0 {
        console.warn(&format!(
            "stopped: {} sources were not tried; those that are due are left to the next pass",
            report.not_tried
        ));
    }
}
