//! The threads that hash passwords: two of their own, since each hash takes 19 MiB and some hundredths of a second of a
//! core.
//!
//! Never gives a place away before its computation has ended, whoever still waits for that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::{Semaphore, oneshot};

use crate::app::{Error, ErrorKind, Result};

/// Hashes that are computed at once.
const MAX_HASHING: usize = 2;

type Job = Box<dyn FnOnce() + Send>;

/// The places, and the way to the threads once they were started.
pub(in crate::app) struct Hashing {
    places: Arc<Semaphore>,
    jobs: Mutex<Option<Sender<Job>>>,
}

impl Default for Hashing {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MAX_HASHING)),
            jobs: Mutex::default(),
        }
    }
}

impl Hashing {
    /// Computes on a thread for it, once a place is free.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let (answer, computed) = oneshot::channel();
        let job: Job = Box::new(move || {
            let _place = place;
            // Whoever asked may be gone.
            let _ = answer.send(compute());
        });
        self.send(job).map_err(|error| failed(&error))?;
        computed.await.map_err(|error| failed(&error))
    }

    /// Hands a job to the threads, and starts them for the first one.
    fn send(&self, job: Job) -> std::io::Result<()> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = match &*jobs {
            Some(sender) => sender,
            None => jobs.insert(start()?),
        };
        let ended = |_| std::io::Error::other("its threads have ended");
        sender.send(job).map_err(ended)
    }
}

/// Starts the threads, which end with the sender.
fn start() -> std::io::Result<Sender<Job>> {
    let (sender, receiver) = channel();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..MAX_HASHING {
        let receiver = Arc::clone(&receiver);
        let thread = thread::Builder::new().name("passwords".to_owned());
        thread.spawn(move || work(&receiver))?;
    }
    Ok(sender)
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        // Its caller learns of a panic, for want of an answer.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    let message = format!("the password cannot be hashed: {error}");
    Error::new(ErrorKind::Unavailable, message)
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
        assert_eq!(hashing.places.available_permits(), 0);
        end_second.send(()).expect("it goes on");
        assert_eq!(third.await.ok(), Some(3));
        end_first.send(()).expect("it goes on");
        assert_eq!(one.await.ok(), Some(true));
    }
}
