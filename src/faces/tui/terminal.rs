//! The terminal: enters the alternate screen and restores the shell's, also on a panic; draws without flicker; detects
//! hang-up.
//!
//! Replaces ratatui's `init`, whose panic hook restores the screen on a panic of any thread, even if the loop goes on.

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

/// Whether the terminal is in raw mode and on the alternate screen. If so, the panic hook must restore it.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The terminal while the dashboard has it.
pub(super) struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    /// Sets the terminal up. A panic of this thread first restores the terminal; a panic of another thread is logged
    /// and passed to the callback.
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

    /// Restores the terminal for the shell and stops the process. When the process is continued, sets the terminal up
    /// for a full redraw.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        restore();
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        set_up()?;
        // A fresh `Terminal` draws every cell. `clear` would ask the terminal for the cursor's position, and the event
        // stream may swallow the answer.
        let fresh = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        std::mem::forget(std::mem::replace(&mut self.0, fresh));
        Ok(())
    }

    /// Restores the terminal for the shell.
    pub(super) fn leave(self) {
        restore();
        self.forget();
    }

    /// Drops the screen without writing to the terminal, which is gone: `Terminal` writes when dropped, and would
    /// fail.
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

/// Undoes `set_up`. Errors are ignored: the terminal may be gone.
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
            // The screen stays as it is; the panic is logged and shown as an error.
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

/// Replaces standard input, whose terminal is gone, by a descriptor that is never readable. Otherwise the event library
/// takes end of file for "nothing yet" and reads on for ever, and the loop that asked it for an event would never end.
fn replace_stdin() {
    use rustix::event::{EventfdFlags, eventfd};
    if let Ok(nothing) = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC) {
        // If this fails, the loop still ends, unless it was just reading.
        let _ = rustix::stdio::dup2_stdin(&nothing);
    }
}

/// Blocks until the terminal is gone, which the event stream does not report. Meant for a thread of its own.
pub(super) fn wait_for_hang_up() {
    use rustix::event::{PollFd, PollFlags, poll};
    let stdin = io::stdin();
    loop {
        // With no events requested, `poll` reports hang-up and errors only.
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
