//! Use-cases, store and worker in this process, by a clock that the test turns, with the origin of its sources.

use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use gannet::app::{App, EventFilter, NewSource};
use gannet::archive::Archive;
use gannet::clock::{Clock, ManualClock};
use gannet::config::{Config, Environment, Flags};
use gannet::domain::{Action, Actor, VersionState};
use gannet::store::Store;
use gannet::worker::{PassReport, Progress, Selection, Stop, Worker};
use tempfile::TempDir;

use super::folder::folder;
use super::origin::{Origin, Reply};
use super::samples::{at, fetch_section, hourly, verifier};
use super::waiting::soon;

/// The time at which a test begins when it says nothing else.
pub(crate) const NOON: &str = "2026-01-31T12:00:00Z";

/// What an app is opened with.
pub(crate) struct Setup {
    folder: Arc<TempDir>,
    origin: Arc<Origin>,
    hands: ManualClock,
    clock: Option<Arc<dyn Clock>>,
    toml: String,
    sources: Vec<NewSource>,
}

/// An open app, and a worker for it.
pub(crate) struct TestApp {
    pub(crate) origin: Arc<Origin>,
    /// The clock that the app goes by.
    pub(crate) clock: ManualClock,
    pub(crate) app: Arc<App>,
    pub(crate) worker: Worker,
    pub(crate) stop: Stop,
    pub(crate) progress: Progress,
    folder: Arc<TempDir>,
}

impl Deref for TestApp {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl Setup {
    /// Begins at this time instead of at noon.
    pub(crate) fn at(mut self, time: &str) -> Self {
        self.hands = ManualClock::new(at(time));
        self
    }

    /// Begins so many hours later.
    pub(crate) fn hours_later(mut self, hours: i64) -> Self {
        self.hands = ManualClock::new(self.hands.now() + TimeDelta::hours(hours));
        self
    }

    /// Goes by a clock that is made of the hands that the test turns, as they show by now.
    pub(crate) fn by<C: Clock>(mut self, clock: impl FnOnce(ManualClock) -> C) -> Self {
        self.clock = Some(Arc::new(clock(self.hands.clone())));
        self
    }

    /// Adds sections to the configuration.
    pub(crate) fn toml(mut self, sections: &str) -> Self {
        self.toml += sections;
        self
    }

    /// Has a shell script judge every source.
    pub(crate) fn script(self, script: &str) -> Self {
        let command = format!("command = [\"/bin/sh\", \"-c\", {script:?}]\ntimeout = \"1m\"");
        self.toml(&verifier("script", &command))
    }

    /// Adds a source that is named after its path, is fetched every hour, and answers this, in order; the last answer stays.
    pub(crate) fn source<R: Into<Reply>>(
        mut self,
        path: &str,
        replies: impl IntoIterator<Item = R>,
    ) -> Self {
        self.origin.on(path, replies);
        self.sources.push(source_at(&self.origin, path));
        self
    }

