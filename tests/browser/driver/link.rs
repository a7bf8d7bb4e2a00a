//! The link by which one signs in, as the service prints it on its terminal.

use crate::rig::{Start, Terminal};

/// Starts gannet on a terminal that is wide enough for the link; returns the address of the service and the link's path.
pub(crate) fn started(gannet: Start) -> (Terminal, String, String) {
    let mut terminal = gannet.size(250, 40).run();
    terminal.wait("a link", |screen| link(&screen.contents()).is_some());
    let (address, path) = link(&terminal.screen().contents()).expect("a link");
    (terminal, address, path)
}

fn link(shown: &str) -> Option<(String, String)> {
    let words = shown.split_whitespace();
    let mut links = words.filter_map(|word| word.strip_prefix("http://")?.split_once('/'));
    let (address, path) = links.find(|(_, path)| path.starts_with("sign-in/"))?;
    Some((address.to_owned(), format!("/{path}")))
}
