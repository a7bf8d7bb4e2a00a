//! The tables of the layers, and what breaks them.

use std::fmt;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{Item, ItemMod};

use super::paths::{Named, each_item, named_paths};

/// Which layers of ours each layer may import. `compose` may import everything.
const LAYERS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &[]),
    ("config", &["domain"]),
    ("files", &[]),
    ("logging", &["config", "domain", "clock", "files"]),
    (
        "store",
        &["domain", "clock", "config", "files", "store::sqlite"],
    ),
    (
        "store::sqlite",
        &["domain", "clock", "config", "files", "store"],
    ),
    ("archive", &["domain", "clock", "config", "files"]),
    ("net", &["domain", "clock", "config", "files"]),
    ("queue", &["domain"]),
    ("verify", &["domain", "clock", "config", "files"]),
    ("thumbnails", &["domain", "files"]),
    (
        "app",
        &[
            "domain",
            "clock",
            "config",
            "store",
            "archive",
            "net",
            "queue",
            "verify",
            "thumbnails",
        ],
    ),
    (
        "worker",
        &[
            "domain", "clock", "config", "store", "archive", "net", "verify", "app",
        ],
    ),
    (
        "faces",
        &[
            "faces::cli",
            "faces::csv",
            "faces::file_change",
            "faces::filtering",
            "faces::folder_change",
            "faces::http",
            "faces::indent",
            "faces::json",
            "faces::json_tokens",
            "faces::options",
            "faces::publication",
            "faces::queue_words",
            "faces::remote_words",
            "faces::set_words",
            "faces::source_facts",
            "faces::state_word",
            "faces::text",
            "faces::tui",
            "faces::version_diff",
        ],
    ),
    (
        "faces::cli",
        &[
            "app",
            "domain",
            "config",
            "faces::csv",
            "faces::file_change",
            "faces::filtering",
            "faces::folder_change",
            "faces::indent",
            "faces::json",
            "faces::options",
            "faces::publication",
            "faces::queue_words",
            "faces::fixtures",
            "faces::set_words",
            "faces::source_facts",
            "faces::state_word",
            "faces::text",
        ],
    ),
    (
        "faces::file_change",
        &[
            "domain",
            "faces::publication",
            "faces::fixtures",
            "faces::text",
        ],
    ),
    ("faces::filtering", &["app", "domain"]),
    (
        "faces::folder_change",
        &[
            "app",
            "domain",
            "faces::file_change",
            "faces::fixtures",
            "faces::text",
        ],
    ),
    (
        "faces::json",
        &[
            "app",
            "config",
            "domain",
            "faces::file_change",
            "faces::folder_change",
            "faces::set_words",
            "faces::state_word",
        ],
    ),
    (
        "faces::http",
        &[
            "app",
            "config",
            "domain",
            "faces::csv",
            "faces::file_change",
            "faces::filtering",
            "faces::fixtures",
            "faces::folder_change",
            "faces::json",
            "faces::json_tokens",
            "faces::publication",
            "faces::queue_words",
            "faces::remote_words",
            "faces::set_words",
            "faces::source_facts",
            "faces::state_word",
            "faces::text",
            "faces::version_diff",
        ],
    ),
    ("faces::csv", &["faces::text"]),
    ("faces::indent", &["faces::json_tokens"]),
    ("faces::json_tokens", &[]),
    ("faces::options", &["app"]),
    ("faces::publication", &["domain", "faces::fixtures"]),
    ("faces::queue_words", &["app", "faces::text"]),
    ("faces::remote_words", &["faces::options"]),
    ("faces::fixtures", &["domain"]),
    ("faces::set_words", &["app", "domain", "faces::state_word"]),
    ("faces::source_facts", &["domain"]),
    ("faces::state_word", &["app", "domain"]),
    ("faces::text", &["domain"]),
    ("faces::version_diff", &["app", "domain", "faces::text"]),
    (
        "faces::tui",
        &[
            "app",
            "domain",
            "config",
            "faces::file_change",
            "faces::filtering",
            "faces::indent",
            "faces::options",
            "faces::publication",
            "faces::queue_words",
            "faces::fixtures",
            "faces::state_word",
            "faces::text",
            "faces::version_diff",
        ],
    ),
    ("demo", &["domain"]),
    ("lib", &[]),
    ("main", &["compose", "config", "faces", "faces::cli"]),
];