    /// Opens it, with its sources in it.
    pub(crate) async fn open(self) -> TestApp {
        let file = self.folder.path().join("config.toml");
        let fetch = fetch_section(self.origin.ca_file()) + "read_timeout = \"1m\"\n";
        fs::write(&file, fetch + &self.toml).expect("a configuration");
        let config = load(&file, self.folder.path());
        let clock = self.clock.unwrap_or_else(|| Arc::new(self.hands.clone()));
        let app = open(config, clock);
        if !self.sources.is_empty() {
            app.add(self.sources).await.expect("added");
        }
        TestApp {
            origin: self.origin,
            clock: self.hands,
            worker: Worker::new(Arc::clone(&app)),
            app,
            stop: Stop::default(),
            progress: Progress::default(),
            folder: self.folder,
        }
    }
}

/// Reads a configuration of a data folder, with the environment of all tests.
fn load(config: &Path, folder: &Path) -> Config {
    let flags = Flags {
        config: Some(config.to_owned()),
        data_dir: Some(folder.to_owned()),
        utc: false,
    };
    let environment = Environment::new([("PATH", "/usr/bin:/bin"), ("KEY", "s3cret")], None);
    Config::load(&flags, &environment).expect("a configuration")
}

/// Opens the use-cases over the data folder of a configuration.
fn open(config: Config, clock: Arc<dyn Clock>) -> Arc<App> {
    let folder = config.data_dir.clone();
    Arc::new(App::new(
        Arc::new(config),
        clock,
        Store::open(&folder.join("gannet.db")).expect("a catalogue"),
        Arc::new(Archive::open(&folder).expect("an archive")),
        Actor("tester".to_owned()),
    ))
}

fn source_at(origin: &Origin, path: &str) -> NewSource {
    hourly(path.trim_start_matches('/'), origin.url(path))
}

impl TestApp {
    /// Begins with an empty folder, an origin, and a clock that shows noon.
    #[expect(
        clippy::new_ret_no_self,
        reason = "what follows is what differs between tests"
    )]
    pub(crate) fn new() -> Setup {
        Setup {
            folder: Arc::new(folder()),
            origin: Arc::new(Origin::start(true)),
            hands: ManualClock::new(at(NOON)),
            clock: None,
            toml: String::new(),
            sources: Vec::new(),
        }
    }

    /// Opens the use-cases over a data folder that somebody else made, by this configuration and clock.
    pub(crate) fn over(config: &Path, folder: &Path, clock: impl Clock) -> Arc<App> {
        open(load(config, folder), Arc::new(clock))
    }

    /// Begins with the same folder and origin, at the time that it is: another process, or a later one.
    pub(crate) fn again(&self) -> Setup {
        Setup {
            folder: Arc::clone(&self.folder),
            origin: Arc::clone(&self.origin),
            hands: ManualClock::new(self.clock.now()),
            clock: None,
            toml: String::new(),
            sources: Vec::new(),
        }
    }

    /// Closes it, and begins again as [`Self::again`].
    pub(crate) fn closed(self) -> Setup {
        self.again()
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds paths of the origin as sources named after them.
    pub(crate) async fn watch<P: AsRef<str>>(&self, paths: impl IntoIterator<Item = P>) {
        let new = paths
            .into_iter()
            .map(|path| source_at(&self.origin, path.as_ref()));
        self.app.add(new.collect()).await.expect("added");
    }

    /// Does a pass over all that is due, which may end with an error.
    pub(crate) async fn try_pass(&self) -> PassReport {
        soon(self.worker.pass(Selection::Due, &self.stop, &self.progress)).await
    }

    /// Does a pass over all that is due.
    pub(crate) async fn pass(&self) -> PassReport {
        let report = self.try_pass().await;
        assert!(report.error.is_none(), "{:?}", report.error);
        report
    }

    /// A pass in which everybody is told who has to be.
    pub(crate) async fn good_pass(&self) {
        let report = self.pass().await;
        assert_eq!(report.notify_failures, [""; 0]);
    }

    /// Turns the clock.
    pub(crate) fn turn(&self, minutes: i64) {
        self.clock.advance(TimeDelta::minutes(minutes));
    }

    /// The events of this action, as their details.
    pub(crate) async fn log(&self, action: Action) -> Vec<String> {
        let filter = EventFilter {
            limit: 10_000,
            ..EventFilter::default()
        };
        let events = self.app.events(filter).await.expect("events").into_iter();
        let events = events.filter(|event| event.event.action == action);
        events
            .map(|event| event.event.detail.unwrap_or_default())
            .collect()
    }

    /// The state of the first version.
    pub(crate) async fn state(&self) -> VersionState {
        let (_, version) = self.app.version("1").await.expect("a version");
        version.state
    }

    /// The catalogue, as another process opens it.
    pub(crate) fn catalogue(&self) -> Store {
        Store::open(&self.folder().join("gannet.db")).expect("a catalogue")
    }

    /// The archive, as another process opens it.
    pub(crate) fn archive(&self) -> Archive {
        Archive::open(self.folder()).expect("an archive")
    }
}
