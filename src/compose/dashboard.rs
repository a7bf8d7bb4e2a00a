//! The dashboard with the worker inside it: the same worker that runs headless, stopped when the dashboard ends.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Services;
use super::services::ask_to_begin;
use super::signals::Signals;
use crate::app::{PassProgress, Result};
use crate::config::{Environment, Flags, Identity};
use crate::domain::{SourceId, format_size};
use crate::faces::cli::args::{Access, DashboardArgs};
use crate::faces::cli::{self, Console, ExitStatus};
use crate::faces::tui::{Dashboard, WorkerHandle, run};
use crate::worker::{PassReport, Progress, Selection, Stop, Worker};

/// Opens the dashboard; returns when the operator leaves it.
pub(super) async fn open(
    args: DashboardArgs,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    if !has_terminal() {
        console.warn(
            "the dashboard needs a terminal: use `gannet --worker-only` from cron, or a command",
        );
        cli::print_overview(console);
        return Ok(ExitStatus::Usage);
    }
    let access = if args.read_only {
        Access::Read
    } else if ask_to_begin(flags, environment, console)? == Some(false) {
        return Ok(ExitStatus::Done);
    } else {
        Access::Create
    };
    let services = Services::open(access, flags, environment, |who| who.operator("tui")).await?;
    over(&services, args, false, environment).await?;
    services.close().await;
    Ok(ExitStatus::Done)
}

/// Returns whether there is a terminal to draw on and to read keys from.
pub(super) fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Runs the dashboard over the services until the operator leaves it; the header names the demo if `is_demo`.
pub(super) async fn over(
    services: &Services,
    args: DashboardArgs,
    is_demo: bool,
    environment: &Environment,
) -> Result<()> {
    let mut tasks = JoinSet::new();
    let worker = InProcess::new(services);
    let troubles = worker.troubles.0.clone();
    let works = !args.no_worker && !args.read_only;
    // A worker reports an unusable configuration itself.
    let unusable = services.app.config().unusable.clone().filter(|_| !works);
    let idle = services.app.idle_selections().await?;
    for line in unusable.into_iter().chain(idle) {
        // With the channel full the line is dropped: the first lines are enough.
        let _ = worker.troubles.0.try_send(line);
    }
    services.notes.redirect(Arc::new(move |line: &str| {
        // With the channel full the line is dropped: the dashboard has others to show.
        let _ = troubles.try_send(line.to_owned());
    }));
    if works {
        let actor = Identity::of(environment).worker();
        worker.start(&Arc::new(services.app.acting_as(actor)), &mut tasks);
    }
    let app = Arc::clone(&services.app);
    let dashboard = Dashboard {
        read_only: args.read_only,
        ascii: args.ascii,
        demo: is_demo,
    };
    let shared: Arc<dyn WorkerHandle> = Arc::new(worker);
    let watched = Arc::clone(&shared);
    let outcome = run(app, shared, dashboard).await;
    // Two requests stop the worker at once, which releases its claims, also after an error of the dashboard.
    watched.stop();
    watched.stop();
    while tasks.join_next().await.is_some() {}
    outcome
}

/// The worker of this process.
struct InProcess {
    /// Fetches sources at the operator's request, in the operator's name. One pass at a time: passes share its claims.
    asked: Arc<tokio::sync::Mutex<Worker>>,
    stop: Stop,
    signals: Arc<tokio::sync::Mutex<Signals>>,
    progress: Progress,
    /// The worker that runs until the dashboard ends, and whether it has ended.
    running: Mutex<Option<(Arc<Worker>, watch::Receiver<bool>)>>,
    troubles: (
        mpsc::Sender<String>,
        Arc<tokio::sync::Mutex<mpsc::Receiver<String>>>,
    ),
}

impl InProcess {
    fn new(services: &Services) -> Self {
        let (sender, receiver) = mpsc::channel(16);
        Self {
            asked: Arc::new(tokio::sync::Mutex::new(services.worker())),
            stop: Stop::default(),
            signals: Arc::new(tokio::sync::Mutex::new(Signals::with_hang_up())),
            progress: Progress::default(),
            running: Mutex::default(),
            troubles: (sender, Arc::new(tokio::sync::Mutex::new(receiver))),
        }
    }