/// The layer that builds everything.
const COMPOSE: &str = "compose";

/// Paths of other crates that only these layers may name.
const CRATES: &[(&str, &[&str])] = &[
    ("rusqlite", &["store::sqlite"]),
    ("zstd", &["archive"]),
    ("reqwest", &["net"]),
    ("h2", &["net"]),
    ("httparse", &["net"]),
    ("tower_service", &["faces::http", "net"]),
    ("axum", &["faces::http"]),
    ("tokio_tungstenite", &["faces::http"]),
    ("argon2", &["app"]),
    ("utoipa", &["domain", "faces::http", "faces::json"]),
    ("metrics", &["faces::http"]),
    ("process_wrap", &["verify"]),
    ("tokio::process", &["verify", "faces::tui"]),
    ("process::Command", &["verify", "faces::tui"]),
    ("std::process::Command", &["verify", "faces::tui"]),
    ("std::process::Child", &["verify"]),
    ("std::process::Stdio", &["verify", "faces::tui"]),
    ("std::env", &["config", "main"]),
    ("directories", &["config"]),
    ("chrono::Local", &["config"]),
    ("clap", &["faces::cli", "main"]),
    ("clap_complete", &["faces::cli"]),
    ("clap_mangen", &["faces::cli"]),
    ("ratatui", &["faces::tui"]),
    ("crossterm", &["faces::tui"]),
    ("crokey", &["faces::tui"]),
    ("tui_input", &["faces::tui"]),
    ("indicatif", &["faces::cli", COMPOSE]),
    ("tracing_subscriber", &["logging"]),
    ("tracing_appender", &["logging", COMPOSE]),
    ("rcgen", &["demo"]),
    ("yasna", &["faces::http"]),
    ("tokio_rustls", &["demo", "faces::http", "net"]),
    ("jsonschema", &["config", "verify"]),
    ("image", &["thumbnails", "verify"]),
    ("gif", &["verify"]),
    ("png", &["verify"]),
    ("tiff", &["verify"]),
    ("encoding_rs", &["verify"]),
    ("xml", &["domain", "verify"]),
    ("rust_decimal", &["domain"]),
];

/// Modules within a layer that the files of a module there may not import, tests excluded.
const APART: &[(&str, &[&str])] = &[
    (
        "crate::faces::tui::draw",
        &["update", "effects", "run", "terminal"],
    ),
    ("crate::faces::tui::layout", &["draw", "scroll", "update"]),
    (
        "crate::faces::tui::model",
        &["draw", "update", "scroll", "effects"],
    ),
    ("crate::faces::tui::scroll", &["draw", "update", "effects"]),
    (
        "crate::faces::tui::update",
        &["draw", "effects", "run", "terminal"],
    ),
];

const MAX_LINES: usize = 800;

/// Something that the tables do not allow.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Returns the layer of a file, given by its path below `src/`.
pub(super) fn layer_of(file: &str) -> String {
    let module = module_of(file);
    layer_of_parts(&module[1..]).unwrap_or_else(|| file.trim_end_matches(".rs").to_owned())
}

/// Returns the imports of a file that the tables do not allow.
pub(super) fn findings(file: &str, items: &[Item]) -> Vec<Finding> {
    let layer = layer_of(file);
    let finding = |line, what| Finding {
        file: file.to_owned(),
        line,
        what,
    };
    let row = LAYERS.iter().find(|(name, _)| *name == layer);
    if row.is_none() && layer != COMPOSE {
        return vec![finding(
            1,
            format!(
                "the layer `{layer}` is in no table: give it a row in tests/it/layers/rules.rs"
            ),
        )];
    }
    let allowed = row.map(|(_, allowed)| *allowed);
    let named = named_paths(&module_of(file), items, true);
    let own = named.iter().filter_map(|named| {
        let target = imported_layer(&layer, named)?;
        let is_allowed =
            target == layer || allowed.is_none_or(|allowed| allowed.contains(&target.as_str()));
        (!is_allowed).then(|| finding(named.line, format!("`{layer}` may not import `{target}`")))
    });
    let others = named.iter().filter_map(|named| {
        let (path, layers) = CRATES.iter().find(|(path, _)| named.starts_with(path))?;
        (!layers.contains(&layer.as_str())).then(|| {
            finding(
                named.line,
                format!("`{path}` is for {} only", layers.join(", ")),
            )
        })
    });
    let supers = named.iter().filter(|named| named.supers > 1).map(|named| {
        let what = "`super::super`: name the path from `crate`".to_owned();
        finding(named.line, what)
    });
    let apart = apart(&module_of(file), items)
        .into_iter()
        .map(|(line, what)| finding(line, what));
    own.chain(others).chain(supers).chain(apart).collect()
}

