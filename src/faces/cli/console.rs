//! Where a command writes: results to one stream, warnings to another, and what is known of the terminal.
//!
//! Commands never touch the process's streams themselves, so that tests see exactly what people see.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use terminal_size::{Width, terminal_size_of};

/// The streams of one command.
pub struct Console<'a> {
    /// Results.
    pub(crate) out: Box<dyn Write + 'a>,
    /// Progress, warnings and errors.
    pub(crate) err: Box<dyn Write + 'a>,
    /// The terminal's columns, when results go to one.
    pub(crate) width: Option<usize>,
    /// Whether results go to a terminal.
    pub(crate) is_terminal: bool,
}

impl Console<'static> {
    /// Returns the process's own streams. Results are buffered until the command ends.
    pub fn standard() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let width = terminal_size_of(&stdout).map(|(Width(columns), _)| usize::from(columns));
        Self {
            out: Box::new(BufWriter::new(stdout)),
            err: Box::new(io::stderr()),
            width: width.filter(|_| is_terminal),
            is_terminal,
        }
    }
}

impl<'a> Console<'a> {
    /// Returns streams that are no terminal: files, pipes, a test's buffers.
    pub fn plain(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            width: None,
            is_terminal: false,
        }
    }

    /// Tells people something beside the results.
    pub fn warn(&mut self, message: &str) {
        self.warn_line(&format!("warning: {message}"));
    }

    /// Writes one line to stderr. There is nowhere to report that stderr is closed.
    pub(crate) fn warn_line(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}");
    }
}
