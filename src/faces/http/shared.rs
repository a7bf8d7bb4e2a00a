//! The state that all requests share.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answers::Answers;
use super::fetching::Fetching;
use super::large_answer::AnswerRoom;
use super::live::Feed;
use super::metrics::Numbers;
use super::push_room::PushRoom;
use super::sign_in::SignIns;
use super::tls::Tls;
use crate::app::{App, Result};
use crate::domain::Actor;

/// The parts from which the shared state is made.
pub struct SharedParts {
    /// The use-cases.
    pub app: Arc<App>,
    /// Fetches on request.
    pub fetching: Arc<dyn Fetching>,
    /// The last events.
    pub feed: Feed,
    /// Ends every connection that would stay open.
    pub stop: CancellationToken,
    /// The operator at the terminal, such as `joe@host`.
    pub operator: String,
    /// Whether the service listens on loopback only.
    pub is_local: bool,
    /// The certificate of a service that speaks TLS.
    pub tls: Option<Arc<Tls>>,
}

/// Comparisons that are made at once.
const COMPARISONS: usize = 2;

/// The state that all requests share.
#[derive(Clone)]
pub struct Shared(Arc<Inner>);

struct Inner {
    parts: SharedParts,
    /// The clients of the live feed.
    clients: TaskTracker,
    /// The requests that are done to their end, even when their clients leave.
    to_end: TaskTracker,
    sign_ins: SignIns,
    numbers: Numbers,
    answers: Answers,
    /// The places of comparisons, each of which may hold two versions and their difference in memory.
    comparing: Arc<Semaphore>,
    answer_room: AnswerRoom,
    /// Half of the files that this process may open: the other half is for requests.
    most_clients: usize,
    push_room: PushRoom,
}

fn half_of_open_files() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = limit.current.unwrap_or(u64::MAX) / 2;
    usize::try_from(most).unwrap_or(usize::MAX)
}

impl Shared {
    /// Makes the state of its parts.
    pub async fn new(parts: SharedParts) -> Result<Self> {
        let numbers = Numbers::begin(&parts.app).await?;
        let push_room = PushRoom::new(parts.app.queues_on_redis());
        Ok(Self(Arc::new(Inner {
            parts,
            clients: TaskTracker::new(),
            to_end: TaskTracker::new(),
            sign_ins: SignIns::default(),
            numbers,
            answers: Answers::default(),
            comparing: Semaphore::new(COMPARISONS).into(),
            answer_room: AnswerRoom::default(),
            most_clients: half_of_open_files(),
            push_room,
        })))
    }

    /// Returns the path of a link that signs its reader in once, as operator.
    pub fn sign_in_link(&self) -> Result<String> {
        let secret = self.0.sign_ins.make_link(Instant::now())?;
        Ok(format!("/sign-in/{}", secret.expose()))
    }

    /// Waits until one more comparison may be made.
    pub(super) async fn comparing(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.comparing).acquire_owned().await.ok()
    }

    /// Returns the room of long answers.
    pub(super) fn answer_room(&self) -> &AnswerRoom {
        &self.0.answer_room
    }

    /// Returns the room of messages that are being pushed.
    pub(super) fn push_room(&self) -> &PushRoom {
        &self.0.push_room
    }

    pub(super) fn answers(&self) -> &Answers {
        &self.0.answers
    }

    pub(super) fn numbers(&self) -> &Numbers {
        &self.0.numbers
    }

    pub(super) fn sign_ins(&self) -> &SignIns {
        &self.0.sign_ins
    }

    pub(super) fn operator(&self) -> &str {
        &self.0.parts.operator
    }

    /// Returns the use-cases, for reading.
    pub(super) fn app(&self) -> &App {
        &self.0.parts.app
    }

    /// Returns the use-cases for somebody who changes something.
    pub(super) fn app_of(&self, actor: Actor) -> App {
        self.0.parts.app.acting_as(actor)
    }

    pub(super) fn fetching(&self) -> &dyn Fetching {
        &*self.0.parts.fetching
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.0.parts.stop
    }

    pub(super) fn is_local(&self) -> bool {
        self.0.parts.is_local
    }

    pub(super) fn tls(&self) -> Option<&Arc<Tls>> {
        self.0.parts.tls.as_ref()
    }

    pub(super) fn feed(&self) -> &Feed {
        &self.0.parts.feed
    }

    /// Returns how many clients may follow the live feed without taking every file that this process may open.
    pub(super) fn most_clients(&self) -> usize {
        self.0.most_clients
    }

    /// Returns the clients of the live feed.
    pub(super) fn clients(&self) -> &TaskTracker {
        &self.0.clients
    }

    /// Returns the requests that are done to their end, even when their clients leave.
    pub(super) fn to_end(&self) -> &TaskTracker {
        &self.0.to_end
    }
}
