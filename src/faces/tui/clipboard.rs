//! Copies to tmux: with its default settings tmux drops the escape sequence (OSC 52) by which a program copies to the
//! terminal.
//!
//! Never reads the environment: the configuration says whether the terminal is one of tmux.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::app::{Error, ErrorKind, Result};

/// The longest wait for tmux.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the text tmux's newest buffer, which tmux also copies to its own terminal (`-w`).
pub(super) async fn copy_to_tmux(text: &str) -> Result<()> {
    let failed = |why: &str| {
        Error::new(
            ErrorKind::Unavailable,
            format!("cannot copy: tmux load-buffer: {why}"),
        )
        .hint("it was sent to the terminal, which may have taken it")
    };
    match tokio::time::timeout(PATIENCE, load_buffer(text)).await {
        Err(_) => Err(failed("no answer within 5 s")),
        Ok(Err(error)) => Err(failed(&error.to_string())),
        Ok(Ok(())) => Ok(()),
    }
}

async fn load_buffer(text: &str) -> std::io::Result<()> {
    let mut tmux = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = tmux.stdin.take() {
        stdin.write_all(text.as_bytes()).await?;
    }
    let ended = tmux.wait_with_output().await?;
    if ended.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
    Err(std::io::Error::other(words))
}
