//! The pages: sources, versions, differences, sets and the log for people with a browser.
//!
//! Every page is whole without script: links and forms. The script adds ages, live parts and keys. Forms are answered
//! with 303, or with the same form and the reason for the refusal. No page has a style or a script inline, or names
//! anything of another host.

mod add_form;
mod assets;
mod compare;
mod content_page;
mod content_window;
mod data;
mod days;
mod dead_messages;
mod diff;
mod diff_lines;
mod diff_words;
mod elements;
mod fetching;
mod fields;
mod history_tables;
mod images;
mod json_tree;
mod layout;
mod log;
mod message;
mod messages;
mod notices;
mod overview;
mod picture;
mod picture_diff;
mod problem_page;
mod published;
mod queues;
mod reason;
mod removal;
mod routes;
mod selection;
mod sets;
mod settings_form;
mod sign_in_pages;
mod source;
mod source_facts;
mod source_forms;
mod source_plots;
mod sources;
mod thumbnail;
mod verdict_forms;
mod verdicts;
mod version;
mod visit;

pub(super) use problem_page::{Asked, above};
pub(super) use routes::routes;
pub(super) use sign_in_pages::{link_page, sign_in_page};
pub(super) use visit::{Visit, local_path, see_other};
