//! The event loop of the dashboard: receives messages, updates the model, starts effects, draws when a frame is due.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crokey::KeyCombination;
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event, EventStream, KeyEventKind};
use crossterm::execute;
use futures_util::StreamExt as _;
use tokio::sync::{mpsc, oneshot, watch};

use super::draw::{draw, to_ascii};
use super::effects::Runner;
use super::frame_stats::FrameStats;
use super::keymap::Keymap;
use super::message::{Effect, Msg};
use super::model::{Mode, Model};
use super::terminal::{Screen, wait_for_hang_up};
use super::theme::Theme;
use super::update::update;
use super::worker_handle::WorkerHandle;
use crate::app::{App, Error, ErrorKind, PassProgress, Result};
use crate::config::{Config, KeySetting};

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// Most messages in the queue; senders wait while it is full.
const QUEUE: usize = 1024;

/// The options of the dashboard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dashboard {
    /// The dashboard changes nothing.
    pub read_only: bool,
    /// The screen is 7-bit ASCII, whatever the locale says.
    pub ascii: bool,
    /// The header says that this is the demo.
    pub demo: bool,
}

/// Returns the keymap in force as a page of Markdown.
///
/// # Errors
///
/// For keys in the configuration that clash or are no keys.
pub fn keys_page(config: &Config) -> Result<String> {
    Ok(keymap(config, &config.dashboard.keys)?.page())
}

fn keymap(config: &Config, keys: &[KeySetting]) -> Result<Keymap> {
    Keymap::with(keys).map_err(|problems| {
        let file = config.config_file.as_ref();
        let file = file.map_or_else(String::new, |file| format!("{}: ", file.display()));
        Error::invalid(format!("{file}[dashboard.keys] {}", problems.join("; ")))
    })
}

/// Runs the dashboard on the process's terminal until it is left.
///
/// # Errors
///
/// When the configuration's keys are wrong, or the terminal cannot be used.
pub async fn run(app: Arc<App>, worker: Arc<dyn WorkerHandle>, dashboard: Dashboard) -> Result<()> {
    let config = app.config();
    let keymap = keymap(&config, &config.dashboard.keys)?;
    let ascii = dashboard.ascii || !supports_unicode::on(supports_unicode::Stream::Stdout);
    let has_worker = worker.progress().is_some();
    let mode = Mode {
        read_only: dashboard.read_only,
        is_demo: dashboard.demo,
        has_worker,
        may_fetch: has_worker,
        in_tmux: config.dashboard.in_tmux,
    };
    let (messages, queue) = mpsc::channel(QUEUE);
    let mut model = Box::new(Model::new(keymap, mode, app.now()));
    model.zone = config.zone.clone();
    let entered = enter_screen(messages.clone());
    let (screen, size) = entered.map_err(|error| failed(&error))?;
    model.size = size;
    let mut runner = Runner::new(Arc::clone(&app), Arc::clone(&worker), messages);
    runner.watch();
    let looping = Loop {
        theme: theme(&config),
        app,
        worker,
        model,
        ascii,
        runner,
        queue,
        screen,
        started: Instant::now(),
        drawn: None,
        frames: FrameStats::default(),
        dirty: true,
        quit: false,
    };
    looping.run().await
}

/// Returns the screen and its size in columns and lines. A panic is shown on it.
fn enter_screen(panics: mpsc::Sender<Msg>) -> io::Result<(Screen, (u16, u16))> {
    let screen = Screen::enter(move |text| {
        // With the queue full the message is dropped; the panic is in the log.
        let _ = panics.try_send(Msg::Failed(text));
    })?;
    let size = screen.size()?;
    Ok((screen, size))
}

fn theme(config: &Config) -> Theme {
    let colours = supports_color::on(supports_color::Stream::Stdout);
    Theme::of(
        config.dashboard.theme,
        colours.is_some(),
        colours.is_some_and(|level| level.has_256 || level.has_16m),
    )
}

fn failed(error: &io::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        format!("cannot use the terminal: {error}"),
    )
}

/// The reason for the end of the loop.
enum Ended {
    /// The dashboard was left or failed; the terminal must be restored.
    Left(Result<()>),
    HungUp,
}

struct Loop {
    app: Arc<App>,
    worker: Arc<dyn WorkerHandle>,
    model: Box<Model>,
    theme: Theme,
    ascii: bool,
    runner: Runner,
    queue: mpsc::Receiver<Msg>,
    screen: Screen,
    started: Instant,
    drawn: Option<Instant>,
    frames: FrameStats,
    dirty: bool,
    quit: bool,
}

