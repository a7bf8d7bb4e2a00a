//! Puts the house together: builds the ports, starts the worker or a face, and gives back an exit code.
//!
//! The only file, with those below it, that may import everything. Holds no rule of its own.

mod check;
mod commands;
mod dashboard;
mod demo;
mod house;
mod notes;
mod service;
mod signals;
mod threads;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use self::house::{CATALOGUE, House};
use crate::app::{App, Error, ErrorKind, ReadConfig, Result, SourceOutcome, SourceResult};
use crate::config::{Config, Environment, Flags, Identity};
use crate::domain::Source;
use crate::faces::cli::args::{Access, Cli, Command, ConfigArgs, ConfigWhat, FetchArgs};
use crate::faces::cli::{self, Console, ExitStatus, NameKind};
use crate::faces::tui;
use crate::store::Store;
use crate::worker::{MAX_TROUBLES, PassReport, Progress, Selection, Stop, Worker};

/// How long threads that still block may keep the program from ending.
const SHUTDOWN: Duration = Duration::from_millis(500);

/// Does what the arguments say and returns the exit code: 0 done, 1 done but a fetch or a verdict failed, 2 usage,
/// 3 could not run.
pub fn run(cli: Cli, environment: &Environment) -> ExitCode {
    crate::files::tighten_umask();
    let mut console = Console::standard(cli.quiet);
    let runtime = match threads::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return cli::report(&error, &mut console).into(),
    };
    let status = runtime.block_on(dispatch(cli, environment, &mut console));
    // What still blocks a thread now (a resolver, say) has no one left to answer to.
    runtime.shutdown_timeout(SHUTDOWN);
    status.into()
}

async fn dispatch(cli: Cli, environment: &Environment, console: &mut Console<'_>) -> ExitStatus {
    let flags = Flags {
        config: cli.config,
        data_dir: cli.data_dir,
        utc: cli.utc,
    };
    match cli.command {
        None if !cli.worker_only => {
            let opened = dashboard::open(cli.dashboard, &flags, environment, console).await;
            ended(opened, console)
        }
        Some(Command::Config(args)) => {
            ended(config(&args, &flags, environment, console).await, console)
        }
        Some(Command::Completions(args)) => cli::print_completions(&args, console),
        Some(Command::Complete(args)) => complete(&args.words, environment, console).await,
        Some(Command::Help(args)) => cli::print_help(&args, console),
        Some(Command::Man(args)) => cli::print_manual(&args, console),
        Some(Command::Demo(args)) => ended(demo::run(&args, environment, console).await, console),
        Some(Command::App(mut command)) => {
            commands::run(&mut command, &flags, environment, console).await
        }
        Some(Command::Fetch(args)) => {
            ended(fetch(&args, &flags, environment, console).await, console)
        }
        None if cli.stay => ended(service::stay(&flags, environment, console).await, console),
        None => ended(
            one_pass(cli.json, &flags, environment, console).await,
            console,
        ),
    }
}

/// Prints what of the configuration is in force, or puts it in force.
async fn config(
    args: &ConfigArgs,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    let access = match &args.what {
        // It needs no configuration: somebody is about to write one.
        ConfigWhat::Template => return cli::print_text(cli::CONFIG_TEMPLATE, console),
        ConfigWhat::Adopt | ConfigWhat::AdoptArchive => Access::Change,
        _ => Access::Read,
    };
    let config = load(flags, environment, access)?;
    // The check says so itself.
    if !matches!(args.what, ConfigWhat::Check) {
        warn_of_unusable(&config, Access::Read, console);
    }
    match &args.what {
        ConfigWhat::Template => unreachable!("printed before the configuration is read"),
        ConfigWhat::Check => check::config_check(&config, flags, environment, console).await,
        ConfigWhat::Keys => cli::print_text(&tui::keys_page(&config)?, console),
        ConfigWhat::Show(show) if show.policy => {
            let house =
                House::open(Access::Read, flags, environment, |who| who.operator("cli")).await?;
            warn_of_mismatch(&house, console);
            cli::print_policy(&house.app, show.json, console).await
        }
        ConfigWhat::Show(show) if show.json => cli::print_config_json(&config, console),
        ConfigWhat::Show(_) => {
            // What cannot be read keeps nobody from seeing the configuration.
            let policy = check::policy_outlook(&config, flags, environment).await;
            let policy = policy.unwrap_or_default();
            let page = cli::config_page(&config, policy.as_ref(), &[]);
            cli::print_text(&(page + &cli::settings_lines(&config)), console)
        }
        ConfigWhat::Adopt => {
            let house = House::open(Access::Change, flags, environment, |who| {
                who.operator("cli")
            })
            .await?;
            if let Some(line) = check::passed_over_file(&config, flags, environment) {
                console.note(&line);
            }
            cli::adopt_policy(&house.app, console).await
        }
        ConfigWhat::AdoptArchive => {
            let house = House::open_unjoined(flags, environment)?;
            cli::adopt_archive(&house.app, console).await
        }
    }
}