/// Returns the imports of a module, with their lines, from which it is to be kept apart.
fn apart(module: &[String], items: &[Item]) -> Vec<(usize, String)> {
    let own = module.join("::");
    let is_within = |name: &str| own == name || own.starts_with(&format!("{name}::"));
    let Some((name, others)) = APART.iter().find(|(name, _)| is_within(name)) else {
        return Vec::new();
    };
    let around = name.rsplit_once("::").map_or("", |(around, _)| around);
    let named = named_paths(module, items, false);
    let found = named.iter().filter_map(|named| {
        let leads_to = |other: &&&str| named.starts_with(&format!("{around}::{other}"));
        let other = others.iter().find(leads_to)?;
        Some((
            named.line,
            format!("`{name}` may not import `{around}::{other}`"),
        ))
    });
    found.collect()
}

/// Returns where a file names a type behind `&mut` other than a buffer to draw on.
pub(super) fn only_buffers_change(file: &str, items: &[Item]) -> Vec<Finding> {
    let mut findings = Vec::new();
    each_item(&module_of(file), items, false, &mut |_, item| {
        let changed = changed_types(item.to_token_stream());
        findings.extend(changed.into_iter().map(|(line, name)| Finding {
            file: file.to_owned(),
            line,
            what: format!("`&mut {name}`: drawing changes a `Buffer` and nothing else"),
        }));
    });
    findings
}

/// Returns the types behind `&mut` but `Buffer`, with their lines: names that begin with a capital.
fn changed_types(stream: TokenStream) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_changed = false;
    for tree in stream {
        match tree {
            TokenTree::Group(group) => found.extend(changed_types(group.stream())),
            TokenTree::Ident(word) if word == "mut" => {
                is_changed = true;
                continue;
            }
            TokenTree::Ident(word) if is_changed => {
                let name = word.to_string();
                if name.starts_with(char::is_uppercase) && name != "Buffer" {
                    found.push((word.span().start().line, name));
                }
            }
            _ => {}
        }
        is_changed = false;
    }
    found
}

/// Returns what is wrong with a file's first line and its length, tests excluded.
pub(super) fn header_and_length(file: &str, text: &str) -> Vec<Finding> {
    let finding = |line, what: &str| Finding {
        file: file.to_owned(),
        line,
        what: what.to_owned(),
    };
    let mut findings = Vec::new();
    let says_something = |line: &str| {
        line.strip_prefix("//! ")
            .is_some_and(|page| !page.trim().is_empty())
    };
    if !text.lines().next().is_some_and(says_something) {
        findings.push(finding(
            1,
            "opens without `//!` that says what the file is for",
        ));
    }
    let lines = text
        .lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .count();
    if lines > MAX_LINES {
        findings.push(finding(MAX_LINES + 1, "is past 800 lines: split it"));
    }
    findings
}

/// Returns the items of a `mod.rs` that are neither `mod` nor `use`.
pub(super) fn only_re_exports(file: &str, items: &[Item]) -> Vec<Finding> {
    let others = items.iter().filter(|item| {
        !matches!(
            item,
            Item::Mod(ItemMod { content: None, .. }) | Item::Use(_)
        )
    });
    others
        .map(|item| Finding {
            file: file.to_owned(),
            line: item.span().start().line,
            what: "an item in a file that is for the page, `mod` and `pub use`".to_owned(),
        })
        .collect()
}

/// Returns the path of the module that a file holds, given by its path below `src/`.
pub(super) fn module_of(file: &str) -> Vec<String> {
    let inner = file
        .trim_end_matches(".rs")
        .split('/')
        .filter(|part| !matches!(*part, "mod" | "lib" | "main"));
    std::iter::once("crate")
        .chain(inner)
        .map(str::to_owned)
        .collect()
}

