//! Messages for an unreadable command line: clap's words, with secrets masked.

use std::ffi::OsString;
use std::io::{self, Write as _};

use clap::error::{ContextKind, ContextValue};

use super::{Console, ExitStatus};
use crate::domain::{masked, masked_within};

/// Prints a help text, the version, or a usage error, and returns the exit code. `arguments` is the whole command line.
pub fn print_usage(error: clap::Error, arguments: &[OsString]) -> ExitStatus {
    if !error.use_stderr() {
        let printed = error.print().and_then(|()| io::stdout().flush());
        return super::exit::printed(printed, &mut Console::standard(false));
    }
    // A failure to write it cannot be reported anywhere.
    let has_colours = supports_color::on(supports_color::Stream::Stderr).is_some();
    let arguments: Vec<_> = arguments.iter().filter_map(|one| one.to_str()).collect();
    let _ = write!(
        io::stderr(),
        "{}",
        error_text(error, &arguments, has_colours)
    );
    ExitStatus::Usage
}

fn error_text(mut error: clap::Error, arguments: &[&str], has_colours: bool) -> String {
    let option = error.get(ContextKind::InvalidArg);
    if matches!(option, Some(ContextValue::String(option)) if option.starts_with("--header")) {
        // The text meant as a header may be a secret.
        let value = ContextValue::String("…".to_owned());
        error.insert(ContextKind::InvalidValue, value);
    }
    let rendered = error.render();
    let mut text = if has_colours {
        rendered.ansi().to_string()
    } else {
        rendered.to_string()
    };
    // A password may hold quotes and spaces, so that only the whole argument shows where it ends.
    for argument in arguments {
        let value = argument.split_once('=').map(|(_, value)| value);
        for given in [Some(*argument), value].into_iter().flatten() {
            let shown = masked(given);
            if shown != given {
                text = text.replace(given, &shown);
            }
        }
    }
    masked_within(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::cli::args::Cli;

    #[test]
    fn no_usage_error_repeats_a_secret() {
        for arguments in [
            &["https://u:hunter2@h/"][..],
            &["config", "check", "https://u:hunter2@h/"],
            &["config", "check", "https://h/?token=hunter2"],
            &["add", "https://h/", "--interval", "https://u:hunter2@h/"],
            &["add", "https://h/", "--interval=https://u:hunter2@h/"],
            &[
                "add",
                "https://h/",
                "--interval",
                "https://u:hun ter2'hunter2@h/",
            ],
            &["add", "https://h/", "--max-size", "https://u:hunter2@h/"],
            &["add", "https://h/", "--publish=h/?key=hunter2"],
            &["add", "https://h/", "--header", "Authorization hunter2"],
            &["add", "https://h/", "--header=A B: hunter2"],
            &["edit", "a", "--allow-http=https://u:hunter2@h/"],
            &["list", "--state", "https://u:hunter2@h/"],
            &["log", "--since", "https://u:hunter2@h/"],
            &["log", "--https://u:hunter2@h/"],
            &["completions", "https://u:hunter2@h/"],
            &["verdict", "v1", "legal", "https://u:hunter2@h/"],
            &["url_enabled", "https://h/", "https://u:hunter2@h/"],
        ] {
            for has_colours in [false, true] {
                let all: Vec<_> = std::iter::once(&"gannet").chain(arguments).collect();
                let error = Cli::read_from(all).expect_err("a usage error");
                let text = error_text(error, arguments, has_colours);
                assert!(text.contains("error:") || has_colours, "{text}");
                assert!(!text.contains("hunter2") && text.contains('…'), "{text}");
            }
        }
    }
}
