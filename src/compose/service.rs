//! `--worker-only --loop`: a worker that reports ready, alive and stopping to a service manager (`sd_notify`).

use std::convert::Infallible;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::Signal;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Services, signals};
use crate::app::Result;
use crate::config::{Environment, Flags, Identity};
use crate::faces::cli::args::Access;
use crate::faces::cli::{self, Console, ExitStatus, SetFolders};
use crate::worker::{PassReport, Progress, Stop, Worker};

/// The time between two looks at the file of the configuration, without a worker.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Runs a pass whenever a source is due, until a signal comes.
pub(super) async fn stay(
    json: bool,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> ExitStatus {
    let stayed = Box::pin(until_a_signal(json, flags, environment, console)).await;
    stayed.unwrap_or_else(|error| super::passes::failed(false, &error, console))
}

async fn until_a_signal(
    json: bool,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    // First of all: until a listener is in place, SIGHUP ends the process.
    let hang_ups = signals::hang_ups();
    let services = Services::open(Access::Change, flags, environment, Identity::worker).await?;
    super::warnings::warn_without_sources(&services, console).await?;
    super::warnings::warn_of_idle_selections(&services, console).await?;
    let (stop, mut worker) = (Stop::default(), services.worker());
    if json {
        worker = worker.keeping_results();
    }
    notify_ready("waiting for the next source that is due");
    let stayed = tokio::select! {
        stayed = work(&services, &worker, &stop, json, console) => stayed,
        never = signals::watch(&stop) => match never {},
        never = beside(&services, Some(&worker), &stop, hang_ups) => match never {},
    };
    services.close().await;
    stayed.map(|()| ExitStatus::Done)
}

/// Runs passes until asked to stop, and prints what they did: with `json` an object on a line for each that did something.
pub(super) async fn work(
    services: &Services,
    worker: &Worker,
    stop: &Stop,
    json: bool,
    console: &mut Console<'_>,
) -> Result<()> {
    let progress = Progress::default();
    let console = std::sync::Mutex::new(console);
    let (reports, to_print) = unbounded_channel();
    // The channel ends with the worker.
    let after_pass = move |report| drop(reports.send(report));
    let both = async {
        tokio::join!(
            worker.run_forever(stop, &progress, after_pass),
            print_passes(services, to_print, json, &console)
        )
    };
    tokio::select! {
        (stayed, ()) = both => stayed,
        never = tell_outlook(services, &progress, &console) => match never {},
    }
}

/// Prints passes until there are no more.
async fn print_passes(
    services: &Services,
    mut reports: UnboundedReceiver<PassReport>,
    json: bool,
    console: &std::sync::Mutex<&mut Console<'_>>,
) {
    let app = &services.app;
    let mut folders = SetFolders::now(app).await;
    while let Some(report) = reports.recv().await {
        let line = report.summary;
        notify(&[NotifyState::Status(&format!("last pass: {line}"))]);
        let named = if json {
            Some(super::passes::with_names(app, &report, &folders).await)
        } else {
            None
        };
        if let Ok(mut console) = console.lock() {
            match named {
                Some(named) => named.print(true, &mut console),
                None => cli::print_summary(&report.summary, &mut console),
            };
            super::passes::conclude(&report, ExitStatus::Done, &mut console);
        }
        if json {
            folders = SetFolders::now(app).await;
        }
    }
}

/// Does what a process that stays does beside its work; never returns.
pub(super) async fn beside(
    services: &Services,
    worker: Option<&Worker>,
    stop: &Stop,
    hang_ups: Option<Signal>,
) -> Infallible {
    tokio::select! {
        never = keep_alive() => never,
        never = keep_configuration(hang_ups, services, worker) => never,
        never = tell_stopping(stop) => never,
        never = services.log_troubles.record_all(&services.app) => never,
    }
}

/// Reports to the service manager that the process is ready, and its state in words.
pub(super) fn notify_ready(state: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(state)]);
}

/// Prints the next due source on a terminal, at the start and after each pass that changed it; never returns.
async fn tell_outlook(
    services: &Services,
    progress: &Progress,
    console: &std::sync::Mutex<&mut Console<'_>>,
) -> Infallible {
    let (mut said, mut passes) = (String::new(), progress.watch());
    loop {
        // The pass reports a store that cannot be read.
        if let (Ok(outlook), Ok(mut console)) = (services.app.outlook().await, console.lock()) {
            cli::print_outlook(&services.app, outlook, &mut said, &mut console);
        }
        for is_running in [true, false] {
            if passes
                .wait_for(|pass| pass.running == is_running)
                .await
                .is_err()
            {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Reports to the service manager, twice in each of its watchdog's periods, that the event loop is alive.
async fn keep_alive() -> Infallible {
    let Some(period) = sd_notify::watchdog_enabled() else {
        std::future::pending().await
    };
    loop {
        notify(&[NotifyState::Watchdog]);
        tokio::time::sleep((period / 2).max(Duration::from_millis(100))).await;
    }
}

async fn tell_stopping(stop: &Stop) -> Infallible {
    stop.requested().await;
    notify(&[NotifyState::Stopping]);
    std::future::pending().await
}

/// On each SIGHUP, has the configuration read again before the worker's next pass. Without a worker, reads it at once,
/// and once a minute if its file has changed. Without a listener for the signal, SIGHUP keeps its default action.
async fn keep_configuration(
    mut hang_ups: Option<Signal>,
    services: &Services,
    worker: Option<&Worker>,
) -> Infallible {
    let app = &services.app;
    loop {
        let is_asked = tokio::select! {
            () = signals::hang_up(hang_ups.as_mut()) => true,
            () = tokio::time::sleep(LOOK_EVERY), if worker.is_none() => false,
        };
        if is_asked {
            tracing::info!("SIGHUP: the configuration is read again");
            app.want_reload();
        }
        let read = match worker {
            Some(worker) => {
                worker.wake();
                continue;
            }
            // Programs that stay adopt what an operator had them read.
            None if is_asked => app.policy_standing().await.map(drop),
            None => app.read_config_if_changed().await,
        };
        if let Err(error) = read {
            tracing::warn!("the configuration could not be read again: {error}");
        }
        if let Some(problem) = app.take_rejected() {
            services.notes.say(&problem);
        }
    }
}

/// Sends a state to the service manager. A failure is logged and otherwise ignored: the worker works without one.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!("the service manager could not be told: {error}");
    }
}