/// Prints what may come next on a line. Names that cannot be looked up are left out: a shell has no use for an error.
async fn complete(
    words: &[String],
    environment: &Environment,
    console: &mut Console<'_>,
) -> ExitStatus {
    let wanted = cli::completion(words);
    let flags = Flags {
        config: wanted.config.clone(),
        data_dir: wanted.data_dir.clone(),
        ..Flags::default()
    };
    let mut names = Vec::new();
    if !wanted.names.is_empty()
        && let Ok(house) =
            House::open(Access::Read, &flags, environment, |who| who.operator("cli")).await
    {
        for kind in &wanted.names {
            names.extend(names_of(&house.app, *kind).await.unwrap_or_default());
        }
    }
    cli::print_completion(&wanted, names, console)
}

async fn names_of(app: &App, kind: NameKind) -> Result<Vec<String>> {
    let config = app.config();
    let tags = |sources: Vec<Source>| -> BTreeSet<String> {
        let tags = sources.into_iter().flat_map(|source| source.settings.tags);
        tags.collect()
    };
    let names = |sources: Vec<Source>| sources.into_iter().map(|source| source.settings.name);
    Ok(match kind {
        NameKind::Source => names(app.sources(&[]).await?).collect(),
        NameKind::Removed => names(app.removed_sources(&[]).await?).collect(),
        NameKind::Tag => tags(app.sources(&[]).await?).into_iter().collect(),
        NameKind::TagOfSources => {
            let tags = tags(app.sources(&[]).await?);
            tags.into_iter().map(|tag| format!("tag:{tag}")).collect()
        }
        NameKind::Set => {
            let sets = app.set_names().into_iter();
            sets.map(|set| format!("set:{set}")).collect()
        }
        NameKind::Verifier => {
            let verifiers = config.verifiers.iter();
            verifiers.map(|one| one.name.clone()).collect()
        }
        NameKind::Notifier => {
            let notifiers = config.notifiers.iter();
            notifiers.map(|one| one.name.clone()).collect()
        }
    })
}

fn load(flags: &Flags, environment: &Environment, access: Access) -> Result<Config> {
    let remembered = |data_dir: &Path| Store::policy_file(&data_dir.join(CATALOGUE));
    Config::load_for_catalogue(flags, environment, access == Access::Read, remembered)
        .map_err(|error| Error::invalid(error.to_string()))
}

/// Returns what reads the configuration again, by the same flags and environment: a process that was given no file goes by
/// the one that the catalogue was adopted from, another one by then perhaps.
fn reader(config: &Config, flags: &Flags, environment: &Environment) -> ReadConfig {
    let (flags, environment) = (flags.clone(), environment.clone());
    let data_dir = config.data_dir.clone();
    Arc::new(move || {
        Config::load_for_catalogue(&flags, &environment, false, |_| {
            Store::policy_file(&data_dir.join(CATALOGUE))
        })
    })
}

fn ended(result: Result<ExitStatus>, console: &mut Console<'_>) -> ExitStatus {
    result.unwrap_or_else(|error| cli::report(&error, console))
}

/// Says that what is read is perhaps not what is looked for.
fn warn_of_mismatch(house: &House, console: &mut Console<'_>) {
    if let Some(error) = &house.mismatch {
        console.warn(&format!("{error}: reading goes on, nothing can be changed"));
    }
}

/// Says that the configuration is not the one that it should be, and what a command with such access does all the same.
fn warn_of_unusable(config: &Config, access: Access, console: &mut Console<'_>) {
    if let Some(why) = &config.unusable {
        let goes_on = match access {
            Access::Read => "reading goes on",
            Access::Change | Access::Create => "changes of sources are recorded",
        };
        console.warn(&format!(
            "{why}: {goes_on}, nothing is fetched, judged or published"
        ));
    }
}

