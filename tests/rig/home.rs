//! The real program in a home of its own, with the origin of its sources.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gannet::app::App;
use gannet::clock::ManualClock;
use gannet::domain::SourceId;
use gannet::worker::{Progress, Selection, Stop, Worker};
use serde_json::Value;

use super::app::TestApp;
use super::gannet::{Gannet, Said};
use super::origin::{Origin, Reply};
use super::samples::{events_of, fetch_section};
use super::saved::Saved;

/// A home that trusts its origin, and asks it once an attempt.
pub(crate) struct Home {
    pub(crate) origin: Origin,
    pub(crate) gannet: Gannet,
}

impl Deref for Home {
    type Target = Gannet;

    fn deref(&self) -> &Gannet {
        &self.gannet
    }
}

impl DerefMut for Home {
    fn deref_mut(&mut self) -> &mut Gannet {
        &mut self.gannet
    }
}

impl Home {
    /// A home without sources; `toml` stands behind the section `[fetch]`, and may begin with more keys of it.
    pub(crate) fn new(toml: &str) -> Self {
        Self::of(Gannet::new(), toml)
    }

    /// A home [on a disk](Gannet::on_disk).
    pub(crate) fn on_disk(toml: &str) -> Self {
        Self::of(Gannet::on_disk(), toml)
    }

    fn of(gannet: Gannet, toml: &str) -> Self {
        let home = Self {
            origin: Origin::start(true),
            gannet,
        };
        home.write_config("config.toml", toml);
        home
    }

    /// Adds a source that is fetched every hour and has these contents, one after the other; the last stay.
    pub(crate) fn with_source<R: Into<Reply>>(
        self,
        name: &str,
        contents: impl IntoIterator<Item = R>,
    ) -> Self {
        self.with_member(name, &[], contents)
    }

    /// Adds such a source with tags.
    pub(crate) fn with_member<R: Into<Reply>>(
        self,
        name: &str,
        tags: &[&str],
        contents: impl IntoIterator<Item = R>,
    ) -> Self {
        self.origin.on(&format!("/{name}"), contents);
        let tags: Vec<_> = tags.iter().flat_map(|tag| ["--tag", tag]).collect();
        self.add(name, &tags);
        self
    }

    /// Adds the sources `a` and `b` and fetches them in turn: the contents of each version are its number and its source.
    pub(crate) fn with_a_and_b(self, versions: usize) -> Self {
        let home = ["a", "b"].into_iter().fold(self, |home, name| {
            let lines = (1..=versions).map(|number| format!("line {number} of {name}\n"));
            home.with_source(name, lines.map(Reply::file))
        });
        for _ in 0..versions {
            home.fetch("a");
            home.fetch("b");
        }
        home
    }

    /// Fetches these sources, which ends well.
    pub(crate) fn fetched(self, names: &[&str]) -> Self {
        self.gannet.ok(&[&["fetch"], names].concat());
        self
    }

    /// The text of a configuration that trusts the origin.
    pub(crate) fn config(&self, toml: &str) -> String {
        fetch_section(self.origin.ca_file()) + toml
    }

    /// Writes such a configuration into a file of the home; the one in force is `config.toml`.
    pub(crate) fn write_config(&self, name: &str, toml: &str) {
        fs::write(self.path(name), self.config(toml)).expect("a configuration");
    }

    /// Puts these verifiers in force in the place of those that are, and returns what was said.
    pub(crate) fn judge_by(&self, toml: &str) -> String {
        self.write_config("config.toml", toml);
        self.ok(&["config", "adopt"])
    }

    /// Lets the origin serve this content from now on.
    pub(crate) fn serve(&self, name: &str, content: &str) {
        self.origin.on(&format!("/{name}"), [content.to_owned()]);
    }

    /// The address of a source.
    pub(crate) fn url(&self, name: &str) -> String {
        self.origin.url(&format!("/{name}"))
    }

    /// Adds a source of the origin that is fetched every hour, with more arguments; returns what was said.
    pub(crate) fn add(&self, name: &str, more: &[&str]) -> String {
        let url = self.url(name);
        let arguments = ["add", &url, "1h", "--name", name, "--allow-private"];
        self.ok(&[&arguments, more].concat())
    }

    /// Does a pass over all that is due.
    pub(crate) fn pass(&self) -> Said {
        self.run(&["--worker-only"])
    }

    /// Keeps the home as it is, for [`Self::put_back`].
    pub(crate) fn save(&self) -> Saved {
        Saved::of(&self.path(""), &self.origin)
    }

    /// Makes the home what it was when it was saved: its files, and what the origin answers.
    pub(crate) fn put_back(&self, saved: &Saved) {
        saved.put_back(&self.path(""), &self.data(), &self.origin);
    }

    /// Does something in this process, by a clock that shows this time: the real program goes by the system's.
    pub(crate) fn act_at<T>(&self, time: DateTime<Utc>, act: impl AsyncFnOnce(Arc<App>) -> T) -> T {
        let (config, clock) = (self.path("config.toml"), ManualClock::new(time));
        fs::create_dir_all(self.data()).expect("a folder");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { act(TestApp::over(&config, &self.data(), clock)).await })
    }

    /// Fetches these sources in this process, by a clock that shows this time.
    pub(crate) fn fetch_at(&self, time: DateTime<Utc>, names: &[&str]) {
        let ids = names.iter().map(|name| self.source(name)["id"].as_i64());
        let ids = ids.map(|id| SourceId(id.expect("an id")));
        let these = Selection::These(ids.collect());
        let report = self.act_at(time, async |app| {
            let worker = Worker::new(app);
            worker
                .pass(these, &Stop::default(), &Progress::default())
                .await
        });
        assert!(report.error.is_none(), "{:?}", report.error);
    }

    /// Writes a shell script into the home, and returns its path.
    pub(crate) fn program(&self, name: &str, body: &str) -> String {
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        path.display().to_string()
    }

    /// The folder of the origin's published files.
    pub(crate) fn folder(&self) -> PathBuf {
        self.data()
            .join("published")
            .join(self.origin.folder_name())
    }

    /// The published file of a source of its own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// What readers find there; nothing when there is nothing.
    pub(crate) fn content(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.file(name)).ok()
    }

    /// The events of one action.
    pub(crate) fn events(&self, action: &str) -> Vec<Value> {
        events_of(action, &self.ok(&["log", "--json", "--limit", "10000"]))
    }
}

/// Declares what the tests of a file begin with: a home with more to it, which is one wherever a [`Home`] is asked for.
macro_rules! fixture {
    ($(#[$doc:meta])* $visible:vis struct $name:ident;) => {
        $(#[$doc])*
        $visible struct $name($visible Home);

        impl std::ops::Deref for $name {
            type Target = Home;

            fn deref(&self) -> &Home {
                &self.0
            }
        }
    };
}
pub(crate) use fixture;
