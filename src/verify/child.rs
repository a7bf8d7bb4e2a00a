//! One supervised run of a program: its own process group, both pipes always drained, a time limit, and nothing left.
//!
//! Never judges what the exit status means. Dropping the future ends the whole group.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessGroup};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use super::mark::Mark;
use super::output::Capture;
use super::resources;
use super::sweep;
use super::watch::{Overrun, overrun};
use super::work_folder::WorkFolder;
use crate::config::ResourceLimits;
use crate::domain::Content;

/// How long is waited for killed processes to be gone.
const CLEAR_LIMIT: Duration = Duration::from_secs(5);
/// The same where a dropped future blocks its thread meanwhile.
const DROP_LIMIT: Duration = Duration::from_millis(500);
const DROP_STEP: Duration = Duration::from_millis(1);
/// How long the pipes are read on when all that is known to write to them is dead.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);
/// A program that is being replaced right now cannot be started for a moment (ETXTBSY).
const BUSY_TRIES: u32 = 20;
const BUSY_PAUSE: Duration = Duration::from_millis(25);

/// What a run may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From its start to the polite signal.
    pub(super) timeout: Duration,
    /// From the polite signal to the kill.
    pub(super) grace: Duration,
    /// Of its processes and its folder.
    pub(super) resources: ResourceLimits,
}

/// How a run came to its end.
pub(super) enum End {
    /// By itself, or by a signal that was not sent from here.
    Exited(ExitStatus),
    /// Its time was up.
    TimedOut,
    /// Its working folder was full.
    Overrun(Overrun),
}

/// A run that has ended.
pub(super) struct Run {
    pub(super) end: End,
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
    /// Whether the content could be read to the end for stdin, or as far as the program wanted it.
    pub(super) input: io::Result<()>,
}

/// Runs `command` in its folder, with `input` on its stdin, to its end or to a limit. The error is that it did not start.
pub(super) async fn run(
    mut command: Command,
    input: Option<&Content>,
    folder: &WorkFolder,
    limits: Limits,
) -> io::Result<Run> {
    let mark = Mark::new()?;
    // Beside the folder, out of which the program may remove everything. It goes when the group is gone.
    let beside = folder.path().parent().unwrap_or(folder.path());
    let _note = mark.note_in(beside)?;
    prepare(&mut command, &mark, input.is_some(), &limits.resources);
    sweep::adopt_orphans();
    let mut group = Group::start(command, mark).await?;
    let (mut stdout, mut stderr, mut fed) = (Capture::default(), Capture::default(), Ok(()));
    let (stdin, out, err) = group.pipes();
    let mut pipes = Box::pin(async {
        tokio::join!(
            async { fed = feed(stdin, input).await },
            stdout.drain(out),
            stderr.drain(err)
        );
    });
    let mut drained = false;
    let end = {
        let most_bytes = limits
            .resources
            .folder_bytes
            .saturating_add(folder.copy_bytes());
        let mut ended = Box::pin(group.wait(limits, overrun(folder.path(), most_bytes)));
        loop {
            tokio::select! {
                end = &mut ended => break end?,
                () = &mut pipes, if !drained => drained = true,
            }
        }
    };
    group.clear().await;
    if !drained {
        // Whoever else held the pipes is dead by now; what lies in them is read, and the wait for their end is bounded.
        let _ = timeout(DRAIN_LIMIT, &mut pipes).await;
    }
    drop(pipes);
    Ok(Run {
        end,
        stdout,
        stderr,
        input: fed,
    })
}

