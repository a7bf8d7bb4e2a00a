//! The streams of a command: results to one, warnings to another, and the properties of the terminal.
//!
//! Commands never use the process's streams directly, so that tests see exactly what people see.

use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Write};

use terminal_size::{Width, terminal_size_of};

use crate::app::row_named_in;

/// The streams of one command.
pub struct Console<'a> {
    /// Results.
    pub(crate) out: Box<dyn Write + 'a>,
    /// Progress, warnings and errors.
    pub(crate) err: Box<dyn Write + 'a>,
    /// The terminal's width in columns, if results go to a terminal.
    pub(crate) width: Option<usize>,
    /// Whether results go to a terminal.
    pub(crate) is_terminal: bool,
    /// Whether the terminal shows colours: not under `NO_COLOR`, and not a dumb one.
    pub(crate) colours: bool,
    /// `--quiet`: results only; on stderr warnings, errors and failures.
    pub(crate) quiet: bool,
    /// The answers to questions; `None` without a terminal to read from and one to ask on.
    pub(crate) answers: Option<Box<dyn BufRead + 'a>>,
    /// The damaged rows of the catalogue that were reported on stderr.
    pub(crate) named_rows: Vec<String>,
}

impl Console<'static> {
    /// Returns the process's streams. Results are buffered until the command ends.
    pub fn standard(quiet: bool) -> Self {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let may_ask = stdin.is_terminal() && io::stderr().is_terminal();
        let is_terminal = stdout.is_terminal();
        let width = terminal_size_of(&stdout).map(|(Width(columns), _)| usize::from(columns));
        Self {
            out: Box::new(BufWriter::new(stdout)),
            err: Box::new(io::stderr()),
            width: width.filter(|_| is_terminal),
            is_terminal,
            quiet,
            colours: is_terminal && supports_color::on(supports_color::Stream::Stdout).is_some(),
            answers: may_ask.then(|| Box::new(BufReader::new(stdin)) as Box<dyn BufRead>),
            named_rows: Vec::new(),
        }
    }
}

impl<'a> Console<'a> {
    /// Returns streams without a terminal: files, pipes, a test's buffers.
    pub fn plain(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            width: None,
            is_terminal: false,
            quiet: false,
            colours: false,
            answers: None,
            named_rows: Vec::new(),
        }
    }

    /// Asks a yes-or-no question; `None` when nobody can answer.
    pub fn ask(&mut self, question: &str) -> Option<bool> {
        let answers = self.answers.as_mut()?;
        let mut answer = String::new();
        // If the question cannot be written or its answer read, the answer is no.
        let _ = write!(self.err, "{question} [y/N] ");
        let _ = self.err.flush();
        let _ = answers.read_line(&mut answer);
        Some(matches!(
            answer.trim().to_ascii_lowercase().as_str(),
            "y" | "yes"
        ))
    }

    /// Prints a warning on stderr.
    pub fn warn(&mut self, message: &str) {
        self.warn_line(&format!("warning: {message}"));
    }

    /// Prints a note on stderr, which requires no action; nothing with `--quiet`.
    pub fn note(&mut self, message: &str) {
        if !self.quiet {
            self.warn_line(message);
        }
    }

    /// Prints a confirmation on stdout; nothing with `--quiet`.
    pub(crate) fn print_line(&mut self, message: &str) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        writeln!(self.out, "{message}")
    }

    /// Returns whether only results are printed.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Writes one line to stderr. A closed stderr cannot be reported anywhere.
    pub(crate) fn warn_line(&mut self, line: &str) {
        self.named_rows.extend(row_named_in(line));
        let _ = writeln!(self.err, "{line}");
    }
}
