//! Work that is done to its end, even when the client that asked for it leaves.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio_util::task::TaskTracker;

/// A future that goes on as a task of its own when it is dropped before its end.
pub(super) struct ToEnd<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    tasks: TaskTracker,
}

impl<T: Send + 'static> ToEnd<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static, tasks: &TaskTracker) -> Self {
        Self {
            work: Some(Box::pin(work)),
            tasks: tasks.clone(),
        }
    }
}

impl<T: Send + 'static> Future for ToEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let work = self.work.as_mut().expect("nothing is polled after its end");
        let value = ready!(work.as_mut().poll(context));
        self.work = None;
        Poll::Ready(value)
    }
}

impl<T: Send + 'static> Drop for ToEnd<T> {
    fn drop(&mut self) {
        // Work that panicked is over.
        if let Some(work) = self.work.take()
            && !std::thread::panicking()
        {
            self.tasks.spawn(work);
        }
    }
}
