//! Facts about the judged message, as its verifiers get them.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::domain::{Message, MessageId, QueueName};

/// Facts about the judged message (`GANNET_*` for a program).
#[derive(Clone, Debug)]
pub struct MessageFacts {
    /// Its id.
    pub id: MessageId,
    /// Its queue.
    pub queue: QueueName,
    /// Who pushed it.
    pub sender: String,
    /// When it was put on the queue.
    pub received_at: DateTime<Utc>,
    /// The length of its JSON.
    pub size_bytes: usize,
}

impl From<&Message> for MessageFacts {
    fn from(message: &Message) -> Self {
        Self {
            id: message.id,
            queue: message.queue.clone(),
            sender: message.sender.clone(),
            received_at: message.received_at,
            size_bytes: message.body.len(),
        }
    }
}

impl MessageFacts {
    /// Returns the name of the file that a program gets.
    pub(super) fn file_name(&self) -> String {
        format!("{}.json", self.id)
    }

    /// Returns the environment variables for a program. Times are RFC 3339 in UTC.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let received_at = self.received_at;
        // A line break could forge a second fact in a program's log.
        let sender = self.sender.replace(char::is_control, "");
        vec![
            ("GANNET_MESSAGE_ID", self.id.to_string()),
            ("GANNET_QUEUE", self.queue.to_string()),
            ("GANNET_SENDER", sender),
            (
                "GANNET_RECEIVED_AT",
                received_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            ),
            ("GANNET_SIZE_BYTES", self.size_bytes.to_string()),
            ("GANNET_FILE_NAME", self.file_name()),
            ("GANNET_MEDIA_TYPE", "application/json".to_owned()),
        ]
    }
}
