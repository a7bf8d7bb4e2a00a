//! How long functions are.

use syn::spanned::Spanned as _;
use syn::{Block, ImplItem, Item, Signature, TraitItem};

use super::paths::each_item;
use super::rules::{Finding, module_of};

/// Lines from a function's signature to its closing brace.
const MAX_LINES: usize = 40;

/// Tables: a line for each case.
const TABLES: &[(&str, &str)] = &[
    ("faces/cli/commands/dispatch.rs", "run"),
    ("faces/http/api/routes.rs", "routes"),
    ("faces/http/pages/routes.rs", "routes"),
    ("store/sqlite/record.rs", "write"),
];

/// What is drawn: the fields of a form, the facts of a setting each.
const DRAWN: &[(&str, &str)] = &[
    ("faces/http/pages/settings_form.rs", "settings_form"),
    ("faces/http/pages/source_facts.rs", "settings_facts"),
    ("faces/http/pages/verdicts.rs", "give_form"),
];

/// Lines of a function that draws.
const MAX_DRAWN_LINES: usize = 80;

/// Returns the functions of a file that are too long, tests excluded.
pub(super) fn long_functions(file: &str, items: &[Item]) -> Vec<Finding> {
    let mut findings = Vec::new();
    each_item(&module_of(file), items, false, &mut |_, item| {
        for (signature, block) in functions(item) {
            let (from, to) = (signature.span().start().line, block.span().end().line);
            let (name, lines) = (signature.ident.to_string(), to - from + 1);
            let is_in = |table: &[(&str, &str)]| table.contains(&(file, name.as_str()));
            let most = if is_in(DRAWN) {
                MAX_DRAWN_LINES
            } else {
                MAX_LINES
            };
            if lines > most && !is_in(TABLES) {
                findings.push(Finding {
                    file: file.to_owned(),
                    line: from,
                    what: format!("`{name}` has {lines} lines, more than {most}"),
                });
            }
        }
    });
    findings
}

/// Returns the functions that an item is or holds.
fn functions(item: &Item) -> Vec<(&Signature, &Block)> {
    match item {
        Item::Fn(function) => vec![(&function.sig, &*function.block)],
        Item::Impl(block) => {
            let functions = block.items.iter().filter_map(|item| match item {
                ImplItem::Fn(function) => Some((&function.sig, &function.block)),
                _ => None,
            });
            functions.collect()
        }
        Item::Trait(block) => {
            let functions = block.items.iter().filter_map(|item| match item {
                TraitItem::Fn(function) => Some((&function.sig, function.default.as_ref()?)),
                _ => None,
            });
            functions.collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn only_what_is_past_the_limit_is_found() {
    let long = "\n    let x = 1;".repeat(MAX_LINES);
    let short = "\n    let x = 1;".repeat(MAX_LINES - 2);
    for (text, expected) in [
        (format!("fn long() {{{long}\n}}"), 1),
        (format!("fn short() {{{short}\n}}"), 0),
        (
            format!("impl X {{ fn long(&self) {{{long}\n}} fn short() {{}} }}"),
            1,
        ),
        (
            format!("trait X {{ fn long() {{{long}\n}} fn none(); }}"),
            1,
        ),
        (format!("mod inner {{ fn long() {{{long}\n}} }}"), 1),
        (
            format!("#[cfg(test)] mod tests {{ fn long() {{{long}\n}} }}"),
            0,
        ),
    ] {
        let file = syn::parse_file(&text).expect("Rust");
        let found = long_functions("app/x.rs", &file.items);
        assert_eq!(found.len(), expected, "{text}");
    }
}
