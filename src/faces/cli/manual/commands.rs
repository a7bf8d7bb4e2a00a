//! The manual pages of the commands, generated from their definitions: synopsis, options, examples.
//!
//! Treats all commands alike, except the program's own page, which includes parts of the manual.

use clap::{Arg, Command};
use clap_mangen::Man;

use super::markdown::Block;
use super::roff::{
    begin_paragraph, escape, head, push, push_body, push_code, push_heading, push_tagged,
};
use super::topics::{TOPICS, Topic};

/// The synopsis of the program without a command.
const CALLS: [&str; 4] = [
    "[--config FILE] [--data-dir DIR] [--utc] [--no-worker] [--read-only] [--ascii]",
    "--worker-only [--loop] [--json] [--quiet] [--config FILE] [--data-dir DIR]",
    "COMMAND [ARGUMENT]... [--config FILE] [--data-dir DIR] [--utc] [--quiet]",
    "help [TOPIC|COMMAND] | --help | --version",
];

/// Topics that are sections of the program's page.
const OWN_SECTIONS: [&str; 2] = ["files", "exit-codes"];

/// Returns the program's own page, gannet(1).
pub(crate) fn program_page(program: &Command) -> String {
    let mut page = head("gannet", 1, &about(program));
    push_heading(&mut page, "Synopsis");
    for (index, call) in CALLS.iter().enumerate() {
        let lead = if index > 0 { ".br\n" } else { "" };
        push(&mut page, &[lead, "\\fBgannet\\fR ", &escape(call)]);
    }
    push_heading(&mut page, "Description");
    push_body(&mut page, &first_paragraphs("start"));
    page.push_str(&mangen(program, Man::render_options_section));
    push_commands(&mut page, program, "gannet");
    for name in OWN_SECTIONS {
        push_body(&mut page, &sections_of(name));
    }
    push_related(&mut page, TOPICS.iter().map(Topic::page));
    page
}

/// Returns the page of a command; `parent` is the name of its parent command's page.
pub(super) fn command_page(command: &Command, parent: &str) -> String {
    let name = format!("{parent}-{}", command.get_name());
    let about = about(command);
    let mut page = head(&name, 1, &about);
    push_heading(&mut page, "Synopsis");
    let call = escape(&name.replace('-', " "));
    push(&mut page, &["\\fB", &call, "\\fR ", &synopsis(command)]);
    push_heading(&mut page, "Description");
    push(&mut page, &[&escape(about.trim_end_matches('.')), "."]);
    let more = command.get_after_help().map(ToString::to_string);
    let lines: Vec<_> = more.iter().flat_map(|more| more.lines()).collect();
    let is_heading = |line: &&str| line.ends_with(':');
    let (notes, sections) =
        lines.split_at(lines.iter().position(is_heading).unwrap_or(lines.len()));
    push_more(&mut page, notes);
    page.push_str(&mangen(command, Man::render_options_section));
    if shown(command).next().is_some() {
        push_commands(&mut page, command, &name);
    }
    push_more(&mut page, sections);
    push_related(&mut page, [program_reference()]);
    page
}

/// Returns the visible commands.
pub(super) fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|one| !one.is_hide_set())
}

/// Returns the name and section of the program's page.
pub(super) fn program_reference() -> (String, u8) {
    ("gannet".to_owned(), 1)
}

/// Adds the section of related pages, each given by name and section.
pub(super) fn push_related(page: &mut String, pages: impl IntoIterator<Item = (String, u8)>) {
    let pages = pages.into_iter();
    let pages = pages.map(|(name, section)| format!("\\fB{}\\fR({section})", escape(&name)));
    push_heading(page, "See also");
    push(page, &[&pages.collect::<Vec<_>>().join(",\n")]);
}

fn push_commands(page: &mut String, parent: &Command, name: &str) {
    push_heading(page, "Commands");
    for command in shown(parent) {
        let own = escape(&format!("{name}-{}", command.get_name()));
        let tag = format!("\\fB{own}\\fR(1)");
        push_tagged(page, &tag, &escape(&about(command)));
    }
}

