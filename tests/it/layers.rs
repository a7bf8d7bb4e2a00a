//! The layers of the code: who may import whom, which crate is used where, and that no files need each other.
//!
//! The tables here are those of the design. A new layer gets a row; a row is never widened to make a test pass without
//! a reason that the layer's page gives.

mod circles;
mod lengths;
mod paths;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use circles::circles;
use lengths::long_functions;
use rules::{Finding, findings, header_and_length, layer_of, only_buffers_change, only_re_exports};

/// Returns every Rust file below `src/`, with its path relative to it.
fn source_files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of src") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).expect("below src");
                let text = fs::read_to_string(&path).expect("UTF-8");
                files.push((name.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    files.sort();
    assert!(files.len() > 10, "src was found");
    files
}

/// Returns every file, parsed.
fn parsed_files() -> Vec<(String, syn::File)> {
    let parsed = source_files().into_iter().map(|(name, text)| {
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("src/{name}: {error}"));
        (name, file)
    });
    parsed.collect()
}

fn report(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |report, finding| {
        format!("{report}\n  {finding}")
    })
}

#[test]
fn every_import_is_allowed() {
    let findings: Vec<_> = parsed_files()
        .iter()
        .flat_map(|(name, file)| findings(name, &file.items))
        .collect();
    assert!(findings.is_empty(), "{}", report(&findings));
}

/// What is behind the use-cases is the worker's and the composition root's to use: a face that did would skip their rules.
#[test]
fn faces_see_no_ports() {
    let faces = source_files().into_iter();
    let faces = faces.filter(|(name, _)| name.starts_with("faces/"));
    let seen: Vec<_> = faces
        .filter_map(|(name, text)| text.contains(".ports()").then_some(name))
        .collect();
    assert_eq!(seen, [""; 0]);
}

#[test]
fn drawing_changes_nothing_but_the_buffer() {
    let files = parsed_files();
    let drawing = files
        .iter()
        .filter(|(name, _)| name.starts_with("faces/tui/draw/"));
    let findings: Vec<_> = drawing
        .flat_map(|(name, file)| only_buffers_change(name, &file.items))
        .collect();
    assert!(findings.is_empty(), "{}", report(&findings));
}

#[test]
fn no_files_need_each_other() {
    let mut report = Vec::new();
    for circle in circles(&parsed_files()) {
        report.push(format!("{}:", circle.files.join(", ")));
        let needs = circle.needs.iter();
        report.extend(needs.map(|(from, to, path)| format!("  {from} needs {to}: {path}")));
    }
    assert!(
        report.is_empty(),
        "files need each other:\n{}",
        report.join("\n")
    );
}

#[test]
fn every_file_has_a_header_and_a_sane_length() {
    let findings: Vec<_> = source_files()
        .iter()
        .flat_map(|(name, text)| header_and_length(name, text))
        .collect();
    assert!(findings.is_empty(), "{}", report(&findings));
}

#[test]
fn mod_files_hold_the_page_and_re_exports_only() {
    let findings: Vec<_> = parsed_files()
        .iter()
        .filter(|(name, _)| name.ends_with("mod.rs") || name == "lib.rs")
        .flat_map(|(name, file)| only_re_exports(name, &file.items))
        .collect();
    assert!(findings.is_empty(), "{}", report(&findings));
}

#[test]
fn every_file_belongs_to_a_layer() {
    for (name, expected) in [
        ("clock.rs", "clock"),
        ("compose.rs", "compose"),
        ("domain/id.rs", "domain"),
        ("faces/mod.rs", "faces"),
        ("faces/cli/add.rs", "faces::cli"),
        ("faces/cli/mod.rs", "faces::cli"),
        ("lib.rs", "lib"),
        ("store/mod.rs", "store"),
        ("store/sqlite/mod.rs", "store::sqlite"),
    ] {
        assert_eq!(layer_of(name), expected, "{name}");
    }
}

#[test]
fn functions_are_short() {
    let files = parsed_files();
    let is_test = |name: &str| name.ends_with("tests.rs") || name.contains("/tests/");
    let files = files.iter().filter(|(name, _)| !is_test(name));
    let findings: Vec<_> = files
        .flat_map(|(name, file)| long_functions(name, &file.items))
        .collect();
    assert!(findings.is_empty(), "{}", report(&findings));
}
