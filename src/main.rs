//! The program: arguments, then a face, then an exit code.

use std::process::ExitCode;

use gannet::config::Environment;
use gannet::faces::cli::args::Cli;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    Ok(match Cli::read_from(std::env::args_os()) {
        Ok(cli) => gannet::compose::run(cli, &Environment::of_process()),
        Err(error) => {
            // There is nowhere to tell that the usage message could not be written.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { 2 } else { 0 })
        }
    })
}
