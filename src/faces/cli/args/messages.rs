//! `messages`: what was pushed, and pushing it.

use clap::{Args, Subcommand};

use super::{FormatArgs, TableFormat};
use crate::domain::{MessageId, QueueName, VersionState};

/// `messages`.
#[derive(Debug, Args)]
#[command(
    after_help = "A message is put on a queue, by `send` or at /api/v1/messages of the service, and persisted by whatever works on the catalogue: the service, the dashboard, a pass, `gannet consume`.\n\nExamples:\n  gannet messages send '{\"order\": 17}' --queue orders\n  gannet messages send --lines < orders.ndjson\n  gannet messages tail --queue orders\n  gannet messages list --limit 10 --newest"
)]
pub struct MessagesArgs {
    /// What to do
    #[command(subcommand)]
    pub what: MessagesWhat,
}

/// What to do with messages.
#[derive(Debug, Subcommand)]
pub enum MessagesWhat {
    /// List messages that are persisted, the oldest first
    List(MessageListArgs),
    /// Print a message, indented, and the verdicts on it
    Show {
        /// Its id
        #[arg(value_name = "ID")]
        id: MessageId,
        /// Print it as an object
        #[arg(long)]
        json: bool,
    },
    /// Run the verifiers of messages on them again
    Verify {
        /// Their ids
        #[arg(value_name = "ID", required = true)]
        ids: Vec<MessageId>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Put JSON on a queue
    Send(SendArgs),
    /// Print messages as they are persisted
    Tail {
        /// Only those of this queue
        #[arg(long, value_name = "QUEUE")]
        queue: Option<QueueName>,
        /// Print an object a line
        #[arg(long)]
        json: bool,
    },
    /// List the queues: what waits, how fast it goes
    Queues {
        /// How to print them
        #[command(flatten)]
        format: FormatArgs,
        /// Forget the Redis servers that are configured no longer, and the messages that wait there
        #[arg(long)]
        forget_servers: bool,
    },
    /// List messages that could not be persisted
    Dead(FormatArgs),
    /// Put messages that could not be persisted on their queues again
    Retry {
        /// Their ids
        #[arg(value_name = "ID", required = true)]
        ids: Vec<MessageId>,
    },
    /// Delete messages that could not be persisted
    Drop {
        /// Their ids
        #[arg(value_name = "ID", required = true)]
        ids: Vec<MessageId>,
    },
}

impl MessagesWhat {
    /// Returns whether nothing is changed by it.
    pub(super) fn only_reads(&self) -> bool {
        !matches!(
            self,
            Self::Send(_)
                | Self::Verify { .. }
                | Self::Retry { .. }
                | Self::Drop { .. }
                | Self::Queues {
                    forget_servers: true,
                    ..
                }
        )
    }
}

/// `messages list`.
#[derive(Debug, Args)]
pub struct MessageListArgs {
    /// Only those of this queue
    #[arg(long, value_name = "QUEUE")]
    pub queue: Option<QueueName>,
    /// Only those in this state: passed, failed, error, pending or unverified
    #[arg(long, value_name = "STATE")]
    pub state: Option<VersionState>,
    /// Only those behind the message with this id
    #[arg(long, value_name = "ID")]
    pub after: Option<MessageId>,
    /// At most N messages; 0 for all [default: 100]
    #[arg(long, short = 'n', value_name = "N")]
    pub limit: Option<usize>,
    /// Begin with the newest
    #[arg(long)]
    pub newest: bool,
    /// Print an object a line
    #[arg(long)]
    json: bool,
    /// Print CSV with the fields of --json
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl MessageListArgs {
    /// Returns the output format.
    pub fn format(&self) -> TableFormat {
        TableFormat::from_flags(self.json, self.csv)
    }
}

/// `messages send`.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// The JSON; `-` or nothing: read from stdin
    #[arg(value_name = "JSON")]
    pub body: Option<String>,
    /// The queue
    #[arg(long, value_name = "QUEUE", default_value_t)]
    pub queue: QueueName,
    /// Send many, each on a line, all or none
    #[arg(long)]
    pub lines: bool,
    /// Sent again with this key within a day, nothing is put on the queue a second time
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Print the ids as an object
    #[arg(long)]
    pub json: bool,
}
