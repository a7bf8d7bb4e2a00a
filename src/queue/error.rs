//! Why a queue on Redis cannot be used.

use redis::RedisError;

/// Why a queue on Redis cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueueError {
    /// The address of the server is none.
    #[error("`queues.redis` is no address of a Redis server: {0}")]
    Address(String),
    /// The server does not answer in time.
    #[error("the Redis server of the queues does not answer")]
    Silent,
    /// The server cannot be reached, or refuses.
    #[error("the Redis server of the queues cannot be used: {0}")]
    Unusable(String),
    /// The connection to the server broke.
    #[error("the Redis server of the queues cannot be used: {0}")]
    Lost(String),
    /// The server was given messages, and its answer did not come.
    #[error("{0}: it may have taken the messages")]
    InDoubt(Box<Self>),
    /// The server has no memory left for further messages.
    #[error("the Redis server of the queues has no memory left")]
    OutOfMemory,
    /// The database of the server holds the messages of another catalogue.
    #[error("the Redis database of the queues belongs to another catalogue")]
    Foreign,
}

impl QueueError {
    /// Returns the error with which messages were not acknowledged, which were sent to the server or not.
    pub(super) fn of_messages(self, are_sent: bool) -> Self {
        match self {
            Self::Silent | Self::Lost(_) if are_sent => Self::InDoubt(Box::new(self)),
            other => other,
        }
    }
}

impl From<RedisError> for QueueError {
    fn from(error: RedisError) -> Self {
        if error.is_timeout() {
            return Self::Silent;
        }
        match error.code() {
            Some("OOM") => Self::OutOfMemory,
            Some("FOREIGN") => Self::Foreign,
            // Neither names the password.
            _ => Self::Unusable(error.to_string()),
        }
    }
}
