//! Every page for `man`: of the program, of each command, of each topic.

use clap::Command;

use super::commands::{command_page, program_page, program_reference, push_related, shown};
use super::markdown::Block;
use super::roff::{head, push_body, push_heading};
use super::topics::{TOPICS, Topic};

/// One page for `man`.
pub(crate) struct Page {
    /// Without its section: `gannet-add`.
    pub(crate) name: String,
    /// 1 commands, 5 file formats, 7 all else.
    pub(crate) section: u8,
    /// In the language of `man`.
    pub(crate) source: String,
}

impl Topic {
    /// Returns its page's name and section. The configuration is a file's format, and called like its command.
    pub(super) fn page(&self) -> (String, u8) {
        match self.name {
            "configuration" => ("gannet-config".to_owned(), 5),
            name => (format!("gannet-{name}"), 7),
        }
    }
}

/// Returns every page: of the program, of each command that people see, of each topic.
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
    // Behind the title: what comes before the first heading belongs to a section, too.
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