fn about(command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string);
    about.unwrap_or_default()
}

fn blocks_of(topic: &str) -> impl Iterator<Item = Block> {
    let topic = Topic::find(topic).expect("a topic of the manual");
    topic.blocks().into_iter()
}

/// Returns a topic's blocks before the first heading.
fn first_paragraphs(topic: &str) -> Vec<Block> {
    let blocks = blocks_of(topic).skip(1);
    blocks
        .take_while(|block| !matches!(block, Block::Heading(..)))
        .collect()
}

/// Returns a topic's sections.
fn sections_of(topic: &str) -> Vec<Block> {
    blocks_of(topic)
        .skip_while(|block| !matches!(block, Block::Heading(2, _)))
        .collect()
}

/// Returns a section as clap's generator writes it, without the macro definitions at its head.
fn mangen(
    command: &Command,
    section: fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>,
) -> String {
    let mut bytes = Vec::new();
    section(&Man::new(command.clone()), &mut bytes).expect("a buffer takes all");
    let text = String::from_utf8(bytes).expect("the generator writes text");
    let mut page = String::new();
    for line in text.lines().filter(|line| !line.contains(".ds Aq")) {
        push(&mut page, &[&line.replace("\\*(Aq", "\\(aq")]);
    }
    page
}

fn synopsis(command: &Command) -> String {
    let options = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !arg.is_positional() && !arg.is_global_set());
    let mut parts: Vec<_> = options.filter_map(option).collect();
    match command.get_overridden_usage().map(ToString::to_string) {
        Some(usage) => {
            let operands = usage.split_once("[OPTIONS] ").map_or("", |(_, rest)| rest);
            parts.push(escape(&operands.replace(['<', '>'], "")));
        }
        None => parts.extend(command.get_positionals().map(operand)),
    }
    if shown(command).next().is_some() {
        parts.push("\\fICOMMAND\\fR".to_owned());
    }
    parts.join(" ")
}

fn value_name(arg: &Arg) -> String {
    let own = arg.get_id().as_str().to_uppercase();
    let names = arg.get_value_names().and_then(|names| names.first());
    escape(names.map_or(own.as_str(), |name| name.as_str()))
}

/// Returns an option with the name of its value; `None` for `--help`, which every command has.
fn option(arg: &Arg) -> Option<String> {
    let name = match (arg.get_long(), arg.get_short()) {
        (Some("help"), _) | (None, None) => return None,
        (Some(long), _) => escape(&format!("--{long}")),
        (None, Some(short)) => escape(&format!("-{short}")),
    };
    let value = if !arg.get_action().takes_values() {
        String::new()
    } else if arg.is_require_equals_set() {
        format!("[=\\fI{}\\fR]", value_name(arg))
    } else {
        format!(" \\fI{}\\fR", value_name(arg))
    };
    Some(format!("[\\fB{name}\\fR{value}]"))
}

fn operand(arg: &Arg) -> String {
    let takes_many = arg
        .get_num_args()
        .is_some_and(|count| count.max_values() > 1);
    let dots = if takes_many { "..." } else { "" };
    let name = format!("\\fI{}\\fR{dots}", value_name(arg));
    if arg.is_required_set() {
        name
    } else {
        format!("[{name}]")
    }
}

/// Adds the lines that follow the options in a command's help: indented lines are examples or tables.
fn push_more(page: &mut String, lines: &[&str]) {
    let mut code = Vec::new();
    for line in lines.iter().copied().chain([""]) {
        if let Some(line) = line.strip_prefix("  ") {
            code.push(line.to_owned());
            continue;
        }
        if !code.is_empty() {
            push_code(page, &std::mem::take(&mut code));
        }
        if let Some(heading) = line.strip_suffix(':') {
            push_heading(page, heading);
        } else if !line.is_empty() {
            begin_paragraph(page);
            push(page, &[&escape(line)]);
        }
    }
}
