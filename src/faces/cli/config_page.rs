//! `config show` and `config check`: the settings in force with their origins, and probable mistakes in them.

use std::fmt::Write as _;

use super::exit::printed;
use super::{Console, ExitStatus};
use crate::app::{self, PolicyOutlook};
use crate::config::{
    Config, NotifierConfig, NotifierKind, QueueConfig, VerifierConfig, VerifierInput, VerifierKind,
    program_problem,
};
use crate::domain::{ChangeKind, Template, Weight, duration_words};
use crate::faces::json::{self, ConfigJson};
use crate::faces::text::clean;

/// Longer settings are not padded, so that the origins of the others stay close.
const MOST_PADDED: usize = 60;

/// Prints the configuration in force as JSON: every setting with value and origin, the verifiers and the notifiers.
pub fn print_config_json(config: &Config, console: &mut Console<'_>) -> app::Result<ExitStatus> {
    let config = ConfigJson::new(config, verifier_words, notifier_words);
    let written = json::write(&mut console.out, &config);
    Ok(printed(written, console))
}

/// Returns a line for each setting in force: `fetch.max_tries = 3`, and its origin.
pub fn settings_lines(config: &Config) -> String {
    let settings = config.settings_in_force();
    let said: Vec<_> = settings
        .iter()
        .map(|one| match &one.value {
            Some(value) => format!("{} = {value}", one.key),
            None => format!("{} is not set", one.key),
        })
        .collect();
    let width = said
        .iter()
        .map(|line| line.chars().count())
        .filter(|width| *width <= MOST_PADDED);
    let width = width.max().unwrap_or_default();
    let mut lines = String::new();
    for (said, one) in said.iter().zip(&settings) {
        let line = format!("{said:width$}  # {}", one.origin);
        let _ = writeln!(lines, "{}", clean(&line));
    }
    lines
}

/// Returns the page: the configuration file, the folders, the policy in force (`None` without a catalogue), a line for
/// each verifier and notifier, and warnings, `more` included.
pub fn config_page(config: &Config, policy: Option<&PolicyOutlook>, more: &[String]) -> String {
    let mut page = String::new();
    let file = config.config_file.as_ref().map_or_else(
        || "no configuration file: every setting has its default".to_owned(),
        |path| format!("{}: valid", path.display()),
    );
    let _ = writeln!(page, "{file}");
    let _ = writeln!(page, "data in {}", config.data_dir.display());
    let _ = writeln!(page, "logs in {}", config.log_dir.display());
    match policy {
        Some(policy) => {
            for words in [policy.in_force_words(), policy.next_words()] {
                let _ = writeln!(page, "{}", clean(&words));
            }
        }
        None if config.verifiers.is_empty() => {
            page.push_str("no verifiers: every version is published as it comes\n");
        }
        None => {
            page.push_str("no policy is in force yet: there is no catalogue\n");
        }
    }
    for verifier in &config.verifiers {
        let (name, words) = (&verifier.name, verifier_words(verifier));
        let _ = writeln!(page, "{}", clean(&format!("verifier {name}: {words}")));
    }
    for notifier in &config.notifiers {
        let (name, words) = (&notifier.name, notifier_words(notifier));
        let _ = writeln!(page, "{}", clean(&format!("notifier {name}: {words}")));
    }
    for queue in &config.queues {
        let _ = writeln!(page, "{}", clean(&queue_words(queue)));
    }
    for warning in warnings(config).iter().chain(more) {
        let _ = writeln!(page, "warning: {}", clean(warning));
    }
    page
}

fn queue_words(queue: &QueueConfig) -> String {
    let schema = match &queue.schema {
        Some(_) => "takes what its schema accepts",
        None => "takes any JSON",
    };
    let kept = match queue.keep {
        Some(keep) => format!(
            "deletes messages {} after they were persisted",
            duration_words(keep)
        ),
        None => "keeps messages for ever".to_owned(),
    };
    format!("queue {}: {schema}; {kept}", queue.name)
}

