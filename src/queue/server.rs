//! The connection to the server: made when it is needed, and made anew after a while when it broke.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, Script,
    ScriptInvocation, ServerErrorKind,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::error::QueueError;

/// The time in which the server has to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The first and the longest wait before the next attempt to connect.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A server, and the connection to it that all share.
pub(super) struct Server {
    client: Client,
    link: Mutex<Link>,
}

/// The connection, or the wait for the next one.
enum Link {
    Open(Open),
    Broken {
        /// When the next attempt may be made, and the wait after that one.
        until: Instant,
        wait: Duration,
        /// What is known against the server.
        trouble: Option<QueueError>,
    },
}

/// A connection, with the server's clock in milliseconds at a moment.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) connection: MultiplexedConnection,
    clock: (i64, Instant),
    opened: Instant,
}

impl Open {
    /// Returns the time on the server's clock so long from now, in milliseconds.
    pub(super) fn clock_in(&self, wait: Duration) -> i64 {
        let (ms, at) = self.clock;
        let since = at.elapsed() + wait;
        ms.saturating_add(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Server {
    /// Returns the server at an address, without connecting to it.
    pub(super) fn new(address: &str) -> Result<Self, QueueError> {
        let client = Client::open(address);
        // The address may hold a password.
        let client = client.map_err(|error| QueueError::Address(error.category().to_owned()))?;
        Ok(Self {
            client,
            link: Mutex::new(Link::Broken {
                until: Instant::now(),
                wait: FIRST_WAIT,
                trouble: None,
            }),
        })
    }

    /// Asks the server. An answer that does not come in time, and a connection that breaks, end the connection.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        question: impl AsyncFnOnce(Open) -> RedisResult<T>,
    ) -> Result<T, QueueError> {
        let deadline = Instant::now() + PATIENCE;
        let open = timeout_at(deadline, self.open());
        let open = open.await.map_err(|_| QueueError::Silent)??;
        let opened = open.opened;
        let error = match timeout_at(deadline, question(open)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if is_refusal(&error) => return Err(error.into()),
            Ok(Err(error)) => QueueError::Lost(error.to_string()),
            Err(_) => QueueError::Silent,
        };
        self.close(opened, &error).await;
        Err(error)
    }

    /// Asks the server a command.
    pub(super) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, QueueError> {
        let ask = async |mut open: Open| command.query_async(&mut open.connection).await;
        self.ask(ask).await
    }

    /// Has the server run a script.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, QueueError> {
        let ask = async |mut open: Open| call.invoke_async(&mut open.connection).await;
        self.ask(ask).await
    }

    /// Sets the server's clock, in milliseconds.
    pub(super) async fn set_clock(&self, now_ms: i64) {
        if let Link::Open(open) = &mut *self.link.lock().await {
            open.clock = (now_ms, Instant::now());
        }
    }

    /// Returns the connection, which is made when there is none. While one asker tries a server against which something is
    /// known, the others get that.
    async fn open(&self) -> Result<Open, QueueError> {
        let mut link = self.link.lock().await;
        let (wait, known) = match &*link {
            Link::Open(open) => return Ok(open.clone()),
            Link::Broken { until, trouble, .. } if *until > Instant::now() => {
                return Err(trouble.clone().unwrap_or(QueueError::Silent));
            }
            Link::Broken { wait, trouble, .. } => (*wait, trouble.clone()),
        };
        // What stands here while it is tried, and if it is given up half-way.
        *link = broken(
            PATIENCE + wait,
            wait,
            known.clone().unwrap_or(QueueError::Silent),
        );
        let connected = if known.is_some() {
            drop(link);
            let connected = connect(&self.client).await;
            link = self.link.lock().await;
            connected
        } else {
            connect(&self.client).await
        };
        match connected {
            Ok(open) => {
                *link = Link::Open(open.clone());
                Ok(open)
            }
            Err(error) => {
                let error = QueueError::from(error);
                *link = broken(wait, wait, error.clone());
                Err(error)
            }
        }
    }

    /// Gives the connection up that was opened then. Against a server that only closed it nothing is known.
    async fn close(&self, opened: Instant, error: &QueueError) {
        let mut link = self.link.lock().await;
        if matches!(&*link, Link::Open(open) if open.opened == opened) {
            let trouble = Some(error.clone()).filter(|error| matches!(error, QueueError::Silent));
            *link = Link::Broken {
                until: Instant::now(),
                wait: FIRST_WAIT,
                trouble,
            };
        }
    }
}

/// Returns the state of a server that may be tried again so long from now, and then after `wait`.
fn broken(pause: Duration, wait: Duration, trouble: QueueError) -> Link {
    Link::Broken {
        until: Instant::now() + pause,
        wait: (wait * 2).min(LONGEST_WAIT),
        trouble: Some(trouble),
    }
}

/// Returns whether the server answered, in words of its own.
fn is_refusal(error: &RedisError) -> bool {
    let is_lost = error.is_unrecoverable_error() || error.is_timeout();
    !is_lost || matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// Runs a script by a command, which is asked again once the server has loaded the script.
pub(super) async fn run_once_loaded<T: FromRedisValue>(
    script: &Script,
    command: &Cmd,
    mut connection: MultiplexedConnection,
) -> RedisResult<T> {
    match command.query_async(&mut connection).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            script.load_async(&mut connection).await?;
            command.query_async(&mut connection).await
        }
        answer => answer,
    }
}

async fn connect(client: &Client) -> RedisResult<Open> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(None);
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    let (seconds, micros): (i64, i64) = redis::cmd("TIME").query_async(&mut connection).await?;
    Ok(Open {
        connection,
        clock: (seconds * 1000 + micros / 1000, Instant::now()),
        opened: Instant::now(),
    })
}
