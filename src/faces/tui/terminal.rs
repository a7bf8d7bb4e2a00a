//! The terminal: into the alternate screen and back, whatever happens; drawing without flicker; hang-up.
//!
//! Not ratatui's own `init`: its panic hook fires for any thread, and leaves a dashboard running on a plain screen.

use std::io::{self, Stdout, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;

/// Whether the terminal is as the dashboard needs it: what the panic hook has to undo.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The terminal while the dashboard has it.
pub(super) struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    /// Takes the terminal over; panics of this thread give it back first, those of others are the log's.
    pub(super) fn enter(
        on_other_panic: impl Fn(String) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        watch_panics(std::thread::current().id(), on_other_panic);
        set_up()?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(Self(terminal))
    }

    /// Draws one frame, which the terminal shows at once.
    pub(super) fn draw(
        &mut self,
        draw: impl FnOnce(&mut Buffer) -> Option<Position>,
    ) -> io::Result<()> {
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        self.0.draw(|frame| {
            if let Some(position) = draw(frame.buffer_mut()) {
                frame.set_cursor_position(position);
            }
        })?;
        queue!(io::stdout(), EndSynchronizedUpdate)?;
        io::stdout().flush()
    }

    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.0.size()?;
        Ok((size.width, size.height))
    }

    /// Gives the terminal to the shell until the process is continued, then takes it again and draws in full.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        restore();
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        set_up()?;
        // One that knows nothing of the screen draws all of it. `clear` would ask the terminal where its cursor is, and the
        // stream of events may take the answer.
        let fresh = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        std::mem::forget(std::mem::replace(&mut self.0, fresh));
        Ok(())
    }

    /// Gives the terminal back.
    pub(super) fn leave(self) {
        restore();
        self.forget();
    }

    /// Ends without a word to a terminal that is gone: writing to it would fail, and dropping it would write.
    pub(super) fn forget(self) {
        ENTERED.store(false, Ordering::Release);
        std::mem::forget(self.0);
    }
}

fn set_up() -> io::Result<()> {
    enable_raw_mode()?;
    ENTERED.store(true, Ordering::Release);
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide
    )
}

/// Undoes what was done to the terminal. One that is gone cannot be told.
fn restore() {
    if ENTERED.swap(false, Ordering::AcqRel) {
        let _ = execute!(
            io::stdout(),
            EndSynchronizedUpdate,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            cursor::Show
        );
        let _ = disable_raw_mode();
    }
}

fn watch_panics(screen: ThreadId, on_other_panic: impl Fn(String) + Send + Sync + 'static) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let here = std::thread::current().id() == screen;
        if here || !ENTERED.load(Ordering::Acquire) {
            restore();
            before(panic);
        } else {
            // The screen stays whole; what happened is told on it, and in the log.
            let text = panic.payload_as_str().unwrap_or("no message");
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            tracing::error!("a task panicked at {place}: {text}");
            on_other_panic(format!("an internal error at {place}: {text}"));
        }
    }));
}

/// Gives whoever reads from the terminal, which is gone, something that has nothing to read yet. The library of events takes the end
/// of what it reads for a pause otherwise, and reads on for ever: the loop that asked it for an event would never end.
fn replace_stdin() {
    use rustix::event::{EventfdFlags, eventfd};
    if let Ok(nothing) = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC) {
        // Where that cannot be, the loop ends all the same, unless it was just reading.
        let _ = rustix::stdio::dup2_stdin(&nothing);
    }
}

/// Returns when the terminal is gone, which reading events never tells. Blocks; meant for a thread of its own.
pub(super) fn wait_for_hang_up() {
    use rustix::event::{PollFd, PollFlags, poll};
    let stdin = io::stdin();
    loop {
        // Asked for nothing, it reports hang-up and errors alone.
        let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_)
                if watched[0]
                    .revents()
                    .intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) =>
            {
                return replace_stdin();
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