async fn one_pass(
    json: bool,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    let house = House::open(Access::Change, flags, environment, Identity::worker).await?;
    warn_without_sources(&house, console).await?;
    // Cron would mail it every hour.
    if console.is_terminal {
        warn_of_idle_selections(&house, console).await?;
    }
    let folders = cli::SetFolders::now(&house.app).await;
    let worker = if json {
        house.worker().telling_each()
    } else {
        house.worker()
    };
    let report = watched_pass(&worker, Selection::Due, console.is_quiet()).await;
    let status = if json {
        let error = report.error.as_ref();
        let (app, results) = (&house.app, &report.results);
        let faults = &report.faults;
        cli::print_pass_json(
            app,
            &report.summary,
            results,
            faults,
            error,
            &folders,
            console,
        )
        .await
    } else {
        cli::print_pass(&house.app, &report.summary, &folders, console).await
    };
    house.close().await;
    Ok(conclude(&report, status, console))
}

/// A worker of a store without sources may be one of a mistyped folder: it says so.
async fn warn_without_sources(house: &House, console: &mut Console<'_>) -> Result<()> {
    if house.app.first_sources(1).await?.is_empty() {
        let config = house.app.config();
        let folder = config.data_dir.display();
        console.warn(&format!(
            "no sources in {folder}: `gannet add URL` adds one; or is it another folder that is meant?"
        ));
    }
    Ok(())
}

/// A verifier that judges nothing lets everything through: most often its tag is mistyped.
async fn warn_of_idle_selections(house: &House, console: &mut Console<'_>) -> Result<()> {
    for line in house.app.idle_selections().await? {
        console.warn(&line);
    }
    Ok(())
}

async fn fetch(
    args: &FetchArgs,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    let house = House::open(Access::Change, flags, environment, |who| {
        who.operator("cli")
    })
    .await?;
    let sources = house.app.kept_sources(&args.sources).await?;
    let ids: Vec<_> = sources.iter().map(|source| source.id).collect();
    if args.whole {
        house.app.ask_whole(&ids).await?;
    }
    let folders = cli::SetFolders::now(&house.app).await;
    let selection = Selection::These(ids);
    let mut report = watched_pass(&house.worker(), selection, console.is_quiet()).await;
    leave_out_purged(&house.app, &sources, &mut report, console).await?;
    let (app, summary, results) = (&house.app, &report.summary, &report.results);
    let status = if args.json {
        let error = report.error.as_ref();
        let faults = &report.faults;
        cli::print_pass_json(app, summary, results, faults, error, &folders, console).await
    } else {
        cli::print_fetched(app, results, summary, &folders, console).await
    };
    let is_dropped = |result: &SourceResult| result.outcome == SourceOutcome::Dropped;
    // Whoever asked for a source has not got what was asked for, or nothing that is good.
    let is_bad = results.iter().any(is_dropped) || app.any_bad(results).await?;
    let status = if is_bad {
        status.max(ExitStatus::Problems)
    } else {
        status
    };
    house.close().await;
    Ok(conclude(&report, status, console))
}

/// Leaves out the sources that were purged while they were fetched: there is nothing to tell of them.
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

/// Prints what kept a pass from doing all; returns the exit code, `status` when nothing did.
fn conclude(report: &PassReport, status: ExitStatus, console: &mut Console<'_>) -> ExitStatus {
    if let Some(adoption) = &report.adopted {
        console.warn_line(&adoption.to_string());
    }
    if let Some(problem) = &report.rejected {
        console.warn(problem);
    }
    cli::print_troubles(&report.troubles, console);
    cli::print_troubles(&report.untold, console);
    if report.troubles.len() == MAX_TROUBLES {
        console.warn("there may be more: `gannet list` shows the state of every source");
    }
    if !report.busy.is_empty() {
        let ids: Vec<_> = report.busy.iter().map(ToString::to_string).collect();
        console.warn(&format!(
            "another worker is fetching source {} just now; left to it",
            ids.join(", ")
        ));
    }
    let status = if report.untried > 0 {
        console.warn(&format!(
            "stopped: {} sources were not tried; those that are due are left to the next pass",
            report.untried
        ));
        ExitStatus::Problems
    } else {
        status
    };
    let Some(error) = &report.error else {
        return status;
    };
    match (cli::report(error, console), error.kind) {
        // The pass went on without that one file.
        (_, ErrorKind::Blocked) => ExitStatus::Problems,
        (status, _) => status,
    }
}
