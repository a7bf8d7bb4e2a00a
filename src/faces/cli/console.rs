//! Where a command writes: results to one stream, warnings to another, and what is known of the terminal.
//!
//! Commands never touch the process's streams themselves, so that tests see exactly what people see.

use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Write};

use terminal_size::{Width, terminal_size_of};

use crate::app::row_named_in;

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
    /// Whether that terminal shows colours: not under `NO_COLOR`, and not a dumb one.
    pub(crate) colours: bool,
    /// `--quiet`: only what was asked to be shown; on stderr warnings, errors, and what failed.
    pub(crate) quiet: bool,
    /// Where questions are answered; nobody is there to ask without a terminal to read from and one to ask on.
    pub(crate) answers: Option<Box<dyn BufRead + 'a>>,
    /// The damaged rows of the catalogue that stderr has named.
    pub(crate) named_rows: Vec<String>,
}

impl Console<'static> {
    /// Returns the process's own streams. Results are buffered until the command ends.
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
    /// Returns streams that are no terminal: files, pipes, a test's buffers.
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

    /// Asks a question that `y` says yes to; nothing when nobody is there to ask.
    pub fn ask(&mut self, question: &str) -> Option<bool> {
        let answers = self.answers.as_mut()?;
        let mut answer = String::new();
        // There is nowhere to tell that the question could not be written, or its answer not read: that is no yes.
        let _ = write!(self.err, "{question} [y/N] ");
        let _ = self.err.flush();
        let _ = answers.read_line(&mut answer);
        Some(matches!(
            answer.trim().to_ascii_lowercase().as_str(),
            "y" | "yes"
        ))
    }

    /// Tells people something beside the results.
    pub fn warn(&mut self, message: &str) {
        self.warn_line(&format!("warning: {message}"));
    }

    /// Says something that people should know and need not act on.
    pub fn note(&mut self, message: &str) {
        if !self.quiet {
            self.warn_line(message);
        }
    }

    /// Says on stdout that something was done.
    pub(crate) fn say(&mut self, message: &str) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        writeln!(self.out, "{message}")
    }

    /// Tells whether only what was asked to be shown is shown.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Writes one line to stderr. There is nowhere to report that stderr is closed.
    pub(crate) fn warn_line(&mut self, line: &str) {
        self.named_rows.extend(row_named_in(line));
        let _ = writeln!(self.err, "{line}");
    }
}
