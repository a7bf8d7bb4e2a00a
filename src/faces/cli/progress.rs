//! The progress bar of a pass, on a terminal's stderr.

use std::convert::Infallible;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use crate::app::PassProgress;

/// Draws the progress of a pass until dropped; nothing if stderr is no terminal or with `--quiet`. Never ends.
pub async fn draw_progress(mut progress: watch::Receiver<PassProgress>, quiet: bool) -> Infallible {
    const EVERY: Duration = Duration::from_millis(100);
    if quiet {
        std::future::pending::<()>().await;
    }
    let style =
        ProgressStyle::with_template("{elapsed_precise} [{bar:32}] {human_pos}/{human_len} {msg}")
            .expect("the template is well-formed");
    let bar = Bar(ProgressBar::new(0).with_style(style));
    loop {
        if progress.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        let PassProgress { total, summary, .. } = *progress.borrow_and_update();
        bar.0.set_length(total.max(summary.attempts));
        bar.0.set_position(summary.attempts);
        bar.0
            .set_message(format!("{} new, {} failed", summary.new, summary.failed));
        tokio::time::sleep(EVERY).await;
    }
}

/// Clears the line when dropped, so that the summary replaces it.
struct Bar(ProgressBar);

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
