//! `config check`: whether the configuration works on this machine and fits the catalogue. The parser checks its text.

use std::io;

use super::certificate::{Certificate, key_open_to_others};
use super::loading::open_to_others;
use super::services::{Services, has_catalogue};
use crate::app::{Error, ErrorKind, PolicyNext, PolicyOutlook, Result};
use crate::config::{Builtin, Config, Environment, Flags, Schema, VerifierKind, program_problem};
use crate::domain::is_out_of_space;
use crate::faces::cli::args::Access;
use crate::faces::cli::{self, Console, ExitStatus};
use crate::faces::tui;
use crate::files;
use crate::net;

/// Prints the configuration in force, with remarks. All problems that keep gannet from working form one error. A policy
/// by which the next pass would not judge or not fetch is no error: the page and the exit code report it.
pub(super) async fn config_check(
    config: &Config,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    if let Some(why) = &config.unusable {
        return Err(Error::invalid(why.clone()));
    }
    tui::keys_page(config)?;
    let mut looks = open_to_others(config.config_file.as_deref());
    looks.extend(key_open_to_others(&config.http));
    looks.extend(passed_over_file(config, flags, environment));
    looks.extend(passed_over_formats(config));
    looks.extend(try_machine(config)?);
    looks.extend(look_at_catalogue(config, flags, environment).await?);
    let policy = policy_outlook(config, flags, environment).await?;
    let page = cli::config_page(config, policy.as_ref(), &looks);
    let printed = cli::print_text(&page, console)?;
    Ok(printed.max(tell_next_pass(config, policy.as_ref(), console)))
}

/// Tries certificates, proxy and folders, as a worker and the service use them; all problems form one error. Returns
/// the folders that this account may not write to, as remarks: the worker may run under another account. A file system
/// that is full or mounted read-only stops every account, but a worker does without its log on a full one.
fn try_machine(config: &Config) -> Result<Vec<String>> {
    let (mut problems, mut looks, mut lacks) = (Vec::new(), Vec::new(), Vec::new());
    if let Err(error) = net::check_certificates(&config.fetch.ca_files) {
        problems.push(error.to_string());
    }
    if let Err(error) = net::check_proxy(&config.fetch, &config.secrets) {
        problems.push(error.to_string());
    }
    match Certificate::read(&config.http) {
        Ok(certificate) => looks.extend(certificate.and_then(|one| one.expiry_words())),
        Err(error) => problems.push(error.with_hint()),
    }
    for (what, folder) in [("data", &config.data_dir), ("logs", &config.log_dir)] {
        let place = folder.display();
        let Err(error) = files::check_folder(folder) else {
            continue;
        };
        let why = files::explain_io_error(&error, folder);
        let line = format!("cannot use {place} for the {what}: {why}");
        match error.kind() {
            io::ErrorKind::PermissionDenied if folder.is_dir() => looks.push(format!(
                "this account may not write to {place}, where the {what} go: {error}"
            )),
            io::ErrorKind::ReadOnlyFilesystem => lacks.push(line),
            kind if is_out_of_space(kind) && what == "data" => lacks.push(line),
            kind if is_out_of_space(kind) => looks.push(line),
            _ => problems.push(line),
        }
    }
    let kind = if !problems.is_empty() {
        ErrorKind::Invalid
    } else if !lacks.is_empty() {
        ErrorKind::Unavailable
    } else {
        return Ok(looks);
    };
    problems.append(&mut lacks);
    Err(Error::new(kind, problems.join("\n")))
}

/// Returns remarks on the parts of the configuration that do not fit the catalogue; none without a catalogue.
async fn look_at_catalogue(
    config: &Config,
    flags: &Flags,
    environment: &Environment,
) -> Result<Vec<String>> {
    if !has_catalogue(config)? {
        return Ok(Vec::new());
    }
    let services = Services::open_for_operator(Access::Read, flags, environment).await?;
    let mut looks = services.app.idle_selections().await?;
    if let Some(error) = services.mismatch {
        return Err(error);
    }
    looks.extend(services.app.earlier_judges(&[]).await?);
    looks.extend(services.app.unasked(&[]).await?);
    looks.extend(services.app.unusable_secrets().await?);
    looks.extend(services.app.queue_look().await);
    looks.extend(services.app.former_queue_servers().await?);
    Ok(looks)
}

/// Prints what the next pass cannot do with this configuration, and returns the exit code that follows from it.
fn tell_next_pass(
    config: &Config,
    policy: Option<&PolicyOutlook>,
    console: &mut Console<'_>,
) -> ExitStatus {
    if let Some(undone) = policy.and_then(undone) {
        console.warn_line(&format!(
            "gannet: with this configuration the next pass {undone}"
        ));
        return ExitStatus::Usage;
    }
    let unable = without_program(config);
    if unable.is_empty() {
        return ExitStatus::Done;
    }
    // The page names the problem of each verifier's program.
    console.warn_line(&format!(
        "gannet: with this configuration the next pass cannot judge by {}, and ends with 1 when there is something to judge",
        unable.join(", ")
    ));
    ExitStatus::Problems
}

/// Returns the names of the verifiers whose programs cannot be started here.
fn without_program(config: &Config) -> Vec<&str> {
    let verifiers = config.verifiers.iter().filter(|one| match &one.kind {
        VerifierKind::Command { argv, .. } => program_problem(argv).is_some(),
        _ => false,
    });
    verifiers.map(|one| one.name.as_str()).collect()
}

/// Returns a clause, to follow "the next pass", on the steps that the pass omits because of the policy.
fn undone(policy: &PolicyOutlook) -> Option<&'static str> {
    match policy.next() {
        PolicyNext::Keep | PolicyNext::Adopt(_) => None,
        PolicyNext::Refuse(_) => Some("judges and publishes nothing"),
        PolicyNext::Confirm(_) => Some("fetches, judges and publishes nothing"),
    }
}

/// Returns the policy in force and how the next pass or changing command changes it; nothing without a catalogue.
pub(super) async fn policy_outlook(
    config: &Config,
    flags: &Flags,
    environment: &Environment,
) -> Result<Option<PolicyOutlook>> {
    if !has_catalogue(config)? {
        return Ok(None);
    }
    let services = Services::open_for_operator(Access::Read, flags, environment).await?;
    services.app.policy_outlook().await.map(Some)
}

/// Returns a line if the platform's folder holds a configuration file other than the one in use.
pub(super) fn passed_over_file(
    config: &Config,
    flags: &Flags,
    environment: &Environment,
) -> Option<String> {
    let file = config.passed_over_file(flags, environment)?;
    let (file, used) = (file.display(), config.config_file.as_ref()?.display());
    Some(format!(
        "{file} is not used: the catalogue remembers {used}; `gannet --config {file} config adopt` puts {file} in force"
    ))
}

/// Returns a line for each verifier whose schema uses `format` while the verifier ignores formats.
fn passed_over_formats(config: &Config) -> impl Iterator<Item = String> {
    let verifiers = config.verifiers.iter().filter(|verifier| {
        let VerifierKind::Builtin(Builtin::Json(rule)) = &verifier.kind else {
            return false;
        };
        let schema = rule.schema.as_ref();
        schema.is_some_and(Schema::ignores_formats)
    });
    verifiers.map(|verifier| {
        let name = &verifier.name;
        format!("the schema of verifier {name} says `format`, which asserts nothing unless the verifier says `format = true`")
    })
}
