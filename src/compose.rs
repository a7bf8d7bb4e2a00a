//! The composition root: builds the services, starts the worker or a face, and returns an exit code.
//!
//! The only file, with those below it, that may import everything. Holds no rule of its own.

mod allocator;
mod certificate;
mod check;
mod commands;
mod completing;
mod consuming;
mod dashboard;
mod demo;
mod loading;
mod notes;
mod passes;
mod requested;
mod service;
mod services;
mod serving;
mod signals;
mod threads;
mod warnings;

use std::process::ExitCode;
use std::time::Duration;

use self::loading::load;
use self::services::Services;
use self::warnings::{warn_of_mismatch, warn_of_unusable};
use crate::app::Result;
use crate::config::{Config, Environment, Flags};
use crate::faces::cli::args::{Access, Cli, Command, ConfigArgs, ConfigShowArgs, ConfigWhat};
use crate::faces::cli::{self, Console, ExitStatus};
use crate::faces::tui;
use completing::complete;

/// How long threads that still block may keep the program from ending.
const SHUTDOWN: Duration = Duration::from_millis(500);

/// Runs the command of the arguments and returns the exit code: 0 done, 1 done but a fetch or a verdict failed,
/// 2 usage, 3 could not run.
pub fn run(cli: Cli, environment: &Environment) -> ExitCode {
    crate::files::tighten_umask();
    signals::survive_file_size_limit();
    let mut console = Console::standard(cli.quiet);
    let runtime = match threads::runtime() {
        Ok(runtime) => runtime,
        Err(error) if cli.prints_pass_json() => {
            return passes::failed(true, &error, &mut console).into();
        }
        Err(error) => return cli::report(&error, &mut console).into(),
    };
    let status = runtime.block_on(run_command(cli, environment, &mut console));
    // A thread that still blocks (in a resolver, say) works for a command that has ended.
    runtime.shutdown_timeout(SHUTDOWN);
    status.into()
}

fn flags_of(cli: &Cli) -> Flags {
    Flags {
        config: cli.config.clone(),
        data_dir: cli.data_dir.clone(),
        utc: cli.utc,
    }
}

/// Runs a command: here the one of `rates` that needs a worker.
async fn run_command(cli: Cli, environment: &Environment, console: &mut Console<'_>) -> ExitStatus {
    let flags = flags_of(&cli);
    match cli.command.as_ref().and_then(Command::ingest) {
        Some(args) => ended(
            passes::ingest(args, &flags, environment, console).await,
            console,
        ),
        None => dispatch(cli, environment, console).await,
    }
}

async fn dispatch(cli: Cli, environment: &Environment, console: &mut Console<'_>) -> ExitStatus {
    let flags = flags_of(&cli);
    match cli.command {
        None if !cli.worker_only => {
            let opened = dashboard::open(cli.dashboard, &flags, environment, console).await;
            ended(opened, console)
        }
        Some(Command::Config(args)) => {
            ended(config(&args, &flags, environment, console).await, console)
        }
        Some(Command::Completions(args)) => cli::print_completions(&args, console),
        Some(Command::Complete(args)) => complete(&args.words, environment, console).await,
        Some(Command::Help(args)) => cli::print_help(&args, console),
        Some(Command::Man(args)) => cli::print_manual(&args, console),
        Some(Command::Demo(args)) => {
            let shown = Box::pin(demo::run(&args, environment, console)).await;
            ended(shown, console)
        }
        Some(Command::App(mut command)) => {
            commands::run(&mut command, &flags, environment, console).await
        }
        Some(Command::Consume) => {
            let stayed = Box::pin(consuming::stay(&flags, environment, console)).await;
            ended(stayed, console)
        }
        Some(Command::Serve(args)) => {
            let served = Box::pin(serving::serve(&args, &flags, environment, console)).await;
            ended(served, console)
        }
        Some(Command::Fetch(args)) => passes::fetch(&args, &flags, environment, console)
            .await
            .unwrap_or_else(|error| passes::failed(args.json, &error, console)),
        None if cli.stay => service::stay(cli.json, &flags, environment, console).await,
        None => passes::one_pass(cli.json, &flags, environment, console)
            .await
            .unwrap_or_else(|error| passes::failed(cli.json, &error, console)),
    }
}

/// Runs `gannet config`: prints, checks or adopts the configuration.
async fn config(
    args: &ConfigArgs,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    let access = match &args.what {
        // Reads no configuration: the operator is about to write one.
        ConfigWhat::Template => return cli::print_text(cli::CONFIG_TEMPLATE, console),
        ConfigWhat::Adopt | ConfigWhat::AdoptArchive(_) => Access::Change,
        _ => Access::Read,
    };
    let config = load(flags, environment, access)?;
    // `config check` reports an unusable configuration itself.
    if !matches!(args.what, ConfigWhat::Check) {
        warn_of_unusable(&config, Access::Read, console);
    }
    match &args.what {
        ConfigWhat::Template => unreachable!("printed before the configuration is read"),
        ConfigWhat::Check => check::config_check(&config, flags, environment, console).await,
        ConfigWhat::Keys => cli::print_text(&tui::keys_page(&config)?, console),
        ConfigWhat::Show(show) => show_config(*show, &config, flags, environment, console).await,
        ConfigWhat::Adopt => {
            let services = Services::open_for_operator(Access::Change, flags, environment).await?;
            if let Some(line) = check::passed_over_file(&config, flags, environment) {
                console.note(&line);
            }
            cli::adopt_policy(&services.app, console).await
        }
        ConfigWhat::AdoptArchive(adopt) => {
            let services = Services::open_unjoined(flags, environment)?;
            cli::adopt_archive(&services.app, adopt.yes, console).await
        }
    }
}

/// Prints the configuration in force, or the policy of the catalogue.
async fn show_config(
    show: ConfigShowArgs,
    config: &Config,
    flags: &Flags,
    environment: &Environment,
    console: &mut Console<'_>,
) -> Result<ExitStatus> {
    if show.policy {
        let services = Services::open_for_operator(Access::Read, flags, environment).await?;
        warn_of_mismatch(&services, console);
        return cli::print_policy(&services.app, show.json, console).await;
    }
    if show.json {
        return cli::print_config_json(config, console);
    }
    // The configuration is printed even if the catalogue cannot be read.
    let policy = check::policy_outlook(config, flags, environment).await;
    let policy = policy.unwrap_or_default();
    let page = cli::config_page(config, policy.as_ref(), &[]);
    cli::print_text(&(page + &cli::settings_lines(config)), console)
}

fn ended(result: Result<ExitStatus>, console: &mut Console<'_>) -> ExitStatus {
    result.unwrap_or_else(|error| cli::report(&error, console))
}
