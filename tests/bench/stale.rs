//! What it costs to judge a history again when a verifier changes: bar 2,000 versions a second on two cores.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gannet::app::{App, StaleRequest};
use gannet::archive::Archive;
use gannet::clock::SystemClock;
use gannet::config::{
    Builtin, Config, DashboardConfig, FetchConfig, LogConfig, Secrets, SizeRule, VerifierConfig,
    VerifierKind,
};
use gannet::domain::{Actor, Scope, Weight};
use gannet::store::Store;
use tokio::runtime::Runtime;

use super::recorder::{Recorder, in_memory};

const SOURCES: usize = 100;
const VERSIONS_OF_EACH: usize = 100;

/// Judges 10,000 versions of 4 KiB, stored as differences, by a built-in verifier, then again by another one.
pub(crate) fn stale(folder: &Path) {
    fill(folder);
    let runtime = Runtime::new().expect("a runtime");
    for (round, min) in [("first", 1), ("after a change", 2), ("once more", 3)] {
        let app = app(folder, min);
        let start = Instant::now();
        let judged = runtime
            .block_on(app.verify_stale(&StaleRequest::default(), |_, _| {}))
            .expect("judged");
        let time = start.elapsed();
        assert_eq!(judged.passed, (SOURCES * VERSIONS_OF_EACH) as u64);
        println!(
            "judge again, {round}: {} versions in {:.2} s, {:.0}/s",
            judged.done,
            time.as_secs_f64(),
            10_000.0 / time.as_secs_f64(),
        );
    }
}

fn fill(folder: &Path) {
    let mut recorder = Recorder::open(folder);
    let sources = recorder.add((0..SOURCES).map(|number| format!("f{number}.json")));
    for source in sources {
        for version in 0..VERSIONS_OF_EACH {
            let numbers: Vec<_> = (0..600)
                .map(|at| at * 7 + usize::from(at == version))
                .collect();
            let content = format!("{{\"source\": {}, \"numbers\": {numbers:?}}}", source.0);
            let claim = recorder.claim(source);
            recorder.record(&claim, in_memory(content.into_bytes()));
        }
        recorder.record_publication(source);
    }
}

fn app(folder: &Path, min: u64) -> App {
    let verifier = |name: &str, rule| VerifierConfig {
        name: name.to_owned(),
        sources: vec!["*".parse().expect("a pattern")],
        kind: VerifierKind::Builtin(rule),
        weight: Weight::Required,
        scope: Scope::Source,
        timeout: Duration::from_secs(30),
    };
    let size = Builtin::Size(SizeRule {
        min: Some(min),
        ..SizeRule::default()
    });
    let config = Config {
        data_dir: folder.to_owned(),
        log_dir: folder.join("log"),
        config_file: None,
        unusable: None,
        origins: gannet::config::SettingOrigins::default(),
        fetch: FetchConfig::default(),
        log: LogConfig::default(),
        storage: gannet::config::StorageConfig::default(),
        dashboard: DashboardConfig::default(),
        worker: gannet::config::WorkerConfig::default(),
        all_queues: gannet::config::QueuesConfig::default(),
        rates: gannet::config::RatesConfig::default(),
        http: gannet::config::HttpConfig::default(),
        notifiers: Vec::new(),
        queues: Vec::new(),
        verifiers: vec![verifier("size", size)],
        secrets: Secrets::default(),
        zone: gannet::config::Zone::UTC,
    };
    App::new(
        Arc::new(config),
        Arc::new(SystemClock),
        Store::open(&folder.join("gannet.db")).expect("a store"),
        Arc::new(Archive::open(folder).expect("an archive")),
        Actor("bench".to_owned()),
    )
}
