//! The connection to the server: made when it is needed, and made anew after a while when it broke.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisResult, Script,
    ScriptInvocation, ServerErrorKind,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

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
#[derive(Clone)]
enum Link {
    Open(Open),
    Broken {
        /// When the next attempt may be made, and the wait after that one.
        until: Instant,
        wait: Duration,
        why: String,
    },
}

/// A connection, with the server's clock in milliseconds at a moment.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) connection: MultiplexedConnection,
    clock: (i64, Instant),
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
                why: String::new(),
            }),
        })
    }

    /// Asks the server. An answer that does not come in time, and a connection that breaks, end the connection.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        question: impl AsyncFnOnce(Open) -> RedisResult<T>,
    ) -> Result<T, QueueError> {
        let asked = timeout(PATIENCE, async {
            let open = self.open().await?;
            question(open).await.map_err(QueueError::from_reply)
        });
        let answer = match asked.await {
            Ok(Err(Broken::Refused(error))) => return Err(error),
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(Broken::Lost(error))) => error,
            Err(_) => QueueError::Silent,
        };
        self.close().await;
        Err(answer)
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

    /// Returns the connection, which is made when there is none.
    async fn open(&self) -> Result<Open, Broken> {
        let mut link = self.link.lock().await;
        let wait = match &*link {
            Link::Open(open) => return Ok(open.clone()),
            Link::Broken { until, why, .. } if *until > Instant::now() => {
                return Err(Broken::Refused(QueueError::Unusable(why.clone())));
            }
            Link::Broken { wait, .. } => *wait,
        };
        // What stands here if this is given up half-way.
        *link = Link::Broken {
            until: Instant::now() + wait,
            wait: (wait * 2).min(LONGEST_WAIT),
            why: "it did not answer in time".to_owned(),
        };
        match connect(&self.client).await {
            Ok(open) => {
                *link = Link::Open(open.clone());
                Ok(open)
            }
            Err(error) => {
                if let Link::Broken { why, .. } = &mut *link {
                    *why = error.to_string();
                }
                Err(Broken::Refused(error.into()))
            }
        }
    }

    async fn close(&self) {
        let mut link = self.link.lock().await;
        if matches!(*link, Link::Open(_)) {
            *link = Link::Broken {
                until: Instant::now(),
                wait: FIRST_WAIT,
                why: String::new(),
            };
        }
    }
}

/// Why a question has no answer.
enum Broken {
    /// The server refused it.
    Refused(QueueError),
    /// The connection is of no more use.
    Lost(QueueError),
}

impl QueueError {
    fn from_reply(error: redis::RedisError) -> Broken {
        let is_lost = error.is_unrecoverable_error() || error.is_timeout();
        let is_refused = matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension);
        if is_lost && !is_refused {
            Broken::Lost(error.into())
        } else {
            Broken::Refused(error.into())
        }
    }
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
    })
}