fn verifier_words(verifier: &VerifierConfig) -> String {
    let what = match &verifier.kind {
        VerifierKind::Command { argv, .. } => format!("runs {}", argv.join(" ")),
        VerifierKind::Builtin(_) => "is built in".to_owned(),
        // The address is left out: it may hold a password.
        VerifierKind::Http { deadline, send, .. } => {
            let how = match send {
                VerifierInput::Bytes => "is asked by HTTP",
                VerifierInput::Link => "is sent a link by HTTP",
            };
            format!("{how}, may take {} to answer", duration_words(*deadline))
        }
        VerifierKind::External { deadline } => {
            format!("is waited for, up to {}", duration_words(*deadline))
        }
    };
    let judges = verifier.scope.words().unwrap_or_else(|| {
        let patterns: Vec<_> = verifier.sources.iter().map(ToString::to_string).collect();
        patterns.join(", ")
    });
    let weight = match verifier.weight {
        Weight::Required => "",
        Weight::Advisory => "; advisory",
    };
    format!("{what}; judges {judges}{weight}")
}

fn notifier_words(notifier: &NotifierConfig) -> String {
    let how = match &notifier.kind {
        NotifierKind::Command { argv } => format!("runs {}", argv.join(" ")),
        // The address is left out: it may hold a password.
        NotifierKind::Webhook { .. } => "is called as a webhook".to_owned(),
    };
    let patterns: Vec<_> = notifier.sources.iter().map(ToString::to_string).collect();
    let on = notifier.rules.on.iter().copied().map(ChangeKind::as_str);
    let on: Vec<_> = on.collect();
    format!(
        "{how}; reports {}, about {}",
        on.join(", "),
        patterns.join(", ")
    )
}

/// Returns probable mistakes in a usable configuration: missing programs, and secrets without a value.
fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = missing_programs(config);
    warnings.extend(unknown_secrets(config));
    warnings.extend(links_to_nowhere(config));
    warnings
}

/// Returns a warning if verifiers are sent links to a service of which nobody knows how it is reached.
fn links_to_nowhere(config: &Config) -> Option<String> {
    let is_sent_link = |one: &VerifierConfig| {
        let VerifierKind::Http { send, .. } = &one.kind else {
            return false;
        };
        *send == VerifierInput::Link
    };
    let http = &config.http;
    let is_known = http.url.is_some() || http.listen.ip().is_loopback();
    let verifier = config.verifiers.iter().find(|one| is_sent_link(one));
    let name = &verifier.filter(|_| !is_known)?.name;
    Some(format!(
        "verifier {name} is sent links, and nothing says at which address it reaches the service: give `url` in [http]"
    ))
}

fn missing_programs(config: &Config) -> Vec<String> {
    let verifiers = config.verifiers.iter().filter_map(|one| match &one.kind {
        VerifierKind::Command { argv, .. } => Some(("verifier", &one.name, argv)),
        _ => None,
    });
    let notifiers = config.notifiers.iter().filter_map(|one| match &one.kind {
        NotifierKind::Command { argv } => Some(("notifier", &one.name, argv)),
        NotifierKind::Webhook { .. } => None,
    });
    verifiers
        .chain(notifiers)
        .filter_map(|(noun, name, argv)| Some(format!("{noun} {name}: {}", program_problem(argv)?)))
        .collect()
}

fn unknown_secrets(config: &Config) -> Vec<String> {
    let mut texts = Vec::new();
    for verifier in &config.verifiers {
        if let VerifierKind::Http { url, secret, .. } = &verifier.kind {
            let owner = format!("verifier {}", verifier.name);
            texts.extend(
                std::iter::once(url)
                    .chain(secret)
                    .map(|text| (owner.clone(), text.as_str())),
            );
        }
    }
    for notifier in &config.notifiers {
        if let NotifierKind::Webhook { url, secret, .. } = &notifier.kind {
            let owner = format!("notifier {}", notifier.name);
            texts.extend(
                std::iter::once(url)
                    .chain(secret)
                    .map(|text| (owner.clone(), text.as_str())),
            );
        }
    }
    let heartbeat = config.worker.heartbeat.as_deref();
    texts.extend(heartbeat.map(|url| ("the heartbeat".to_owned(), url)));
    let proxy = config.fetch.proxy.as_ref();
    texts.extend(proxy.map(|proxy| ("the proxy".to_owned(), proxy.as_str())));
    let mut warnings = Vec::new();
    for (owner, text) in texts {
        for name in Template(text).names() {
            let Some(why) = config.secrets.problem(name) else {
                continue;
            };
            warnings.push(format!("{owner}: ${{{name}}} {why}"));
        }
    }
    warnings
}
