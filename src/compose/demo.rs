//! The demo over a small HTTPS origin of its own: in the dashboard, or headless with a plain account of three passes.
//!
//! All files lie in a temporary folder that is deleted at the end. The demo's clock moves an hour with each pass, so
//! that every source is due again; nothing else differs from real work.

use std::convert::Infallible;
use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::{Services, dashboard, serving, signals};
use crate::app::{Error, ErrorKind, NewSource, PassSummary, Result};
use crate::clock::{Clock as _, ManualClock, SystemClock};
use crate::config::{Config, Environment, Flags, Identity};
use crate::demo::{CHECK_PRICES_FILE, CHECK_PRICES_SH, Demo, LAST_STEP, config_toml, step_note};
use crate::domain::{Actor, Attempt, AttemptOutcome, SettingsPatch, Source, format_size};
use crate::faces::cli::args::{DashboardArgs, DemoArgs};
use crate::faces::cli::{Console, ExitStatus};
use crate::worker::{Progress, Selection, Stop};

/// The time that an hour of the demo's clock takes in the dashboard.
const HOUR: Duration = Duration::from_secs(6);

/// The last words of the demo.
const NEXT: &str = "\nNext: gannet add https://… 1h, then gannet --worker-only from cron; gannet help shows the rest.";

/// Runs the demo: in the dashboard, or headless with a printed account.
pub(super) async fn run(
    args: &DemoArgs,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    if args.worker_only {
        return headless(environment, console).await;
    }
    if args.serve {
        return served(environment, console).await;
    }
    if !dashboard::has_terminal() {
        return Err(Error::invalid("the dashboard needs a terminal")
            .hint("run `gannet demo --worker-only` or `gannet demo --serve`"));
    }
    let run = DemoRun::set(environment, |who| who.operator("tui")).await?;
    run.services.app.add(sources_of(&run.origin)).await?;
    let args = DashboardArgs::default();
    tokio::select! {
        left = dashboard::over(&run.services, args, true, environment) => left?,
        never = hours(&run) => match never {},
    }
    run.origin.shutdown().await;
    let folder = run.folder.path().display();
    print_line(console, &format!("The demo's data in {folder} is deleted."))?;
    print_line(console, NEXT)?;
    Ok(ExitStatus::Done)
}

/// Serves the demo's pages on a free port until a signal comes.
async fn served(environment: &Environment, console: &mut Console<'_>) -> Result<ExitStatus> {
    let signals = (signals::Signals::new(), None);
    let run = DemoRun::set(environment, Identity::worker).await?;
    run.services.app.add(sources_of(&run.origin)).await?;
    let listener = serving::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let socket = serving::Socket {
        listener,
        certificate: None,
        operator: Identity::of(environment).account(),
        // Nothing in a demo is worth a secret.
        prints_link: true,
    };
    let service = Box::pin(serving::over(&run.services, socket, true, signals, console));
    tokio::select! {
        served = service => served?,
        never = hours(&run) => match never {},
    }
    run.origin.shutdown().await;
    Ok(ExitStatus::Done)
}

/// Changes the origin's files from step to step, over and over: they change, break and come back.
async fn hours(run: &DemoRun) -> Infallible {
    for step in (1..=LAST_STEP).cycle() {
        run.origin.set_step(step);
        run.clock.advance(chrono::Duration::hours(1));
        tokio::time::sleep(HOUR).await;
    }
    unreachable!("a cycle does not end");
}

/// The parts of the demo: the origin, the services, their clock, and the temporary folder, deleted on drop.
struct DemoRun {
    services: Services,
    origin: Demo,
    clock: ManualClock,
    folder: tempfile::TempDir,
}

impl DemoRun {
    async fn set(environment: &Environment, actor: impl Fn(&Identity) -> Actor) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("gannet-demo-")
            .tempdir()
            .map_err(failed)?;
        let origin = Demo::start().map_err(failed)?;
        let at = |name: &str| folder.path().join(name);
        let (ca_file, script) = (at("ca.pem"), at(CHECK_PRICES_FILE));
        let config_file = at("config.toml");
        fs::write(&ca_file, origin.ca_pem()).map_err(failed)?;
        fs::write(&script, CHECK_PRICES_SH).map_err(failed)?;
        fs::write(&config_file, config_toml(&ca_file, &script)).map_err(failed)?;
        let flags = Flags {
            config: Some(config_file),
            data_dir: Some(at("data")),
            utc: false,
        };
        let mut config = Config::load(&flags, environment).map_err(failed)?;
        config.log_dir = at("log");
        let clock = ManualClock::new(SystemClock.now());
        let services =
            Services::with(config, None, environment, Arc::new(clock.clone()), actor).await?;
        Ok(Self {
            services,
            origin,
            clock,
            folder,
        })
    }
}

