//! The program: arguments, then a face, then an exit code.

use std::process::ExitCode;

use gannet::config::Environment;
use gannet::faces::cli::args::Cli;
use gannet::faces::cli::print_usage;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    let arguments: Vec<_> = std::env::args_os().collect();
    Ok(match Cli::read_from(&arguments) {
        Ok(cli) => gannet::compose::run(cli, &Environment::of_process()),
        Err(error) => print_usage(error, &arguments).into(),
    })
}
