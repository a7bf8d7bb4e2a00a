//! A source, a client for it, and a clock that jumps: what every test of the client starts from.

use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use gannet::clock::{Clock, Sleep};
use gannet::config::{FetchConfig, Secrets};
use gannet::domain::{Address, Content, Digest, FailureKind, SourceSettings, Validators};
use gannet::net::{FetchOutcome, FetchReport, FetchRequest, Fetcher};
use tempfile::TempDir;

use super::folder::folder;
use super::origin::Origin;
use super::samples::at;

/// A clock on which a sleep takes no time, and moves it on.
#[derive(Clone, Debug)]
pub(crate) struct JumpingClock(Arc<Mutex<DateTime<Utc>>>);

impl JumpingClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(at("2026-01-31T12:00:00Z"))))
    }
}

impl Clock for JumpingClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("unpoisoned")
    }

    fn sleep_until(&self, time: DateTime<Utc>) -> Sleep {
        let mut now = self.0.lock().expect("unpoisoned");
        *now = time.max(*now);
        Box::pin(std::future::ready(()))
    }
}

/// A source and a client for it.
pub(crate) struct Client {
    pub(crate) settings: SourceSettings,
    pub(crate) config: FetchConfig,
    pub(crate) secrets: Secrets,
    pub(crate) validators: Validators,
    pub(crate) last_size_bytes: Option<u64>,
    pub(crate) clock: JumpingClock,
    pub(crate) temp: TempDir,
}

impl Client {
    /// Returns one for a source that may reach loopback and trusts `ca_file`.
    pub(crate) fn new(url: &str, ca_file: &Path) -> Self {
        let config = FetchConfig {
            ca_files: vec![ca_file.to_owned()],
            ..FetchConfig::default()
        };
        Self {
            settings: SourceSettings {
                allow_private: true,
                allow_http: url.starts_with("http:"),
                ..SourceSettings::new("source".to_owned(), Address::parse(url, true).expect(url))
            },
            config,
            secrets: Secrets::default(),
            validators: Validators::default(),
            last_size_bytes: None,
            clock: JumpingClock::new(),
            temp: folder(),
        }
    }

    pub(crate) fn of(origin: &Origin, path: &str) -> Self {
        Self::new(&origin.url(path), origin.ca_file())
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.settings
            .headers
            .push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets = Secrets::from_values([(name.to_owned(), value.to_owned())]);
        self
    }

    pub(crate) fn fetcher(&self) -> Fetcher {
        let clock = Arc::new(self.clock.clone());
        let temp = self.temp.path().to_owned();
        Fetcher::new(&self.config, self.secrets.clone(), temp, clock).expect("a client")
    }

    pub(crate) fn request(&self) -> FetchRequest<'_> {
        FetchRequest {
            settings: &self.settings,
            validators: &self.validators,
            last_size_bytes: self.last_size_bytes,
        }
    }

    pub(crate) async fn fetch(&self) -> FetchReport {
        self.fetcher().fetch(self.request()).await
    }

    /// Fetches, and expects this kind of failure; returns its words.
    pub(crate) async fn fails(&self, expected: FailureKind) -> String {
        let report = self.fetch().await;
        assert_eq!(self.temp_files(), 0, "a failure leaves no temporary file");
        failure(report, expected)
    }

    pub(crate) fn temp_files(&self) -> usize {
        std::fs::read_dir(self.temp.path())
            .expect("a folder")
            .count()
    }
}

pub(crate) fn failure(report: FetchReport, expected: FailureKind) -> String {
    match report.outcome {
        FetchOutcome::Failed { kind, detail, .. } => {
            assert_eq!(kind, expected, "{detail}");
            assert!(!detail.contains('\n'), "{detail}");
            detail
        }
        other => panic!("expected {expected}, got {other:?}"),
    }
}

pub(crate) fn bytes_of(content: &Content) -> Vec<u8> {
    match (content.as_memory(), content.as_file()) {
        (Some(bytes), _) => bytes.to_vec(),
        (None, Some(path)) => std::fs::read(path).expect("a readable file"),
        (None, None) => unreachable!("content is in one place"),
    }
}

/// Expects a body; returns it with its name.
pub(crate) fn fetched(report: FetchReport) -> (Vec<u8>, String) {
    match report.outcome {
        FetchOutcome::Fetched(download) => {
            let bytes = bytes_of(&download.content);
            assert_eq!(download.digest, Digest::of(&bytes));
            (bytes, download.name)
        }
        other => panic!("expected content, got {other:?}"),
    }
}
