//! The places in which passwords are hashed: two at once, since each takes 19 MiB and some hundredths of a
//! second of a core.
//!
//! Never gives a place away before its computation has ended, whoever still waits for that.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::app::{Error, ErrorKind, Result};

/// Hashes that are computed at once.
const MAX_HASHING: usize = 2;

/// The places.
pub(in crate::app) struct Hashing(Arc<Semaphore>);

impl Default for Hashing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_HASHING)))
    }
}

impl Hashing {
    /// Computes on a blocking thread, once a place is free.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.0).acquire_owned().await;
        let computed = tokio::task::spawn_blocking(move || {
            let _place = place;
            compute()
        });
        computed.await.map_err(|error| {
            let message = format!("the password's task ended early: {error}");
            Error::new(ErrorKind::Unavailable, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use futures_util::poll;

    use super::*;

    #[tokio::test]
    async fn a_third_waits_even_for_a_computation_that_nobody_waits_for() {
        let hashing = Hashing::default();
        let [(end_first, first), (end_second, second)] = [channel::<()>(), channel::<()>()];
        let mut one = Box::pin(hashing.run(move || first.recv().is_ok()));
        let mut other = Box::pin(hashing.run(move || second.recv().is_ok()));
        assert!(poll!(&mut one).is_pending() && poll!(&mut other).is_pending());
        drop(other);
        let mut third = Box::pin(hashing.run(|| 3));
        assert!(poll!(&mut third).is_pending());
        assert_eq!(hashing.0.available_permits(), 0);
        end_second.send(()).expect("it goes on");
        assert_eq!(third.await.ok(), Some(3));
        end_first.send(()).expect("it goes on");
        assert_eq!(one.await.ok(), Some(true));
    }
}
