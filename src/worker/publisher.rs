//! Gathers versions that are to be published, so that many share the cost of one sync.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::app::{App, Error, ErrorKind, PublishRequest, Result};

/// Most versions that are published together.
const BATCH: usize = 512;

type Waiting = (PublishRequest, oneshot::Sender<Result<()>>);

/// Where versions are handed in.
#[derive(Clone)]
pub(super) struct Publisher(mpsc::Sender<Waiting>);

impl Publisher {
    /// Returns the place to hand in, and the task that does the work until every clone of it is dropped.
    pub(super) fn new(app: Arc<App>) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, mut receiver) = mpsc::channel::<Waiting>(BATCH);
        let work = async move {
            let mut batch = Vec::new();
            while receiver.recv_many(&mut batch, BATCH).await > 0 {
                let (requests, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
                for (answer, result) in answers.into_iter().zip(app.publish(requests).await) {
                    // Nobody listens any more when the attempt was cut off; what was published stays published.
                    let _ = answer.send(result);
                }
            }
        };
        (Self(sender), work)
    }

    /// Publishes a version; returns when it lies at its path and is recorded.
    pub(super) async fn publish(&self, request: PublishRequest) -> Result<()> {
        let stopped = || {
            Error::new(
                ErrorKind::Unavailable,
                "the publisher stopped before the file was published",
            )
        };
        let (sender, receiver) = oneshot::channel();
        self.0
            .send((request, sender))
            .await
            .map_err(|_| stopped())?;
        receiver.await.map_err(|_| stopped())?
    }
}
