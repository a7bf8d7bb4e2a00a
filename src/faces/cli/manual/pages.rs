//! Every page for `man`: the program's, each command's, each topic's.

use clap::Command;

use super::commands::{command_page, program_page, program_reference, push_related, shown};
use super::markdown::Block;
use super::roff::{head, push_body, push_heading};
use super::topics::{TOPICS, Topic};

/// One page for `man`.
pub(crate) struct Page {
    /// The name without the section: `gannet-add`.
    pub(crate) name: String,
    /// The section: 1 commands, 5 file formats, 7 anything else.
    pub(crate) section: u8,
    /// The page in roff.
    pub(crate) source: String,
}

impl Topic {
    /// Returns the name and section of the topic's page. The configuration's is in section 5: a command has its name.
    pub(super) fn page(&self) -> (String, u8) {
        match self.name {
            "configuration" => ("gannet-config".to_owned(), 5),
            name => (format!("gannet-{name}"), 7),
        }
    }
}

/// Returns every page: the program's, each visible command's, each topic's.
pub(crate) fn pages(program: &Command) -> Vec<Page> {
    let mut pages = vec![Page {
        name: "gannet".to_owned(),
        section: 1,
        source: program_page(program),
    }];
    push_commands(&mut pages, program, "gannet");
    pages.extend(TOPICS.iter().map(topic_page));
    pages
}

fn push_commands(pages: &mut Vec<Page>, parent: &Command, name: &str) {
    for command in shown(parent) {
        let own = format!("{name}-{}", command.get_name());
        pages.push(Page {
            name: own.clone(),
            section: 1,
            source: command_page(command, name),
        });
        push_commands(pages, command, &own);
    }
}

fn topic_page(topic: &Topic) -> Page {
    let (name, section) = topic.page();
    let text = topic.markdown();
    let names = |other: &&Topic| text.contains(&format!("gannet help {}`", other.name));
    let related = TOPICS.iter().filter(names).map(Topic::page);
    let mut source = head(&name, section, topic.title());
    let blocks = topic.blocks();
    // A section must begin behind the title: text before the first heading needs one too.
    if !matches!(blocks.get(1), Some(Block::Heading(..))) {
        push_heading(&mut source, "Description");
    }
    push_body(&mut source, &blocks);
    push_related(
        &mut source,
        [program_reference()].into_iter().chain(related),
    );
    Page {
        name,
        section,
        source,
    }
}
