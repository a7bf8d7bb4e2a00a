//! One supervised run of a program: a process group of its own, both pipes drained, a time limit, no survivors.
//!
//! Never judges the exit status. Dropping the future ends the whole group.

use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessGroup};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use super::disk_quota::{Overrun, overrun};
use super::output::Capture;
use super::reaper;
use super::resources;
use super::run_tag::RunTag;
use super::work_folder::WorkFolder;
use crate::config::ResourceLimits;
use crate::domain::Content;

/// Longest wait for killed processes to disappear.
const CLEAR_LIMIT: Duration = Duration::from_secs(5);
/// Longest wait for them in a destructor, which blocks its thread.
const DROP_LIMIT: Duration = Duration::from_millis(500);
const DROP_STEP: Duration = Duration::from_millis(1);
/// Longest time to read the pipes after every known writer has died.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);
/// Starts are repeated on ETXTBSY: a program file that is being replaced cannot be run for a moment.
const BUSY_TRIES: u32 = 20;
const BUSY_PAUSE: Duration = Duration::from_millis(25);

/// The limits of one run.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunLimits {
    /// From the start of the program to the polite signal.
    pub(super) timeout: Duration,
    /// From the polite signal to the kill.
    pub(super) grace: Duration,
    /// Limits of its processes and of its working folder.
    pub(super) resources: ResourceLimits,
}

/// How a run ended.
pub(super) enum RunEnd {
    /// The program exited, or died by a signal that this process did not send.
    Exited(ExitStatus),
    /// The time limit was reached.
    TimedOut,
    /// The working folder grew beyond its limit.
    Overrun(Overrun),
}

/// A finished run.
pub(super) struct FinishedRun {
    pub(super) end: RunEnd,
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
    /// An error when the content for stdin could not be read. A program that stops reading early is no error.
    pub(super) input: io::Result<()>,
}

/// Runs `command` in its folder, with `input` on its stdin, until its end or a limit. Fails when the program cannot
/// start.
pub(super) async fn run(
    mut command: Command,
    input: Option<&Content>,
    folder: &WorkFolder,
    limits: RunLimits,
) -> io::Result<FinishedRun> {
    let tag = RunTag::new()?;
    // The note lies beside the folder: the program may delete anything in the folder.
    let beside = folder.path().parent().unwrap_or(folder.path());
    let _note = tag.note_in(beside)?;
    prepare(&mut command, &tag, input.is_some(), &limits.resources);
    reaper::adopt_orphans();
    let mut group = Group::start(command, tag).await?;
    let (mut stdout, mut stderr, mut fed) = (Capture::default(), Capture::default(), Ok(()));
    let (stdin, out, err) = group.pipes();
    let pipes = async {
        tokio::join!(
            async { fed = feed(stdin, input).await },
            stdout.drain(out),
            stderr.drain(err)
        );
    };
    let most_bytes = limits.resources.folder_bytes;
    let most_bytes = most_bytes.saturating_add(folder.copy_bytes());
    let overrun = overrun(folder.path(), most_bytes);
    let end = group.end_with(limits, overrun, Box::pin(pipes)).await?;
    Ok(FinishedRun {
        end,
        stdout,
        stderr,
        input: fed,
    })
}

/// Sets the tag, the pipes and the limits of a command.
fn prepare(command: &mut Command, tag: &RunTag, has_input: bool, settings: &ResourceLimits) {
    let stdin = if has_input {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let (name, value) = tag.variable();
    command
        .env(name, value)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let limits = tag.limit().into_iter().chain(resources::limits(settings));
    resources::set_at_start(command, limits.collect());
}

/// Writes the content and closes the pipe. The program may stop reading early.
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

/// A running program with its descendants. Dropping the group kills and reaps them.
struct Group {
    child: Box<dyn ChildWrapper>,
    /// Process number of the leader, and of the group.
    id: Pid,
    tag: Arc<RunTag>,
    cleared: bool,
}

impl Group {
    async fn start(command: Command, tag: RunTag) -> io::Result<Self> {
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
            tag: Arc::new(tag),
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

    /// Waits for the end of the whole group while its pipes are read, and until they are.
    async fn end_with(
        &mut self,
        limits: RunLimits,
        overrun: impl Future<Output = Overrun>,
        mut pipes: Pin<Box<impl Future<Output = ()>>>,
    ) -> io::Result<RunEnd> {
        let mut drained = false;
        let end = {
            let mut ended = Box::pin(self.wait(limits, overrun));
            loop {
                tokio::select! {
                    end = &mut ended => break end?,
                    () = &mut pipes, if !drained => drained = true,
                }
            }
        };
        self.clear().await;
        if !drained {
            // Any other writer is dead by now. The rest of the pipes is read, with a bounded wait for their end.
            let _ = timeout(DRAIN_LIMIT, pipes).await;
        }
        Ok(end)
    }

    /// Waits until the leader exits, its time is up, or its folder is full.
    async fn wait(
        &mut self,
        limits: RunLimits,
        overrun: impl Future<Output = Overrun>,
    ) -> io::Result<RunEnd> {
        let overrun = tokio::select! {
            end = self.wait_in_time(limits) => return end,
            overrun = overrun => overrun,
        };
        self.kill().await;
        Ok(RunEnd::Overrun(overrun))
    }

    /// Waits until the leader exits; ends the group when the time is up.
    async fn wait_in_time(&mut self, limits: RunLimits) -> io::Result<RunEnd> {
        if let Ok(status) = timeout(limits.timeout, self.leader()).await {
            return status.map(RunEnd::Exited);
        }
        self.signal(Signal::TERM);
        if timeout(limits.grace, self.leader()).await.is_err() {
            self.kill().await;
        }
        Ok(RunEnd::TimedOut)
    }

    /// Kills the group, then waits for the leader.
    async fn kill(&mut self) {
        self.signal(Signal::KILL);
        // Only a process that hangs inside the kernel survives a kill; it is reaped once the kernel lets go.
        let _ = timeout(CLEAR_LIMIT, self.leader()).await;
    }

    /// Waits for the leader only; the wrapper's own `wait` waits for the whole group.
    async fn leader(&mut self) -> io::Result<ExitStatus> {
        self.child.inner_mut().wait().await
    }

    fn signal(&self, signal: Signal) {
        // An error means that the group has ended already.
        let _ = kill_process_group(self.id, signal);
    }

    /// Kills the leader's surviving descendants, and waits for their end.
    ///
    /// The leader has been reaped, so another group could in theory have its number. The kernel hands out numbers in
    /// turn, and this call follows within microseconds.
    async fn clear(&mut self) {
        let (id, tag) = (self.id, Arc::clone(&self.tag));
        let cleared = tokio::task::spawn_blocking(move || reaper::clear(id, &tag, CLEAR_LIMIT));
        // An error means that the runtime is shutting down: the destructor then clears the group.
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
        reaper::clear(self.id, &self.tag, DROP_LIMIT);
    }
}