/// Gives the command its mark, its pipes and its limits.
fn prepare(command: &mut Command, mark: &Mark, has_input: bool, settings: &ResourceLimits) {
    let stdin = if has_input {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let (name, value) = mark.variable();
    command
        .env(name, value)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let limits = mark.limit().into_iter().chain(resources::limits(settings));
    resources::set_at_start(command, limits.collect());
}

/// Writes the content and closes the pipe. A program that does not want all of it may stop reading.
async fn feed(stdin: Option<ChildStdin>, input: Option<&Content>) -> io::Result<()> {
    let (Some(mut stdin), Some(content)) = (stdin, input) else {
        return Ok(());
    };
    let written = match content {
        Content::Memory(bytes) => stdin.write_all(bytes).await,
        Content::File { path, .. } => {
            let mut file = tokio::fs::File::open(path.as_ref()).await?;
            tokio::io::copy(&mut file, &mut stdin).await.map(|_| ())
        }
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A running program and all that it starts. Dropping it kills and reaps them.
struct Group {
    child: Box<dyn ChildWrapper>,
    /// The leader's process number, which is the group's too.
    id: Pid,
    mark: Arc<Mark>,
    cleared: bool,
}

impl Group {
    async fn start(command: Command, mark: Mark) -> io::Result<Self> {
        let mut command = CommandWrap::from(command);
        command.wrap(ProcessGroup::leader());
        let mut tries = 1;
        let child = loop {
            match command.spawn() {
                Err(error)
                    if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES =>
                {
                    tries += 1;
                    sleep(BUSY_PAUSE).await;
                }
                other => break other?,
            }
        };
        let id = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
            .expect("a child that was not waited for has a process number");
        Ok(Self {
            child,
            id,
            mark: Arc::new(mark),
            cleared: false,
        })
    }

    fn pipes(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        (
            self.child.stdin().take(),
            self.child.stdout().take(),
            self.child.stderr().take(),
        )
    }

    /// Waits for the leader's end, by itself or by the end of its time or of its room.
    async fn wait(
        &mut self,
        limits: Limits,
        overrun: impl Future<Output = Overrun>,
    ) -> io::Result<End> {
        let overrun = tokio::select! {
            end = self.wait_in_time(limits) => return end,
            overrun = overrun => overrun,
        };
        self.kill().await;
        Ok(End::Overrun(overrun))
    }

    /// Waits for the leader's end; at the end of its time ends the group.
    async fn wait_in_time(&mut self, limits: Limits) -> io::Result<End> {
        if let Ok(status) = timeout(limits.timeout, self.leader()).await {
            return status.map(End::Exited);
        }
        self.signal(Signal::TERM);
        if timeout(limits.grace, self.leader()).await.is_err() {
            self.kill().await;
        }
        Ok(End::TimedOut)
    }

    /// Kills the group, and waits for the leader's end.
    async fn kill(&mut self) {
        self.signal(Signal::KILL);
        // Only a process that hangs inside the kernel outlives this; it is reaped when that ends.
        let _ = timeout(CLEAR_LIMIT, self.leader()).await;
    }

    /// Waits for the leader alone: the wrapper's own `wait` waits for the whole group.
    async fn leader(&mut self) -> io::Result<ExitStatus> {
        self.child.inner_mut().wait().await
    }

    fn signal(&self, signal: Signal) {
        // An error means that the group is gone.
        let _ = kill_process_group(self.id, signal);
    }

    /// Kills what the leader left behind, and waits for it to be gone.
    ///
    /// The leader has been reaped, so its number could in theory be another group's by now; process numbers are given
    /// out in turn, and this comes within microseconds.
    async fn clear(&mut self) {
        let (id, mark) = (self.id, Arc::clone(&self.mark));
        let cleared = tokio::task::spawn_blocking(move || sweep::clear(id, &mark, CLEAR_LIMIT));
        // On an error the runtime is going down: dropping this group then clears it.
        self.cleared = cleared.await.is_ok();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.cleared {
            return;
        }
        self.signal(Signal::KILL);
        let until = Instant::now() + DROP_LIMIT;
        while matches!(self.child.inner_mut().try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(DROP_STEP);
        }
        sweep::clear(self.id, &self.mark, DROP_LIMIT);
    }
}
