//! Gathers versions into batches for publishing, so that many files share the cost of one sync.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::app::{App, Error, ErrorKind, PublishRequest, Result};
use crate::domain::Content;

/// The most versions of one batch.
const BATCH: usize = 512;
/// The longest time that the first version of a batch waits for others, while other attempts are in flight. Versions
/// that arrive while a batch is written make up the next one, so a slow disk has larger batches, not a longer backlog.
const LINGER: Duration = Duration::from_millis(100);
/// Memory for the contents of waiting versions, in units of 1 KiB.
const WAITING_KIB: u32 = 32 << 10;

type Waiting = (PublishRequest, oneshot::Sender<Result<()>>);

/// Takes the versions to publish.
#[derive(Clone)]
pub(super) struct Publisher {
    requests: mpsc::Sender<Waiting>,
    memory: Arc<Semaphore>,
    in_flight: InFlight,
}

impl Publisher {
    /// Returns the publisher, and the future that publishes until every clone of the publisher is dropped.
    ///
    /// `in_flight` counts the attempts that may still publish a version: when all of them wait, the batch is complete.
    pub(super) fn new(
        app: Arc<App>,
        in_flight: InFlight,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (requests, receiver) = mpsc::channel::<Waiting>(BATCH);
        let memory = Arc::new(Semaphore::new(WAITING_KIB as usize));
        let work = publish_in_batches(app, receiver, in_flight.clone());
        let publisher = Self {
            requests,
            memory,
            in_flight,
        };
        (publisher, work)
    }

    /// Waits until there is memory for this content among the waiting ones.
    pub(super) async fn reserve(&self, content: &Content) -> Result<Reserved> {
        let in_memory = content.as_memory().map_or(0, <[u8]>::len);
        let kib =
            u32::try_from(in_memory / 1024).map_or(WAITING_KIB, |kib| kib.min(WAITING_KIB - 1) + 1);
        let memory = Arc::clone(&self.memory).acquire_many_owned(kib).await;
        memory.map(Reserved).map_err(|_| stopped())
    }

    /// Publishes a version; returns when its file is at its path and recorded.
    pub(super) async fn publish(&self, request: PublishRequest, _room: Reserved) -> Result<()> {
        let (answer, published) = oneshot::channel();
        self.requests
            .send((request, answer))
            .await
            .map_err(|_| stopped())?;
        published.await.map_err(|_| stopped())?
    }

    /// Counts one more attempt that may publish a version.
    pub(super) fn expect_one(&self) -> Expected {
        self.in_flight.0.count.fetch_add(1, Ordering::Relaxed);
        Expected(self.in_flight.clone())
    }
}

/// The number of attempts in flight.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<Count>);

#[derive(Default)]
struct Count {
    count: AtomicUsize,
    fewer: Notify,
}

/// An attempt in flight, until it is dropped.
pub(super) struct Expected(InFlight);

impl Drop for Expected {
    fn drop(&mut self) {
        self.0.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.0.fewer.notify_one();
    }
}

/// Memory for the content of a waiting version.
pub(super) struct Reserved(#[expect(dead_code, reason = "held for its room")] OwnedSemaphorePermit);

fn stopped() -> Error {
    let message = "the publisher stopped before the file was published";
    Error::new(ErrorKind::Unavailable, message)
}

async fn publish_in_batches(
    app: Arc<App>,
    mut receiver: mpsc::Receiver<Waiting>,
    in_flight: InFlight,
) {
    let mut batch = Vec::new();
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        let linger = tokio::time::sleep(LINGER);
        tokio::pin!(linger);
        while batch.len() < BATCH && batch.len() < in_flight.0.count.load(Ordering::Relaxed) {
            let room = BATCH - batch.len();
            tokio::select! {
                more = receiver.recv_many(&mut batch, room) => if more == 0 { break },
                () = in_flight.0.fewer.notified() => {}
                () = &mut linger => break,
            }
        }
        let (requests, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        for (answer, result) in answers.into_iter().zip(app.publish(requests).await) {
            // An attempt that was cut off does not receive the result; its file stays published.
            let _ = answer.send(result);
        }
    }
}