/// Returns the layer that the parts after `crate` lead to.
fn layer_of_parts(parts: &[String]) -> Option<String> {
    let first = parts.first()?;
    let inner = parts.get(1).map(|part| format!("{first}::{part}"));
    let own = inner.filter(|inner| LAYERS.iter().any(|(name, _)| name == inner));
    Some(own.unwrap_or_else(|| first.clone()))
}

/// Returns the layer of ours that a path names, if it does. `main` sees the others as the crate `gannet`; in `lib`
/// a path that begins with `crate` is a re-export of the whole.
fn imported_layer(layer: &str, named: &Named) -> Option<String> {
    let root = if layer == "main" { "gannet" } else { "crate" };
    named
        .starts_with(root)
        .then(|| layer_of_parts(&named.parts[1..]))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<Item> {
        syn::parse_file(text).expect("Rust").items
    }

    fn says(file: &str, text: &str) -> Vec<String> {
        let mut says: Vec<_> = findings(file, &items(text))
            .iter()
            .map(ToString::to_string)
            .collect();
        says.dedup();
        says
    }

    #[test]
    fn what_is_allowed_passes() {
        for (file, text) in [
            (
                "store/mod.rs",
                "pub use sources::Filter;\nuse crate::domain::Source; pub use sqlite::Store;",
            ),
            (
                "store/sqlite/sources.rs",
                "use super::Store; use crate::store::error::Result; use rusqlite::Connection;",
            ),
            (
                "worker/pass.rs",
                "use crate::{app::App, store::Store, net, archive::Archive};",
            ),
            (
                "config/read.rs",
                "fn f() { let home = std::env::var_os(name); }",
            ),
            (
                "net/client.rs",
                "const A: &str = concat!(\"gannet/\", env!(\"CARGO_PKG_VERSION\"));",
            ),
            (
                "compose.rs",
                "use crate::{app, demo, faces::cli, worker}; use std::process::ExitCode;",
            ),
            (
                "main.rs",
                "use std::process::ExitCode; fn main() -> ExitCode { gannet::compose::run() }",
            ),
            (
                "demo/origin.rs",
                "use crate::domain::Digest; use rcgen::KeyPair;",
            ),
            (
                "faces/cli/add.rs",
                "use crate::app::App; use clap::Args; use super::Output;",
            ),
            (
                "domain/id.rs",
                "/// See crate::store::Store.\nconst CRATE_NAME: &str = \"reqwest::Client\";",
            ),
        ] {
            assert_eq!(says(file, text), Vec::<String>::new(), "{file}: {text}");
        }
    }

    #[test]
    fn what_is_not_allowed_is_found() {
        for (file, text, expected) in [
            (
                "domain/id.rs",
                "use crate::clock::Clock;",
                "src/domain/id.rs:1: `domain` may not import `clock`",
            ),
            (
                "net/client.rs",
                "\n\nuse crate::{domain::Source, store};",
                "src/net/client.rs:3: `net` may not import `store`",
            ),
            (
                "verify/mod.rs",
                "use super::archive::Archive;",
                "src/verify/mod.rs:1: `verify` may not import `archive`",
            ),
            (
                "app/mod.rs",
                "fn f() { crate::worker::run() }",
                "src/app/mod.rs:1: `app` may not import `worker`",
            ),
            (
                "demo/mod.rs",
                "use crate::config::Config;",
                "src/demo/mod.rs:1: `demo` may not import `config`",
            ),
            (
                "faces/cli/add.rs",
                "use crate::store::Store;",
                "src/faces/cli/add.rs:1: `faces::cli` may not import `store`",
            ),
            (
                "faces/cli/add.rs",
                "use crate::compose::run;",
                "src/faces/cli/add.rs:1: `faces::cli` may not import `compose`",
            ),
            (
                "main.rs",
                "use gannet::store::Store;",
                "src/main.rs:1: `main` may not import `store`",
            ),
            (
                "app/add.rs",
                "use rusqlite::Row;",
                "src/app/add.rs:1: `rusqlite` is for store::sqlite only",
            ),
            (
                "app/add.rs",
                "use reqwest;",
                "src/app/add.rs:1: `reqwest` is for net only",
            ),
            (
                "store/read.rs",
                "fn f() { zstd::decode_all(x) }",
                "src/store/read.rs:1: `zstd` is for archive only",
            ),
            (
                "worker/pass.rs",
                "use std::{env, fs};",
                "src/worker/pass.rs:1: `std::env` is for config, main only",
            ),
            (
                "compose.rs",
                "fn f() { std::env::var(\"HOME\") }",
                "src/compose.rs:1: `std::env` is for config, main only",
            ),
            (
                "compose.rs",
                "use std::process::{Command, ExitCode};",
                "src/compose.rs:1: `std::process::Command` is for verify, faces::tui only",
            ),
            (
                "app/add.rs",
                "use tokio::process::Command;",
                "src/app/add.rs:1: `tokio::process` is for verify, faces::tui only",
            ),
            (
                "worker/pass.rs",
                "use indicatif::ProgressBar;",
                "src/worker/pass.rs:1: `indicatif` is for faces::cli, compose only",
            ),
            (
                "net/client.rs",
                "use rcgen::KeyPair;",
                "src/net/client.rs:1: `rcgen` is for demo only",
            ),
            (
                "store/a/b.rs",
                "use super::super::Store;",
                "src/store/a/b.rs:1: `super::super`: name the path from `crate`",
            ),
        ] {
            assert_eq!(says(file, text), [expected], "{file}: {text}");
        }
        let unknown = says("helpers/text.rs", "");
        assert!(
            unknown[0].contains("the layer `helpers` is in no table"),
            "{unknown:?}"
        );
    }

    #[test]
    fn the_engine_of_the_store_is_found_outside_of_its_folder() {
        for (file, text, expected) in [
            (
                "store/types.rs",
                "fn f(row: &rusqlite::Row<'_>) {}",
                "src/store/types.rs:1: `rusqlite` is for store::sqlite only",
            ),
            (
                "app/add.rs",
                "use crate::store::sqlite::Store;",
                "src/app/add.rs:1: `app` may not import `store::sqlite`",
            ),
        ] {
            assert_eq!(says(file, text), [expected], "{file}: {text}");
        }
    }

    #[test]
    fn headers_and_lengths_are_seen() {
        let long = |lines: usize| format!("//! Page.\n{}", "\n".repeat(lines - 1));
        for (text, count) in [
            ("//! What it is for.\n".to_owned(), 0),
            (String::new(), 1),
            ("//!\n".to_owned(), 1),
            ("use std::fs;\n//! Late.\n".to_owned(), 1),
            (long(800), 0),
            (long(801), 1),
            (long(700) + "#[cfg(test)]\n" + &"\n".repeat(400), 0),
        ] {
            assert_eq!(
                header_and_length("a.rs", &text).len(),
                count,
                "{}",
                text.lines().count()
            );
        }
    }

    #[test]
    fn items_in_a_mod_file_are_seen() {
        let good = "//! An impl of a type.\nmod a;\npub use a::{A, type_of};\n";
        assert!(only_re_exports("a/mod.rs", &items(good)).is_empty());
        let bad = "//! Page.\npub struct A;\nimpl A { fn b() {} }\n";
        assert_eq!(only_re_exports("a/mod.rs", &items(bad)).len(), 2);
    }

    #[test]
    fn modules_of_a_layer_are_kept_apart() {
        assert_eq!(
            says(
                "faces/tui/update/keys.rs",
                "use crate::faces::tui::draw::table; use crate::faces::tui::model::Model;"
            ),
            [
                "src/faces/tui/update/keys.rs:1: `crate::faces::tui::update` may not import `crate::faces::tui::draw`"
            ]
        );
    }

    #[test]
    fn drawing_may_change_a_buffer() {
        let what = |text: &str| -> Vec<String> {
            let found = only_buffers_change("faces/tui/draw/list.rs", &items(text));
            found.iter().map(ToString::to_string).collect()
        };
        for text in [
            "fn draw(model: &Model, buffer: &mut Buffer) { let mut top = 0; f(&mut top); }",
            "#[cfg(test)] mod tests { fn f(model: &mut Model) {} }",
        ] {
            assert_eq!(what(text), Vec::<String>::new(), "{text}");
        }
        for text in [
            "fn draw(model: &mut Model) {}",
            "impl Pane { fn draw<'a>(view: Option<&'a mut Model>) {} }",
        ] {
            let expected = "src/faces/tui/draw/list.rs:1: `&mut Model`: drawing changes a `Buffer` and nothing else";
            assert_eq!(what(text), [expected], "{text}");
        }
    }
}