async fn headless(environment: &Environment, console: &mut Console<'_>) -> Result<ExitStatus> {
    let DemoRun {
        services,
        origin,
        clock,
        folder,
    } = DemoRun::set(environment, Identity::worker).await?;
    let intro = format!(
        "An HTTPS origin on loopback, {}, and {} files of it, each fetched once an hour.\nData lies in {} and is deleted at the end.",
        origin.url(),
        origin.sources().len(),
        folder.path().display()
    );
    print_line(console, &intro)?;
    services.app.add(sources_of(&origin)).await?;
    for step in 1..=LAST_STEP {
        origin.set_step(step);
        print_line(console, &format!("\nHour {step}. {}", step_note(step)))?;
        let summary = pass(&services).await?;
        print_outcomes(&services, console).await?;
        print_line(console, &format!("  {summary}"))?;
        clock.advance(chrono::Duration::hours(1));
    }
    print_totals(&services, console).await?;
    origin.shutdown().await;
    // The demo shows failed verdicts on purpose: they do not make its exit code 1.
    Ok(ExitStatus::Done)
}

fn sources_of(origin: &Demo) -> Vec<NewSource> {
    let source = |demo: &crate::demo::DemoSource| NewSource {
        address: format!("{}/{}", origin.url().trim_end_matches('/'), demo.path),
        settings: SettingsPatch {
            interval: Some(demo.interval),
            name: Some(demo.name.to_owned()),
            tags: Some(demo.tags.iter().map(|tag| (*tag).to_owned()).collect()),
            allow_private: Some(true),
            ..SettingsPatch::default()
        },
        literal: false,
    };
    origin.sources().iter().map(source).collect()
}

async fn pass(services: &Services) -> Result<PassSummary> {
    let (stop, progress, worker) = (Stop::default(), Progress::default(), services.worker());
    let report = tokio::select! {
        report = worker.pass(Selection::Due, &stop, &progress) => report,
        never = signals::watch(&stop) => match never {},
    };
    if stop.is_requested() {
        return Err(Error::new(ErrorKind::Unavailable, "stopped by a signal"));
    }
    report.error.map_or(Ok(report.summary), Err)
}

/// Prints the outcome of each source's last attempt.
async fn print_outcomes(services: &Services, console: &mut Console<'_>) -> Result<()> {
    for source in services.app.sources(&[]).await? {
        let history = services
            .app
            .history(&source.id.to_string(), Some(1))
            .await?;
        if let Some(attempt) = history.attempts.first() {
            let outcome = describe(services, &source, attempt).await?;
            print_line(
                console,
                &format!("  {:<16} {outcome}", source.settings.name),
            )?;
        }
    }
    Ok(())
}

async fn describe(services: &Services, source: &Source, attempt: &Attempt) -> Result<String> {
    let status = attempt
        .http_status
        .map(|status| format!(" ({status})"))
        .unwrap_or_default();
    Ok(match (attempt.outcome, attempt.version_id) {
        (AttemptOutcome::New, Some(id)) => {
            let (_, version) = services.app.version(&id.to_string()).await?;
            let failed: Vec<_> = services
                .app
                .verdicts(id)
                .await?
                .into_iter()
                .filter(|v| v.verdict.judgement.outcome != crate::domain::VerdictOutcome::Passed)
                .collect();
            let why: Vec<_> = failed
                .iter()
                .map(|v| format!(" by {}: {}", v.verdict.verifier, v.verdict.judgement.detail))
                .collect();
            let published = match source.state.published_version_id {
                Some(published) if published == id => "; published".to_owned(),
                Some(published) => format!("; v{published} stays published"),
                None => String::new(),
            };
            format!(
                "new v{id}, {}, {}{}{published}",
                format_size(version.size_bytes),
                version.state,
                why.join(",")
            )
        }
        (AttemptOutcome::Failed, _) => format!(
            "failed: {}",
            attempt.error.as_deref().unwrap_or("no reason was recorded")
        ),
        (outcome, _) => format!("{outcome}{status}"),
    })
}

/// Prints the totals of stored versions and published files.
async fn print_totals(services: &Services, console: &mut Console<'_>) -> Result<()> {
    print_line(console, "\nKept and published in the end:")?;
    for source in services.app.sources(&[]).await? {
        let history = services.app.history(&source.id.to_string(), None).await?;
        let stored: u64 = history
            .versions
            .iter()
            .map(|(version, _)| version.stored_bytes)
            .sum();
        let whole: u64 = history
            .versions
            .iter()
            .map(|(version, _)| version.size_bytes)
            .sum();
        let line = format!(
            "  {:<16} {:>2} kept, {} in {}; published/{}",
            source.settings.name,
            history.versions.len(),
            format_size(whole),
            format_size(stored),
            source.published_path
        );
        print_line(console, &line)?;
    }
    print_line(console, NEXT)
}

fn print_line(console: &mut Console<'_>, line: &str) -> Result<()> {
    let said = writeln!(console.out, "{line}").and_then(|()| console.out.flush());
    match said {
        // `gannet demo --worker-only | head`: the reader closed the pipe after the lines that it wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        said => said.map_err(failed),
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("the demo cannot run: {error}"),
    )
}
