//! The topics of the manual, in their listed order.

use super::markdown::{Block, parse};
use super::settings::settings_page;

/// One topic of the manual.
pub(crate) struct Topic {
    /// The topic's name: `gannet help NAME`.
    pub(crate) name: &'static str,
    text: &'static str,
    /// Generated text that follows the topic's own.
    tail: Option<fn() -> String>,
}

macro_rules! topic {
    ($name:literal) => {
        topic!($name, None)
    };
    ($name:literal, $tail:expr) => {
        Topic {
            name: $name,
            text: include_str!(concat!("../../../../assets/manual/", $name, ".md")),
            tail: $tail,
        }
    };
}

/// Every topic; none has the name of a command.
pub(crate) const TOPICS: &[Topic] = &[
    topic!("start"),
    topic!("sources"),
    topic!("schedule"),
    topic!("dated"),
    topic!("versions"),
    topic!("verifiers"),
    topic!("sets"),
    topic!("publishing"),
    topic!("notifications"),
    topic!("dashboard"),
    topic!("configuration", Some(settings_page)),
    topic!("secrets"),
    topic!("service"),
    topic!("people"),
    topic!("queues"),
    topic!("currencies"),
    topic!("network"),
    topic!("storage"),
    topic!("recovery"),
    topic!("deploy", Some(deploy_files)),
    topic!("formats"),
    topic!("schema"),
    topic!("exit-codes"),
    topic!("files"),
];

impl Topic {
    /// Returns the topic of this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        TOPICS.iter().find(|topic| topic.name == name)
    }

    /// Returns the title: the heading of the topic's page.
    pub(crate) fn title(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.trim_start_matches("# ")
    }

    /// Returns the whole page as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let tail = self.tail.map(|tail| format!("\n{}", tail()));
        format!("{}{}", self.text, tail.unwrap_or_default())
    }

    pub(super) fn blocks(&self) -> Vec<Block> {
        parse(&self.markdown()).expect("a test reads every topic")
    }
}

macro_rules! deployed {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../assets/deploy/", $name)))),+]
    };
}

/// The deployment files that people read: their name and text.
const DEPLOY_FILES: &[(&str, &str)] = deployed![
    "gannet.service",
    "gannet-pass.service",
    "gannet-pass.timer",
    "gannet-serve.service",
    "gannet-serve.socket",
    "crontab",
    "nginx.conf",
    "nginx-serve.conf",
    "Dockerfile",
    "compose.yaml",
    "prometheus-alerts.yml",
];

fn deploy_files() -> String {
    let files = DEPLOY_FILES.iter();
    let files = files.map(|(name, text)| format!("## {name}\n\n```text\n{text}```\n"));
    files.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faces::json::{AttemptJson, EventJson, SourceJson, VersionJson};
    use crate::faces::state_word::StateWord;

    #[test]
    fn every_field_of_the_json_is_in_the_manual() {
        let page = Topic::find("formats").expect("a topic").markdown();
        let fields = [
            SourceJson::FIELDS,
            AttemptJson::FIELDS,
            VersionJson::FIELDS,
            EventJson::FIELDS,
        ];
        for field in fields.concat() {
            assert!(page.contains(&format!("`{field}`")), "{field}");
        }
    }

    #[test]
    fn every_state_is_in_the_manual() {
        let text = |name| Topic::find(name).expect("a topic").markdown();
        let (for_people, for_programs) = (text("sources"), text("formats"));
        for (_, word, shown) in StateWord::ALL {
            assert!(for_people.contains(&format!("| `{shown}")), "{shown}");
            assert!(for_programs.contains(&format!("`{word}`")), "{word}");
        }
    }

    #[test]
    fn every_topic_keeps_to_the_manual_s_markdown() {
        for topic in TOPICS {
            let blocks =
                parse(&topic.markdown()).unwrap_or_else(|error| panic!("{}: {error}", topic.name));
            let title = Block::Heading(1, topic.title().to_owned());
            assert_eq!(blocks.first(), Some(&title), "{}", topic.name);
            assert!(topic.title().len() <= 70, "{}", topic.title());
        }
    }
}
