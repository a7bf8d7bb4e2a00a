//! The files of the service's certificate: read when it starts, and again when they change.
//!
//! Never ends the service because of a file: the pair in use stays until a usable one replaces it.

use std::convert::Infallible;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::signal::unix::Signal;

use super::{Services, signals};
use crate::app::{Error, Result};
use crate::clock::{Clock as _, SystemClock};
use crate::config::HttpConfig;
use crate::domain::{Action, NewEvent};
use crate::faces::http::Tls;
use crate::files::is_readable_by_others;
use crate::store::Fact;

/// The time between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The certificate in use, and the files from which it was read.
pub(super) struct Certificate {
    pub(super) tls: Arc<Tls>,
    read_from: Files,
}

impl Certificate {
    /// Reads the certificate that the configuration names, if it names one.
    pub(super) fn read(config: &HttpConfig) -> Result<Option<Self>> {
        let Some(files) = config.certificate() else {
            return Ok(None);
        };
        let read_from = Files::of(config);
        let tls = Arc::new(Tls::read(files)?);
        Ok(Some(Self { tls, read_from }))
    }

    /// Returns, from two weeks before, that the certificate expires.
    pub(super) fn expiry_words(&self) -> Option<String> {
        self.tls.expiry_words(SystemClock.now())
    }

    /// Reads the files again when they, or their names in the configuration, have changed; never returns. The two are
    /// replaced one after the other: they are read once a look finds them as the look before did, or on SIGHUP.
    pub(super) async fn keep_current(
        self,
        services: &Services,
        mut hang_ups: Option<Signal>,
    ) -> Infallible {
        let (mut read_from, mut seen) = (self.read_from.clone(), self.read_from);
        let mut warned = None;
        loop {
            warn_of_expiry(&self.tls, services, &mut warned);
            let is_asked = tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => false,
                () = signals::hang_up(hang_ups.as_mut()) => true,
            };
            let config = services.app.config();
            let now = Files::of(&config.http);
            if now != read_from && (now == seen || is_asked) {
                let read = read_again(&self.tls, &config.http);
                tell(services, &config.http, read).await;
                read_from = now.clone();
            }
            seen = now;
        }
    }
}

/// Warns once a day that the certificate expires soon.
fn warn_of_expiry(tls: &Tls, services: &Services, warned: &mut Option<NaiveDate>) {
    let now = services.app.now();
    let Some(line) = tls.expiry_words(now) else {
        return;
    };
    if warned.replace(now.date_naive()) != Some(now.date_naive()) {
        tracing::warn!("{line}");
        services.notes.say(&format!("warning: {line}"));
    }
}

/// Returns a warning if accounts beside the owner's and its group's may read the private key.
pub(super) fn key_open_to_others(config: &HttpConfig) -> Option<String> {
    let key = config.key.as_deref()?;
    let place = key.display();
    is_readable_by_others(key).then(|| {
        format!("every account may read the private key in {place}: `chmod o-rwx {place}`")
    })
}

fn read_again(tls: &Tls, config: &HttpConfig) -> Result<()> {
    match config.certificate() {
        Some(files) => tls.read_again(files),
        None => Err(
            Error::invalid("[http] cert and key are gone from the configuration")
                .hint("a service that is to speak plain HTTP has to be started again"),
        ),
    }
}

/// Records what became of a changed certificate.
async fn tell(services: &Services, config: &HttpConfig, read: Result<()>) {
    let event = match read {
        Ok(()) => {
            let file = config.cert.as_deref().unwrap_or(Path::new(""));
            let file = file.display().to_string();
            tracing::info!("the service uses the new certificate in {file}");
            NewEvent::of(Action::CertificateReloaded).detail(file)
        }
        Err(error) => {
            let line = format!(
                "{}; the service goes on with the certificate that it has",
                error.with_hint()
            );
            tracing::error!("{line}");
            services.notes.say(&line);
            NewEvent::of(Action::CertificateRejected).detail(line)
        }
    };
    if let Err(error) = services.app.record(Fact::Event(event)).await {
        tracing::warn!("{error}");
    }
    if let Some(line) = key_open_to_others(config) {
        services.notes.say(&format!("warning: {line}"));
    }
}

/// The paths of certificate and key, and the states of the files there.
#[derive(Clone, PartialEq, Eq)]
struct Files([(Option<PathBuf>, Option<State>); 2]);

/// Device, inode, size, and the times of the last changes of content and of owner or mode.
type State = (u64, u64, u64, (i64, i64), (i64, i64));

impl Files {
    fn of(config: &HttpConfig) -> Self {
        let both = [&config.cert, &config.key];
        Self(both.map(|path| (path.clone(), path.as_deref().and_then(state))))
    }
}

fn state(path: &Path) -> Option<State> {
    let found = std::fs::metadata(path).ok()?;
    let (modified, changed) = (
        (found.mtime(), found.mtime_nsec()),
        (found.ctime(), found.ctime_nsec()),
    );
    Some((found.dev(), found.ino(), found.size(), modified, changed))
}