    /// Starts the worker that runs until the dashboard ends.
    fn start(&self, worker_app: &Arc<crate::app::App>, tasks: &mut JoinSet<()>) {
        let worker = Arc::new(Worker::new(Arc::clone(worker_app)));
        let (stop, progress) = (self.stop.clone(), self.progress.clone());
        let (ended, is_ended) = watch::channel(false);
        let troubles = self.troubles.0.clone();
        *self.running() = Some((Arc::clone(&worker), is_ended));
        tasks.spawn(async move {
            let tell = |report: PassReport| {
                if let Some(error) = &report.error {
                    let _ = troubles.try_send(error.to_string());
                }
                for line in report.rejected.iter().chain(&report.notify_failures) {
                    let _ = troubles.try_send(line.clone());
                }
            };
            let stayed = std::panic::AssertUnwindSafe(worker.run_forever(&stop, &progress, tell));
            let text = match stayed.catch_unwind().await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => {
                    Some("the worker ended early: the log has why; open gannet again".to_owned())
                }
            };
            if let Some(text) = text {
                let _ = troubles.try_send(text);
            }
            ended.send_replace(true);
        });
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<(Arc<Worker>, watch::Receiver<bool>)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WorkerHandle for InProcess {
    fn progress(&self) -> Option<watch::Receiver<PassProgress>> {
        let runs = self.running().is_some();
        runs.then(|| self.progress.watch())
    }

    fn fetch(&self, sources: Vec<SourceId>) -> BoxFuture<'static, Result<String>> {
        let (asked, stop) = (Arc::clone(&self.asked), self.stop.clone());
        let troubles = self.troubles.0.clone();
        async move {
            let worker = asked.lock().await;
            let selection = Selection::These(sources);
            let report = worker.pass(selection, &stop, &Progress::default()).await;
            if let Some(problem) = &report.rejected {
                let _ = troubles.try_send(problem.clone());
            }
            match report.error {
                Some(error) => Err(error),
                None => Ok(words(&report)),
            }
        }
        .boxed()
    }

    fn wake(&self) {
        if let Some((worker, _)) = &*self.running() {
            worker.wake();
        }
    }

    fn stop(&self) {
        self.stop.request();
    }

    fn stopped(&self) -> BoxFuture<'static, ()> {
        let (asked, running) = (Arc::clone(&self.asked), self.running().clone());
        async move {
            if let Some((_, mut ended)) = running {
                // An error means that the sender is gone: the worker has ended then, too.
                let _ = ended.wait_for(|ended| *ended).await;
            }
            drop(asked.lock().await);
        }
        .boxed()
    }

    fn next_error(&self) -> BoxFuture<'static, String> {
        let receiver = Arc::clone(&self.troubles.1);
        async move {
            match receiver.lock().await.recv().await {
                Some(text) => text,
                None => std::future::pending().await,
            }
        }
        .boxed()
    }

    fn next_signal(&self) -> BoxFuture<'static, ()> {
        let signals = Arc::clone(&self.signals);
        async move { signals.lock().await.next().await }.boxed()
    }
}

fn words(report: &PassReport) -> String {
    let summary = &report.summary;
    let mut text = match (summary.attempts, report.failures.first()) {
        (1, Some(trouble)) => trouble.clone(),
        (1, None) if summary.unchanged == 1 => "fetched: unchanged".to_owned(),
        (1, None) => format!("fetched: new, {}", format_size(summary.bytes)),
        (attempts, _) => format!(
            "fetched {attempts}: {} new, {} unchanged, {} failed; {}",
            summary.new,
            summary.unchanged,
            summary.failed,
            format_size(summary.bytes)
        ),
    };
    if !report.busy.is_empty() {
        text = format!("{text}; {} left to another worker", report.busy.len());
    }
    for line in &report.notify_failures {
        text = format!("{text}; {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::PassSummary;

    #[test]
    fn one_fetch_is_told_in_words_and_many_in_numbers() {
        let report = |attempts, new, unchanged, trouble: Option<&str>| PassReport {
            summary: PassSummary {
                attempts,
                new,
                unchanged,
                failed: attempts - new - unchanged,
                bytes: 236,
                ..PassSummary::default()
            },
            failures: trouble.map(str::to_owned).into_iter().collect(),
            ..PassReport::default()
        };
        for (report, expected) in [
            (report(1, 1, 0, None), "fetched: new, 236 B"),
            (report(1, 0, 1, None), "fetched: unchanged"),
            (report(1, 0, 0, Some("x: 404")), "x: 404"),
            (
                report(3, 1, 1, Some("x: 404")),
                "fetched 3: 1 new, 1 unchanged, 1 failed; 236 B",
            ),
        ] {
            assert_eq!(words(&report), expected);
        }
    }
}