impl Loop {
    async fn run(mut self) -> Result<()> {
        let mut input = EventStream::new();
        let mut progress = self.worker.progress();
        // A pass may have begun before the loop.
        progress.iter_mut().for_each(watch::Receiver::mark_changed);
        let mut hang_up = hang_up();
        let mut stopped = self.worker.stopped();
        let mut trouble = self.worker.next_error();
        let mut signal = self.worker.next_signal();
        let ended = loop {
            self.handle_quietly(Msg::Time(self.app.now(), self.started.elapsed()));
            if let Err(error) = self.draw_if_due() {
                break Ended::Left(Err(failed(&error)));
            }
            let wake = self.next_wake();
            tokio::select! {
                event = input.next() => match event {
                    Some(Ok(event)) => self.event(event),
                    Some(Err(_)) | None => break Ended::HungUp,
                },
                Some(msg) = self.queue.recv() => self.handle_queued(msg),
                snapshot = next_progress(&mut progress) => self.handle(Msg::Pass(snapshot)),
                text = &mut trouble => {
                    self.handle(Msg::Failed(text));
                    trouble = self.worker.next_error();
                }
                () = &mut signal => {
                    self.handle(Msg::Stop);
                    signal = self.worker.next_signal();
                }
                _ = &mut hang_up => break Ended::HungUp,
                () = &mut stopped, if self.quit => break Ended::Left(Ok(())),
                () = tokio::time::sleep(wake) => self.dirty = self.dirty || wake > FRAME,
            }
        };
        self.end(ended).await
    }

    async fn end(self, ended: Ended) -> Result<()> {
        self.frames.log();
        match ended {
            Ended::HungUp => {
                self.hung_up().await;
                Ok(())
            }
            Ended::Left(outcome) => {
                self.screen.leave();
                outcome
            }
        }
    }

    /// Ends without a terminal to restore. Claims are released at once, since the operator is gone.
    async fn hung_up(self) {
        tracing::warn!("the terminal was closed");
        self.screen.forget();
        self.worker.stop();
        self.worker.stop();
        let _ = tokio::time::timeout(Duration::from_secs(1), self.worker.stopped()).await;
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                self.handle(Msg::Key(KeyCombination::from(key), key));
            }
            Event::Paste(text) => self.handle(Msg::Paste(text)),
            Event::Resize(columns, lines) => self.handle(Msg::Resize(columns, lines)),
            _ => {}
        }
    }

    /// Handles a message, and those that wait behind it.
    fn handle_queued(&mut self, first: Msg) {
        self.handle(first);
        while let Ok(msg) = self.queue.try_recv() {
            self.handle(msg);
        }
    }

    fn handle(&mut self, msg: Msg) {
        self.dirty = true;
        self.handle_quietly(msg);
    }

    fn handle_quietly(&mut self, msg: Msg) {
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Quit => {
                    self.quit = true;
                    self.worker.stop();
                }
                Effect::Suspend => {
                    let resumed = self.screen.suspend().and_then(|()| self.screen.size());
                    match resumed {
                        Ok((columns, lines)) => self.handle(Msg::Resize(columns, lines)),
                        Err(error) => self.model.toast_error(format!("cannot suspend: {error}")),
                    }
                }
                Effect::Copy(text) => {
                    let copied = execute!(io::stdout(), CopyToClipboard::to_clipboard_from(&text));
                    if let Err(error) = copied {
                        self.model.toast_error(format!("cannot copy: {error}"));
                    }
                    if self.model.mode.in_tmux {
                        self.runner.start(Effect::Copy(text));
                    }
                }
                effect => self.runner.start(effect),
            }
        }
    }

    fn draw_if_due(&mut self) -> io::Result<()> {
        if !self.dirty || self.drawn.is_some_and(|drawn| drawn.elapsed() < FRAME) {
            return Ok(());
        }
        let start = Instant::now();
        let (model, theme, ascii) = (&self.model, &self.theme, self.ascii);
        self.screen.draw(|buffer| {
            let cursor = draw(model, theme, buffer);
            if ascii {
                to_ascii(buffer);
            }
            cursor
        })?;
        let end = Instant::now();
        self.frames.add(end - start);
        self.drawn = Some(end);
        self.dirty = false;
        Ok(())
    }

    /// Returns the longest time that the loop may sleep without a message.
    fn next_wake(&self) -> Duration {
        match self.drawn {
            Some(drawn) if self.dirty => FRAME.saturating_sub(drawn.elapsed()),
            _ => {
                let until = self
                    .model
                    .next_redraw()
                    .saturating_sub(self.started.elapsed());
                until.max(FRAME + Duration::from_millis(1))
            }
        }
    }
}

/// Returns a channel that receives when the terminal is gone. A thread of its own waits for the hang-up: the process
/// could not end before a thread of the runtime did, which after a panic is never.
fn hang_up() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        wait_for_hang_up();
        // Sending fails only when the dashboard has ended.
        let _ = sender.send(());
    });
    receiver
}

async fn next_progress(progress: &mut Option<watch::Receiver<PassProgress>>) -> PassProgress {
    if let Some(receiver) = progress
        && receiver.changed().await.is_ok()
    {
        return *receiver.borrow_and_update();
    }
    std::future::pending().await
}
